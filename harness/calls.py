"""A history's client operations as columns: the view that checkers work on. Imports the columns alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.columns import FOREVER, INFO, INVOKE, NO_KEY, Bytes, Codes, Ints
from harness.op import Op

if TYPE_CHECKING:
    from harness.history import History


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calls:
    """Client operations as columns, one row per invocation, in invocation order; what checkers work on.

    ``call`` and ``ret`` are row numbers in the history (``ret`` is FOREVER for an op that never completed or
    completed ``info``), so real-time order is integer order. ``outcome`` is OK, FAIL or INFO (an op that
    never completed is INFO). ``argument`` and ``result`` are value codes of invocation and completion
    (``result`` equals the completion's value, whatever its type; NO_KEY if there is none).
    """

    history: History
    call: Ints
    ret: Ints
    outcome: Bytes
    process: Ints | Codes
    f: Codes
    key: Codes
    argument: Codes
    result: Codes
    node: Codes

    def __len__(self) -> int:
        return len(self.call)

    def where(self, mask: npt.NDArray[np.bool_]) -> Calls:
        """The rows for which ``mask`` holds."""
        return self.take(np.flatnonzero(mask))

    def by_key(self) -> Iterator[tuple[int, Calls]]:
        """(key code, its calls), keys in order of first appearance; calls without a key come as (NO_KEY,
        ...).
        """
        order = np.argsort(self.key, kind="stable")
        cuts = np.flatnonzero(np.diff(self.key[order])) + 1
        groups = np.split(order, cuts) if len(order) else []
        for group in sorted(groups, key=lambda rows: int(rows[0])):
            yield int(self.key[group[0]]), self.take(group)

    def op(self, row: int) -> Op:
        """The invocation of that call."""
        return self.history[int(self.call[row])]

    def completion(self, row: int) -> Op | None:
        """The completion of that call (ok, fail or info), None if the history ends before it."""
        other = int(self.history.pair[self.call[row]])
        return None if other == NO_KEY else self.history[other]

    def take(self, rows: npt.NDArray[np.intp]) -> Calls:
        """These rows, in this order."""
        columns = {item.name: getattr(self, item.name)[rows] for item in fields(self) if item.name != "history"}
        return Calls(history=self.history, **columns)


def calls_of(history: History) -> Calls:
    """See ``History.calls``."""
    call = np.flatnonzero(history.clients & (history.type == INVOKE)).astype(np.int64)
    ret = history.pair[call].astype(np.int64)
    done = ret != NO_KEY
    outcome = np.where(done, history.type[ret], INFO).astype(np.int8)
    return Calls(
        history=history,
        call=call,
        ret=np.where(outcome == INFO, FOREVER, ret),
        outcome=outcome,
        process=history.process[call],
        f=history.f[call],
        key=_picked(history.key, call),
        argument=history.value[call],
        result=np.where(done, history.value[ret], NO_KEY).astype(np.int32),
        node=_picked(history.node, call),
    )


def _picked(column: Codes, rows: Ints) -> Codes:
    """Of a column that is one number all over, no copy."""
    return np.broadcast_to(column[:1], len(rows)) if column.strides == (0,) and len(rows) else column[rows]
