"""The leader's side of log replication (paper 5.3, 5.4.2): who has what, what to send next, what is committed.

At most one message to a follower is unanswered at a time; what is proposed meanwhile goes with the next one. A heartbeat is the same
message with nothing to add, or the repetition of one that was not answered. Only the first answer to a message lets the next one go:
else every message that the network doubles would start a second conversation, for ever.

Every message carries the number of the current round, and the answer repeats it: that is how reads learn that the leader still
leads (``reads``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from targets.kv.raft.applier import Applier
from targets.kv.raft.roles import Roles
from targets.kv.raft.snapshot import Snapshots
from targets.kv.raft.state import State
from targets.node.env import Message, Timer

# A follower is sent nothing at a heartbeat if something was sent to it within this share of the interval.
FRESH = 0.5


@dataclass(slots=True)
class Peer:
    """What the leader knows of one follower (Figure 2, nextIndex[] and matchIndex[]).

    ``round`` and ``contact_s``: the youngest round that it answered, and when the leader had sent the youngest message that it answered.
    ``acknowledged_s`` is the same, but minus infinity as long as it has answered nothing at all: it is what a lease may rest on.
    """

    next: int
    contact_s: float
    acknowledged_s: float = float("-inf")
    match: int = 0
    round: int = 0
    sent_s: float = float("-inf")
    sent_round: int = 0
    number: int = 0  # of the latest message; a repetition has the number of what it repeats
    waiting: bool = False  # ... which is unanswered


class Replication:
    """The followers as their leader sees them; empty on a server that does not lead."""

    def __init__(self, state: State, roles: Roles, applier: Applier, snapshots: Snapshots) -> None:
        self._state, self._roles, self._applier, self._snapshots = state, roles, applier, snapshots
        self.peers: dict[str, Peer] = {}
        self.round = self.awaited_round = 0  # the current round; the one that someone waits for, or 0
        self.when_round_confirmed: Callable[[], None] = _nothing
        self.when_ticked: Callable[[], None] = _nothing
        self.inherited_index = 0  # the last index of the log when this server became leader
        self._tick: Timer | None = None
        self._flushing = False
        # The time by which the leader judges whether it still reaches a majority. A wall clock may stand still, or go back.
        self.clock = state.env.wall_time if state.bugs.lease_without_drift_bound else state.now

    def start(self) -> None:
        """This server has become leader."""
        self.peers, self.round, self.awaited_round, self._flushing = {}, 0, 0, False
        self._state.log.sync()  # what an earlier leadership of this server left in memory
        self.inherited_index = self._state.log.last_index
        self._meet_peers()
        # Figure 2, Leaders: "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server."
        for name, peer in self.peers.items():
            self._send(name, peer)
        if not (self._state.bugs.read_before_term_commit or self._state.bugs.commit_old_term):
            # Section 8: "each leader commits a blank no-op entry into the log at the start of its term", to learn what is committed.
            self.propose(None)
        self._tick = self._state.env.call_later(self._state.config.heartbeat_s, self._on_tick)

    def stop(self) -> None:
        """This server has ceased to be leader."""
        self.peers = {}
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None

    def propose(self, command: Any) -> int:
        """Append ``command`` to the log; it goes to the disk, and then out, with all that is proposed meanwhile. Returns its index."""
        state = self._state
        index = state.log.last_index + 1
        state.store(index - 1, [[state.term, command]])
        if state.members.index == index:
            self._meet_peers()
        if not self._flushing:
            self._flushing = True
            state.env.call_later(state.config.batch_s, self._flush)
        return index

    def begin_round(self) -> None:
        """Ask all followers whether they still follow; ``when_round_confirmed`` is called when a majority has said so."""
        self.round += 1
        self.awaited_round = self.round
        for name, peer in self.peers.items():
            if not peer.waiting:
                self._send(name, peer)
        self._confirm()  # a cluster of one needs nobody's answer

    def reach_s(self) -> float:
        """The latest instant, by ``clock``, at which a majority certainly still followed this leader."""
        reach_s: float = self._agreed(self.clock(), lambda peer: peer.contact_s)
        return reach_s

    def acknowledged_s(self) -> float:
        """The instant, by ``clock``, at which those messages had been sent that the latest majority has acknowledged."""
        if self._state.bugs.lease_from_one:
            return max([peer.acknowledged_s for peer in self.peers.values()], default=self.clock())
        start_s: float = self._agreed(self.clock(), lambda peer: peer.acknowledged_s)
        return start_s

    # Sending

    def _flush(self) -> None:
        """Make durable what was proposed, and send it to whoever is not busy."""
        self._flushing = False
        state = self._state
        if not state.leads:
            return
        state.log.sync()
        if state.bugs.ack_before_quorum:
            self._applier.commit_to(state.log.last_index)
        for name, peer in self.peers.items():
            if not peer.waiting and peer.next <= state.log.synced_index:
                self._send(name, peer)
        self._advance()  # a cluster of one needs nobody's answer

    def _send(self, name: str, peer: Peer) -> None:
        state = self._state
        log = state.log
        prev = peer.next - 1
        now_s = state.env.monotonic()
        if prev < log.base_index:
            if peer.waiting and now_s - peer.sent_s < state.config.election_min_s:
                return  # a snapshot is under way, and too large to be repeated at every heartbeat
            body = self._snapshots.message(state.term)
        else:
            body = {
                "type": "append_entries",
                "term": state.term,
                "prev": prev,
                "prev_term": log.term_at(prev),
                "entries": log.slice(peer.next, min(state.config.batch_max, log.synced_index - prev)),
                "commit": state.commit,
            }
        peer.number += not peer.waiting
        body["number"], body["round"], body["sent"] = peer.number, self.round, self.clock()
        peer.waiting, peer.sent_s, peer.sent_round = True, now_s, self.round
        state.env.send(name, body)

    def _on_tick(self) -> None:
        state = self._state
        # Thesis 6.2: "a leader steps down if an election timeout elapses without a successful round of heartbeats to a majority of its
        # cluster", so that clients behind it do not wait for ever.
        if self.clock() - self.reach_s() > state.config.election_max_s:
            self._roles.follow(state.term, None)
            return
        self._tick = state.env.call_later(state.config.heartbeat_s, self._on_tick)
        self.when_ticked()
        fresh_s = state.env.monotonic() - FRESH * state.config.heartbeat_s
        for name, peer in self.peers.items():
            if peer.sent_s <= fresh_s:
                self._send(name, peer)

    def _meet_peers(self) -> None:
        """A change of members counts as soon as it is in the log (thesis 4.1)."""
        state = self._state
        for name in state.members.nodes:
            if name != state.me and name not in self.peers:
                self.peers[name] = Peer(next=state.log.last_index + 1, contact_s=self.clock())
        if len(self.peers) > len(state.members.nodes) - (state.me in state.members.nodes):
            self.peers = {name: peer for name, peer in self.peers.items() if name in state.members.nodes}

    # Hearing

    def on_append_reply(self, message: Message) -> None:
        """A follower's answer to AppendEntries or InstallSnapshot."""
        body, state = message["body"], self._state
        if body["term"] > state.term:
            self._roles.follow(body["term"], None)
            return
        peer = self.peers.get(message["src"])
        if not state.leads or body["term"] < state.term or peer is None:
            return
        expected = peer.waiting and body["number"] == peer.number
        if expected:
            peer.waiting = False
        peer.contact_s = max(peer.contact_s, body["sent"])
        peer.acknowledged_s = self.clock() if state.bugs.lease_from_reply else max(peer.acknowledged_s, body["sent"])
        peer.round = max(peer.round, body["round"])
        if body["ok"]:
            peer.next = max(peer.next, body["match"] + 1)
            if body["match"] > peer.match:
                peer.match = body["match"]
                self._advance()
        elif body["prev"] == peer.next - 1:  # else it is an old refusal, overtaken by later answers
            # End of 5.3: "the leader can decrement nextIndex to bypass all of the conflicting entries in that term".
            peer.next = body["hint"]
        self._confirm()
        leads = self.peers.get(message["src"]) is peer  # what became committed may have ended the leadership
        if (
            leads
            and expected
            and not peer.waiting
            and (peer.next <= state.log.synced_index or peer.sent_round < self.round)
        ):
            self._send(message["src"], peer)

    def _advance(self) -> None:
        """Commit what a majority has.

        Figure 2, Leaders: "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N,
        and log[N].term == currentTerm: set commitIndex = N (5.3, 5.4)."
        """
        state = self._state
        index = self._agreed(state.log.synced_index, lambda peer: peer.match)
        if index > state.commit and (state.log.term_at(index) == state.term or state.bugs.commit_old_term):
            self._applier.commit_to(index)
            if state.me not in state.members.nodes and state.members.index <= state.commit:
                # Thesis 4.2.2: "a leader that is removed from the configuration steps down once the Cnew entry is committed."
                self._roles.follow(state.term, None)

    def _confirm(self) -> None:
        if self.awaited_round and self._state.leads:
            confirmed = self._agreed(self.round, lambda peer: peer.round)
            if confirmed >= self.awaited_round:
                self.awaited_round = 0
                self.when_round_confirmed()

    def _agreed(self, mine: Any, of: Callable[[Peer], Any]) -> Any:
        """The largest value that a majority of the members has reached, this server's being ``mine``."""
        state, peers = self._state, self.peers
        return state.members.agreed([mine if name == state.me else of(peers[name]) for name in state.members.nodes])


def _nothing(*_: object) -> None:
    """What is called until the node has put its parts together."""
