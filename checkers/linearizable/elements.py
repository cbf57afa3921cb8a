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

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from checkers.kernels.engine import Engine
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.shrink import shrink
from checkers.linearizable.touches import (
    ADD,
    FOUND,
    KINDS,
    LATE,
    NONE,
    REMOVE,
    Touches,
    kinds_of,
    times_of,
    wrong_elements,
)
from checkers.wording import Narrator, count, text
from harness.history import Calls, Ints
from harness.verdict import Anomaly, Validity

ELEMENTS = "elements"
ANOMALIES = {
    "phantom-read": "an element was found that nobody ever added",
    "future-read": "an element was found before its addition began",
    "lost-add": "an element was not found although it was there all the time",
    "stale-read": "an element was found after its removal had completed",
    "nonlinearizable": "no order that respects real time explains all results",
}
# Codes of values are taken as they are if they are not many more than the calls.
_SPARSE = 6
# Calls judged anew while a witness is made smaller. What is left then is the witness.
WORK_MAX = 200_000


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


def case_of(key: int, calls: Calls, rows: Ints, answers: tuple[int, int]) -> ElementsCase | None:
    """One key, whose calls stand in ``rows`` among all; None if an element is added or removed twice. ``answers`` are the codes of true
    and false. Raises Unjudgeable for a strange result.
    """
    touches = _touches_of(calls, rows, answers)
    wrong = wrong_elements(touches)
    if wrong is None:
        return None
    good = not len(wrong)
    found = Found(
        validity=Validity.VALID if good else Validity.INVALID,
        steps=0,
        explained=len(rows) if good else 0,
        completed=len(rows),
    )
    told = (touches.element == wrong[0]) & (touches.kind != NONE) if not good else np.zeros(len(rows), dtype=np.bool_)
    return ElementsCase(key=key, size=len(rows), found=found, wrong=touches.take(np.flatnonzero(told)))


def _touches_of(calls: Calls, rows: Ints, answers: tuple[int, int]) -> Touches:
    kind, strange = kinds_of(calls, answers, np.zeros(0, dtype=np.int8))
    refuse_strange(calls, strange)
    call, ret = times_of(calls)
    element = calls.argument
    if len(calls.history.values) > _SPARSE * len(calls) + 64:
        element = np.unique(element, return_inverse=True)[1].reshape(-1).astype(np.int32)
    return Touches(kind=kind, element=element, call=call, ret=ret, row=rows)


def refuse_strange(calls: Calls, at: int) -> None:
    """Raises Unjudgeable if that call returned what no set returns; NONE: none did."""
    if at != NONE:
        who = calls.history.fs[calls.f[at]]
        right = "true or false" if KINDS[who] == FOUND else "the list of its elements"
        value = calls.history.values[int(calls.result[at])]
        raise Unjudgeable(f"a {who} returned {text(value)}; of a set it returns {right}")


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
        wrong = wrong_elements(touches.take(chosen))
        return part if wrong is not None and len(wrong) else None

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
    done = np.flatnonzero(shown.ret != LATE)
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
