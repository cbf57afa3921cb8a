"""Automatic failover: a backup that misses its primary asks the others whether they miss it, too, and then for their votes.

A node votes once in an epoch, and only for a candidate whose log is at least as complete as its own. So an epoch has at most one primary;
and since the votes of a majority are needed, it has every entry that a majority has on its disk. That is all that the synchronous variant
needs. In the asynchronous one the same rule picks the best of the logs that can be reached, which may still lack what was acknowledged.

One timer per node. Hearing from the primary only notes the time; when the timer fires it looks at the note and waits for the rest, so
that messages cost no timers.
"""

from __future__ import annotations

from targets.kv.primary.log import Log
from targets.kv.primary.state import Role, State
from targets.node.env import Body, Message


class Election:
    """One node's part in elections."""

    def __init__(self, state: State, log: Log) -> None:
        self._state, self._log = state, log
        self._votes: list[str] = []
        self._sounding = False  # the others are asked whether they would vote, before an epoch is begun for it
        self._since_s = (
            0.0  # when this node last began to wait: at its start, at a vote that it gave, at its own attempts
        )
        self.patience_s = 0.0

    def start(self) -> None:
        self._state.env.log(self._state.role.value, term=self._state.epoch)
        self._wait_anew()
        self._arm()

    # The timer

    def _wait_anew(self) -> None:
        env, config = self._state.env, self._state.config
        self._since_s = env.monotonic()
        # Drawn anew each time, so that two candidates that split the votes do not do so for ever.
        self.patience_s = env.random.uniform(config.failover_min_s, config.failover_max_s)

    def _arm(self) -> None:
        state = self._state
        due_s = max(state.heard_s, self._since_s) + self.patience_s
        state.env.call_later(max(due_s - state.env.monotonic(), 0.001), self._on_timer)

    def _on_timer(self) -> None:
        state = self._state
        if state.leads:
            self._wait_anew()
        elif state.env.monotonic() - max(state.heard_s, self._since_s) >= self.patience_s:
            self._wait_anew()
            self._sound_out()
        self._arm()

    # Asking

    def _sound_out(self) -> None:
        """A node behind a broken link must not depose, by ever new epochs, a primary that the others hear."""
        state = self._state
        if state.bugs.promotes_itself:
            state.stand()
            state.lead()
            return
        self._sounding = True
        state.follow(state.epoch, None)
        self._ask(state.epoch + 1)

    def _stand(self) -> None:
        self._sounding = False
        self._state.stand()
        self._wait_anew()
        self._ask(self._state.epoch)

    def _ask(self, epoch: int) -> None:
        state = self._state
        self._votes = []
        body = {"type": "ask_vote", "epoch": epoch, "sounding": self._sounding, "end": list(self._log.end)}
        for peer in state.others:
            state.env.send(peer, body)
        self._count(state.me)

    def on_vote(self, message: Message) -> None:
        """An answer to ``ask_vote``: ``epoch`` is the voter's own, ``asked`` the one in question."""
        body, state = message["body"], self._state
        if body["epoch"] > state.epoch:
            self._sounding = False
            state.follow(body["epoch"], None)
        elif body["granted"] and body["sounding"] == self._sounding:
            asking = self._sounding and state.role is Role.BACKUP and state.primary is None
            wanted = state.epoch + 1 if asking else state.epoch
            if (asking or state.role is Role.CANDIDATE) and body["asked"] == wanted:
                self._count(message["src"])

    def _count(self, voter: str) -> None:
        if voter not in self._votes:
            self._votes.append(voter)
        if len(self._votes) < self._state.majority:
            return
        if self._sounding:
            self._stand()
        else:
            self._state.lead()

    # Answering

    def on_ask_vote(self, message: Message) -> None:
        """A candidate asks for this node's vote, or whether it would get it."""
        body, candidate, state = message["body"], message["src"], self._state
        epoch, sounding = body["epoch"], body["sounding"]
        if state.hears_primary():
            granted = False
        elif sounding:
            granted = epoch > state.epoch and self._complete(body)
        else:
            if epoch > state.epoch:
                state.follow(epoch, None)
            granted = epoch == state.epoch and state.voted_for in {None, candidate} and self._complete(body)
            if granted:
                state.vote(candidate)  # on the disk before the answer leaves
                self._wait_anew()
        answer = {"type": "vote", "epoch": state.epoch, "asked": epoch, "sounding": sounding, "granted": granted}
        state.env.send(candidate, answer)

    def _complete(self, body: Body) -> bool:
        """Whether the candidate has all that this node has."""
        return tuple(body["end"]) >= self._log.end or self._state.bugs.promotes_stale
