"""The checker ``long-fork``: do two readers see two writes in different orders? Parallel snapshot isolation allows it, snapshot
isolation does not.

Every key is written at most once. Of two reads of the same keys, one must have seen all that the other saw. ``long-fork`` is a pair of
reads each of which saw a write that the other did not. Operations are transactions: lists of ["w", key, value] and ["r", key, value].
With a second write to a key nothing is known. Source: jepsen.tests.long-fork.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from checkers.findings import Findings, unknown
from checkers.wording import Narrator, count, listed, text
from harness.history import FAIL, OK, Calls, History
from harness.interning import identity
from harness.verdict import Budget, Checker, Verdict

NAME = "long-fork"
WRITE, READ = "w", "r"


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what this checker cannot judge."""


def make() -> Checker:
    """Do all readers see writes to different keys in one order?"""
    return LongFork()


@dataclass(slots=True, kw_only=True)
class LongFork:
    """See the module."""

    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            groups = _groups(calls)
        except (Unjudgeable, TypeError, ValueError) as problem:
            return unknown(NAME, f"not a history for long forks: {problem}")
        found = Findings(NAME, Narrator(calls))
        partial = 0
        for keys, reads in groups.items():
            # Sets stand in a chain if, sorted by size, each is a part of the next one.
            ordered = sorted(reads, key=lambda read: len(read[1]))
            partial += sum(0 < len(seen) < len(keys) for _, seen in reads)
            for (one, mine), (other, theirs) in pairwise(ordered):
                if not mine <= theirs:
                    _tell(found, one, other, mine, theirs)
        stats = {"groups": len(groups), "reads": sum(map(len, groups.values())), "partial_reads": partial}
        doubt = "" if partial else "no read saw some of its keys written and others not, so there was nothing to judge"
        fine = (
            f"all of {count(stats['reads'], 'read')} of {count(len(groups), 'group')} of keys saw writes in one order"
        )
        return found.verdict(doubt=doubt, fine=fine, stats=stats)


def _tell(found: Findings, one: int, other: int, mine: frozenset[Any], theirs: frozenset[Any]) -> None:
    say = found.say
    first = (
        f"{say.who(one)} {say.span(one)} saw the write to {_keys(mine - theirs)} and not that to {_keys(theirs - mine)}"
    )
    found.add(NAME, [one, other], f"{first}, and {say.who(other)} {say.span(other)} saw it the other way around")


def _keys(keys: frozenset[Any]) -> str:
    return listed(sorted(text(key[-1] if isinstance(key, tuple) else key) for key in keys))


Reads = list[tuple[int, frozenset[Any]]]  # (row, the keys that it saw written)


def _groups(calls: Calls) -> dict[frozenset[Hashable], Reads]:
    groups: dict[frozenset[Hashable], Reads] = defaultdict(list)
    written: dict[Hashable, Any] = {}
    for row in range(len(calls)):
        for mop in _mops(calls, row, asked=True):
            if mop[0] == WRITE and calls.outcome[row] != FAIL:
                if identity(mop[1]) in written:
                    raise Unjudgeable(f"key {text(mop[1])} is written more than once")
                written[identity(mop[1])] = mop[2]
    for row in range(len(calls)):
        reads = [mop for mop in _mops(calls, row, asked=False) if mop[0] == READ] if calls.outcome[row] == OK else []
        for _, key, value in reads:
            if value is not None and (
                identity(key) not in written or identity(value) != identity(written[identity(key)])
            ):
                raise Unjudgeable(f"a read of key {text(key)} returned {text(value)}, which nobody wrote there")
        if len(reads) > 1:
            seen = frozenset(identity(key) for _, key, value in reads if value is not None)
            groups[frozenset(identity(key) for _, key, _ in reads)].append((row, seen))
    return groups


def _mops(calls: Calls, row: int, *, asked: bool) -> list[Any]:
    value = calls.history.values[(calls.argument if asked else calls.result)[row]]
    if not isinstance(value, list | tuple) or not all(isinstance(mop, list | tuple) and len(mop) == 3 for mop in value):
        raise Unjudgeable(f"{text(value)} is no list of reads and writes")
    return list(value)
