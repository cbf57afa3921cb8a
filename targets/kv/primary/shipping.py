"""The primary's side of replication: who has what, what to send next, what is committed.

At most one message to a backup is unanswered at a time; what comes meanwhile goes with the next one. A heartbeat is the same message with
nothing to add, and the repetition of one that was lost. The synchronous primary sends what it is asked to write at once, the asynchronous
one with its next heartbeat.

Messages are numbered, and an answer repeats the number. So reads learn that this node still was the primary after they had been asked
(``reads``). And an answer that comes twice, or to a message that was repeated, calls for no further message: if each did, a network
that makes copies would be flooded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from targets.kv.primary.replica import Replica
from targets.kv.primary.state import State
from targets.node.env import Body, Message, Timer

# A backup is sent nothing at a heartbeat if something was sent to it within this share of the interval.
FRESH = 0.5


@dataclass(slots=True)
class Backup:
    """What the primary knows of one backup.

    ``next``: the entry to send next; ``match``: it has all up to here on its disk. ``answered`` and ``contact_s``: the number of the
    youngest message that it answered, and when that was sent; ``number`` and ``sent_s``: the same of the last one that it was sent.
    ``refused``: the difference to it is being looked for.
    """

    next: int
    contact_s: float
    match: int = 0
    answered: int = 0
    number: int = 0
    sent_s: float = float("-inf")
    refused: bool = False

    @property
    def waiting(self) -> bool:
        """The last message is unanswered."""
        return self.answered < self.number


class Shipping:
    """The backups as their primary sees them; none on a node that is not primary."""

    def __init__(self, state: State, replica: Replica) -> None:
        self._state, self._replica = state, replica
        self.backups: dict[str, Backup] = {}
        self._number = 0  # of the last message
        self._awaited = 0  # somebody waits for a majority's answers to messages from this number on; 0: nobody does
        self.when_round_confirmed: Callable[[], None] = _nothing
        self._tick: Timer | None = None
        self._flushing = False
        # Whether what is on this node's own disk is committed.
        self._alone = not state.config.sync or state.bugs.ack_before_replicas

    def start(self) -> None:
        """This node has become primary."""
        state, log = self._state, self._replica.log
        self._awaited = 0
        now_s = state.env.monotonic()
        self.backups = {name: Backup(next=log.last_index + 1, contact_s=now_s) for name in state.others}
        if not state.bugs.promoted_before_replay:
            # A mark at the start of the epoch. Once it is committed, all before it is: see ``_advance``.
            self.propose(None)
            self._flush()
        for name, backup in self.backups.items():
            if not backup.waiting:
                self._send(name, backup)  # that there is a new primary is no news for the next heartbeat
        self._tick = state.env.call_later(state.config.heartbeat_s, self._on_tick)

    def stop(self) -> None:
        """This node has ceased to be primary."""
        self.backups = {}
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None

    def propose(self, command: Any) -> int:
        """Append ``command`` to the log; it goes to the disk, and out, with all that is proposed meanwhile. Returns its index."""
        index = self._replica.log.last_index + 1
        self._replica.store(index - 1, [[self._state.epoch, command]])
        if not self._flushing:
            self._flushing = True
            self._state.env.call_later(self._state.config.group_s, self._flush)
        return index

    def begin_round(self) -> None:
        """Ask all backups whether they still follow; ``when_round_confirmed`` is called when a majority has said so."""
        self._awaited = self._number + 1
        for name, backup in self.backups.items():
            if not backup.waiting:
                self._send(name, backup)
        self._confirm()  # a cluster of one needs nobody's answer

    # Sending

    def _flush(self) -> None:
        """Make durable what was proposed, and send it if it cannot wait."""
        self._flushing = False
        state, log = self._state, self._replica.log
        if not state.leads:
            return
        if not state.bugs.ack_before_sync:
            log.sync()
        if self._alone:
            self._replica.commit_to(log.last_index)
        if state.config.sync:
            for name, backup in self.backups.items():
                if not backup.waiting and backup.next <= log.last_index:
                    self._send(name, backup)
            self._advance()  # a cluster of one needs nobody's answer

    def _send(self, name: str, backup: Backup) -> None:
        state, log = self._state, self._replica.log
        now_s = state.env.monotonic()
        if backup.next <= log.base_index:
            if backup.waiting and now_s - backup.sent_s < state.config.failover_min_s:
                return  # the full state is under way, and too large to be repeated at every heartbeat
            body: Body = {"type": "install", "state": self._replica.full_state()}
        else:
            start, prev = backup.next, backup.next - 1
            if backup.refused and state.bugs.catch_up_skips_entry:
                start += 1
            entries = log.slice(start, state.config.batch_entries)
            body = {"type": "replicate", "prev": prev, "prev_epoch": log.epoch_at(prev), "entries": entries}
            body["commit"] = self._replica.commit
        self._number += 1
        body |= {"epoch": state.epoch, "number": self._number, "sent": now_s}
        backup.number, backup.sent_s, backup.refused = self._number, now_s, False
        state.env.send(name, body)

    def _on_tick(self) -> None:
        state, config = self._state, self._state.config
        now_s = state.env.monotonic()
        if config.sync and now_s - self._agreed(now_s, lambda backup: backup.contact_s) > config.failover_max_s:
            # Nothing that it is asked to write can be committed, and the others look for a new primary: its clients should, too. The
            # asynchronous primary needs nobody, and goes on until a later epoch deposes it.
            state.follow(state.epoch, None)
            return
        self._tick = state.env.call_later(config.heartbeat_s, self._on_tick)
        self._replica.log.sync()
        for name, backup in self.backups.items():
            if backup.sent_s <= now_s - FRESH * config.heartbeat_s:
                self._send(name, backup)

    # Hearing

    def on_reply(self, message: Message) -> None:
        """A backup's answer to ``replicate`` or ``install``."""
        body, state = message["body"], self._state
        if body["epoch"] > state.epoch:
            state.follow(body["epoch"], None)  # there is a later primary, or will be: this one is deposed
            return
        backup = self.backups.get(message["src"])
        if backup is None or body["epoch"] < state.epoch:
            return
        latest = body["number"] == backup.number and backup.waiting
        backup.contact_s = max(backup.contact_s, body["sent"])
        backup.answered = max(backup.answered, body["number"])
        if body["ok"]:
            backup.next = max(backup.next, body["match"] + 1)
            if body["match"] > backup.match:
                backup.match = body["match"]
                self._advance()
        elif body["prev"] == backup.next - 1:  # else it is an old refusal, overtaken by later answers
            backup.next, backup.refused = body["hint"], True
        self._confirm()
        leads = self.backups.get(message["src"]) is backup
        if latest and leads and not backup.waiting and self._wanted(backup):
            self._send(message["src"], backup)

    def _wanted(self, backup: Backup) -> bool:
        """Whether there is something for ``backup`` that cannot wait for the next heartbeat."""
        behind = self._replica.log.last_index + 1 - backup.next
        if backup.refused or behind >= self._state.config.batch_entries:
            return True  # it is catching up
        return self._state.config.sync and (behind > 0 or backup.number < self._awaited)

    def _advance(self) -> None:
        """Commit what a majority has on its disk.

        Only an entry of this epoch shows that, and with it all that stands before it: a majority that has an entry of an earlier epoch may
        still elect a primary without it, one whose log ends with a later epoch (Ongaro and Ousterhout, Raft, 5.4.2 and figure 8).
        """
        replica = self._replica
        index = self._agreed(replica.log.synced_index, lambda backup: backup.match)
        if self._state.config.sync and replica.log.epoch_at(index) == self._state.epoch:
            replica.commit_to(index)

    def _confirm(self) -> None:
        if not self._awaited or not self._state.leads:
            return
        if self._agreed(self._awaited, lambda backup: backup.answered) >= self._awaited:
            self._awaited = 0
            self.when_round_confirmed()

    def _agreed(self, mine: Any, of: Callable[[Backup], Any]) -> Any:
        """The largest value that a majority has reached, this node's being ``mine``."""
        return sorted([mine, *map(of, self.backups.values())], reverse=True)[self._state.majority - 1]


def _nothing(*_: object) -> None:
    """What is called until the node has put its parts together."""
