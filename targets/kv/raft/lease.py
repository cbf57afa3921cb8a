"""The leader's lease: for how long it may answer reads without asking anybody (thesis 6.4.1).

"The leader would use the normal heartbeat mechanism to maintain a lease. Once the leader's heartbeats were acknowledged by a majority of
the cluster, the leader would extend its lease to start + election timeout / clock drift bound, since the followers shouldn't time out
before then."

It rests on three promises: a follower that has heard a leader votes for nobody within the minimum election timeout by its
own clock, also after a restart (``election``, ``state``); ``start`` is when the heartbeats were *sent*; and no clock of the cluster gains
more than the bound on any other (``local_clock``).
"""

from __future__ import annotations

from targets.kv.raft.local_clock import STEP_S
from targets.kv.raft.replication import Replication
from targets.kv.raft.state import State


class Lease:
    """Decides whether this leader's lease holds now."""

    def __init__(self, state: State, replication: Replication) -> None:
        self._state, self._replication = state, replication

    def holds(self) -> bool:
        """Whether nobody else can have been elected yet, if all clocks keep to the bound."""
        local = self._state.local
        if local is None:
            return False
        now_s = local.now()  # first: it may be this reading that shows a step
        start_s = self._replication.acknowledged_s()
        return start_s > local.stepped_s and now_s < start_s + self._length_s()

    def _length_s(self) -> float:
        config, bugs = self._state.config, self._state.bugs
        timeout_s = config.election_max_s if bugs.lease_whole_timeout else config.election_min_s
        bound = 1.0 if bugs.lease_ignores_drift else config.drift_bound
        return (timeout_s - STEP_S) / bound
