"""Two variants of ``kv/raft`` that read otherwise: under a lease of the leader, and on every server; with the seeded bugs of each.

They are the same node program with other options, so that a bug of replication is one of all three. The conventions are those of
``targets.kv.target``; the seeds are swept in ``tests/sweep``.
"""

from __future__ import annotations

from dataclasses import replace

from harness.protocols import Bug, Target
from targets.kv.raft_claims import LEASE_CLAIMS, LOCAL_CLAIMS, QUICK
from targets.kv.target import RAFT

_BUGS = {bug.name: bug for bug in RAFT.bugs}

LEASE_BUGS = (
    Bug(
        name="lease-counts-steps",
        summary="the lease is measured by a wall clock, which may be set back",
        checker="linearizable",
        faults=("clock", "partition"),
        source="Raft thesis, section 6.4.1",
        settings={"interval_s": 2.0},
    ),
    Bug(
        name="lease-ignores-drift",
        summary="the lease lasts as long as the followers keep their promise, as if all clocks ran alike",
        checker="linearizable",
        faults=("drift", "partition"),
        source="Raft thesis, section 6.4.1, clock drift bound",
        settings={**QUICK, "interval_s": 1.5, "options": {"election_min_s": 1.0, "election_max_s": 1.1}},
    ),
    Bug(
        name="lease-whole-timeout",
        summary="the lease lasts the longest election timeout, and a follower may wait only for the shortest",
        checker="linearizable",
        faults=("partition",),
        source="Raft thesis, section 6.4.1",
        settings={"interval_s": 2.0, "options": {"election_max_s": 1.2}},
    ),
    Bug(
        name="lease-from-reply",
        summary="the lease begins when the followers' answers come, not when the heartbeats left",
        checker="linearizable",
        faults=("packet", "partition"),
        source="Raft thesis, section 6.4.1",
        settings={"interval_s": 1.5, "time_limit_s": 60.0, "rate": 100.0},
    ),
    Bug(
        name="lease-from-one",
        summary="the answer of a single follower renews the lease",
        checker="linearizable",
        faults=("partition",),
        source="Raft thesis, section 6.4.1: a majority",
    ),
    _BUGS["ack-before-quorum"],
    _BUGS["no-fsync"],
    _BUGS["apply-twice-on-retry"],
)

LOCAL_BUGS = (
    Bug(
        name="session-not-awaited",
        summary="a server answers reads of clients that have already seen more than it has",
        checker="sessions",
        faults=("partition",),
        source="ZooKeeper ATC'10, section 4.4: the zxid of a client that reconnects",
    ),
    Bug(
        name="read-without-index",
        summary="a client is not told up to where its reads have come, and goes back at another server",
        checker="sessions",
        faults=("partition", "kill"),
        source="Terry et al. 1994, monotonic reads",
    ),
    Bug(
        name="write-without-index",
        summary="a client is not told where its write stands, and does not see it at a server that lags",
        checker="sessions",
        faults=("partition",),
        source="Terry et al. 1994, read your writes",
    ),
    Bug(
        name="read-uncommitted",
        summary="servers return what is in their logs, committed or not",
        checker="sessions",
        faults=("partition",),
        source="Raft ATC'14, section 5.3: only what is committed is applied",
        settings={"interval_s": 2.0},
    ),
    replace(_BUGS["ack-before-quorum"], checker="sessions"),
    replace(_BUGS["no-fsync"], checker="sessions"),
    replace(_BUGS["append-without-log-matching"], checker="sessions"),
    replace(_BUGS["apply-twice-on-retry"], checker="sessions"),
)

LEASE_READS = replace(
    RAFT,
    name="kv/lease-reads",
    summary="Raft whose leader answers reads under a lease: linearizable as long as no clock gains more than drift_bound on another",
    options={"reads": "lease"},
    bugs=LEASE_BUGS,
    claims=LEASE_CLAIMS,
    faults=("partition", "packet", "kill", "pause", "drift"),
)
LOCAL_READS: Target = replace(
    RAFT,
    name="kv/local-reads",
    summary="Raft whose servers all answer reads, from their own states: no client goes back in time, but reads may be stale",
    workloads=("sessions", "eventual", "register", "kv", "cas-register"),
    options={"reads": "local"},
    bugs=LOCAL_BUGS,
    claims=LOCAL_CLAIMS,
)
