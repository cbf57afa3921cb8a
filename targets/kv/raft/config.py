"""The options of a Raft node: times in seconds, sizes in entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.kv.raft.local_clock import STEP_S
from targets.node.options import chosen

INDEX, LEASE, LOCAL = READS = ("index", "lease", "local")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``election_min_s`` .. ``election_max_s``: the interval of election timeouts (paper 9.3 recommends 150 to 300 ms;
    twice that leaves room for messages that a fault delays by 50 ms). ``heartbeat_s``: three fit into the shortest
    timeout, so that a lost one does no harm. ``pre_vote``: thesis 9.6.
    ``batch_s``: so long the leader gathers proposals before it syncs and sends them (group commit). ``batch_max``:
    entries per AppendEntries. ``forward_max_s``: how long a follower remembers a forwarded request.
    ``snapshot_entries``: a snapshot is taken after so many applied entries, far fewer than in production, so that a
    run of a minute sees many. ``snapshot_tail``: so many entries stay in the log behind a snapshot, for followers
    that are almost up to date. ``sessions_max``: clients remembered for exactly-once; the least recently served goes.
    ``stickiness``: a server that has just heard its leader votes for nobody (thesis 4.2.3); off is the paper as it stands.
    ``reads``: who answers reads: "index", the leader when a majority has confirmed it; "lease", the leader as long as its lease
    holds, which bears clocks that gain up to ``drift_bound`` on each other; "local", every server, from its own state.
    ``members``: the first members, comma-separated; empty is all nodes. ``autopilot_s``: the leader removes a member
    that was silent for so long, and adds it again when it returns (0: never); ``autopilot_min`` members always stay.
    """

    election_min_s: float = 0.3
    election_max_s: float = 0.6
    heartbeat_s: float = 0.075
    snapshot_entries: int = 100
    snapshot_tail: int = 25
    batch_s: float = 0.002
    batch_max: int = 64
    sessions_max: int = 4096
    forward_max_s: float = 10.0
    pre_vote: bool = True
    stickiness: bool = True
    reads: str = "index"
    drift_bound: float = 1.5
    members: str = ""
    autopilot_s: float = 0.0
    autopilot_min: int = 3

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if not 0 < config.heartbeat_s < config.election_min_s <= config.election_max_s:
            raise ValueError("0 < heartbeat_s < election_min_s <= election_max_s must hold")
        if config.batch_s < 0 or config.forward_max_s <= 0 or config.autopilot_s < 0 or config.autopilot_min < 1:
            raise ValueError(
                "batch_s and autopilot_s must be 0 or more, forward_max_s above 0, autopilot_min at least 1"
            )
        if config.snapshot_entries < 1 or config.snapshot_tail < 0 or config.batch_max < 1 or config.sessions_max < 1:
            raise ValueError(
                "snapshot_entries, batch_max and sessions_max must be at least 1, snapshot_tail at least 0"
            )
        if config.reads not in READS:
            raise ValueError(f"option reads={config.reads!r} is none of {', '.join(READS)}")
        if config.drift_bound < 1 or (config.reads == LEASE and not config.stickiness):
            raise ValueError("drift_bound must be at least 1, and a lease needs stickiness: it rests on that promise")
        if config.reads == LEASE and config.election_min_s <= STEP_S:
            raise ValueError(f"election_min_s must be above {STEP_S:g} for a lease")
        return config
