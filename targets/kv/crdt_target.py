"""What the harness must know of the replicated data types: a target for each, which differ in the option ``data``, and their seeded bugs.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of a minute of
virtual time each, on the simulator (``tests/sweep/test_bugs.py``).
"""

from __future__ import annotations

from dataclasses import replace

from harness.protocols import Bug, Claim, Target

_DEMERS = "Demers and others 1987, section 1.4"
_SHAPIRO = "Shapiro and others 2011, A comprehensive study of CRDTs"


def _shared(checker: str) -> dict[str, Bug]:
    """The bugs that any of these data types can have, as ``checker`` finds them."""
    bugs = (
        Bug(
            name="ack-before-sync",
            summary="an update is acknowledged before it is on the disk, and gone if the node crashes before it has told anyone",
            checker=checker,
            faults=("kill",),
            source="Redis, appendfsync everysec; etcd issue 14370",
            settings={"interval_s": 2.0},
        ),
        Bug(
            name="torn-tail-kept",
            summary="a record that a crash tore stays in the journal, so that what is written behind it is never read again",
            checker=checker,
            faults=("kill",),
            source="LevelDB and its log format; targets.node.records",
            settings={"interval_s": 2.0, "options": {"checkpoint_records": 100_000}},
        ),
        Bug(
            name="fixed-peer",
            summary="every node gossips with one partner only, so that what one pair knows the others never hear",
            checker=checker,
            faults=(),
            source="Demers and others 1987, section 1.3: peers are drawn at random from all",
        ),
        Bug(
            name="rumours-only",
            summary="there is no anti-entropy, so that a rumour that died out during a partition is never told again",
            checker=checker,
            faults=("partition",),
            source=f"{_DEMERS}: rumour mongering has a residue",
        ),
    )
    return {bug.name: bug for bug in bugs}


_DIGEST_BY_COUNT = Bug(
    name="digest-by-count",
    summary="two nodes that hold equally many values take themselves for equal, and exchange nothing",
    checker="",
    faults=("partition",),
    source="Demers and others 1987, section 1.3: checksums, not sizes",
    # Few values, and none after the last partition, so that some day two nodes lack equally many.
    settings={
        "nodes": 3,
        "rate": 5.0,
        "interval_s": 3.0,
        "time_limit_s": 30.0,
        "recovery_s": 0.5,
        "progress_s": 0.5,
        "options": {"hot_rounds": 1, "fanout": 1},
    },
)
_LIST_NOT_SET = Bug(
    name="list-not-set",
    summary="values are kept in a list, and one that gossip brings again stands there twice",
    checker="",
    faults=(),
    source="the first broadcast node that everybody writes (Maelstrom, chapter 3)",
)
_REFUSES_YET_KEEPS = Bug(
    name="refuses-yet-keeps",
    summary="a node that hears no other refuses an update for certain, but has kept it and will tell it",
    checker="",
    faults=("partition",),
    source="MongoDB's write concern: a write that was refused is not rolled back",
)


def _of_sets(checker: str) -> tuple[Bug, ...]:
    special = (_DIGEST_BY_COUNT, _LIST_NOT_SET, _REFUSES_YET_KEEPS)
    return (*_shared(checker).values(), *(replace(bug, checker=checker) for bug in special))


def _of_counters() -> tuple[Bug, ...]:
    shared = _shared("counter")
    return (
        *(shared[name] for name in ("ack-before-sync", "torn-tail-kept", "fixed-peer")),
        # A number that goes on growing is told again with every addition: only one that rests stays untold.
        replace(shared["rumours-only"], settings={"workload_options": {"keys": 300}}),
        Bug(
            name="merged-by-sum",
            summary="the numbers that two nodes have for a third are added up instead of compared",
            checker="counter",
            faults=(),
            source=f"{_SHAPIRO}, section 3.1.3: the join is the maximum",
        ),
        Bug(
            name="merged-last-writer",
            summary="a number that comes in replaces the one that is there, although it may be older",
            checker="counter",
            faults=("packet",),
            source=f"{_SHAPIRO}, section 3.1.3; Cassandra's counters before 2.1",
        ),
        Bug(
            name="shared-slot",
            summary="all nodes count in the same number, so that of concurrent additions the smaller ones vanish",
            checker="counter",
            faults=(),
            source=f"{_SHAPIRO}, section 3.1.3: one entry per replica",
        ),
        Bug(
            name="retry-counted-twice",
            summary="a request that the client repeats is carried out again",
            checker="counter",
            faults=("pause",),
            source="FoundationDB, commit_unknown_result",
        ),
        Bug(
            name="checkpoint-of-peers",
            summary="a checkpoint leaves out what the node itself has counted, which after a crash begins at nothing",
            checker="counter",
            faults=("kill",),
            # Peers tell the node soon what it had counted: so slowly that it counts on before.
            settings={
                "interval_s": 2.0,
                "options": {"checkpoint_records": 20, "round_s": 0.5, "anti_entropy_s": 3.0},
            },
        ),
    )


_ONE_MAP = Bug(
    name="one-map",
    summary="additions and subtractions are kept in one number per node, whose maximum forgets the subtractions",
    checker="counter",
    faults=("partition",),
    source=f"{_SHAPIRO}, section 3.1.3: two counters",
)
_OF_OR_SETS = (
    Bug(
        name="tag-reuse",
        summary="a node that restarts hands out tags anew, so that an add gets one that has been removed already",
        checker="or-set",
        faults=("kill",),
        source=f"{_SHAPIRO}, section 3.3.5: tags are unique",
    ),
    Bug(
        name="remove-wins",
        summary="an element that was removed once never comes back",
        checker="or-set",
        faults=(),
        source=f"{_SHAPIRO}, section 3.3.2: the two-phase set",
    ),
    Bug(
        name="removes-untold",
        summary="nodes tell each other of adds, and not of removes",
        checker="or-set",
        faults=(),
        source=f"{_SHAPIRO}, section 3.3.5",
    ),
    Bug(
        name="tombstones-dropped",
        summary="a checkpoint forgets which tags were removed, so that after a crash removed elements are back",
        checker="or-set",
        faults=("kill",),
        source="Cassandra, gc_grace_seconds and resurrected rows",
        settings={"options": {"checkpoint_records": 20}},
    ),
    Bug(
        name="by-wall-clock",
        summary="of an add and a remove the one with the later time stamp counts, by clocks that may be wrong",
        checker="or-set",
        faults=("clock",),
        source="aphyr, Call me maybe: Cassandra (last write wins)",
    ),
)
_OF_IDS = (
    Bug(
        name="clock-steps-back",
        summary="ids are milliseconds of the wall clock and a number within them, and the clock may be set back",
        checker="unique-ids",
        faults=("clock",),
        source="Twitter's Snowflake refuses to serve while its clock is behind; RFC 9562, section 6.1",
        settings={"rate": 400.0},
    ),
    Bug(
        name="life-forgotten",
        summary="a node that restarts counts from the beginning",
        checker="unique-ids",
        faults=("kill",),
    ),
    Bug(
        name="life-unsynced",
        summary="the number of a node's life may not be on the disk when it crashes, and is used again",
        checker="unique-ids",
        faults=("kill",),
    ),
    Bug(
        name="nameless",
        summary="ids do not say which node gave them out",
        checker="unique-ids",
        faults=(),
    ),
    Bug(
        name="cached-by-message",
        summary="answers are kept for copies of a request by message id alone, and given to other clients, too",
        checker="unique-ids",
        faults=(),
    ),
    Bug(
        name="short-random",
        summary="ids are drawn by dice from four million, which repeat after some two thousand",
        checker="unique-ids",
        faults=(),
        source="the birthday problem; RFC 9562, section 6.9",
    ),
)

BOUNDED = ("partition", "packet", "kill", "pause", "clock", "term", "throttle")
_FAULTS = ("partition", "packet", "kill", "pause", "clock")


def _target(data: str, summary: str, bugs: tuple[Bug, ...], claims: tuple[Claim, ...] = ()) -> Target:
    return Target(
        name=f"kv/crdt-{data}",
        summary=summary,
        program="targets.kv.crdt:Crdt",
        client="targets.kv.crdt_client:CrdtClient",
        workloads=(data,),
        bugs=bugs,
        claims=claims,
        options={"data": data},
        # When all nodes lose their power, so many additions end unknown that a counter's bounds tell little: that has to be asked for.
        faults=BOUNDED if data.endswith("counter") else (),
    )


def _converges(data: str, what: str) -> Claim:
    return Claim(
        name="converges",
        topic="crdt-against-retry",
        statement=f"{what}, under every fault, once these are healed",
        model="strong eventual consistency",
        workload=data,
        faults=_FAULTS,
        # Of a single counter so many adds are in doubt in the end that a wrong one would hardly show.
        settings={"workload_options": {"keys": 30}} if data.endswith("counter") else {},
        source=f"{_SHAPIRO}; catalogue row 12",
    )


BROADCAST = _target(
    "broadcast",
    "values that reach every node, by rumours and anti-entropy",
    _of_sets("broadcast"),
    (
        replace(
            _converges("broadcast", "every acknowledged value is on every node in the end"), topic="gossip-delivers"
        ),
        Claim(
            name="rumours-die-out",
            topic="gossip-delivers",
            statement="rumours without anti-entropy leave some nodes out",
            model="reliable broadcast",
            workload="broadcast",
            faults=("partition", "packet"),
            violates=("undelivered",),
            settings={"options": {"anti_entropy_s": 0.0}},
            source=f"{_DEMERS}; catalogue row 44",
        ),
    ),
)
G_SET = _target(
    "g-set",
    "a grow-only set on every node, replicated by gossip",
    _of_sets("g-set"),
    (_converges("g-set", "every acknowledged element is in the set of every node"),),
)
OR_SET = _target(
    "or-set",
    "an observed-remove set on every node, replicated by gossip",
    (*_shared("or-set").values(), *_OF_OR_SETS),
    (_converges("or-set", "all nodes agree, an add survives all removes that have not seen it"),),
)
G_COUNTER = _target(
    "g-counter",
    "a counter that only grows, replicated by gossip",
    _of_counters(),
    (_converges("g-counter", "every node counts every acknowledged addition exactly once"),),
)
PN_COUNTER = _target(
    "pn-counter",
    "a counter with additions and subtractions, replicated by gossip",
    (*_of_counters(), _ONE_MAP),
    (_converges("pn-counter", "every node counts every acknowledged addition and subtraction exactly once"),),
)
UNIQUE_IDS = Target(
    name="kv/unique-ids",
    summary="ids by node, life and number, given out without asking anybody",
    program="targets.kv.crdt:Ids",
    client="targets.kv.crdt_client:CrdtClient",
    workloads=("unique-ids",),
    bugs=_OF_IDS,
    claims=(
        Claim(
            name="unique",
            topic="unique-ids",
            statement="no id is given out twice, under any fault",
            model="uniqueness",
            workload="unique-ids",
            faults=_FAULTS,
            source="Maelstrom, unique-ids",
        ),
    ),
)
