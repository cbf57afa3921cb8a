"""What calls say of single elements of a set, as columns; and which elements are impossible by it: the kernels. See ``elements``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Narrow, Tiny, engine
from harness.history import FAIL, FOREVER, OK, Bytes, Calls, Codes, Ints

# What a call is to its element, or to all: a SHOW reads the whole set. NONE: it says nothing.
ADD, REMOVE, FOUND, MISSED, SHOW = range(5)
KINDS = {"add": ADD, "remove": REMOVE, "contains": FOUND, "read": SHOW}
NONE, LATE = -1, (1 << 31) - 1
# What is kept of an element, side by side: call and return of its addition and of its removal (NONE, LATE: there is none); when the last
# call that found it began and the first one ended; and when the last call began that did not find it.
ADDED, INSIDE, REMOVED, GONE, FOUND_LAST, FOUND_FIRST, MISSED_LAST = range(7)
WIDTH = 8
# What is known of an element: fine; fine unless a call that did not find it has no place; not linearizable.
FINE, OPEN, WRONG = range(3)
TWICE = -1
_STEPS_PER_CALL = 4


class Raw(NamedTuple):
    """Calls as they are in ``Calls``."""

    f: Narrow
    outcome: Tiny
    result: Narrow


def classify(raw: Raw, kinds: Narrow, whole: Tiny, yes: int, no: int, kind: Tiny) -> int:  # noqa: PLR0917 - kernels take columns by position
    """Kernel: what each call is, into ``kind``; the first one that returned what no set returns, or NONE.

    ``kinds`` are those of functions, ``whole`` says of results whether they are lists, ``yes`` and ``no`` are the answers of a contains.
    """
    for i in range(len(raw.f)):
        mine, outcome, result = kinds[raw.f[i]], raw.outcome[i], raw.result[i]
        if mine in (ADD, REMOVE):
            kind[i] = NONE if outcome == FAIL else mine
        elif outcome != OK or mine == NONE:
            kind[i] = NONE
        elif mine == SHOW:
            kind[i] = SHOW
            if whole[result] == 0:
                return i
        else:
            kind[i] = FOUND if result == yes else MISSED
            if result not in (yes, no):
                return i
    return NONE


class Said(NamedTuple):
    """Calls on single elements: what each is, of which element, from when to when (LATE: nobody knows)."""

    kind: Tiny
    element: Narrow
    call: Narrow
    ret: Narrow


def judge_elements(said: Said, spans: Narrow, state: Narrow) -> int:
    """Kernel: the ``state`` of every element, by the shapes of ``elements``; TWICE if one was added or removed twice."""
    for element in range(len(state)):
        at = element * WIDTH
        for what in (ADDED, REMOVED, FOUND_LAST, MISSED_LAST):
            spans[at + what] = NONE
        for what in (INSIDE, GONE, FOUND_FIRST):
            spans[at + what] = LATE
    for i in range(len(said.kind)):
        if said.kind[i] != NONE and note_span(said, i, spans) == TWICE:
            return TWICE
    for element in range(len(state)):
        state[element] = state_of(spans, element * WIDTH)
    for i in range(len(said.kind)):
        if said.kind[i] == MISSED and state[said.element[i]] == OPEN:
            at = said.element[i] * WIDTH
            first_end = min(spans[at + INSIDE], spans[at + GONE], spans[at + FOUND_FIRST])
            last_start = max(spans[at + ADDED], spans[at + REMOVED], spans[at + FOUND_LAST])
            if said.call[i] >= first_end and said.ret[i] <= last_start:
                state[said.element[i]] = WRONG
    return 0


def note_span(said: Said, i: int, spans: Narrow) -> int:
    """Kernel: what one call says of its element; TWICE if that was added or removed before."""
    kind, at = said.kind[i], said.element[i] * WIDTH
    if kind == FOUND:
        spans[at + FOUND_LAST] = max(spans[at + FOUND_LAST], said.call[i])
        spans[at + FOUND_FIRST] = min(spans[at + FOUND_FIRST], said.ret[i])
    elif kind == MISSED:
        spans[at + MISSED_LAST] = max(spans[at + MISSED_LAST], said.call[i])
    else:
        place = at + (ADDED if kind == ADD else REMOVED)
        if spans[place] != NONE:
            return TWICE
        spans[place], spans[place + 1] = said.call[i], said.ret[i]
    return 0


def state_of(spans: Narrow, at: int) -> int:
    """Kernel: what is known of an element before each call that did not find it is looked at."""
    added, removed, found = spans[at + ADDED], spans[at + REMOVED], spans[at + FOUND_FIRST]
    if spans[at + FOUND_LAST] == NONE and spans[at + INSIDE] == LATE:
        return FINE
    first = min(spans[at + INSIDE], found)
    # A removal of unknown outcome may come first, too, or not at all: it asks for nothing there. One that never began is before all.
    early = removed < first or spans[at + GONE] == LATE
    if added != NONE and added < found and spans[at + MISSED_LAST] < first and early:
        return FINE
    if NONE in (added, removed) or added >= min(found, spans[at + GONE]):
        return WRONG
    return OPEN if spans[at + FOUND_LAST] < spans[at + GONE] else WRONG


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """The calls that say something, in invocation order: what each is (NONE: nothing), to which element (from 0 on), from when to when
    (LATE: nobody knows), in which row.
    """

    kind: Bytes
    element: Codes
    call: Codes
    ret: Codes
    row: Ints

    def take(self, which: npt.NDArray[np.intp] | Sequence[int]) -> Touches:
        """These alone."""
        at = np.asarray(which, dtype=np.intp)
        return Touches(**{item.name: getattr(self, item.name)[at] for item in fields(self)})

    def of(self, kind: int) -> npt.NDArray[np.bool_]:
        mask: npt.NDArray[np.bool_] = self.kind == kind
        return mask


def wrong_elements(touches: Touches) -> Ints | None:
    """The elements that are not linearizable, ascending; None if one has two ADDs or two REMOVEs."""
    run = engine(_STEPS_PER_CALL * len(touches.kind))
    size = 1 + int(touches.element.max(initial=-1))
    said = Said(*(run.view(column) for column in (touches.kind, touches.element, touches.call, touches.ret)))
    state = run.narrow(size, FINE)
    if run.kernel(judge_elements)(said, run.narrow(size * WIDTH, NONE), state) == TWICE:
        return None
    return np.flatnonzero(np.asarray(state) == WRONG)


def kinds_of(calls: Calls, answers: tuple[int, int], whole: Bytes) -> tuple[Bytes, int]:
    """What each call is; and the first one that returned what no set returns, or NONE. See ``classify``."""
    run = engine(_STEPS_PER_CALL * len(calls))
    kinds = np.array([KINDS.get(f, NONE) for f in calls.history.fs], dtype=np.int32)
    kind = run.tiny(len(calls), NONE)
    raw = Raw(*(run.view(column) for column in (calls.f, calls.outcome, calls.result)))
    strange = run.kernel(classify)(raw, run.view(kinds), run.view(whole), *answers, kind)
    return np.asarray(kind, dtype=np.int8), strange


def times_of(calls: Calls) -> tuple[Codes, Codes]:
    """From when to when each call was; LATE if that is unknown."""
    ret = np.where(calls.ret == FOREVER, LATE, calls.ret)
    return calls.call.astype(np.int32), ret.astype(np.int32)
