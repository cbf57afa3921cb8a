"""The seeded bugs of leader-follower replication: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of a minute of
virtual time each, on the simulator (``tests/sweep/test_bugs.py``), by a checker that the correct program satisfies under the same
faults and settings. The asynchronous variant loses acknowledged writes whenever a primary is replaced, so its bugs break something else
that it promises:

* where no primary is replaced it loses nothing and is linearizable: on a single node, or with backups that wait long (``PATIENT``);
* whatever happens, no epoch has two primaries (``ONE_PRIMARY``), and once nobody writes any more all nodes hold the same (``AGREED``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.protocols import Bug

Settings = Mapping[str, Any]
SETS, LINEARIZABLE_SETS, REGISTERS = ({"workload": name} for name in ("set", "linearizable-set", "register"))
# Backups so patient that no loss or delay of packets makes them replace a primary.
PATIENT: Settings = {"failover_min_s": 3.0, "failover_max_s": 4.0}
# Backups that miss their primary almost at the same moment, so that often two of them stand.
HASTY: Settings = {"failover_min_s": 0.3, "failover_max_s": 0.33}
ONE_PRIMARY: Settings = {"leadership": {"role": "primary"}}
# Every node is asked for what it holds itself. Acknowledged writes may be gone, but not from one node and not from another.
AGREED: Settings = {"workload": "eventual", "options": {"reads": "any"}}
# ... with so many keys that what went wrong with one of them is seldom mended by its next write.
AGREED_AT_LENGTH: Settings = {
    **AGREED,
    "workload_options": {"keys": 200},
    "rate": 30.0,
    "interval_s": 2.0,
    "recovery_s": 5.0,
}

# Bugs of both variants, as they show in the synchronous one.

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
VOTE_FORGOTTEN = Bug(
    name="vote-forgotten",
    summary="a node does not keep for whom it voted, so two candidates of one epoch are both elected",
    checker="leadership",
    faults=("partition", "kill"),
    source="Raft ATC'14, Figure 2, persistent state",
    settings={**LINEARIZABLE_SETS, "checkers": ONE_PRIMARY, "options": HASTY, "interval_s": 2.0},
)
PROMOTES_ITSELF = Bug(
    name="promotes-itself",
    summary="a backup that misses its primary makes itself the next one, without asking anybody",
    checker="leadership",
    faults=("partition",),
    source="Elasticsearch, Zen discovery without minimum_master_nodes (aphyr/posts/317)",
    settings={**LINEARIZABLE_SETS, "checkers": ONE_PRIMARY},
)
CATCH_UP_SKIPS_ENTRY = Bug(
    name="catch-up-skips-entry",
    summary="what a returned backup is sent begins one entry too late",
    checker="set",
    faults=("partition", "kill"),
    source="Dragonfly, pull request 5727: data loss in partial synchronisation",
    settings={**LINEARIZABLE_SETS, "interval_s": 2.0},
)
DIVERGENT_TAIL_KEPT = Bug(
    name="divergent-tail-kept",
    summary="a backup keeps entries at the end of its log that its primary does not have",
    checker="set",
    faults=("partition", "kill"),
    source="Raft ATC'14, section 5.3; Kafka, KIP-101",
    settings=LINEARIZABLE_SETS,
)

SYNC_BUGS = (
    VOTE_FORGOTTEN,
    PROMOTES_ITSELF,
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
        source="Gifford, SOSP'79: any two quorums must meet",
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
    CATCH_UP_SKIPS_ENTRY,
    DIVERGENT_TAIL_KEPT,
    Bug(
        name="doubt-denied",
        summary="a deposed primary says of writes that may yet take effect that they never will",
        checker="set",
        faults=("partition", "pause"),
        source="Maelstrom, doc/protocol.md: definite and indefinite errors; FoundationDB's commit_unknown_result",
        # A client that gives up before it finds the next primary.
        settings={**LINEARIZABLE_SETS, "interval_s": 2.0, "op_timeout_s": 0.5},
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


def _agreed(bug: Bug) -> Bug:
    """The bug as it shows in what the nodes hold in the end."""
    return replace(bug, checker="convergence", settings=AGREED_AT_LENGTH)


def _one_primary(bug: Bug) -> Bug:
    """The bug as it shows in who says that it is primary."""
    settings = {**bug.settings, "workload": AGREED["workload"], "checkers": ONE_PRIMARY}
    return replace(bug, settings=settings)


ASYNC_BUGS = (
    *map(_one_primary, (VOTE_FORGOTTEN, PROMOTES_ITSELF)),
    *map(_agreed, (CATCH_UP_SKIPS_ENTRY, DIVERGENT_TAIL_KEPT)),
    Bug(
        name="dropped-tail-stays-applied",
        summary="a deposed primary drops from its log what nobody else has, but not from its data",
        checker="convergence",
        faults=("partition", "kill"),
        source="Elasticsearch issue 10708: replicas out of sync after a primary failed",
        settings=AGREED_AT_LENGTH,
    ),
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
        source="MySQL, a replica promoted before its relay log is replayed",
        settings={**REGISTERS, "nodes": 1},
    ),
)
