"""The checker ``monotonic``: does a counter that only grows ever go back? By names:

* ``nonmonotonic``: an operation returned less than one that had ended before it began (an increment: not more);
* ``duplicate``: two increments returned the same value, so one of them is lost;
* ``unexpected``: an operation returned more than all increments that had begun by then can make.

Operations, per key: ``increment`` (completed with the new value) and ``read`` (null is 0). With ``order`` "process", only operations of one
process are compared: what a session may expect. Source: the monotonic workloads of Jepsen's tests of CockroachDB and TiDB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from checkers.findings import Findings, unknown
from checkers.precedence import greatest_before
from checkers.wording import Narrator, count, text
from harness.errors import PlanError
from harness.history import FAIL, OK, Calls, History
from harness.verdict import Budget, Checker, Verdict

NAME = "monotonic"
NONMONOTONIC, DUPLICATE, UNEXPECTED = "nonmonotonic", "duplicate", "unexpected"
INCREMENT, READ = "increment", "read"
ORDERS = ("realtime", "process")


def _doubt(calls: Calls, compared: int) -> str:
    if not compared:
        return "no operation began after another one of its counter had ended, so there was nothing to judge"
    may_have_happened = calls.f[calls.outcome != FAIL]
    if not any(calls.history.fs[code] == INCREMENT for code in np.unique(may_have_happened).tolist()):
        return "nothing was incremented, so nothing could go back"
    return ""


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no operation of a growing counter."""


def make(*, order: str = "realtime") -> Checker:
    """Does a counter that only grows ever go back? Option order: realtime or process. Raises PlanError for another one."""
    if order not in ORDERS:
        raise PlanError(f"order is {order!r}; it must be realtime or process")
    return Monotonic(order=order)


@dataclass(slots=True, kw_only=True)
class Monotonic:
    """See the module."""

    order: str = "realtime"
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        found = Findings(NAME, Narrator(calls))
        compared = seen = 0
        try:
            for _, mine in calls.by_key():
                rows = np.searchsorted(calls.call, mine.call)
                compared += self._judge(mine, rows.tolist(), found)
                seen += int((mine.outcome == OK).sum())
        except Unjudgeable as problem:
            return unknown(NAME, f"not a history of growing counters: {problem}")
        doubt = _doubt(calls, compared)
        how = "of their processes" if self.order == "process" else "that had ended before they began"
        fine = f"none of {count(seen, 'operation')} returned less than those {how}"
        return found.verdict(doubt=doubt, fine=fine, stats={"operations": seen, "compared": compared})

    def _judge(self, mine: Calls, rows: list[int], found: Findings) -> int:
        """Judge one counter; how many operations had one before them."""
        names = [mine.history.fs[code] for code in mine.f.tolist()]
        if strange := sorted(set(names) - {INCREMENT, READ}):
            raise Unjudgeable(
                f"a counter has the operations increment and read, but the history also has {strange[0]!r}"
            )
        places = np.flatnonzero(mine.outcome == OK)
        values = np.array([_value(mine, int(place)) for place in places], dtype=np.int64)
        grows = np.array([names[place] == INCREMENT for place in places], dtype=np.bool_)
        begun = mine.call[np.array([n == INCREMENT for n in names], dtype=np.bool_) & (mine.outcome != FAIL)]
        most = np.searchsorted(begun, mine.ret[places])
        say, compared = found.say, 0
        for at, before in self._pairs(mine, places, values):
            compared += 1
            if values[at] < values[before] or (grows[at] and values[at] == values[before]):
                row, earlier = rows[places[at]], rows[places[before]]
                what = f"{say.who(row)}'s {names[places[at]]}{say.key(row, 'of')} {say.span(row)} returned {values[at]}"
                found.add(
                    NONMONOTONIC,
                    [earlier, row],
                    f"{what}, after {say.who(earlier)}'s had returned {values[before]} {say.ended(earlier)}",
                )
        first: dict[int, int] = {}
        for at in range(len(places)):
            row = rows[places[at]]
            if values[at] > most[at]:
                what = f"{say.who(row)}'s {names[places[at]]}{say.key(row, 'of')} {say.span(row)} returned {values[at]}"
                found.add(UNEXPECTED, [row], f"{what}, but only {count(int(most[at]), 'increment')} had begun by then")
            if grows[at] and values[at] in first:
                other = rows[places[first[int(values[at])]]]
                found.add(
                    DUPLICATE,
                    [other, row],
                    f"{say.who(other)}'s and {say.who(row)}'s increments both returned {values[at]}",
                )
            elif grows[at]:
                first[int(values[at])] = at
        return compared

    def _pairs(self, mine: Calls, places: np.ndarray, values: np.ndarray) -> Iterator[tuple[int, int]]:
        """Each operation with the greatest that is before it."""
        if self.order == "realtime":
            before = greatest_before(mine.ret[places], values, mine.call[places])
            yield from ((at, int(before[at])) for at in np.flatnonzero(before >= 0).tolist())
            return
        last: dict[int, int] = {}
        for at, process in enumerate(mine.process[places].tolist()):
            if process in last:
                yield at, last[process]
            if process not in last or values[at] > values[last[process]]:
                last[process] = at


def _value(mine: Calls, place: int) -> int:
    value = mine.history.values[mine.result[place]]
    value = 0 if value is None else value
    if type(value) is not int:
        raise Unjudgeable(f"an operation returned {text(value)}, which is no whole number")
    return value
