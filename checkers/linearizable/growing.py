"""Sets that only grow and are read as a whole: exact, in linear time apart from sorting, whatever the concurrency.

Every legal order puts what was read in a chain: each read returns all that the one before it returned. So the
reads must be ordered by inclusion, and that order is known: reads of the empty set, then the additions of what
the next reads show first, then these reads, and so on; last the additions of what no read shows. These classes
follow one another without mixing, so a history is linearizable iff no operation ended before one of an earlier
class began. Of several additions of one value the one called first stands for all; the others may come later.
An addition of unknown outcome whose value nobody read need not have happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.kernels.engine import Engine
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.limits import Found, Limits
from checkers.wording import Narrator, text
from harness.history import FAIL, OK, Calls, Ints
from harness.interning import identity
from harness.verdict import Anomaly, Validity

CHAIN = "chain"
ANOMALIES = {
    "phantom-read": "an element was read that nobody ever added",
    "split-read": "of two reads neither shows all that the other one shows",
    "lost-add": "a read lacks an element that was there before it",
    "future-read": "an element was read before its addition began",
}


@dataclass(slots=True, kw_only=True)
class GrowingCase:
    """One key, decided. ``wrong`` is the anomaly's name, the rows (among all calls) that show it, and its sentence."""

    key: int
    size: int
    found: Found | None
    algorithm: str = CHAIN
    wrong: tuple[str, list[int], str] = field(default=("", [], ""))

    def attempt(self, limits: Limits, run: Engine) -> None:
        """Nothing is left to search."""

    def anomaly(self, say: Narrator) -> Anomaly:
        name, rows, sentence = self.wrong
        return Anomaly(checker="linearizable", name=name, ops=say.lines(rows), reason=sentence, witness=say.lines(rows))


def cases(calls: Calls) -> Sequence[GrowingCase]:
    """Every key of ``calls``. Raises Unjudgeable for a read that is no list."""
    say = Narrator(calls)
    return [case_of(key, rows, calls, say) for key, rows in parts(calls)]


def parts(calls: Calls) -> list[tuple[int, Ints]]:
    """(code of a key, rows of its calls), in the order of their first calls."""
    if len(calls) and int(calls.key.min()) == int(calls.key.max()):
        return [(int(calls.key[0]), np.arange(len(calls)))]
    order = np.argsort(calls.key, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(calls.key[order])) + 1) if len(order) else []
    return [(int(calls.key[rows[0]]), rows) for rows in sorted(groups, key=lambda rows: int(rows[0]))]


def case_of(key: int, rows: Ints, calls: Calls, say: Narrator) -> GrowingCase:
    """One key, decided. Raises Unjudgeable for a read that is no list."""
    wrong = _One(calls, rows, say).judge()
    validity = Validity.INVALID if wrong else Validity.VALID
    found = Found(validity=validity, steps=0, explained=0 if wrong else len(rows), completed=len(rows))
    return GrowingCase(key=key, size=len(rows), found=found, wrong=wrong or ("", [], ""))


class _One:
    """One set. ``rows`` are its calls, in invocation order."""

    def __init__(self, calls: Calls, rows: Ints, say: Narrator) -> None:
        self.calls, self.say = calls, say
        is_add = np.array([f == "add" for f in calls.history.fs] or [False])[calls.f[rows]]
        self.adds = rows[is_add & (calls.outcome[rows] != FAIL)]
        self.reads = rows[~is_add & (calls.outcome[rows] == OK)]

    def judge(self) -> tuple[str, list[int], str] | None:
        """What is wrong; None if nothing is."""
        calls, history = self.calls, self.calls.history
        codes, which = np.unique(calls.result[self.reads], return_inverse=True)
        seen = [self._elements(history.values[code]) for code in codes.tolist()]
        chain = sorted(range(len(codes)), key=lambda at: len(seen[at]))
        level = np.zeros(len(codes), dtype=np.int64)
        first_level: dict[Any, int] = {}
        known: frozenset[Any] = frozenset()
        for at, before in zip(chain, [None, *chain], strict=False):
            if before is not None and not known <= seen[at]:
                pair = [int(self.reads[np.flatnonzero(which == one)[0]]) for one in (before, at)]
                return self._split(pair, known, seen[at])
            new = seen[at] - known
            level[at] = (level[before] if before is not None else 0) + bool(new)
            first_level.update(dict.fromkeys(new, int(level[at])))
            known = seen[at]
        return self._sweep(first_level, level[which.reshape(-1)] if len(codes) else level, int(level.max(initial=0)))

    def _elements(self, value: Any) -> frozenset[Any]:
        if value is None:
            return frozenset()
        if not isinstance(value, list | tuple | set | frozenset):
            raise Unjudgeable(f"a read returned {text(value)}; of a set it returns the list of its elements")
        return frozenset([identity(item) for item in value])

    def _sweep(self, first_level: dict[Any, int], read_level: Ints, top: int) -> tuple[str, list[int], str] | None:
        calls, history = self.calls, self.calls.history
        arguments, where = np.unique(calls.argument[self.adds], return_inverse=True)
        names = [identity(history.values[code]) for code in arguments.tolist()]
        missing = first_level.keys() - set(names)
        if missing:
            return self._phantom(missing)
        levels = np.array([first_level.get(name, top + 1) for name in names], dtype=np.int64)[where.reshape(-1)]
        happened = (levels <= top) | (calls.outcome[self.adds] == OK)
        adds, levels, where = self.adds[happened], levels[happened], where.reshape(-1)[happened]
        leading = np.zeros(len(adds), dtype=np.bool_)
        leading[np.unique(where, return_index=True)[1]] = True  # calls are in invocation order
        rows = np.concatenate([adds, self.reads])
        # Additions of one level before its reads; an addition that another one stands for binds nobody.
        place = np.concatenate([2 * levels, 2 * read_level + 1])
        call = np.where(np.concatenate([leading, np.ones(len(self.reads), dtype=np.bool_)]), calls.call[rows], -1)
        latest, holder = np.full(2 * top + 5, -1, dtype=np.int64), np.full(2 * top + 5, -1, dtype=np.int64)
        np.maximum.at(latest, place + 1, call)
        mine = np.flatnonzero((call == latest[place + 1]) & (call >= 0))
        holder[place[mine] + 1] = rows[mine]
        before = np.maximum.accumulate(latest)
        early = np.flatnonzero(calls.ret[rows] < before[place])
        if not len(early):
            return None
        late = int(early[np.argmin(calls.ret[rows[early]])])
        at = int(np.flatnonzero(latest[: place[late] + 1] == before[place[late]])[0])
        return self._disorder(int(rows[late]), int(holder[at]))

    def _phantom(self, missing: set[Any]) -> tuple[str, list[int], str]:
        for row in self.reads.tolist():
            value = self.calls.history.values[self.calls.result[row]] or ()
            odd = [item for item in value if identity(item) in missing]
            if odd:
                sentence = f"{self.say.who(row)} read {text(odd[0])} {self.say.span(row)}, but nobody ever added it"
                return "phantom-read", [row], sentence
        raise AssertionError("an element that is missing was read")

    def _split(self, pair: list[int], one: frozenset[Any], other: frozenset[Any]) -> tuple[str, list[int], str]:
        say, values = self.say, self.calls.history.values
        lacks = [
            next(item for item in values[self.calls.result[row]] if identity(item) not in against)
            for row, against in zip(pair, (other, one), strict=True)
        ]
        sentence = (
            f"{say.who(pair[0])} read {text(lacks[0])} but not {text(lacks[1])} {say.span(pair[0])}, and "
            f"{say.who(pair[1])} the other way round {say.span(pair[1])}: each must have come before the other"
        )
        return "split-read", [*pair, *self._adds_of(lacks)], sentence

    def _adds_of(self, elements: list[Any]) -> list[int]:
        wanted = {identity(item) for item in elements}
        codes = np.unique(self.calls.argument[self.adds]).tolist()
        codes = [c for c in codes if identity(self.calls.history.values[c]) in wanted]
        return [int(row) for row in self.adds[np.isin(self.calls.argument[self.adds], codes)]]

    def _disorder(self, late: int, early: int) -> tuple[str, list[int], str]:
        """``late`` ended before ``early`` began, although it has to come after it."""
        say, reads = self.say, set(self.reads.tolist())
        did = f"{say.whose(late)} {say.span(late)}"
        if late in reads and early not in reads:
            return (
                "future-read",
                [late, early],
                f"{did} shows what was added only later: {say.whose(early)} {say.span(early)}",
            )
        rest = f"ended before {say.whose(early)} {say.span(early)}"
        if late in reads:
            return "lost-add", [late, early], f"{did} {rest}, but shows elements that the later read lacks"
        if early in reads:
            return "lost-add", [late, early], f"{did} {rest}, which does not show it"
        sentence = f"{did} {rest}, but some read shows the later element without the earlier one"
        return "lost-add", [late, early, *self._between(late, early)], sentence

    def _between(self, late: int, early: int) -> list[int]:
        """A read that shows what ``early`` added and not what ``late`` did."""
        calls, values = self.calls, self.calls.history.values
        has, lacks = (identity(values[calls.argument[row]]) for row in (early, late))
        for row in self.reads.tolist():
            shown = self._elements(values[calls.result[row]])
            if has in shown and lacks not in shown:
                return [int(row)]
        return []
