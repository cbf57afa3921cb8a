"""Sets that are asked for one element at a time, each added once and removed once at most: exact, in linear time.

Add, remove and contains touch one element, so a set is as many objects as it has elements, and linearizable iff each of them is
(Herlihy and Wing, "Linearizability", theorem 1: locality). Of one element there are the addition a, the removal r, and calls that found
it (F) or did not (N). Taking elements away one by one is the whole of the decrease and conquer of Lee and Mathur (OOPSLA 2025) for
sets. A legal order of one element has one of these shapes, with what stands in braces in any order:

1. {N}: neither happened, or only r did. Nothing may have been found.
2. {N, r} a {F}: the removal, if it happened, came too early.
3. {N} a {F} r {N}: each N stands before a or behind r. Let E be the first response among a, F and r, and L the last invocation among
   them. An N may stand in front iff it began before E, and behind iff it ended after L. In front wherever it may is no loss: then
   whatever is behind began after E, so no N behind ended before one in front began.

Calls in the order of a shape have a legal order that respects real time iff none of a later place ended before one of an earlier place
began. An addition or removal of unknown outcome has no response and need not have happened; a removal that did not happen makes shape 3
the shape 2, and without an addition only shape 1 is left.

A set that is read as a whole does not fall into its elements: ``growing`` decides those that only grow, ``changing`` the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Engine
from checkers.linearizable import generic, growing
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import Model
from checkers.linearizable.shrink import shrink
from checkers.wording import Narrator, count, text
from harness.history import FAIL, FOREVER, OK, Calls, Ints
from harness.verdict import Anomaly, Validity

if TYPE_CHECKING:
    from checkers.linearizable.changing import ChangingCase

ELEMENTS = "elements"
ANOMALIES = {
    "phantom-read": "an element was found that nobody ever added",
    "future-read": "an element was found before its addition began",
    "lost-add": "an element was not found although it was there all the time",
    "stale-read": "an element was found after its removal had completed",
    "nonlinearizable": "no order that respects real time explains all results",
}
# What a call is to its element.
ADD, REMOVE, FOUND, MISSED = range(4)
BEFORE = -1
# Codes of values are taken as they are if they are not many more than the calls.
_SPARSE = 6
# Calls judged anew while a witness is made smaller. What is left then is the witness.
WORK_MAX = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """The calls that say something, in invocation order: what each is, to which element (from 0 on), from when to when, in which row."""

    kind: Ints
    element: Ints
    call: Ints
    ret: Ints
    row: Ints

    def take(self, which: npt.NDArray[np.intp] | Sequence[int]) -> Touches:
        """These alone."""
        at = np.asarray(which, dtype=np.intp)
        return Touches(
            kind=self.kind[at], element=self.element[at], call=self.call[at], ret=self.ret[at], row=self.row[at]
        )

    def of(self, kind: int) -> npt.NDArray[np.bool_]:
        mask: npt.NDArray[np.bool_] = self.kind == kind
        return mask


def wrong_elements(touches: Touches) -> Ints:
    """The elements that are not linearizable, ascending. Each has at most one ADD and one REMOVE."""
    size = 1 + int(touches.element.max(initial=-1))
    starts, ends = np.full((4, size), BEFORE), np.full((4, size), FOREVER)
    np.maximum.at(starts, (touches.kind, touches.element), touches.call)  # the last invocation of a kind
    np.minimum.at(ends, (touches.kind, touches.element), touches.ret)  # the first response
    added, removed = starts[ADD] != BEFORE, starts[REMOVE] != BEFORE
    never = (starts[FOUND] == BEFORE) & (ends[ADD] == FOREVER)
    follows = added & (starts[ADD] < ends[FOUND]) & (starts[MISSED] < np.minimum(ends[ADD], ends[FOUND]))
    # A removal of unknown outcome may come first, too, or not at all: it asks for nothing there.
    early = follows & (~removed | (starts[REMOVE] < np.minimum(ends[ADD], ends[FOUND])) | (ends[REMOVE] == FOREVER))
    between = added & removed & (starts[ADD] < np.minimum(ends[FOUND], ends[REMOVE])) & (starts[FOUND] < ends[REMOVE])
    first_end, last_start = ends[:MISSED].min(axis=0), starts[:MISSED].max(axis=0)
    missed, element = touches.of(MISSED), touches.element
    stranded = missed & (touches.call >= first_end[element]) & (touches.ret <= last_start[element])
    between[element[stranded]] = False
    here = np.bincount(element, minlength=size) > 0
    return np.flatnonzero(here & ~(never | early | between))


@dataclass(slots=True, kw_only=True)
class ElementsCase:
    """One key, decided. ``wrong`` are the calls of the first element that is not linearizable."""

    key: int
    size: int
    found: Found | None
    wrong: Touches
    algorithm: str = ELEMENTS

    def attempt(self, limits: Limits, run: Engine) -> None:
        """Nothing is left to search."""

    def anomaly(self, say: Narrator) -> Anomaly:
        shown = smallest(self.wrong)
        name, told, sentence = tell(shown, say, "it")
        rows = shown.row.tolist()
        return Anomaly(
            checker="linearizable", name=name, ops=say.lines(told), reason=sentence, witness=say.lines({*rows, *told})
        )


def cases(
    calls: Calls, model: Model
) -> Sequence[ElementsCase | growing.GrowingCase | ChangingCase | generic.GenericCase]:
    """Every key of ``calls``, by the algorithm for what is done with it. Raises Unjudgeable."""
    fs = calls.history.fs
    alone = np.array([f in ("remove", "contains") for f in fs] or [False])[calls.f]
    if not alone.any():
        return growing.cases(calls)
    from checkers.linearizable import changing

    found: list[ElementsCase | growing.GrowingCase | changing.ChangingCase | generic.GenericCase] = []
    say = Narrator(calls)
    reads = (calls.outcome == OK) & np.array([f == "read" for f in fs])[calls.f]
    asked = calls.result[(calls.outcome == OK) & np.array([f == "contains" for f in fs])[calls.f]]
    values = {code: calls.history.values[code] for code in np.flatnonzero(np.bincount(asked)).tolist()}
    answers = {value: code for code, value in values.items() if value is True or value is False}
    for key, rows in growing.parts(calls):
        if not alone[rows].any():
            found.append(growing.case_of(key, rows, calls, say))
            continue
        truths = answers.get(True, BEFORE), answers.get(False, BEFORE)
        if reads[rows].any():
            case = changing.case_of(key, calls, rows, model, truths)
            found.append(case or generic.case_of(key, calls.take(rows), rows.tolist(), model))
            continue
        touches = touches_of(calls, rows, truths)
        if touches is None:
            found.append(generic.case_of(key, calls.take(rows), rows.tolist(), model))
            continue
        wrong = wrong_elements(touches)
        good = not len(wrong)
        answer = Found(
            validity=Validity.VALID if good else Validity.INVALID,
            steps=0,
            explained=len(rows) if good else 0,
            completed=len(rows),
        )
        shown = touches.take(np.flatnonzero(touches.element == wrong[0]) if not good else [])
        found.append(ElementsCase(key=key, size=len(rows), found=answer, wrong=shown))
    return found


def touches_of(calls: Calls, rows: Ints, answers: tuple[int, int]) -> Touches | None:
    """The calls of one key; None if they are not what ``wrong_elements`` can judge. ``answers`` are the codes of true and false.

    Raises Unjudgeable for a strange result.
    """
    history = calls.history
    codes = {f: code for code, f in enumerate(history.fs)}
    f, outcome, result = calls.f[rows], calls.outcome[rows], calls.result[rows]
    is_add, is_remove, is_contains = (f == codes.get(name, BEFORE) for name in ("add", "remove", "contains"))
    there, absent = (result == code for code in answers)
    asked = is_contains & (outcome == OK)
    strange = np.flatnonzero(asked & ~there & ~absent)
    if len(strange):
        value = history.values[int(result[strange[0]])]
        raise Unjudgeable(f"a contains returned {text(value)}; of a set it returns true or false")
    kept = np.flatnonzero(asked | ((is_add | is_remove) & (outcome != FAIL)))
    kind = np.where(is_add, ADD, np.where(is_remove, REMOVE, np.where(there, FOUND, MISSED)))[kept]
    element = calls.argument[rows][kept].astype(np.int64)
    if len(history.values) > _SPARSE * len(rows) + 64:
        element = np.unique(element, return_inverse=True)[1].reshape(-1)
    for once in (ADD, REMOVE):
        if np.bincount(element[kind == once], minlength=1).max() > 1:
            return None
    mine = rows[kept]
    ret = np.where(outcome[kept] == OK, calls.ret[mine], FOREVER)
    return Touches(kind=kind, element=element, call=calls.call[mine], ret=ret, row=mine)


def smallest(touches: Touches) -> Touches:
    """The addition and the removal, and as few of the answers as are still impossible with them: an answer can be left out of any legal
    order.
    """
    changes = np.flatnonzero(touches.kind <= REMOVE).tolist()
    answers = np.flatnonzero(touches.kind > REMOVE).tolist()
    work_left = WORK_MAX + len(touches.row)

    def broken(part: list[int]) -> list[int] | None:
        nonlocal work_left
        chosen = sorted(changes + part)
        if len(chosen) > work_left:
            return None
        work_left -= len(chosen)
        return part if len(wrong_elements(touches.take(chosen))) else None

    return touches.take(sorted(changes + shrink(answers, broken)))


class _Scene(NamedTuple):
    """What is told of, with the words for it."""

    shown: Touches
    say: Narrator
    item: str


def tell(shown: Touches, say: Narrator, item: str) -> tuple[str, list[int], str]:
    """Name, the rows that it is about, and the sentence, in which ``item`` is the element."""
    add, remove = (next(iter(np.flatnonzero(shown.of(kind)).tolist()), None) for kind in (ADD, REMOVE))
    for i in np.flatnonzero(shown.kind > REMOVE).tolist():
        wrongly = _wrongly_found if shown.kind[i] == FOUND else _wrongly_missed
        told = wrongly(_Scene(shown, say, item), i, add, remove)
        if told is not None:
            return told
    done = np.flatnonzero(shown.ret != FOREVER)
    last = int(shown.row[done[np.argmax(shown.ret[done])]])
    others = count(len(shown.row) - 1, "other operation")
    sentence = f"no order that respects real time explains {say.whose(last)} {say.span(last)} together with {others}"
    of = "" if item == "it" else f" that tell of {item}"
    return "nonlinearizable", [last], f"{sentence}{of}{say.key(last, 'on')}"


def _wrongly_found(scene: _Scene, i: int, add: int | None, remove: int | None) -> tuple[str, list[int], str] | None:
    """What is told of an element that ``i`` found, if that alone is impossible."""
    shown, say, item = scene
    row = int(shown.row[i])
    what = f"{say.whose(row)} {say.span(row)} found {item}{say.key(row, 'in')}"
    if add is None:
        return "phantom-read", [row], f"{what}, but nobody ever added it"
    added = int(shown.row[add])
    if shown.ret[i] < shown.call[add]:
        why = f"its addition began only {say.began(added)}: {say.whose(added)}"
        return "future-read", [row, added], f"{what}, but {why}"
    if remove is not None and shown.ret[add] < shown.call[remove] and shown.ret[remove] < shown.call[i]:
        gone = int(shown.row[remove])
        before = f"it was added only before that: {say.whose(added)} {say.span(added)}"
        why = f"after {say.whose(gone)} had completed {say.ended(gone)}, and {before}"
        return "stale-read", [row, gone, added], f"{what} {why}"
    return None


def _wrongly_missed(scene: _Scene, i: int, add: int | None, remove: int | None) -> tuple[str, list[int], str] | None:
    """What is told of an element that ``i`` did not find, if that alone is impossible."""
    shown, say, item = scene
    if add is None or shown.ret[add] > shown.call[i] or (remove is not None and shown.ret[i] > shown.call[remove]):
        return None
    row, added = int(shown.row[i]), int(shown.row[add])
    rows, end = [row, added], "nobody ever removed it"
    if remove is not None:
        gone = int(shown.row[remove])
        rows, end = [*rows, gone], f"it was removed only later: {say.whose(gone)} {say.span(gone)}"
    did = f"{say.whose(row)} {say.span(row)} did not find {item}{say.key(row, 'in')}"
    return "lost-add", rows, f"{did} although {say.whose(added)} had completed {say.ended(added)}, and {end}"
