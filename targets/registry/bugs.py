"""The seeded bugs of the registry: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by the checker ``registry`` (or ``health``, of instances that are probed), which the correct program
satisfies under the same faults and settings.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.protocols import Bug

SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
SNAPSHOTS: dict[str, Any] = {"options": {"snapshot_entries": 10, "snapshot_tail": 2}}
PROBED: dict[str, Any] = {"workload": "health"}
_GRAY = "Gray and Cheriton 1989, Leases"
_ZOOKEEPER = "ZooKeeper ATC'10, sections 2.2 and 2.3"
_CONSUL = "Consul, sessions: invalidated with all that they hold"
_CHECKS = "Consul, health checks: failures_before_critical, deregister_critical_service_after, ?passing"


def _bug(name: str, summary: str, source: str, *faults: str, **settings: Any) -> Bug:
    return Bug(
        name=name, summary=summary, checker="registry", faults=faults, source=source, settings={**SHORT, **settings}
    )


def _sick(name: str, summary: str, source: str, *faults: str) -> Bug:
    return replace(_bug(name, summary, source, *faults, **PROBED), checker="health")


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
    _sick("one-failure-is-critical", "one probe without an answer is enough to be told critical", _CHECKS),
    _sick("critical-still-listed", "who asks for the healthy is told of the critical, too", _CHECKS),
    _sick("critical-never-deregistered", "who is critical stays registered for ever", _CHECKS),
    _sick(
        "probe-forgotten-after-failover",
        "a new leader probes only what was registered under it",
        "Consul, anti-entropy: a new leader reconciles what it finds",
        "kill",
    ),
    _sick(
        "node-answers-for-instance",
        "a probe asks whether the node lives, not whether the instance does",
        "Huang et al., HotOS'17: Gray failure, the Achilles' heel of cloud-scale systems",
    ),
    _sick(
        "health-not-watched",
        "watches are told who comes and goes, and not who falls ill and gets well",
        "Consul, watches of the type service: changes of checks wake them",
    ),
)
