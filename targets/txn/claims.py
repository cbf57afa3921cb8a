"""What the transactional store promises, and what it is known not to keep: the textbook's sentences, each with both its halves."""

from __future__ import annotations

from harness.protocols import Claim
from targets.txn.bugs import APART, APART_WORKLOAD, BUSY, SHORT, SIDES, SLOW

ALL = ("partition", "packet", "kill", "pause", "clock", "power")
BLOCKING, TEARING, DURABLE, ISOLATION = "blocking", "three-phases", "durable-votes", "write-skew"

_BLOCKING = "Skeen 1981; Gray and Lamport, TODS 2006, section 1; catalogue row 36"
_TEARING = (
    "Skeen 1981, Nonblocking commit protocols; Bernstein, Hadzilacos, Goodman 1987, section 7.5; "
    "Keidar and Dolev 1998, Increasing the resilience of distributed and replicated database systems; catalogue row 37"
)
_DURABLE = "Gray 1978, Notes on data base operating systems, section 5.8.3; catalogue row 38"
_PHANTOMS = "Adya 1999, section 4.2: G2 by predicates; Berenson and others, SIGMOD 1995, P3; catalogue row 43"
_ISOLATION = "Berenson and others, SIGMOD 1995, section 4.2; catalogue row 43"

# Pairs come close together.
SKEWED = {**BUSY, "interval_s": 3.0}
OUTAGE_S = 6.0
_CRASH = ({"kind": "kill", "start_s": 5, "end_s": 5 + OUTAGE_S, "args": {"target": "coordinator", "else": "n7"}},)
_SPLIT = tuple({"kind": "partition", "start_s": start_s, "end_s": start_s + 4, "args": SIDES} for start_s in (4, 11))
CRASHED = {**APART, "schedule": _CRASH}
SPLIT = {**APART, "schedule": _SPLIT}
# Whoever asks in vain waits for less than that: an election, and all that is asked.
BLOCKED_MAX_S = 4.0

TWO_PHASE_CLAIMS = (
    Claim(
        name="strictly-serializable",
        topic=ISOLATION,
        statement="Transactions over several shards are atomic and strictly serializable, whatever fails.",
        model="strict-serializable",
        workload="txn-list-append",
        faults=ALL,
        settings=SHORT,
        source=_ISOLATION,
    ),
    Claim(
        name="no-write-skew",
        topic=ISOLATION,
        statement="Of two inserts that each look whether the other is there at most one succeeds under serializability, whatever fails.",
        model="serializable",
        workload="write-skew",
        faults=ALL,
        settings=SKEWED,
        source=_ISOLATION,
    ),
    Claim(
        name="no-phantoms",
        topic=ISOLATION,
        statement="Who finds nothing by a predicate and inserts is alone with that under serializability, whatever fails.",
        model="strict-serializable",
        workload="predicates",
        faults=ALL,
        settings=SHORT,
        source=_PHANTOMS,
    ),
    Claim(
        name="money-is-kept",
        topic=ISOLATION,
        statement="Every read of all accounts adds up, whatever fails.",
        model="serializable",
        workload="bank",
        faults=ALL,
        settings=SHORT,
        source=_ISOLATION,
    ),
    Claim(
        name="atomic-though-the-coordinator-dies",
        topic=BLOCKING,
        statement="Two phases keep a transaction whole when the coordinator dies between them.",
        model="atomic-commit",
        workload=APART_WORKLOAD,
        faults=("kill",),
        settings=CRASHED,
        source=_BLOCKING,
    ),
    Claim(
        name="blocks-while-the-coordinator-is-down",
        topic=BLOCKING,
        statement="Who has voted yes in two phases cannot know the outcome, and holds its locks, until the coordinator is back.",
        model="atomic-commit",
        workload=APART_WORKLOAD,
        faults=("kill",),
        violates=("blocked",),
        checkers={"atomic-commit": {"blocked_max_s": BLOCKED_MAX_S}},
        settings=CRASHED,
        source=_BLOCKING,
    ),
    Claim(
        name="a-vote-is-in-the-log",
        topic=DURABLE,
        statement="A participant whose vote is durable before it is sent keeps its word after a crash.",
        model="atomic-commit",
        workload="txn-list-append",
        faults=("kill",),
        settings=SLOW,
        source=_DURABLE,
    ),
    Claim(
        name="a-vote-from-memory-is-forgotten",
        topic=DURABLE,
        statement="A participant that votes from memory has forgotten, after a crash, what all others commit.",
        model="atomic-commit",
        workload="txn-list-append",
        faults=("kill",),
        violates=("disagreement", "wrong-answer"),
        settings={"bug": "prepare-not-logged"},
        source=_DURABLE,
    ),
)
SNAPSHOT_CLAIMS = (
    Claim(
        name="snapshot-isolation",
        topic=ISOLATION,
        statement="Every transaction reads one snapshot, and of two that write the same key one aborts, whatever fails.",
        model="strong-snapshot-isolation",
        workload="txn-list-append",
        faults=ALL,
        settings=SHORT,
        source=_ISOLATION,
    ),
    Claim(
        name="money-is-kept",
        topic=ISOLATION,
        statement="Every read of all accounts adds up, whatever fails.",
        model="snapshot-isolation",
        workload="bank",
        faults=ALL,
        settings=SHORT,
        source=_ISOLATION,
    ),
    Claim(
        name="no-long-fork",
        topic=ISOLATION,
        statement="All snapshots see the commits in one order, whatever fails.",
        model="snapshot-isolation",
        workload="long-fork",
        faults=ALL,
        settings=SHORT,
        source=_ISOLATION,
    ),
    Claim(
        name="snapshots-permit-write-skew",
        topic=ISOLATION,
        statement="Two inserts that each look whether the other is there both succeed under snapshot isolation.",
        model="serializable",
        workload="write-skew",
        faults=(),
        violates=("G2",),
        settings=SKEWED,
        source=_ISOLATION,
    ),
    Claim(
        name="snapshots-permit-phantoms",
        topic=ISOLATION,
        statement="Two that find nothing by one predicate both insert under snapshot isolation, and neither saw the other.",
        model="serializable",
        workload="predicates",
        faults=(),
        violates=("G2",),
        checkers={"closed-predicate": {"model": "serializable"}},
        settings=BUSY,
        source=_PHANTOMS,
    ),
    Claim(
        name="snapshots-are-not-serializable",
        topic=ISOLATION,
        statement="Transactions that read what others write make circles under snapshot isolation, by anti-dependencies alone.",
        model="serializable",
        workload="txn-list-append",
        faults=(),
        violates=("G2-item",),
        checkers={"list-append": {"model": "serializable"}},
        settings=BUSY,
        source=_ISOLATION,
    ),
)
THREE_PHASE_CLAIMS = (
    Claim(
        name="atomic-though-nodes-crash",
        topic=TEARING,
        statement="Three phases keep every transaction whole, whichever nodes crash, as long as what is silent for dead_s is dead.",
        model="strict-serializable",
        workload="txn-list-append",
        faults=("kill",),
        settings=SLOW,
        source=_TEARING,
    ),
    Claim(
        name="does-not-block",
        topic=TEARING,
        statement="Who has voted yes in three phases learns the outcome without the coordinator that has died.",
        model="atomic-commit",
        workload=APART_WORKLOAD,
        faults=("kill",),
        checkers={"atomic-commit": {"blocked_max_s": BLOCKED_MAX_S}},
        settings=CRASHED,
        source=_TEARING,
    ),
    Claim(
        name="a-partition-tears-it-apart",
        topic=TEARING,
        statement="A partition between the phases leaves one side that commits and one that aborts.",
        model="atomic-commit",
        workload=APART_WORKLOAD,
        faults=("partition",),
        violates=("disagreement", "wrong-answer"),
        settings=SPLIT,
        source=_TEARING,
    ),
)
