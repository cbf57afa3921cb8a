"""Ways for a register to be impossible that have a name: each is sufficient by itself, and comes with a true
sentence.

A pattern is a function (case, shown) → Explanation or None. ``shown`` are the operations worth looking at,
usually a witness; what can be the source of what, and how often a value was written, is asked of the whole
register, so a sentence holds for the whole history. A test compares each pattern with the definition of
linearizability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from checkers.linearizable.encode import CAS, READ, RegisterOps
from checkers.linearizable.models import RegisterForm
from checkers.linearizable.sources import Sources
from checkers.wording import Narrator, text
from harness.history import FAIL, FOREVER
from harness.interning import identity

# Beyond this the patterns that compare every operation with every other are not tried.
SHOWN_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is told of an impossible register.

    ``shows`` are the operations that the sentence speaks of, as positions among the register's operations;
    ``failed`` those that failed, as rows of the calls.
    """

    name: str
    sentence: str
    shows: tuple[int, ...]
    failed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An impossible register: its operations, what can be their sources, and words for them."""

    ops: RegisterOps
    form: RegisterForm
    sources: Sources
    say: Narrator

    def row(self, i: int) -> int:
        """The row of operation ``i`` among the calls."""
        return int(self.ops.row[i])

    def before(self, i: int, k: int) -> bool:
        """Whether ``i`` ended before ``k`` began."""
        return bool(self.ops.ret[i] < self.ops.call[k])

    def saw(self, i: int) -> bool:
        """Whether ``i`` certainly happened and saw a value."""
        return bool(self.ops.seen[i] >= 0 and self.ops.ret[i] != FOREVER)

    def once(self, value: int) -> bool:
        """Whether the register can have come to this value at most once."""
        return len(self.sources.makers_of(value)) + int(value == self.ops.initial) == 1

    def value(self, i: int) -> str:
        """The value that ``i`` saw: of a read its result, of a cas what it expected."""
        return text(self._value(i))

    def there_once(self, i: int) -> str:
        """``7 was there only once``, or of a lock ``it was free only once``."""
        value = self.value(i)
        return f"it was {value} only once" if self.form.swaps else f"{value} was there only once"

    def wrote(self, value_of: int, never: str) -> str:
        """``nothing wrote 7``, or of a lock ``nothing made it free``."""
        return f"nothing {never}{'made it' if self.form.swaps else 'wrote'} {self.value(value_of)}"

    def would_write(self, row: int, seer: int) -> bool:
        """Whether the call, had it not failed, would have written what ``seer`` saw."""
        calls, history = self.say.calls, self.say.history
        f, argument = history.fs[calls.f[row]], history.values[calls.argument[row]]
        if f in self.form.cas and isinstance(argument, list | tuple) and len(argument) == 2:
            return identity(argument[1]) == identity(self._value(seer))
        return f in self.form.writes and identity(argument) == identity(self._value(seer))

    def _value(self, i: int) -> Any:
        calls, history, row = self.say.calls, self.say.history, self.row(i)
        f = history.fs[calls.f[row]]
        if f in self.form.swaps:
            return self.form.swaps[f][0]
        if f in self.form.reads:
            return history.values[calls.result[row]]
        return history.values[calls.argument[row]][0]


Pattern = Callable[[Case, list[int]], Explanation | None]


def orphan(case: Case, shown: list[int]) -> Explanation | None:
    """An operation that saw what it cannot have seen."""
    for i in shown:
        if case.saw(i) and not case.sources.of(i) and not case.sources.may_be_initial(i):
            return _explain_orphan(case, i)
    return None


def _explain_orphan(case: Case, i: int) -> Explanation:
    ops, say, row = case.ops, case.say, case.row(i)
    makers = case.sources.makers_of(int(ops.seen[i]))
    is_initial = bool(ops.seen[i] == ops.initial)
    subject = (
        f"{say.who(row)} read {case.value(i)}{say.key(row, 'from')} {say.span(row)}"
        if ops.kind[i] == READ
        else f"{say.who(row)} succeeded with its {say.what(row)}{say.key(row, 'on')} {say.span(row)}"
    )
    if not is_initial and not len(makers):
        return _never_written(case, i, subject)
    if not is_initial and all(ops.call[m] > ops.ret[i] for m in makers):
        first = int(makers[0])
        why = (
            f"the first write of {case.value(i)} began only {say.began(case.row(first))}: {say.whose(case.row(first))}"
        )
        return _of_orphan(case, "future-read", f"{subject}, but {why}", (i, first))
    replacement = case.sources.replacement(i)
    assert replacement is not None, "a value that was written in time and has no source was replaced"
    done = f"{say.whose(case.row(replacement))} had completed {say.ended(case.row(replacement))}"
    if is_initial and not len(makers) and not case.form.swaps:
        sentence = f"{subject} as if nothing had ever been written, although {done}"
        return _of_orphan(case, "lost-write", sentence, (i, replacement))
    later = " until later" if any(ops.call[m] > ops.ret[i] for m in makers) else ""
    sentence = f"{subject} after {done}, and {case.wrote(i, '')} again{later}"
    return _of_orphan(case, "stale-read", sentence, (i, replacement))


def _of_orphan(case: Case, name: str, sentence: str, shows: tuple[int, ...]) -> Explanation:
    return Explanation(
        name=name if case.ops.kind[shows[0]] == READ else "impossible-cas", sentence=sentence, shows=shows
    )


def _never_written(case: Case, i: int, subject: str) -> Explanation:
    """No write of the value happened; but did one fail?"""
    say, calls = case.say, case.say.calls
    failed = ((calls.outcome == FAIL) & (calls.key == calls.key[case.row(i)])).nonzero()[0].tolist()
    failed = [row for row in failed if case.would_write(row, i)]
    if not failed:
        return _of_orphan(case, "phantom-read", f"{subject}, but {case.wrote(i, 'ever ')}", (i,))
    only = "the only write" if len(failed) == 1 else "every write"
    why = f"{only} of {case.value(i)} had failed: {say.whose(failed[0])} {say.span(failed[0])}"
    return replace(_of_orphan(case, "aborted-read", f"{subject}, but {why}", (i,)), failed=(failed[0],))


def two_cas(case: Case, shown: list[int]) -> Explanation | None:
    """Two cas that both replaced a value which was there once."""
    ops, say = case.ops, case.say
    replaced: dict[int, int] = {}
    for i in shown:
        if ops.kind[i] != CAS or not case.saw(i):
            continue
        other = replaced.setdefault(int(ops.seen[i]), i)
        if other != i and case.once(int(ops.seen[i])):
            a, b = case.row(other), case.row(i)
            sentence = (
                f"{say.whose(a)} {say.span(a)} and {say.whose(b)} {say.span(b)} both succeeded{say.key(a, 'on')}, "
                f"but {case.there_once(i)}, so one of them undid the other"
            )
            return Explanation(name="lost-update", sentence=sentence, shows=(other, i))
    return None


def comeback(case: Case, shown: list[int]) -> Explanation | None:
    """A value that was there once, then another, then the first again."""
    ops, say = case.ops, case.say
    for again, other in _pairs(shown):
        value = int(ops.seen[again])
        if not (case.saw(again) and case.before(other, again) and _shows_another(case, other, value)):
            continue
        if not case.once(value):
            continue
        for first in shown:
            if value in (ops.seen[first], ops.made[first]) and case.before(first, other):
                a, b, c = case.row(first), case.row(other), case.row(again)
                verb = "read" if ops.kind[again] == READ else f"succeeded with its {say.what(c)}, so it found"
                sentence = (
                    f"{say.who(c)} {verb} {case.value(again)}{say.key(c, 'from')} {say.span(c)} after {say.whose(b)} {say.span(b)}, "
                    f"but {case.there_once(again)}, and earlier: {say.whose(a)} {say.span(a)}"
                )
                name = "new-old-inversion" if ops.kind[other] == READ else "stale-read"
                name = name if ops.kind[again] == READ else "impossible-cas"
                return Explanation(name=name, sentence=sentence, shows=(first, other, again))
    return None


def _shows_another(case: Case, i: int, value: int) -> bool:
    """Whether the register certainly held something else than ``value`` when ``i`` took effect, or right
    after.
    """
    ops = case.ops
    return bool(ops.ret[i] != FOREVER and ops.seen[i] != value and ops.made[i] != value)


def inversion(case: Case, shown: list[int]) -> Explanation | None:
    """A read of a newer value, and after it a read of an older one: every source of the old came before every
    source of the new.
    """
    ops, say = case.ops, case.say
    for new, old in _pairs(shown):
        if (
            ops.kind[new] != READ
            or ops.kind[old] != READ
            or not case.before(new, old)
            or ops.seen[new] == ops.seen[old]
        ):
            continue
        newer, older = case.sources.of(new), case.sources.of(old)
        legal = bool(older) or case.sources.may_be_initial(old)  # else it is an orphan, which has its own sentence
        if (
            legal
            and newer
            and not case.sources.may_be_initial(new)
            and all(case.before(o, n) for o, n in product(older, newer))
        ):
            a, b = case.row(new), case.row(old)
            sentence = (
                f"{say.who(b)} read {case.value(old)}{say.key(b, 'from')} {say.span(b)} after {say.who(a)} had already read "
                f"{case.value(new)} there {say.span(a)}, which was written later"
            )
            return Explanation(name="new-old-inversion", sentence=sentence, shows=(new, old))
    return None


def crossing(case: Case, shown: list[int]) -> Explanation | None:
    """Two values that were there once each, and each before the other."""
    ops, say = case.ops, case.say
    ends = [(i, k) for i, k in _pairs(shown) if case.before(i, k)]
    for (p, q), (q_first, p_last) in product(ends, ends):
        v, u = _cluster(ops, p), _cluster(ops, q)
        if v != u and v == _cluster(ops, p_last) and u == _cluster(ops, q_first) and case.once(v) and case.once(u):
            rows = [case.row(i) for i in (p, q, q_first, p_last)]
            a, b, c, d = (say.whose(row) for row in rows)
            sentence = (
                f"{a} ended {say.ended(rows[0])}, before {b} began {say.began(rows[1])}, and {c} ended {say.ended(rows[2])}, before "
                f"{d} began {say.began(rows[3])}: so of two values{say.key(rows[0], 'of')} that were there only once, each came "
                "before the other"
            )
            return Explanation(name="nonlinearizable", sentence=sentence, shows=tuple(sorted({p, q, q_first, p_last})))
    return None


def _cluster(ops: RegisterOps, i: int) -> int:
    """The value that the register had when ``i`` had taken effect."""
    return int(ops.seen[i] if ops.made[i] < 0 else ops.made[i])


def _pairs(shown: list[int]) -> Iterator[tuple[int, int]]:
    """All ordered pairs, in an order that depends on nothing else; none where there are too many."""
    if len(shown) <= SHOWN_MAX:
        for i, k in product(shown, shown):
            if i != k:
                yield i, k


PATTERNS: tuple[Pattern, ...] = (orphan, two_cas, comeback, inversion, crossing)
