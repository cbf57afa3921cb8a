"""The checker ``causal-reverse``: is a later write visible without an earlier one? Strict serializability forbids it; serializability and
stores that order keys apart from each other do not.

Operations, per key: ``write`` (a fresh element) and ``read`` (the list of all elements there). ``causal-reverse`` is a read that returned
an element and lacks another whose write had been acknowledged before that of the first began. Source: jepsen.tests.causal-reverse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from checkers.findings import Findings, unknown
from checkers.set_facts import Facts, Unjudgeable
from checkers.wording import Narrator, count, text
from harness.history import History
from harness.verdict import Budget, Checker, Verdict

NAME = "causal-reverse"
WRITE = "write"


def make() -> Checker:
    """Is no later write visible without an earlier one?"""
    return CausalReverse()


@dataclass(slots=True, kw_only=True)
class CausalReverse:
    """See the module."""

    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            keys = [Facts(calls, key, WRITE) for _, key in calls.by_key()]
        except Unjudgeable as problem:
            return unknown(NAME, str(problem))
        found = Findings(NAME, Narrator(calls))
        say = found.say
        for facts in keys:
            for row, there, absent in _overtaken(facts):
                earlier, later = int(facts.add_row[absent]), int(facts.add_row[there])
                x, y = text(facts.elements[there]), text(facts.elements[absent])
                who = f"{say.who(row)} read {say.span(row)} {x} but not {y}{say.key(row, 'from')}"
                found.add(
                    NAME,
                    [row, earlier, later],
                    f"{who}, although the write of {y} had ended {say.ended(earlier)}, before that of {x} began",
                )
        reads = sum(len(facts.reads) for facts in keys)
        writes = sum(int(facts.acknowledged.sum()) for facts in keys)
        doubt = "" if reads and writes else "no write was acknowledged and no list read, so there was nothing to judge"
        fine = f"no one of {count(reads, 'read')} saw one of {count(writes, 'write')} without those that had ended before it began"
        return found.verdict(doubt=doubt, fine=fine, stats={"reads": reads, "writes": writes})


def _overtaken(facts: Facts) -> Iterator[tuple[int, int, int]]:
    """(row of the read, an element that it returned, one that it lacks), the first read of each lacking element."""
    told = np.zeros(len(facts.elements), dtype=np.bool_)
    for read in facts.reads:
        began = np.where(facts.began[read.ids] < read.ret, facts.began[read.ids], -1)
        if len(began):
            latest = int(np.argmax(began))
            missing = (facts.acked < began[latest]) & ~told
            missing[read.ids] = False
            for element in np.flatnonzero(missing).tolist():
                told[element] = True
                yield read.row, int(read.ids[latest]), element
