"""What the harness must know of ``kv/raft``: programs, client, workloads, and the seeded bugs with what reveals them.

A bug's ``faults`` are those that reveal it fastest, and its ``settings`` what the run needs besides: found within 50 random seeds
of a minute of virtual time each, on the simulator (``tests/sweep/test_bugs.py``).
"""

from __future__ import annotations

from harness.protocols import Bug, Claim, Target
from targets.kv.raft_claims import CHANGING, DAMAGED, RAFT_CLAIMS

RAFT_BUGS = (
    Bug(
        name="volatile-vote",
        summary="currentTerm and votedFor are kept in memory only, so a server that restarts votes again in the same term",
        checker="linearizable",
        faults=("kill", "partition"),
        source="Raft ATC'14, Figure 2, persistent state",
        settings={"nodes": 3, "interval_s": 1.0},
    ),
    Bug(
        name="ack-before-quorum",
        summary="the leader commits and acknowledges a write as soon as it is on its own disk",
        checker="linearizable",
        faults=("partition", "kill"),
        source="Raft ATC'14, section 5.3",
    ),
    Bug(
        name="stale-local-read",
        summary="every server answers reads from its own state, however far it lags behind",
        checker="linearizable",
        faults=("partition",),
        source="Raft ATC'14, section 8; etcd's serializable reads",
    ),
    Bug(
        name="lease-without-drift-bound",
        summary="the leader answers reads under a lease that it measures by its wall clock",
        checker="linearizable",
        faults=("clock", "partition"),
        source="Raft thesis, section 6.4.1",
        settings={"interval_s": 2.0},
    ),
    Bug(
        name="fixed-election-timeout",
        summary="all servers look for the leader, and campaign, at the same instants, so that votes are split for ever",
        checker="availability",
        faults=("partition",),
        source="Raft ATC'14, section 5.2",
    ),
    Bug(
        name="commit-old-term",
        summary="the leader commits entries of earlier terms by counting replicas, and another leader overwrites them",
        checker="linearizable",
        faults=("kill", "partition"),
        source="Raft ATC'14, section 5.4.2, Figure 8",
        # Entries must stay with their leader for as long as a fault takes to come, and only reads can see them.
        settings={
            "nodes": 3,
            "interval_s": 1.0,
            "rate": 60.0,
            "op_timeout_s": 1.0,
            "options": {"batch_s": 2.5, "heartbeat_s": 0.1},
            "workload_options": {"keys": 100},
        },
    ),
    Bug(
        name="apply-twice-on-retry",
        summary="a request that the client repeats is carried out again",
        checker="linearizable",
        faults=("partition", "packet"),
        source="Raft thesis, section 6.3",
    ),
    Bug(
        name="snapshot-drops-sessions",
        summary="a snapshot forgets which requests have been carried out",
        checker="linearizable",
        faults=("packet",),
        source="Raft thesis, sections 6.3 and 7",
    ),
    Bug(
        name="read-index-unconfirmed",
        summary="a leader answers reads without asking a majority whether it still leads",
        checker="linearizable",
        faults=("partition",),
        source="Raft ATC'14, section 8; Raft thesis, section 6.4",
    ),
    Bug(
        name="wrong-quorum-even",
        summary="of four servers two are taken for a majority",
        checker="linearizable",
        faults=("partition",),
        source="Raft ATC'14, section 5.2",
        settings={"nodes": 4},
    ),
    Bug(
        name="no-fsync",
        summary="entries are acknowledged before they are durable",
        checker="linearizable",
        faults=("kill",),
        source="Raft ATC'14, Figure 2; etcd issue 14370",
    ),
    Bug(
        name="no-checksum",
        summary="what the disk gives back is taken for what was written to it",
        checker="linearizable",
        faults=("corrupt", "kill"),
        source="Ganesan et al., FAST'17; TigerBeetle, storage fault model",
        settings=DAMAGED,
    ),
    Bug(
        name="vote-for-outdated-log",
        summary="a server votes for a candidate whose log lacks entries that it has itself",
        checker="linearizable",
        faults=("partition", "packet"),
        source="Raft ATC'14, section 5.4.1",
        settings={"interval_s": 2.0},
    ),
    Bug(
        name="append-without-log-matching",
        summary="a follower appends what it is sent to whatever log it has",
        checker="linearizable",
        faults=("kill", "partition"),
        source="Raft ATC'14, section 5.3",
        settings={"interval_s": 2.0},
    ),
    Bug(
        name="append-from-stale-term",
        summary="a follower accepts entries from a leader that has been deposed",
        checker="linearizable",
        faults=("partition", "pause"),
        source="Raft ATC'14, Figure 2, AppendEntries 1",
        settings={"interval_s": 2.0},
    ),
    Bug(
        name="read-before-term-commit",
        summary="a new leader answers reads before it knows which entries are committed",
        checker="linearizable",
        faults=("partition", "kill"),
        source="Raft ATC'14, section 8",
    ),
    Bug(
        name="reconfig-while-pending",
        summary="the leader removes one member after the other without waiting, until a minority is the majority",
        checker="linearizable",
        faults=("partition",),
        source="Raft thesis, section 4.1",
        settings={"options": {"autopilot_s": 0.3, "autopilot_min": 1}},
    ),
    Bug(
        name="reconfig-before-term-commit",
        summary="a new leader changes the members before it has committed an entry of its term",
        checker="linearizable",
        faults=("partition",),
        source="Ongaro, raft-dev, July 2015: bug in single-server membership changes",
        settings={"workload": "kv", **CHANGING},
    ),
)

COUNTER_CLAIMS = (
    Claim(
        name="counter",
        topic="retry-of-an-increment",
        statement="an addition that a client repeats under its request id counts once, and every read is up to date",
        model="linearizable",
        workload="counter",
        faults=("partition", "packet", "kill", "pause", "clock"),
        source="Raft thesis, section 6.3; catalogue row 42",
    ),
)

RAFT = Target(
    name="kv/raft",
    summary="a linearizable key-value store replicated by Raft: pre-vote, snapshots, read-index, sessions, membership changes",
    program="targets.kv.raft:server",
    client="targets.kv.client:KvClient",
    workloads=("register", "kv", "cas-register", "counter"),
    roles=("leader", "follower", "candidate"),
    bugs=RAFT_BUGS,
    claims=(*RAFT_CLAIMS, *COUNTER_CLAIMS),
)
