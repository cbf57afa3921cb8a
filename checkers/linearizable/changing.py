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

So it is exact, but not complete: if none of them answers, the search decides the whole, as for any model, as far as its budget goes. Then
the verdict may be unknown, and says what was tried before. That needs reads that overlap, of which the sweep guessed the wrong one first,
or an impossibility of many elements together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from checkers.kernels.engine import Engine, engine
from checkers.linearizable import generic
from checkers.linearizable.elements import refuse_strange, smallest, tell
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import UNKNOWN, Model, frozen
from checkers.linearizable.moments import (
    HELD,
    OUT,
    STUCK_AT,
    STUCK_BY,
    THOROUGH,
    WAITING,
    Times,
    World,
    copy_shows,
    find_suspect,
    lay_out,
    sweep_moments,
)
from checkers.linearizable.touches import (
    ADD,
    FOUND,
    LATE,
    MISSED,
    NONE,
    REMOVE,
    SHOW,
    TWICE,
    Touches,
    kinds_of,
    times_of,
    wrong_elements,
)
from checkers.linearizable.wgl import Call
from checkers.wording import Narrator, text
from harness.history import FOREVER, Bytes, Calls, Codes, Ints
from harness.verdict import Anomaly, Validity

MOMENTS = "moments"
TRIED = "one sweep over the reads of the whole set had found neither an order nor a few elements that have none"
_STEPS_PER_OP = 16
# Codes and positions are taken as they are if they are not many more than the calls.
_SPARSE = 6
# So many suspected elements are looked at one by one; of the elements in the way so many together, with so many reads.
SUSPECTS_MAX, TOGETHER_MAX, READS_MAX = 32, 12, 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """The calls in invocation order: what each is (NONE: it says nothing), what about (a SHOW: its number), from when to when (LATE:
    nobody knows), and which row. Of the SHOWs, where their elements begin, and these. ``codes`` are the elements' in the history's lists,
    None if they are the same; positions are below ``end``, elements below ``size``.
    """

    kind: Bytes
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
    """One key: its ``calls``, which are ``rows`` among all. ``wrong`` are the calls of an element that is not linearizable, ``item`` is
    its text; ``together`` those on a few elements that are not.
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
            self.together = generic.case_of(self.key, self.calls, self.rows.tolist(), self.model)
        self.together.attempt(limits, run)
        assert self.together.found is not None
        self.found, self.algorithm = replace(self.together.found, tried=TRIED), self.together.algorithm

    def anomaly(self, say: Narrator) -> Anomaly:
        if self.wrong is None:
            assert self.together is not None
            return self.together.anomaly(say)
        shown = smallest(self.wrong)
        name, told, sentence = tell(shown, say, self.item)
        witness = say.lines({*shown.row.tolist(), *told})
        return Anomaly(checker="linearizable", name=name, ops=say.lines(told), reason=sentence, witness=witness)


def case_of(key: int, calls: Calls, rows: Ints, model: Model, answers: tuple[int, int]) -> ChangingCase | None:
    """One key, whose ``calls`` are ``rows`` among all; None if an element is added or removed twice. ``answers`` are the codes of true
    and false. Raises Unjudgeable for a strange result.
    """
    run = engine(_STEPS_PER_OP * len(rows))
    columns = columns_of(calls, rows, answers, run)
    world = _world(columns, run)
    if world is None:
        return None
    case = ChangingCase(key=key, size=len(rows), model=model, calls=calls, rows=rows)
    good = Found(validity=Validity.VALID, steps=0, explained=len(rows), completed=len(rows))
    broken = Found(validity=Validity.INVALID, steps=0, explained=0, completed=len(rows))
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
    assert world is not None
    world.tally[THOROUGH] = 1
    if run.kernel(sweep_moments)(world):
        case.found = good
        return case
    part = _in_the_way(columns, world, key, calls, model)
    part.attempt(generic.PART_LIMITS, run)
    if part.found is not None and part.found.validity is Validity.INVALID:
        case.found, case.together = broken, part
    return case


def columns_of(calls: Calls, rows: Ints, answers: tuple[int, int], run: Engine) -> Columns:
    """See ``case_of``."""
    history, lists = calls.history, calls.history.lists()
    kind, strange = kinds_of(calls, answers, lists.whole.view(np.int8))
    refuse_strange(calls, strange)
    reads = np.flatnonzero(kind == SHOW)
    shown = calls.result[reads]
    first = np.zeros(len(shown) + 1, dtype=np.int32)
    np.cumsum(lists.first[shown + 1] - lists.first[shown], out=first[1:])
    copied = run.narrow(int(first[-1]), NONE)
    run.kernel(copy_shows)(run.view(shown), run.view(lists.first), run.view(lists.element), run.view(first), copied)
    element = np.asarray(copied, dtype=np.int32)
    about, size = calls.argument.copy(), len(history.values) + len(lists.others)
    names: Codes | None = None
    if size > _SPARSE * (len(rows) + len(element)) + 64:
        names, where = np.unique(np.concatenate([about, element]), return_inverse=True)
        dense = where.reshape(-1).astype(np.int32)
        about, element, size = dense[: len(about)], dense[len(about) :], len(names)
    about[reads] = np.arange(len(reads))
    (call, ret), end = times_of(calls), len(history)
    if end > _SPARSE * len(rows) + 64:
        done = ret != LATE
        positions = np.sort(np.concatenate([call, ret[done]]))
        ret = np.where(done, np.searchsorted(positions, ret), LATE).astype(np.int32)
        call, end = np.searchsorted(positions, call).astype(np.int32), len(positions)
    return Columns(
        kind=kind,
        about=about,
        call=call,
        ret=ret,
        row=rows,
        first=first,
        element=element,
        codes=names,
        end=end,
        size=size,
    )


def _world(columns: Columns, run: Engine) -> World | None:
    """All that the sweep begins with; None if an element is added or removed twice."""
    calls, shows, size = len(columns.kind), len(columns.first) - 1, columns.size
    view, new = run.view, run.narrow
    world = World(
        at=new(columns.end, 0),
        kind=view(columns.kind),
        about=view(columns.about),
        placed=new(calls, 0),
        following=new(calls, NONE),
        begins=new(shows, NONE),
        until=new(shows, LATE),
        first=view(columns.first),
        element=view(columns.element),
        common=new(shows, 0),
        queued=new(shows, NONE),
        added=new(size, NONE),
        removed=new(size, NONE),
        last=new(size, NONE),
        left=new(size, 0),
        status=new(size, OUT),
        place=new(size, NONE),
        asking=new(size, NONE),
        held=new(size, NONE),
        reads=new(shows, NONE),
        stack=new(shows + 1, NONE),
        tally=new(5, 0),
    )
    times = Times(call=view(columns.call), ret=view(columns.ret), leaves=new(size, LATE))
    return None if run.kernel(lay_out)(times, world) == TWICE else world


def _wrong_alone(columns: Columns, run: Engine, world: World) -> int | None:
    """An element that is not linearizable by itself; None if none was found."""
    reads, reader = columns.shows()
    others = columns.of(ADD, REMOVE, FOUND, MISSED)
    said = np.concatenate([others, reader])
    kind = np.concatenate([columns.kind[others], np.full(len(reader), FOUND, dtype=np.int8)])
    element = np.concatenate([columns.about[others], columns.element])
    wrong = wrong_elements(_touches(columns, said, kind, element))
    assert wrong is not None
    if len(wrong):
        return int(wrong[0])
    since, until = np.full(columns.size, LATE, dtype=np.int32), np.full(columns.size, LATE, dtype=np.int32)
    certain = kind != MISSED
    np.minimum.at(since, element[certain], columns.ret[said[certain]])
    removed = np.zeros(columns.size, dtype=np.bool_)
    removed[columns.about[columns.of(REMOVE)]] = True
    until[removed] = NONE
    np.maximum.at(until, element[certain], columns.call[said[certain]])
    start = np.searchsorted(columns.call[reads], since).astype(np.int32)
    bounds = (run.view(since), run.view(until), run.view(start))
    suspect = int(world.tally[STUCK_BY])
    for number in range(SUSPECTS_MAX):
        wrong = wrong_elements(_touches_of(columns, suspect))
        if wrong is not None and len(wrong):
            return suspect
        suspect = run.kernel(find_suspect)(world, *bounds, suspect + 1 if number else 0)
        if suspect == NONE:
            break
    return None


def _touches(columns: Columns, which: Ints, kind: Bytes, element: Codes) -> Touches:
    return Touches(kind=kind, element=element, call=columns.call[which], ret=columns.ret[which], row=columns.row[which])


def _touches_of(columns: Columns, element: int) -> Touches:
    """All that is said of one element, in invocation order."""
    reads, reader = columns.shows()
    others = columns.of(ADD, REMOVE, FOUND, MISSED)
    others = others[columns.about[others] == element]
    kind = np.full(len(columns.kind), NONE, dtype=np.int8)
    kind[reads] = MISSED
    kind[reader[columns.element == element]] = FOUND
    kind[others] = columns.kind[others]
    which = np.flatnonzero(kind != NONE)
    return _touches(columns, which, kind[which], np.zeros(len(which), dtype=np.int32))


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
    f = history.fs[calls.f[i]]
    return Call(call=int(columns.call[i]), ret=ret if done else FOREVER, f=f, argument=argument, result=result)
