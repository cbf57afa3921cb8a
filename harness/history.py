"""A recorded history: immutable columns, one row per line, and the views that checkers and reports need.

No Python object exists per op: columns are numpy arrays, values are interned into a table, ``Op`` objects are made when asked for.
Imports op and errors alone (numpy; pandas only inside ``to_frame``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.op import Op

if TYPE_CHECKING:
    import pandas as pd

# Codes of the ``type`` column, and of the ``outcome`` column of calls.
INVOKE, OK, FAIL, INFO = 0, 1, 2, 3
NEMESIS_PROCESS = -1
NO_KEY = -1  # code of "no key", "no node", "no pair"
FOREVER = np.iinfo(np.int64).max  # the return position of a call that never returned

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]


class History:
    """The lines of one run.

    Columns, one entry per line: ``index`` (as recorded), ``time_ns``, ``type`` (INVOKE..INFO), ``process`` (NEMESIS_PROCESS for the
    nemesis), ``f`` (code into ``fs``), ``key`` (code into ``keys`` or NO_KEY), ``value`` (code into ``values``), ``node`` (code into
    ``nodes`` or NO_KEY), ``pair`` (row of the other half, or NO_KEY: an invocation that never completed, a lone nemesis line).

    Two values share a code iff they are equal as JSON values: 1, 1.0 and true are three values; lists and maps are compared deeply.
    """

    index: Ints
    time_ns: Ints
    type: Bytes
    process: Ints
    f: Codes
    key: Codes
    value: Codes
    node: Codes
    pair: Ints
    fs: Sequence[str]
    keys: Sequence[Any]
    values: Sequence[Any]
    nodes: Sequence[str]

    @classmethod
    def of(cls, ops: Iterable[Op]) -> History:
        """A history of ``ops``, in order. Raises HistoryError if they break the rules (see ``pair_up``)."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, row: int) -> Op:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Op]:
        raise NotImplementedError

    def calls(self) -> Calls:
        """Client operations, one row each, in invocation order. Cached."""
        raise NotImplementedError

    def nemesis(self) -> list[tuple[Op, Op | None]]:
        """Nemesis lines in consecutive pairs of the same ``f`` (start and completion); the last may lack its completion."""
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """All lines as a pandas frame: index, time_ns, type, process, f, key, value, node, pair, error."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Client operations as columns, one row per invocation, in invocation order; what checkers work on.

    ``call`` and ``ret`` are row numbers in the history (``ret`` is FOREVER for an op that never completed or completed ``info``),
    so real-time order is integer order. ``outcome`` is OK, FAIL or INFO (an op that never completed is INFO). ``argument`` and
    ``result`` are value codes of invocation and completion (``result`` equals the completion's value; NO_KEY if none).
    """

    history: History
    call: Ints
    ret: Ints
    outcome: Bytes
    process: Ints
    f: Codes
    key: Codes
    argument: Codes
    result: Codes
    node: Codes

    def __len__(self) -> int:
        return len(self.call)

    def where(self, mask: npt.NDArray[np.bool_]) -> Calls:
        """The rows for which ``mask`` holds."""
        raise NotImplementedError

    def by_key(self) -> Iterator[tuple[int, Calls]]:
        """(key code, its calls), keys in order of first appearance; calls without a key come as (NO_KEY, ...)."""
        raise NotImplementedError
