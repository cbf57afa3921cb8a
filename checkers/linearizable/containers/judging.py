"""The verdict on one container: which kernels run, on what, and what they proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Engine, engine
from checkers.linearizable.containers import lifo, sweeps
from checkers.linearizable.containers.lives import (
    EMPTIES,
    EMPTY,
    INSERT,
    LOST,
    NONE,
    NOT_UNIQUE,
    OPEN,
    ORDER,
    REMOVE,
    SHOWN,
    Lives,
    Raw,
    count_covers,
    find_full,
    gather,
    settle,
)
from harness.history import FAIL as FAILED
from harness.history import FOREVER, INFO, OK, Bytes, Codes, Ints

OTHER_CALL = 2
_NO_NULL = -2
_STEPS_PER_OP = 8


class Order(StrEnum):
    """Which value a removal takes."""

    FIFO = "fifo"
    LIFO = "lifo"
    LEAST = "least"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Container:
    """One object's calls as columns. ``kinds`` maps codes of functions, ``null`` is the code of null, values are
    codes below ``codes``, positions are below ``end``; ``priority`` of every value, where that matters.
    """

    order: Order
    f: Codes
    argument: Codes
    result: Codes
    outcome: Bytes
    call: Ints
    ret: Ints
    kinds: Ints
    null: int
    codes: int
    end: int
    priority: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.f)

    @property
    def inserts(self) -> npt.NDArray[np.bool_]:
        """Which calls insert, or may have."""
        mask: npt.NDArray[np.bool_] = (self.kinds[self.f] == INSERT) & (self.outcome != FAILED)
        return mask

    @property
    def removes(self) -> npt.NDArray[np.bool_]:
        """Which calls certainly removed a value, or found none."""
        mask: npt.NDArray[np.bool_] = (self.kinds[self.f] == REMOVE) & (self.outcome == OK)
        return mask

    def values(self) -> Codes:
        """Per call the value that it inserted or removed; NONE for all others, and where nothing was found."""
        removed = np.where(self.removes & (self.result != self.null), self.result, NONE)
        return np.where(self.inserts, self.argument, removed).astype(np.int32)

    def part(self, rows: npt.NDArray[np.intp] | Sequence[int]) -> Container:
        """These calls alone (ascending), with codes and positions as small as they are."""
        chosen = np.asarray(rows, dtype=np.int64)
        columns = {name: getattr(self, name)[chosen] for name in ("f", "argument", "result", "outcome", "call", "ret")}
        return tight(replace(self, **columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is wrong (OPEN: nothing; NOT_UNIQUE: who knows), and what shows it.

    ``values`` are the values that are impossible together, ``row`` the call that found the container empty.
    ``lost`` are removals of unknown result that cannot have taken enough of the values.
    """

    status: int
    values: tuple[int, ...] = ()
    row: int = NONE
    lost: tuple[int, ...] = ()


def tight(container: Container) -> Container:
    """The same with dense codes and positions."""
    call, ret = container.call, container.ret
    done = ret != FOREVER
    positions = np.sort(np.concatenate([call, ret[done]]))
    ret = np.where(done, np.searchsorted(positions, np.where(done, ret, 0)), FOREVER)
    used, where = np.unique(np.concatenate([container.argument, container.result]), return_inverse=True)
    argument, result = where.reshape(2, -1).astype(np.int32)
    null = int(np.searchsorted(used, container.null))
    return replace(
        container,
        argument=argument,
        result=result,
        call=np.searchsorted(positions, call),
        ret=ret,
        null=null if null < len(used) and used[null] == container.null else _NO_NULL,
        codes=len(used),
        end=len(positions),
        priority=None if container.priority is None else container.priority[np.maximum(used, 0)],
    )


def judge(container: Container, run: Engine | None = None) -> Judged:
    """Whether the container is linearizable, in linear time or nearly so."""
    run = run or engine(_STEPS_PER_OP * len(container))
    judge_one = _Judging(container, run)
    found = judge_one.judge(taken_alone=False)
    if found.status in (ORDER, EMPTY) and judge_one.lost:
        # A removal of unknown result may have taken what nobody else took. What is wrong without those values is wrong.
        alone = _Judging(container, run).judge(taken_alone=True)
        return alone if alone.status != OPEN else judge_one.with_lost()
    return found


class _Judging:
    """One pass over one container."""

    def __init__(self, container: Container, run: Engine) -> None:
        self.container, self.run = container, run
        view = run.view
        self.raw = Raw(
            view(container.f),
            view(container.argument),
            view(container.result),
            view(container.outcome),
            view(container.call),
            view(container.ret),
        )
        self.kinds = run.column(container.kinds)
        codes = container.codes
        self.lives = Lives(run.full(codes, NONE), *(run.full(codes, FOREVER) for _ in range(3)))
        self.tally = run.full(4, 0)

    @property
    def lost(self) -> bool:
        return bool(self.tally[LOST])

    def judge(self, *, taken_alone: bool) -> Judged:
        null, run = self.container.null, self.run
        status = run.kernel(gather)(self.raw, self.kinds, null, self.lives, self.tally)
        if status == OPEN:
            status = run.kernel(settle)(self.lives, int(taken_alone), self.tally)
        if status != OPEN:
            return Judged(status=status, values=(int(self.tally[SHOWN]),))
        found: Judged = _SWEEPS[self.container.order](self)
        if found.status == OPEN and self.tally[EMPTIES]:
            found = self.empties()
        return found

    def with_lost(self) -> Judged:
        """Removals of unknown result, given to values that nobody took, all of them as early as can be.

        A queue in which a value u was overtaken by v must have lost u before v's removal returned. Such a
        removal has no return, so by the four patterns it is enough that it was called before that: values and
        removals are matched in order. Elsewhere the matching is a guess, and only its success a proof.
        """
        container = self.container
        lost = np.flatnonzero((container.kinds[container.f] == REMOVE) & (container.outcome == INFO))
        came, inside, left = (np.asarray(column) for column in (self.lives.came, self.lives.inside, self.lives.left))
        staying = np.flatnonzero((came != NONE) & (left == FOREVER))
        calls = container.call[lost]  # ascending
        if container.order is Order.LEAST:
            return Judged(status=NOT_UNIQUE)
        deadline = self._overtaken(staying) if container.order is Order.FIFO else inside[staying]
        staying = staying[np.lexsort((inside[staying], deadline))]
        deadline = np.sort(deadline)
        matched = min(len(staying), len(calls))
        if container.order is Order.FIFO:
            needed = int((deadline != FOREVER).sum())
            late = np.flatnonzero(
                np.append(calls[:needed], np.full(max(0, needed - len(calls)), FOREVER)) >= deadline[:needed]
            )
            if len(late):
                upto = int(late[0]) + 1
                able = lost[calls < deadline[upto - 1]]
                return Judged(
                    status=ORDER,
                    values=(*staying[:upto].tolist(), *self._overtakers(staying[:upto])),
                    lost=tuple(able.tolist()),
                )
        for value, call in zip(staying[:matched].tolist(), calls[:matched].tolist(), strict=True):
            self.lives.leaving[value] = call
        found: Judged = _SWEEPS[container.order](self)
        if found.status == OPEN and self.tally[EMPTIES]:
            found = self.empties()
        return found if found.status == OPEN else Judged(status=NOT_UNIQUE)

    def _overtaken(self, values: Ints) -> Ints:
        """Per value the earliest return of the removal of a value that was surely inserted after it."""
        came, inside, left = (np.asarray(column) for column in (self.lives.came, self.lives.inside, self.lives.left))
        others = np.flatnonzero(came != NONE)
        others = others[np.argsort(came[others])]
        least = np.append(np.minimum.accumulate(left[others][::-1])[::-1], FOREVER)
        return least[np.searchsorted(came[others], inside[values], side="right")]

    def _overtakers(self, values: Ints) -> list[int]:
        """For each of these values one whose removal returned first of those that overtook it."""
        came, inside, left = (np.asarray(column) for column in (self.lives.came, self.lives.inside, self.lives.left))
        found = set()
        for value in values.tolist():
            later = np.flatnonzero(came > inside[value])
            found.add(int(later[np.argmin(left[later])]))
        return sorted(found)

    def empties(self) -> Judged:
        covers, free = (self.run.full(self.container.end + 1, 0) for _ in range(2))
        self.run.kernel(count_covers)(self.lives, covers)
        row = int(self.run.kernel(find_full)(self.raw, self.kinds, self.container.null, covers, free))
        if row == NONE:
            return Judged(status=OPEN)
        first, last = int(self.container.call[row]), int(self.container.ret[row])
        return Judged(status=EMPTY, values=self.covering(first, last), row=row)

    def covering(self, first: int, last: int, among: Ints | None = None) -> tuple[int, ...]:
        """The fewest values that cover the gaps from ``first`` to before ``last``, which some do together."""
        lives = np.asarray([self.lives.came, self.lives.inside, self.lives.leaving])
        alive = (lives[0] != NONE) & (lives[1] < lives[2]) & (lives[1] < last) & (lives[2] > first)
        if among is not None:
            alive &= np.isin(np.arange(len(alive)), among)
        found: list[int] = []
        candidates = np.flatnonzero(alive)
        while first < last:
            fitting = candidates[lives[1][candidates] <= first]
            best = int(fitting[np.argmax(lives[2][fitting])])
            assert lives[2][best] > first
            found.append(best)
            first = int(lives[2][best])
        return tuple(found)

    def fifo(self) -> Judged:
        end = self.container.end
        began, settled = (self.run.full(end, NONE) for _ in range(2))
        status = self.run.kernel(sweeps.sweep_fifo)(self.lives, began, settled, self.tally)
        shown = tuple(sorted((int(self.tally[SHOWN]), int(self.tally[3])))) if status != OPEN else ()
        return Judged(status=status, values=shown)

    def least(self) -> Judged:
        priority = self.container.priority
        assert priority is not None
        following = self.run.column(np.arange(self.container.end + 1))
        came = np.asarray(self.lives.came) != NONE
        ascending = np.flatnonzero(came)
        ascending = ascending[np.argsort(priority[ascending], kind="stable")]
        ranked = priority[ascending]
        if np.isnan(ranked).any() or (ranked[1:] == ranked[:-1]).any():
            return Judged(status=NOT_UNIQUE)  # of equals, any may go first
        status = self.run.kernel(sweeps.sweep_priority)(self.lives, self.run.column(ascending), following, self.tally)
        if status == OPEN:
            return Judged(status=OPEN)
        shown = int(self.tally[SHOWN])
        first = max(int(self.lives.leaving[shown]), int(self.lives.came[shown]))
        smaller = ascending[ranked < priority[shown]]
        return Judged(status=ORDER, values=(shown, *self.covering(first, int(self.lives.left[shown]), smaller)))

    def lifo(self) -> Judged:
        run, end, codes = self.run, self.container.end, self.container.codes
        cells = 1 << (2 * codes + 1).bit_length()
        room = 1 << max(1, codes).bit_length()
        stacked = lifo.Stacked(
            value=run.full(codes + 1, NONE),
            called=run.full(codes + 1, NONE),
            returned=run.full(codes + 1, NONE),
            first=run.full(codes + 1, NONE),
            last=run.full(codes + 1, NONE),
            next=run.full(codes + 1, NONE),
            position=run.full(2 * codes + 2, 0),
            begun=run.full(2 * codes + 2, 0),
        )
        size = int(run.kernel(lifo.lay_out)(self.lives, stacked, run.full(end, NONE), run.full(end + 1, NONE)))
        trees = lifo.Trees(
            run.full(2 * cells, 0),
            run.full(2 * cells, 0),
            run.full(2 * room, FOREVER),
            run.full(2 * room, NONE),
            run.full(3 * 66, 0),
        )
        status = run.kernel(lifo.peel)(stacked, trees, size, run.full(2 * size + 4, 0), self.tally)
        if status == OPEN:
            return Judged(status=OPEN)
        alive = [
            int(stacked.value[which])
            for which in range(int(self.tally[SHOWN]), int(self.tally[3]))
            if stacked.next[which] == which
        ]
        return Judged(status=ORDER, values=tuple(alive))

    def anything(self) -> Judged:
        return Judged(status=OPEN)


_SWEEPS: dict[Order, Any] = {
    Order.FIFO: _Judging.fifo,
    Order.LIFO: _Judging.lifo,
    Order.LEAST: _Judging.least,
    Order.ANY: _Judging.anything,
}
