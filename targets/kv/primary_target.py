"""What the harness must know of leader-follower replication: two targets of one node program, and the seeded bugs of each.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of a minute of
virtual time each, on the simulator (``tests/targets/kv/primary/test_sweep.py``), by a checker that the correct program satisfies under the
same faults and settings. That is why the bugs of the asynchronous variant need unusual ones: it loses writes whenever a primary is
replaced, so what else is wrong with it shows only where none is: on a single node, or with backups that wait long (``PATIENT``).
"""

from __future__ import annotations

from dataclasses import replace

from harness.protocols import Bug, Target

SETS, LINEARIZABLE_SETS, REGISTERS = ({"workload": name} for name in ("set", "linearizable-set", "register"))
# Backups so patient that no loss or delay of packets makes them replace a primary: so the asynchronous variant has only one, and
# loses nothing.
PATIENT = {"failover_min_s": 3.0, "failover_max_s": 4.0}

BACKUP_READS = Bug(
    name="backup-reads",
    summary="every node answers reads from its own state, however far it lags behind",
    checker="linearizable",
    faults=("packet",),
    source="MongoDB's and Redis's reads from secondaries",
    settings=REGISTERS,
)
RETRY_APPLIED_TWICE = Bug(
    name="retry-applied-twice",
    summary="a request that the client repeats is carried out again",
    checker="linearizable",
    faults=("partition", "packet"),
    source="Ongaro, thesis, section 6.3",
    settings=REGISTERS,
)
LATE_COPY_APPLIED = Bug(
    name="late-copy-applied",
    summary="an old request whose copy comes after a newer one of the same client is carried out again",
    checker="linearizable",
    faults=("packet",),
    source="Ongaro, thesis, section 6.3",
    settings={**REGISTERS, "op_timeout_s": 1.0},  # so that a client retries sooner than a slow link delivers
)
CHECKPOINT_DROPS_SESSIONS = Bug(
    name="checkpoint-drops-sessions",
    summary="a checkpoint forgets which requests have been carried out",
    checker="linearizable",
    faults=("packet",),
    source="Ongaro, thesis, sections 5.1 and 6.3",
    settings={**REGISTERS, "options": {"checkpoint_entries": 5}},
)

SYNC_BUGS = (
    Bug(
        name="vote-forgotten",
        summary="a node does not keep for whom it voted, so two candidates of one epoch are both elected",
        checker="set",
        faults=("partition", "kill"),
        source="Raft ATC'14, Figure 2, persistent state",
        # Backups that miss their primary almost at the same moment, so that often two of them stand.
        settings={**LINEARIZABLE_SETS, "options": {"failover_min_s": 0.3, "failover_max_s": 0.33}},
    ),
    Bug(
        name="promotes-stale",
        summary="a node votes for a candidate that lacks entries which it has itself",
        checker="set",
        faults=("partition", "kill"),
        source="Redis Sentinel; Raft ATC'14, section 5.4.1",
        settings={**LINEARIZABLE_SETS, "interval_s": 2.0},
    ),
    Bug(
        name="half-is-majority",
        summary="of four nodes two are taken for a majority",
        checker="set",
        faults=("partition",),
        settings={**LINEARIZABLE_SETS, "nodes": 4},
    ),
    Bug(
        name="fencing-off",
        summary="backups accept entries from a primary that has been deposed",
        checker="set",
        faults=("partition", "pause"),
        source="Raft ATC'14, Figure 2, AppendEntries 1; HDFS, fencing of the journal",
        settings={**LINEARIZABLE_SETS, "interval_s": 2.0},
    ),
    Bug(
        name="ack-before-replicas",
        summary="the primary acknowledges a write as soon as it is on its own disk",
        checker="set",
        faults=("partition", "kill"),
        source="Redis and MySQL, asynchronous replication",
        settings=LINEARIZABLE_SETS,
    ),
    Bug(
        name="replica-acks-before-sync",
        summary="backups confirm entries that are not yet on their disks",
        checker="set",
        faults=("kill",),
        source="NATS JetStream issue 7564; etcd issue 14370",
        settings=LINEARIZABLE_SETS,
    ),
    Bug(
        name="catch-up-skips-entry",
        summary="what a returned backup is sent begins one entry too late",
        checker="set",
        faults=("partition", "kill"),
        settings={**LINEARIZABLE_SETS, "interval_s": 2.0},
    ),
    Bug(
        name="divergent-tail-kept",
        summary="a backup keeps entries at the end of its log that its primary does not have",
        checker="set",
        faults=("partition", "kill"),
        source="Raft ATC'14, section 5.3; Kafka, KIP-101",
        settings=LINEARIZABLE_SETS,
    ),
    Bug(
        name="reads-unconfirmed",
        summary="a primary answers reads without asking a majority whether it still is one",
        checker="linearizable",
        faults=("partition",),
        source="etcd 3.4 before linearizable reads; Raft ATC'14, section 8",
        settings=REGISTERS,
    ),
    BACKUP_READS,
    RETRY_APPLIED_TWICE,
    LATE_COPY_APPLIED,
    CHECKPOINT_DROPS_SESSIONS,
)


def _patient(bug: Bug) -> Bug:
    """The bug with a primary that nobody replaces."""
    settings = {**bug.settings, "options": {**bug.settings.get("options", {}), **PATIENT}}
    return replace(bug, faults=("packet",), settings=settings)


ASYNC_BUGS = (
    *map(_patient, (BACKUP_READS, RETRY_APPLIED_TWICE, LATE_COPY_APPLIED, CHECKPOINT_DROPS_SESSIONS)),
    Bug(
        name="ack-before-sync",
        summary="the primary acknowledges what it will write to its disk a moment later",
        checker="set",
        faults=("kill",),
        source="Redis, appendfsync everysec",
        settings={**SETS, "nodes": 1},
    ),
    Bug(
        name="recovers-checkpoint-only",
        summary="after a crash, the log behind the last checkpoint is not read",
        checker="set",
        faults=("kill",),
        source="Redis with snapshots (RDB) and no log",
        settings={**SETS, "nodes": 1},
    ),
    Bug(
        name="promoted-before-replay",
        summary="a new primary answers before it has applied the log that it holds",
        checker="linearizable",
        faults=("kill",),
        settings={**REGISTERS, "nodes": 1},
    ),
)

_PROGRAM = "targets.kv.primary:Primary"
_CLIENT = "targets.kv.set_client:SetClient"
_REGISTERS = ("register", "kv", "cas-register")
_ROLES = ("primary", "backup", "candidate")

PRIMARY_SYNC = Target(
    name="kv/primary-sync",
    summary="leader-follower replication with failover: a write is acknowledged once a majority has it on disk, and survives",
    program=_PROGRAM,
    client=_CLIENT,
    workloads=("linearizable-set", "set", *_REGISTERS),
    roles=_ROLES,
    bugs=SYNC_BUGS,
    options={"mode": "sync"},
)
PRIMARY_ASYNC = Target(
    name="kv/primary-async",
    summary="leader-follower replication with failover: a write is acknowledged once the primary has it on disk, and may be lost",
    program=_PROGRAM,
    client=_CLIENT,
    workloads=("set", *_REGISTERS),
    roles=_ROLES,
    bugs=ASYNC_BUGS,
    options={"mode": "async"},
)
