"""The seeded bugs of the transactional store: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by its checker, which the correct program satisfies under the same faults and settings.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug

ATOMIC, CYCLES = "atomic-commit", "list-append"

SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 20.0, "interval_s": 3.0}
# Many transactions that meet at few keys; for what goes wrong without a fault.
BUSY: dict[str, Any] = {"time_limit_s": 20.0, "rate": 60.0}
# A coordinator takes its time to decide, so that a fault comes between its phases.
SLOW: dict[str, Any] = {**SHORT, "interval_s": 2.0, "options": {"decide_s": 0.2}, "workload_options": {"keys": 30}}

# Every insert looks at two keys, half of the time on two shards, and nobody else wants them: many transactions are under way at once.
APART_WORKLOAD = "write-skew"
# Six nodes with data, three for each of two shards, and a coordinator of its own, which takes its time between the phases.
APART: dict[str, Any] = {
    "nodes": 7,
    "time_limit_s": 18.0,
    "rate": 40.0,
    "concurrency": 20,
    "workload": APART_WORKLOAD,
    "options": {"coordinators": 1, "decide_s": 0.2},
}
# One shard here, the other one and the coordinator there.
SIDES: dict[str, Any] = {"shape": "halves", "sides": [["n1", "n2", "n3"], ["n4", "n5", "n6", "n7"]]}
_OTHER_SIDES: dict[str, Any] = {"shape": "halves", "sides": [["n1", "n2", "n3", "n7"], ["n4", "n5", "n6"]]}
# One shard does not hear what was decided, and is then alone with the coordinator, which may have been down.
_ALONE = (
    {"kind": "partition", "start_s": 4, "end_s": 9, "args": SIDES},
    {"kind": "partition", "start_s": 8.5, "end_s": 13, "args": _OTHER_SIDES},
)
_DOWN = ({"kind": "kill", "start_s": 5, "end_s": 8, "args": {"nodes": ["n7"]}},)
UNHEARD = {**APART, "schedule": _ALONE}
UNHEARD_AND_DOWN = {**APART, "schedule": (*_ALONE, *_DOWN)}

_GRAY = "Gray 1978, Notes on data base operating systems, section 5.8.3"
_PRESUMED = "Mohan, Lindsay, Obermarck, TODS 1986, section 3: presumed abort"
_SKEEN = "Skeen 1981, Nonblocking commit protocols"
_LOCKING = "Bernstein, Hadzilacos, Goodman 1987, section 3.2: strict two-phase locking"
_SNAPSHOT = "Berenson and others, SIGMOD 1995, section 4.2: snapshot isolation"
_PERCOLATOR = "Peng and Dabek, OSDI'10, section 2.2: locks and timestamps"


def _atomic(name: str, summary: str, faults: tuple[str, ...], source: str, settings: dict[str, Any]) -> Bug:
    return Bug(name=name, summary=summary, checker=ATOMIC, faults=faults, source=source, settings=settings)


def _cycles(name: str, summary: str, source: str) -> Bug:
    return Bug(name=name, summary=summary, checker=CYCLES, faults=(), source=source, settings=BUSY)


_PREPARE_NOT_LOGGED = _atomic(
    "prepare-not-logged",
    "a participant votes from memory, before anything is in its log",
    ("kill",),
    f"{_GRAY}; catalogue row 38",
    SLOW,
)
_FIRST_VOTE = _atomic(
    "commit-at-first-vote", "the coordinator commits when one participant has agreed", (), _GRAY, BUSY
)
_CONSENT = _atomic(
    "silence-is-consent",
    "a participant that does not vote at once is taken to agree",
    ("packet",),
    _GRAY,
    SHORT,
)
_LOCKS = _cycles("locks-released-at-vote", "what is prepared is not locked any more", _LOCKING)
_IGNORED = _cycles("reads-ignore-locks", "a read does not wait for a key that is being committed", _PERCOLATOR)
_STALE = _cycles("stale-reads", "any replica answers reads from its own state", _PERCOLATOR)
_TOO_LATE = _cycles("snapshot-too-late", "every shard reads what is latest there", _SNAPSHOT)
_NOT_VALIDATED = _cycles("reads-not-validated", "what was read may have changed before the commit", _LOCKING)

TWO_PHASE_BUGS = (
    _PREPARE_NOT_LOGGED,
    _FIRST_VOTE,
    _CONSENT,
    _atomic(
        "decision-not-logged",
        "participants and clients are told of a commit that is in no log",
        ("partition", "kill"),
        _PRESUMED,
        UNHEARD_AND_DOWN,
    ),
    _atomic(
        "decision-forgotten-early",
        "the coordinator forgets a commit when the first participant has it",
        ("partition",),
        _PRESUMED,
        UNHEARD,
    ),
    _atomic(
        "impatient-abort",
        "a participant that has voted yes and hears nothing aborts by itself",
        ("partition",),
        "Bernstein, Hadzilacos, Goodman 1987, section 7.4: the uncertainty period",
        UNHEARD,
    ),
    _LOCKS,
    _IGNORED,
    _STALE,
    _NOT_VALIDATED,
)
SNAPSHOT_BUGS = (
    _cycles("first-committer-unchecked", "what was written since the snapshot does not matter", _SNAPSHOT),
    _TOO_LATE,
    _cycles("stamp-before-votes", "a commit takes its place in the order before the votes are in", _PERCOLATOR),
    _LOCKS,
    _IGNORED,
    _STALE,
    _FIRST_VOTE,
)
THREE_PHASE_BUGS = (
    _atomic(
        "timeout-commit",
        "a participant that hears nothing commits, although it was not told that all agreed",
        ("kill",),
        f"{_SKEEN}: no commit from an uncertain state",
        SLOW,
    ),
    _atomic(
        "timeout-alone",
        "a participant that hears nothing decides without the others",
        ("kill",),
        f"{_SKEEN}: the termination protocol",
        SLOW,
    ),
    _PREPARE_NOT_LOGGED,
    _LOCKS,
    _NOT_VALIDATED,
    _IGNORED,
    _TOO_LATE,
    _STALE,
)
