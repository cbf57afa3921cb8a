"""A counter: does every read return a sum that the adds can have made?

For a read, an add that completed ``ok`` before it began counts for certain; one that failed, or was invoked after the read had
completed, does not; every other one (concurrent, or of unknown outcome, which may take effect at any time after its invocation)
counts or does not. So the read must return the certain sum plus the sum of *some* of the others: a set of numbers, not just
an interval, so that an add of 100 that was applied twice shows even if another add of 3 is in doubt. (Maelstrom's rule for final
reads of g- and pn-counters; Jepsen's ``counter`` compares with the bounds alone.)

A counter that is only eventually consistent may be behind while the run goes on: ``final_only`` judges the final reads alone, and of
these only what began ``settle_s`` after everything was healed; an add counts for certain if it had completed ``settle_s`` before the read
began.

Half of the promise may be asked for, of counters that only grow: ``may="repeat"``, adds count at least once, so that a sum may be too
great, but never too small; ``may="lose"``, adds count at most once, so that it may be too small, but never too great.

Ops are ``add`` (a whole number, also negative) and ``read`` (null counts as 0). Each key is a counter of its own.

``lost-add``: less than the least possible sum. ``extra-add``: more than the greatest. ``impossible-sum``: in between, but no
subset makes it. With negative adds the first two are called ``too-low`` and ``too-high``, since either may be a loss or an excess.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.finals import is_final
from checkers.linearizable.encode import Unjudgeable
from checkers.settling import SECOND_NS, first_settled, unhealed, untimed
from checkers.subset_sums import BITS_MAX, NOTHING, Sums, reaches, sums_of
from checkers.windows import windows_of
from checkers.wording import Narrator, count, text
from harness.errors import PlanError
from harness.history import FAIL, INFO, OK, Calls, History
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "counter"
ADD, READ = "add", "read"
ANOMALIES = {
    "lost-add": "a read returned less than acknowledged adds make",
    "extra-add": "a read returned more than all adds make",
    "too-low": "a read returned less than the adds can make in any way",
    "too-high": "a read returned more than the adds can make in any way",
    "impossible-sum": "a read returned a number that no subset of the adds in doubt makes",
    "no-number": "a read returned something that is no whole number",
}
# Of so many reads the verdict tells the story; of the adds in doubt so many are shown.
ANOMALIES_MAX, ADDS_SHOWN_MAX = 8, 10
REPEAT, LOSE = "repeat", "lose"


def make(*, final_only: bool = False, settle_s: float = 0.0, may: str = "") -> Checker:
    """Is every read of a counter a sum that the adds can have made? Options: final_only, judge the final reads alone, as of a counter
    that is eventually consistent; settle_s, how long after heal and add such a counter must be right; may, "repeat" or "lose", what may
    happen to adds.

    Raises PlanError for a time below 0, or without final_only, or for another word.
    """
    if not settle_s >= 0 or (settle_s and not final_only):
        raise PlanError(f"settle_s is {settle_s!r}; it is a time in seconds, from 0, and needs final_only")
    if may not in ("", REPEAT, LOSE):
        raise PlanError(f'may is {may!r}; adds may "{REPEAT}", or "{LOSE}", or neither')
    return Counter(final_only=final_only, settle_s=settle_s, may=may)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One read of one counter: it had to return ``certain`` plus a sum of the adds in doubt, hence ``low`` to ``high``. ``fits``:
    whether what it returned is one of these numbers; None: undecided.
    """

    row: int
    value: Any
    certain: int
    low: int
    high: int
    fits: bool | None


@dataclass(slots=True, kw_only=True)
class Counter:
    """See the module."""

    final_only: bool = False
    settle_s: float = 0.0
    may: str = ""
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        is_add, is_read = (np.array([name == f for name in history.fs], dtype=np.bool_)[calls.f] for f in (ADD, READ))
        judged = is_read & (calls.outcome == OK)
        if self.final_only:
            windows = windows_of(history)
            if doubt := unhealed(windows) or untimed(history, self.settle_s):
                return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=doubt)
            judged &= is_final(calls) & (calls.call >= first_settled(history, windows, self._settle_ns))
        calls = calls.where((is_add & (calls.outcome != FAIL)) | judged)
        try:
            readings = list(self._readings(calls, budget))
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))
        return self._verdict(calls, readings)

    @property
    def _settle_ns(self) -> int:
        return round(self.settle_s * SECOND_NS)

    def _readings(self, calls: Calls, budget: Budget) -> Iterator[Reading]:
        steps = budget.steps_max
        for _, part in calls.by_key():
            rows = np.searchsorted(calls.call, part.call)
            desk = _Desk(calls, rows, steps, self._settle_ns, self.may)
            yield from desk.readings()
            steps = desk.steps

    def _verdict(self, calls: Calls, readings: list[Reading]) -> Verdict:
        say = Narrator(calls)
        adds = calls.where(np.array([name == ADD for name in calls.history.fs], dtype=np.bool_)[calls.f])
        wrong = sorted((reading for reading in readings if reading.fits is False), key=lambda found: found.row)
        undecided = sum(reading.fits is None for reading in readings)
        signed = any(calls.history.values[code] < 0 for code in set(adds.argument.tolist()))
        amounts = [(reading, number) for reading in readings if (number := whole(reading.value)) is not None]
        stats = {
            "reads": len(readings),
            "wrong_reads": len(wrong),
            "undecided_reads": undecided,
            "missing_most": max((max(0, reading.low - number) for reading, number in amounts), default=0),
            "excess_most": max((max(0, number - reading.high) for reading, number in amounts), default=0),
            "exact_reads": sum(reading.low == reading.high for reading in readings),
            "adds_ok": int((adds.outcome == OK).sum()),
            "adds_unknown": int((adds.outcome == INFO).sum()),
        }
        if wrong:
            anomalies = tuple(_anomaly(say, calls, reading, signed) for reading in wrong[:ANOMALIES_MAX])
            more = f" ({count(len(wrong) - 1, 'more read')} of {len(readings):,} impossible)" if len(wrong) > 1 else ""
            return Verdict(
                checker=NAME,
                validity=Validity.INVALID,
                reason=anomalies[0].reason + more,
                anomalies=anomalies,
                stats=stats,
            )
        doubt = self._doubt(len(readings), undecided, stats["adds_ok"])
        if doubt:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=doubt, stats=stats)
        which = "final read" if self.final_only else "read"
        sums = {REPEAT: "at least what the adds make", LOSE: "at most what the adds make"}.get(
            self.may, "a sum that the adds can make"
        )
        reason = f"{count(len(readings), which)} returned {sums}"
        if stats["exact_reads"]:
            reason += f"; {stats['exact_reads']:,} of them could have returned nothing else"
        return Verdict(checker=NAME, validity=Validity.VALID, reason=reason, stats=stats)

    def _doubt(self, reads: int, undecided: int, adds_ok: int) -> str:
        which = "final read" if self.final_only else "read"
        if not reads:
            return f"no {which} succeeded, so nobody knows what the counter held"
        if not adds_ok:
            return "no add succeeded, so there was nothing to count"
        if undecided:
            return (
                f"{undecided:,} of {count(reads, which)} undecided: they lie within the bounds, but the adds in doubt have too many sums "
                "to tell whether one of them fits"
            )
        return ""


class _Desk:
    """One counter's history, read from the first line to the last. ``steps`` is what is left of the budget."""

    def __init__(self, calls: Calls, rows: npt.NDArray[np.intp], steps: int, settle_ns: int, may: str) -> None:
        self._calls, self._rows, self.steps, self._settle_ns = calls, rows.tolist(), steps, settle_ns
        self._history, self._may = calls.history, may
        self._certain = 0
        self._settling: deque[tuple[int, int]] = deque()  # adds that succeeded lately: when, number
        self._doubtful = NOTHING
        self._adding: dict[int, int] = {}  # adds under way that will succeed: row → number
        self._reading: dict[int, tuple[int, list[int]]] = {}  # reads under way: row → certain sum, adds that overlap it

    def readings(self) -> Iterator[Reading]:
        """The reads, in the order of their completions. Raises Unjudgeable for an add of what is no whole number."""
        calls = self._calls
        outcome, call, ret = calls.outcome.tolist(), calls.call.tolist(), calls.ret.tolist()
        adds = [calls.history.fs[f] == ADD for f in calls.f.tolist()]
        events = [(call[row], row) for row in self._rows] + [
            (ret[row], row) for row in self._rows if outcome[row] == OK
        ]
        for line, row in sorted(events):
            begins = line == call[row]
            if adds[row]:
                self._add(row, self._number(row) if begins else 0, begins=begins, known=outcome[row] == OK)
            elif begins:
                self._settle(line)
                near = [*self._adding.values(), *(number for _, number in self._settling)]
                self._reading[row] = self._certain, near
            else:
                yield self._judged(row)

    def _number(self, row: int) -> int:
        value = self._history.values[self._calls.argument[row]]
        number = whole(value)
        if number is None or value is None:
            line = int(self._history.index[self._calls.call[row]])
            raise Unjudgeable(f"the add of index {line} has the argument {text(value)}; a counter adds whole numbers")
        if self._may and number < 0:
            raise Unjudgeable("an add is below 0: a counter that may repeat or lose such adds may return anything")
        return number

    def _add(self, row: int, number: int, *, begins: bool, known: bool) -> None:
        if not begins:
            done = int(self._calls.ret[row])
            self._settling.append((int(self._history.time_ns[done]), self._adding.pop(row)))
        elif known:
            self._adding[row] = number
            for _, near in self._reading.values():
                near.append(number)
        else:
            self._doubtful = self._sum(self._doubtful, number)

    def _settle(self, line: int) -> None:
        """Of the adds that succeeded, those that had time enough before ``line`` count for certain."""
        latest_ns = int(self._history.time_ns[line]) - self._settle_ns
        while self._settling and (self._settling[0][0] <= latest_ns or not self._settle_ns):
            self._certain += self._settling.popleft()[1]

    def _judged(self, row: int) -> Reading:
        certain, near = self._reading.pop(row)
        result = self._history.values[self._calls.result[row]]
        value, doubtful = whole(result), self._doubtful
        high = sum(number for number in near if number > 0)
        low = sum(near) - high
        fits = False if value is None else self._fits(near, low, high, value - certain)
        return Reading(
            row=row,
            value=result,
            certain=certain,
            low=certain + low + doubtful.low,
            high=certain + high + doubtful.high,
            fits=fits,
        )

    def _fits(self, near: list[int], low: int, high: int, target: int) -> bool | None:
        """Whether some of ``near`` (bounds ``low`` and ``high``) and some of the doubtful adds make ``target``."""
        doubtful = self._doubtful
        too_small, too_great = target < low + doubtful.low, target > high + doubtful.high
        if self._may:
            return not (too_small if self._may == REPEAT else too_great)
        if too_small or too_great:
            return False
        # Most reads need none, or all, of what overlaps them.
        if target in (0, low + high) or reaches(NOTHING, doubtful, target):
            return True
        self.steps -= doubtful.size
        sums = NOTHING
        if high - low <= BITS_MAX:
            self.steps -= len(near) * (1 + (high - low) // 64)
            sums = sums_of(near) if self.steps > 0 else sums_of([low, high]).bounds()
        else:
            for number in near:
                sums = self._sum(sums, number)
        return reaches(sums, doubtful, target)

    def _sum(self, sums: Sums, number: int) -> Sums:
        """``sums`` with one more number; only the bounds once the budget is spent."""
        self.steps -= sums.size
        return (sums if self.steps > 0 else sums.bounds()).plus(number)


def whole(value: Any) -> int | None:
    """A whole number, however JSON wrote it (3 or 3.0), null as 0; None for anything else."""
    if value is None:
        return 0
    if type(value) is int:
        return value
    return int(value) if type(value) is float and value.is_integer() else None


def _anomaly(say: Narrator, calls: Calls, reading: Reading, signed: bool) -> Anomaly:
    value = whole(reading.value)
    subject = f"{say.who(reading.row)} read {text(reading.value)}{say.key(reading.row, 'from')} {say.span(reading.row)}"
    in_doubt = reading.low != reading.high
    if value is None:
        name, why = "no-number", "which is no whole number"
    elif value < reading.low and signed:
        name, why = "too-low", f"but the adds make {reading.low:,}{' or more' if in_doubt else ''}"
    elif value > reading.high and signed:
        name, why = "too-high", f"but the adds make {reading.high:,}{' or less' if in_doubt else ''}"
    elif value < reading.low:
        name, why = "lost-add", f"but the adds that had completed before it began make {reading.low:,}"
    elif value > reading.high:
        also = ", also those that may not have counted," if in_doubt else ""
        name, why = "extra-add", f"but all adds invoked by then{also} make {reading.high:,}"
    else:
        name = "impossible-sum"
        why = (
            f"but the adds that had completed make {reading.certain:,}, and no choice of those that may have counted besides "
            f"makes the difference of {value - reading.certain:,}"
        )
    open_adds = _open_adds(calls, reading.row)
    shown = [reading.row, *open_adds[:ADDS_SHOWN_MAX]] if name == "impossible-sum" else [reading.row]
    return Anomaly(checker=NAME, name=name, ops=say.lines(shown), reason=f"{subject}, {why}")


def _open_adds(calls: Calls, read: int) -> list[int]:
    """The adds of the read's counter that may or may not count for it."""
    adds = np.array([name == ADD for name in calls.history.fs], dtype=np.bool_)[calls.f]
    open_ = adds & (calls.key == calls.key[read]) & (calls.call < calls.ret[read]) & (calls.ret > calls.call[read])
    found: list[int] = np.flatnonzero(open_).tolist()
    return found
