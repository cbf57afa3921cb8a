"""Where an operation on a register can have got the value that it saw: which writes real time leaves
possible.

A write w may be the source of a read r iff it began before r ended and no certain write lies between them in
real time (begun after w ended, ended before r began). A read without any source proves by itself that a
register is not linearizable, whatever else the history holds: ``orphans`` finds those of 10^6 operations in a
second, where a search might never end. And in every legal order, each read has one of its sources directly
before it (reads aside): that is what makes small witnesses honest, see ``witness``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from checkers.linearizable.encode import NOTHING, READ, WRITE, RegisterOps
from harness.history import FOREVER, Ints

BEFORE_ALL = -1  # no write has certainly happened before: the initial value may still be there


class Sources:
    """The possible sources of every operation of one register."""

    def __init__(self, ops: RegisterOps) -> None:
        self.ops = ops
        self.makers = np.flatnonzero(ops.made != NOTHING)
        certain = self.makers[ops.ret[self.makers] != FOREVER]
        self._ended = certain[np.argsort(ops.ret[certain])]
        ended_calls = ops.call[self._ended]
        # Of the certain writes, ordered by their ends: the latest beginning so far, and whose it is.
        self._latest = np.maximum.accumulate(ended_calls)
        fresh = ended_calls == self._latest
        self._latest_op = self._ended[np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))]
        self._end_positions = ops.ret[self._ended]

    def replaced_before(self, calls: Ints) -> Ints:
        """For calls beginning at these positions: what ended before this position was replaced by then
        (BEFORE_ALL: nothing was).
        """
        count = np.searchsorted(self._end_positions, calls)
        if not len(self._latest):
            return np.full(len(calls), BEFORE_ALL, dtype=np.int64)
        return np.where(count > 0, self._latest[np.maximum(count - 1, 0)], BEFORE_ALL).astype(np.int64)

    def replacement(self, op: int) -> int | None:
        """The certain write that ended before ``op`` began and began last; None if there is none."""
        count = int(np.searchsorted(self._end_positions, self.ops.call[op]))
        return int(self._latest_op[count - 1]) if count else None

    def makers_of(self, value: int) -> Ints:
        """All operations that wrote ``value``, or may have."""
        makers: Ints = self.makers[self.ops.made[self.makers] == value]
        return makers

    def of(self, op: int) -> list[int]:
        """The writes that may be the source of what ``op`` saw; the initial value is not among them, see
        ``may_be_initial``.
        """
        ops = self.ops
        makers = self.makers_of(int(ops.seen[op]))
        since = int(self.replaced_before(ops.call[op : op + 1])[0])
        alive = (ops.call[makers] < ops.ret[op]) & (ops.ret[makers] > since)
        return [int(maker) for maker in makers[alive]]

    def may_be_initial(self, op: int) -> bool:
        """Whether ``op`` may have seen the value that the register began with."""
        return bool(self.ops.seen[op] == self.ops.initial) and self.replacement(op) is None

    def orphans(self) -> Ints:
        """The operations that certainly happened and saw a value that no possible source gives, in invocation
        order.
        """
        ops = self.ops
        observers = np.flatnonzero((ops.seen != NOTHING) & ops.certain)
        since = self.replaced_before(ops.call[observers])
        orphaned = ~self._has_source(observers, since)
        orphaned &= (ops.seen[observers] != ops.initial) | (since != BEFORE_ALL)
        return observers[orphaned]

    def _has_source(self, observers: Ints, since: Ints) -> npt.NDArray[np.bool_]:
        """Whether some write of the value seen began before the observer's end and ended after ``since``.

        Of the writes of one value in order of their beginnings, the greatest end up to each is enough to
        know.
        """
        ops, makers = self.ops, self.makers
        if not len(makers):
            return np.zeros(len(observers), dtype=np.bool_)
        horizon = 1 + int(max(ops.call.max(), ops.ret[ops.ret != FOREVER].max(initial=0)))
        order = np.argsort(ops.made[makers], kind="stable")  # makers are in invocation order already
        value, began = ops.made[makers][order], ops.call[makers][order]
        ended = np.minimum(ops.ret[makers][order], horizon)
        # One ascending line for all values: those of a later value exceed all of an earlier one.
        reach = np.maximum.accumulate(value * (horizon + 1) + ended)
        line = value * (horizon + 1) + began
        wanted = ops.seen[observers]
        at = np.searchsorted(line, wanted * (horizon + 1) + ops.ret[observers]) - 1
        found: npt.NDArray[np.bool_] = (at >= 0) & (value[np.maximum(at, 0)] == wanted)
        found &= reach[np.maximum(at, 0)] - wanted * (horizon + 1) > since
        return found


def with_known_sources(ops: RegisterOps, known: npt.NDArray[np.bool_]) -> RegisterOps:
    """``ops`` in which a cas that is not ``known`` to find all its sources among them is taken for a plain
    write.

    That asks less of the history (a write is legal in every state), so what is impossible afterwards was
    impossible before.
    """
    weak = (ops.kind != READ) & (ops.seen != NOTHING) & ~known
    if not weak.any():
        return ops
    return replace(ops, kind=np.where(weak, WRITE, ops.kind), seen=np.where(weak, NOTHING, ops.seen))
