"""Linearizable reads without the log: read-index (thesis 6.4, paper section 8).

The leader must know two things before it answers a read from its own state: which entries are committed, hence it "must have the latest
information on which entries are committed" (it has committed an entry of its term), and that it still is the leader, hence it
"needs to exchange heartbeat messages with a majority of the cluster before responding". Reads that arrive while such a round is under way
share the next one: the answers to the current one may have been on their way before those reads were asked.

A leader with a lease (``lease``) knows without asking that it still leads, and reads cost no messages at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from targets.kv.raft.lease import Lease
from targets.kv.raft.machine import Machine
from targets.kv.raft.replication import Replication
from targets.kv.raft.state import State
from targets.node.env import Body, Message

Answer = Callable[[Message, Body], None]


class Reads:
    """The reads that a leader has not answered yet."""

    def __init__(self, state: State, machine: Machine, replication: Replication, answer: Answer) -> None:
        self._state, self._machine, self._replication, self._answer = state, machine, replication, answer
        self._lease = Lease(state, replication)
        self._asked: list[tuple[Message, Any]] = []  # (request, key): waiting for a round of their own
        self._confirming: list[tuple[Message, Any]] = []  # waiting for the round under way

    def ask(self, request: Message, key: Any) -> None:
        """Answer ``request`` with the value of ``key`` as soon as that is safe."""
        bugs = self._state.bugs
        unasked = (
            self._lease.holds()
            or bugs.read_index_unconfirmed
            or (bugs.lease_without_drift_bound and self._unbounded_lease_holds())
        )
        if unasked and self._knows_commit():
            self._answer(request, self._machine.read(key))
            return
        self._asked.append((request, key))
        self.proceed()

    def proceed(self) -> None:
        """Begin a round if there is something to ask and no round is under way. Called also whenever something was committed."""
        if self._confirming or not self._asked or not self._state.leads or not self._knows_commit():
            return
        self._confirming, self._asked = self._asked, []
        self._replication.begin_round()

    def confirmed(self) -> None:
        """A majority has said, after these reads were asked, that this server leads.

        Thesis 6.4 waits here until the machine has come to the commit index of the time of asking. Ours is always there (``applier``).
        """
        confirmed, self._confirming = self._confirming, []
        for request, key in confirmed:
            self._answer(request, self._machine.read(key))
        self.proceed()

    def abandon(self) -> list[Message]:
        """The leadership is over: forget the reads, and return them."""
        requests = [request for request, _ in (*self._confirming, *self._asked)]
        self._confirming, self._asked = [], []
        return requests

    def _knows_commit(self) -> bool:
        """Thesis 6.4, step 1: whether the leader has committed an entry of its current term."""
        state = self._state
        if state.bugs.read_before_term_commit:
            return True
        if state.bugs.commit_old_term:
            return state.commit >= self._replication.inherited_index
        return state.log.term_at(state.commit) == state.term

    def _unbounded_lease_holds(self) -> bool:
        """Thesis 6.4.1 without its assumption: "a bound on clock drift across servers". Nobody bounds what a wall clock does."""
        config, replication = self._state.config, self._replication
        return replication.clock() < replication.reach_s() + config.election_min_s
