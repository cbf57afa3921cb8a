"""The seeded bugs of the registry: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by the checker ``registry``, which the correct program satisfies under the same faults and settings.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug

SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
SNAPSHOTS: dict[str, Any] = {"options": {"snapshot_entries": 10, "snapshot_tail": 2}}
_GRAY = "Gray and Cheriton 1989, Leases"
_ZOOKEEPER = "ZooKeeper ATC'10, sections 2.2 and 2.3"
_CONSUL = "Consul, sessions: invalidated with all that they hold"


def _bug(name: str, summary: str, source: str, *faults: str, **settings: Any) -> Bug:
    return Bug(
        name=name, summary=summary, checker="registry", faults=faults, source=source, settings={**SHORT, **settings}
    )


BUGS = (
    _bug("beat-not-recorded", "a heartbeat is confirmed, and the session ends all the same", _GRAY),
    _bug(
        "failover-ends-sessions", "a new leader has heard of nobody, and ends all sessions", _ZOOKEEPER, "kill", "pause"
    ),
    _bug(
        "sessions-lost-in-snapshot",
        "a snapshot saves the entries, and forgets whose they are: they stay for ever",
        "Raft ATC'14, section 7",
        "kill",
        **SNAPSHOTS,
    ),
    _bug(
        "expiry-forgets-second", "a session that ends takes one of its entries with it, and leaves the others", _CONSUL
    ),
    _bug("leave-keeps-entries", "who leaves by itself is still found", _CONSUL),
    _bug(
        "lookup-local",
        "every node answers lookups by what it knows itself",
        "Raft ATC'14, section 8",
        "partition",
        "packet",
    ),
    _bug(
        "watch-from-now",
        "who watches on at another node is told what comes from now on, and not what it missed on the way",
        "etcd, watch: the revision to begin from; Kubernetes informers, which list again",
    ),
    _bug(
        "watch-cut-short",
        "of the changes only the latest few are kept, and whoever comes later is not told so",
        "etcd, ErrCompacted: there a watcher is told",
    ),
    _bug(
        "registered-before-quorum",
        "a change counts as soon as the leader alone knows",
        "Raft ATC'14, section 5.3",
        "partition",
        "kill",
    ),
)
