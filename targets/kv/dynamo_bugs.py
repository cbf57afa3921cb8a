"""The seeded bugs of kv/dynamo, per variant: the faults and settings that reveal each, and the checker that names it.

Each is found within 50 random seeds of a minute of virtual time on the simulator, by a checker that the correct program satisfies
under the same faults and settings (``tests/sweep/test_bugs.py``). Quorums heal and hide much of what is wrong with repair: so where
repair is meant, a run has r = w = 1, and the other repairs are off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.protocols import Bug

ALONE: dict[str, Any] = {"n": 1, "r": 1, "w": 1}  # a key has one home: what that one lacks nobody else can give
ONE: dict[str, Any] = {"r": 1, "w": 1}  # a read sees one replica, so it shows what that one lacks
STRICT: dict[str, Any] = {"sloppy": False}
ABD: dict[str, Any] = {
    "sloppy": False,
    "write_back": True,
}  # with clocks that are right, or hybrid, registers are linearizable
SHORT: dict[str, Any] = {"time_limit_s": 30.0}
SETS: dict[str, Any] = {"workload": "eventual-set", "rate": 30.0, **SHORT}
REGISTERS: dict[str, Any] = {"workload": "kv", **SHORT}
# Hardly a key is written again after the heal: that would repair it, whatever is wrong with repair.
SOON_QUIET: dict[str, Any] = {"recovery_s": 1.0, "progress_s": 1.0, "workload_options": {"keys": 50}, **SHORT}

ACK_BEFORE_SYNC = Bug(
    name="ack-before-sync",
    summary="replicas confirm writes that are not yet on their disks",
    checker="set",
    faults=("kill",),
    source="Riak issue kv679; Cassandra, commitlog_sync periodic",
    settings={**SETS, "options": ALONE},
)
# Many keys: a coordinator that writes a key again mends it, for its own copy knows all that it has numbered.
HINTS_VOLATILE = Bug(
    name="hints-volatile",
    summary="hints are kept in memory, so a node that restarts never hands over what it took for others",
    checker="set",
    faults=("partition", "kill"),
    source="Dynamo, SOSP 2007, section 4.6",
    settings={**SETS, "options": ALONE | {"handoff_s": 2.0}, "interval_s": 1.5, "workload_options": {"keys": 100}},
)
HINT_DROPPED = Bug(
    name="hint-dropped-when-sent",
    summary="a hint is forgotten when it is sent, not when its home has confirmed it",
    checker="set",
    faults=("partition", "packet"),
    source="Dynamo, SOSP 2007, section 4.6",
    settings={**SETS, "options": ALONE, "interval_s": 1.5, "workload_options": {"keys": 100}},
)
HANDOFF_OVERWRITES = Bug(
    name="handoff-overwrites",
    summary="what is handed over replaces what its home has, newer or not",
    checker="set",
    faults=("partition",),
    source="Dynamo, SOSP 2007, sections 4.4 and 4.6",
    settings={**SETS, "options": ALONE},
)
NO_READ_REPAIR = Bug(
    name="no-read-repair",
    summary="a read that finds a replica with an old version leaves it so",
    checker="convergence",
    faults=("partition",),
    source="Dynamo, SOSP 2007, section 5",
    settings={**SOON_QUIET, "options": ONE | STRICT | {"anti_entropy_s": 0.0}},
)
TREE_OF_KEYS = Bug(
    name="tree-of-keys",
    summary="Merkle trees tell which keys there are but not which versions, so replicas that differ look equal",
    checker="convergence",
    faults=("partition",),
    source="Dynamo, SOSP 2007, section 4.7",
    settings={**SOON_QUIET, "options": ONE | STRICT | {"read_repair": False}},
)
TOMBSTONES = Bug(
    name="tombstones-collected",
    summary="deletions are forgotten before every replica has heard of them, so what was deleted comes back",
    checker="convergence",
    faults=("partition", "kill"),
    source="Cassandra, gc_grace_seconds",
    settings={**SOON_QUIET, "workload": "eventual-deletes", "options": ONE},
)

DYNAMO_BUGS = (
    Bug(
        name="vector-pruned",
        summary="version vectors are cut down to four entries, so a node gives out numbers again that others take for known",
        checker="convergence",
        faults=("partition",),
        source="Dynamo, SOSP 2007, section 4.4, clock truncation; Riak, old_vclock",
        settings={"rate": 30.0, "workload_options": {"keys": 10}, **SHORT},
    ),
    Bug(
        name="plain-vector",
        summary="a write replaces whatever its coordinator has, as if its client had seen it",
        checker="set",
        faults=("partition",),
        source="Preguiça et al., Dotted Version Vectors, 2012, section 2",
        settings=SETS,
    ),
    Bug(
        name="first-sibling-wins",
        summary="of two versions that do not know each other one is dropped",
        checker="set",
        faults=("partition",),
        source="Riak, allow_mult=false; Jepsen: Riak, 2013",
        settings=SETS,
    ),
    ACK_BEFORE_SYNC,
    HINTS_VOLATILE,
    HINT_DROPPED,
    HANDOFF_OVERWRITES,
    NO_READ_REPAIR,
    TREE_OF_KEYS,
    TOMBSTONES,
)


# Without clock faults the last write by any clock is the last write: no earlier one may take its place.
NOTHING_LOST: dict[str, Any] = {"checkers": {"convergence": {"lost_updates": True}}}

LAST_WRITE_BUGS = (
    replace(ACK_BEFORE_SYNC, checker="linearizable", settings={**REGISTERS, "options": ALONE | STRICT}),
    replace(HANDOFF_OVERWRITES, checker="convergence", settings={**SOON_QUIET, **NOTHING_LOST, "options": ALONE}),
    replace(
        HINTS_VOLATILE,
        checker="convergence",
        settings={**SOON_QUIET, **NOTHING_LOST, "options": ALONE | {"handoff_s": 2.0}, "interval_s": 1.5},
    ),
    NO_READ_REPAIR,
    TREE_OF_KEYS,
    TOMBSTONES,
    Bug(
        name="stamped-by-replica",
        summary="every replica stamps a write by its own clock when it comes, so that they put writes in different orders",
        checker="linearizable",
        faults=("packet",),
        source="Cassandra, server-side timestamps; Dynamo, SOSP 2007, section 4.4",
        settings={**REGISTERS, "options": ABD},
    ),
)
LWW_BUGS = (
    *LAST_WRITE_BUGS,
    Bug(
        name="ties-kept",
        summary="stamps are coarse, and of two equal ones every replica keeps its own",
        checker="convergence",
        faults=("partition",),
        source="Cassandra, CASSANDRA-6123 and the tie-break by value",
        settings={**SOON_QUIET, "options": ONE},
    ),
)
HLC_BUGS = (
    *LAST_WRITE_BUGS,
    Bug(
        name="clock-deaf",
        summary="a hybrid clock does not take over what it hears, and so is a wall clock",
        checker="linearizable",
        faults=("clock",),
        source="Kulkarni et al., Logical Physical Clocks, 2014, section 3",
        settings={**REGISTERS, "options": ABD},
    ),
    Bug(
        name="acks-counted-twice",
        summary="two copies of one answer are taken for the answers of two nodes",
        checker="linearizable",
        faults=("packet", "partition"),
        source="Attiya, Bar-Noy, Dolev 1995",
        # Of a side with two nodes, one answers twice, before the others are missed.
        settings={**REGISTERS, "options": ABD | {"n": 5, "r": 3, "w": 3}, "interval_s": 1.5},
    ),
    Bug(
        name="write-back-skipped",
        summary="a read does not write back what its own node has, as if the others had it too",
        checker="linearizable",
        faults=("packet",),
        source="Attiya, Bar-Noy, Dolev 1995; Kleppmann, Designing Data-Intensive Applications, chapter 9",
        settings={
            **REGISTERS,
            "options": ABD | {"read_repair": False},
            "workload_options": {"keys": 5},
            "interval_s": 2.0,
        },
    ),
)
