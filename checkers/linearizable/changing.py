"""Sets that change and are read as a whole, each element added once and removed once at most: decided in nearly linear time, mostly.

A read of the whole set says of every element whether it is there, so the elements cannot be judged one by one (see ``elements``): one
order of the reads has to do for all. Three answers, each of which proves what it says:

1. *Good*: ``moments`` found a legal order.
2. *Wrong*: an element is impossible by itself. What is left of a legal order when all other elements are forgotten is legal: a read then
   says whether this one was found. So each element must be linearizable with all reads, which ``elements`` decides. An element can be
   wrong by what is said of it alone (the calls that change it, and the reads that show it), or because of a read without it: one that
   began after the element was certainly in (something that says so had ended) and ended before it was last said to be. Such reads are
   looked for within that time only, where otherwise all reads show it, so that this takes no longer than to look at what is shown.
3. *Wrong*: a few elements are impossible together. The same, with all but some elements forgotten, and of the calls only those that began
   before the sweep was stuck, where it cannot go on. Reads may be left out of any legal order. What is left is small, and is searched.

If none of them answers, the search decides the whole, as for any model, as far as its budget goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkers.kernels.engine import Engine, engine
from checkers.linearizable import generic
from checkers.linearizable.elements import ADD as ADDED
from checkers.linearizable.elements import FOUND as HAD
from checkers.linearizable.elements import MISSED as LACKED
from checkers.linearizable.elements import REMOVE as REMOVED
from checkers.linearizable.elements import Touches, smallest, tell, wrong_elements
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import UNKNOWN, Model, frozen
from checkers.linearizable.moments import (
    ADD,
    FOUND,
    HELD,
    LATE,
    MISSED,
    NONE,
    OUT,
    REMOVE,
    SHOW,
    STUCK_AT,
    STUCK_BY,
    THOROUGH,
    WAITING,
    World,
    find_suspect,
    sweep_moments,
)
from checkers.linearizable.wgl import Call
from checkers.wording import Narrator, text
from harness.history import FAIL, FOREVER, OK, Calls, Codes, Ints
from harness.verdict import Anomaly, Validity

MOMENTS = "moments"
_STEPS_PER_OP = 16
# Codes and positions are taken as they are if they are not many more than the calls.
_SPARSE = 6
# So many suspected elements are looked at one by one; of the elements in the way so many together, with so many reads.
SUSPECTS_MAX, TOGETHER_MAX, READS_MAX = 32, 12, 64
_KINDS = {ADD: ADDED, REMOVE: REMOVED, FOUND: HAD, MISSED: LACKED}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """The calls that say something, in invocation order: what each is (see ``moments``), what about (a SHOW: its number), from when to
    when (LATE: nobody knows), and which row. Of the SHOWs, where their elements begin, and these. ``codes`` are the elements' in the
    history's lists, None if they are the same; positions are below ``end``, elements below ``size``.
    """

    kind: Codes
    about: Codes
    call: Codes
    ret: Codes
    row: Ints
    first: Codes
    element: Codes
    codes: Codes | None
    end: int
    size: int

    def of(self, *kinds: int) -> Ints:
        """Which calls are of these kinds."""
        mask = self.kind == kinds[0]
        for kind in kinds[1:]:
            mask |= self.kind == kind
        return np.flatnonzero(mask)

    def shows(self) -> tuple[Ints, Ints]:
        """The reads of the whole set; and for each entry of ``element``, the read."""
        reads = self.of(SHOW)
        return reads, np.repeat(reads, np.diff(self.first))


@dataclass(slots=True, kw_only=True)
class ChangingCase:
    """One key. ``wrong`` are the calls of an element that is not linearizable, ``item`` is its text; ``together`` those on a few elements
    that are not.
    """

    key: int
    size: int
    model: Model
    calls: Calls
    rows: Ints
    algorithm: str = MOMENTS
    found: Found | None = None
    wrong: Touches | None = None
    item: str = ""
    together: generic.GenericCase | None = None

    def attempt(self, limits: Limits, run: Engine) -> None:
        if self.together is None:
            self.algorithm = generic.WGL
            self.together = generic.case_of(self.key, self.calls.take(self.rows), self.rows.tolist(), self.model)
        self.together.attempt(limits, run)
        self.found, self.algorithm = self.together.found, self.together.algorithm

    def anomaly(self, say: Narrator) -> Anomaly:
        if self.wrong is None:
            assert self.together is not None
            return self.together.anomaly(say)
        shown = smallest(self.wrong)
        name, told, sentence = tell(shown, say, self.item)
        witness = say.lines({*shown.row.tolist(), *told})
        return Anomaly(checker="linearizable", name=name, ops=say.lines(told), reason=sentence, witness=witness)


def case_of(key: int, calls: Calls, rows: Ints, model: Model, answers: tuple[int, int]) -> ChangingCase | None:
    """One key; None if an element is added or removed twice. ``answers`` are the codes of true and false. Raises Unjudgeable for a
    strange result.
    """
    columns = columns_of(calls, rows, answers)
    if columns is None:
        return None
    case = ChangingCase(key=key, size=len(rows), model=model, calls=calls, rows=rows)
    run = engine(_STEPS_PER_OP * len(rows))
    good = Found(validity=Validity.VALID, steps=0, explained=len(rows), completed=len(rows))
    broken = Found(validity=Validity.INVALID, steps=0, explained=0, completed=len(rows))
    world = _world(columns, run)
    if run.kernel(sweep_moments)(world):
        case.found = good
        return case
    alone = _wrong_alone(columns, run, world)
    if alone is not None:
        code = alone if columns.codes is None else int(columns.codes[alone])
        values, lists = calls.history.values, calls.history.lists()
        item = values[code] if code < len(values) else lists.others[code - len(values)]
        case.found, case.wrong, case.item = broken, _touches_of(columns, alone), text(item)
        return case
    world = _world(columns, run)
    world.tally[THOROUGH] = 1
    if run.kernel(sweep_moments)(world):
        case.found = good
        return case
    part = _in_the_way(columns, world, key, calls, model)
    part.attempt(generic.PART_LIMITS, run)
    if part.found is not None and part.found.validity is Validity.INVALID:
        case.found, case.together = broken, part
    return case


def columns_of(calls: Calls, rows: Ints, answers: tuple[int, int]) -> Columns | None:
    """See ``case_of``."""
    history, lists = calls.history, calls.history.lists()
    codes = {f: code for code, f in enumerate(history.fs)}
    f, outcome, result = calls.f[rows], calls.outcome[rows], calls.result[rows]
    is_add, is_remove, is_contains, is_read = (
        f == codes.get(name, NONE) for name in ("add", "remove", "contains", "read")
    )
    there, absent = (result == code for code in answers)
    asked, read = is_contains & (outcome == OK), is_read & (outcome == OK)
    _refuse_strange(history.values, result, asked & ~there & ~absent, "a contains", "true or false")
    _refuse_strange(history.values, result, read & ~lists.whole[result], "a read", "the list of its elements")
    kept = np.flatnonzero(asked | read | ((is_add | is_remove) & (outcome != FAIL)))
    kind = np.full(len(rows), ADD, dtype=np.int32)
    for which, name in ((is_remove, REMOVE), (asked & there, FOUND), (asked & absent, MISSED), (read, SHOW)):
        kind[which] = name
    kind = kind[kept]
    shown = result[kept[kind == SHOW]]
    sizes = lists.first[shown + 1] - lists.first[shown]
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    element = lists.element[np.repeat(lists.first[shown] - first[:-1], sizes) + np.arange(first[-1])]
    about, size = calls.argument[rows][kept], len(history.values) + len(lists.others)
    names: Codes | None = None
    about[kind == SHOW] = 0
    if size > _SPARSE * (len(rows) + len(element)) + 64:
        names, where = np.unique(np.concatenate([about, element]), return_inverse=True)
        dense = where.reshape(-1).astype(np.int32)
        about, element, size = dense[: len(about)], dense[len(about) :], len(names)
    for once in (ADD, REMOVE):
        if np.bincount(about[kind == once], minlength=1).max() > 1:
            return None
    about[kind == SHOW] = np.arange(len(shown))
    mine, end = rows[kept], len(history)
    call, ret = calls.call[mine], np.where(outcome[kept] == OK, calls.ret[mine], FOREVER)
    done = ret != FOREVER
    if end > _SPARSE * len(rows) + 64:
        positions = np.sort(np.concatenate([call, ret[done]]))
        call, ret, end = np.searchsorted(positions, call), np.searchsorted(positions, ret), len(positions)
    ret = np.where(done, ret, LATE).astype(np.int32)
    return Columns(
        kind=kind,
        about=about,
        call=call.astype(np.int32),
        ret=ret,
        row=mine,
        first=first,
        element=element,
        codes=names,
        end=end,
        size=size,
    )


def _refuse_strange(values: Sequence[Any], result: Codes, strange: np.ndarray, who: str, right: str) -> None:
    if strange.any():
        value = values[int(result[np.argmax(strange)])]
        raise Unjudgeable(f"{who} returned {text(value)}; of a set it returns {right}")


def _world(columns: Columns, run: Engine) -> World:
    size, calls = columns.size, len(columns.kind)
    at = np.zeros(columns.end, dtype=np.int32)
    done = columns.ret != LATE
    numbers = np.arange(1, calls + 1, dtype=np.int32)
    at[columns.call], at[columns.ret[done]] = numbers, -numbers[done]
    reads, found = columns.of(SHOW), columns.of(FOUND)
    added, removed, last = (np.full(size, NONE, dtype=np.int32) for _ in range(3))
    leaves = np.full(size, LATE, dtype=np.int32)
    for column, kind in ((added, ADD), (removed, REMOVE)):
        mine = columns.of(kind)
        column[columns.about[mine]] = columns.call[mine]
    leaves[columns.about[mine]] = columns.ret[mine]
    begin, end, sizes = columns.call[reads], columns.ret[reads], np.diff(columns.first)
    np.maximum.at(last, columns.about[found], columns.call[found])
    np.maximum.at(last, columns.element, np.repeat(begin, sizes))
    # What is found after its removal was removed in vain, before it was added.
    vain = (leaves < np.maximum(last, added)) & (added != NONE)
    added[vain] = np.maximum(added[vain], removed[vain])
    removed[vain], leaves[vain] = NONE, LATE
    # A read comes after all that it shows was added, and before any of it is removed.
    some = sizes > 0
    if some.any():
        at_first = columns.first[:-1][some]
        begin[some] = np.maximum(begin[some], np.maximum.reduceat(added[columns.element], at_first))
        end[some] = np.minimum(end[some], np.minimum.reduceat(leaves[columns.element], at_first))
    np.maximum.at(last, columns.element, np.repeat(begin, sizes))
    left = np.bincount(columns.element, minlength=size) + np.bincount(columns.about[found], minlength=size)
    view, new = run.view, run.narrow
    return World(
        at=view(at),
        kind=view(columns.kind),
        about=view(columns.about),
        placed=new(calls, 0),
        following=new(calls, NONE),
        begins=view(columns.call[reads]),
        until=view(end),
        first=view(columns.first),
        element=view(columns.element),
        common=new(len(reads), 0),
        queued=new(len(reads), NONE),
        added=view(added),
        removed=view(removed),
        last=view(last),
        left=view(left.astype(np.int32)),
        status=new(size, OUT),
        place=new(size, NONE),
        asking=new(size, NONE),
        held=new(size, NONE),
        reads=new(len(reads), NONE),
        stack=new(len(reads) + 1, NONE),
        tally=new(5, 0),
    )


def _wrong_alone(columns: Columns, run: Engine, world: World) -> int | None:
    """An element that is not linearizable by itself; None if none was found."""
    reads, reader = columns.shows()
    others = columns.of(ADD, REMOVE, FOUND, MISSED)
    said = np.concatenate([others, reader])
    kind = np.concatenate([_kinds(columns.kind[others]), np.full(len(reader), HAD)])
    element = np.concatenate([columns.about[others], columns.element]).astype(np.int64)
    wrong = wrong_elements(_touches(columns, said, kind, element))
    if len(wrong):
        return int(wrong[0])
    since, until = np.full(columns.size, LATE, dtype=np.int32), np.full(columns.size, LATE, dtype=np.int32)
    certain = kind != LACKED
    np.minimum.at(since, element[certain], columns.ret[said[certain]])
    removed = np.zeros(columns.size, dtype=np.bool_)
    removed[columns.about[columns.of(REMOVE)]] = True
    until[removed] = NONE
    np.maximum.at(until, element[certain], columns.call[said[certain]])
    start = np.searchsorted(columns.call[reads], since).astype(np.int32)
    bounds = (run.view(since), run.view(until), run.view(start))
    suspect = int(world.tally[STUCK_BY])
    for number in range(SUSPECTS_MAX):
        if len(wrong_elements(_touches_of(columns, suspect))):
            return suspect
        suspect = run.kernel(find_suspect)(world, *bounds, suspect + 1 if number else 0)
        if suspect == NONE:
            break
    return None


def _kinds(kind: Codes) -> Ints:
    table = np.zeros(len(_KINDS), dtype=np.int64)
    table[list(_KINDS)] = list(_KINDS.values())
    return table[kind]


def _touches(columns: Columns, which: Ints, kind: Ints, element: Ints) -> Touches:
    ret = columns.ret[which].astype(np.int64)
    ret[ret == LATE] = FOREVER
    return Touches(
        kind=kind, element=element, call=columns.call[which].astype(np.int64), ret=ret, row=columns.row[which]
    )


def _touches_of(columns: Columns, element: int) -> Touches:
    """All that is said of one element, in invocation order."""
    reads, reader = columns.shows()
    others = columns.of(ADD, REMOVE, FOUND, MISSED)
    others = others[columns.about[others] == element]
    kind = np.full(len(columns.kind), NONE)
    kind[reads] = LACKED
    kind[reader[columns.element == element]] = HAD
    kind[others] = _kinds(columns.kind[others])
    which = np.flatnonzero(kind != NONE)
    return _touches(columns, which, kind[which], np.zeros(len(which), dtype=np.int64))


def _in_the_way(columns: Columns, world: World, key: int, calls: Calls, model: Model) -> generic.GenericCase:
    """Of the calls that began before the sweep was stuck, those on the elements that are in its way, and some reads of these."""
    tally = world.tally
    stuck_at = int(tally[STUCK_AT])
    waiting = [int(world.reads[at]) for at in range(tally[WAITING])]
    held = {int(world.held[at]) for at in range(tally[HELD])}
    content = {show: set(columns.element[columns.first[show] : columns.first[show + 1]].tolist()) for show in waiting}
    often = Counter(element for shown in content.values() for element in shown ^ held)
    chosen = {int(tally[STUCK_BY]), *(element for element, _ in often.most_common(TOGETHER_MAX - 1))}
    reads, _ = columns.shows()
    ended = np.flatnonzero(columns.ret[reads] <= stuck_at)[-READS_MAX:]
    touching = columns.of(ADD, REMOVE, FOUND, MISSED)
    touching = touching[np.isin(columns.about[touching], list(chosen)) & (columns.call[touching] <= stuck_at)]
    sure = ~np.isin(columns.kind[touching], (FOUND, MISSED)) | (columns.ret[touching] <= stuck_at)
    part, rows = [], []
    for i in sorted({*reads[ended].tolist(), *touching[sure].tolist()}):
        part.append(_call(columns, i, calls, chosen, stuck_at))
        rows.append(int(columns.row[i]))
    return generic.GenericCase(key=key, size=len(part), model=model, calls=part, rows=rows)


def _call(columns: Columns, i: int, calls: Calls, chosen: set[int], stuck_at: int) -> Call:
    """The call as it is when all other elements are forgotten, and all that came later."""
    history, kind, ret = calls.history, int(columns.kind[i]), int(columns.ret[i])
    done = ret <= stuck_at
    if kind == SHOW:
        show = int(columns.about[i])
        shown = columns.element[columns.first[show] : columns.first[show + 1]].tolist()
        argument: Any = None
        result: Any = tuple(element for element in shown if element in chosen)
    else:
        argument = int(columns.about[i])
        result = frozen(kind == FOUND) if kind in (FOUND, MISSED) else UNKNOWN
    f = history.fs[calls.f[columns.row[i]]]
    return Call(call=int(columns.call[i]), ret=ret if done else FOREVER, f=f, argument=argument, result=result)
