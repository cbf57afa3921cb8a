"""How a history is laid out in memory, and which rules its lines obey. Imports errors alone (numpy, standard
library).

The codes of the columns, and the pairing of invocations with completions, which decides whether lines are a
history at all. No clock, no file, no Op objects here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import HistoryError

# Codes of the ``type`` column, and of the ``outcome`` column of calls.
INVOKE, OK, FAIL, INFO = 0, 1, 2, 3
TYPES = ("invoke", "ok", "fail", "info")
NEMESIS_PROCESS = -1
NO_KEY = -1  # code of "no key", "no node", "no pair"
FOREVER = int(np.iinfo(np.int64).max)  # the return position of a call that never returned

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]

TABLES = {"f": "fs", "key": "keys", "value": "values", "node": "nodes"}  # column of codes → its table
COLUMNS: dict[str, type[np.signedinteger[Any]]] = {
    "index": np.int64,
    "time_ns": np.int64,
    "type": np.int8,
    "process": np.int64,
    **dict.fromkeys(TABLES, np.int32),
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows came from, for messages: a file's name (None: in memory), the line of each row (None: row +
    1), and what lines are called there.
    """

    name: str | None = None
    lines: Ints | Codes | Sequence[int] | None = None
    unit: str = "line"

    def line(self, row: int) -> int:
        return row + 1 if self.lines is None else int(self.lines[row])

    def at(self, row: int) -> str:
        """The beginning of a sentence about that row: "history.jsonl line 7", with ", op 3" if lines hold
        several ops.
        """
        crowded = self.lines is not None and (
            (row > 0 and self.lines[row - 1] == self.lines[row])
            or (row + 1 < len(self.lines) and self.lines[row + 1] == self.lines[row])
        )
        return f"{self.name or 'history'} {self.unit} {self.line(row)}" + (f", op {row}" if crowded else "")


IN_MEMORY = Source()


def pair_up(*, type_: Bytes, process: Ints | Codes, f: Codes, key: Codes, fs: Sequence[str], source: Source) -> Codes:
    """For every client row the row of its other half; NO_KEY for an invocation that never completed, and for
    nemeses.

    Jepsen's rules (jepsen-io/history, pair-index): a process has at most one open operation; a completion
    completes the open one and repeats its ``f`` (and its key, if it names one); after ``info`` the process
    number is retired, because its operation is open for ever. Raises HistoryError for the first row that
    breaks one.
    """
    rows = np.flatnonzero(process >= 0)
    rows = rows[np.argsort(process[rows], kind="stable")]
    before, after = rows[:-1], rows[1:]
    same = process[before] == process[after]
    completes = type_[after] != INVOKE
    joined = same & (type_[before] == INVOKE) & completes
    # An invocation is legal as the first line of its process, and after an ok or fail.
    rested = ~same | (type_[before] == OK) | (type_[before] == FAIL)
    bad = np.zeros(len(rows), dtype=np.bool_)
    bad[:1] = type_[rows[:1]] != INVOKE
    bad[1:] = ~np.where(completes, joined, rested)
    b, a = before[joined], after[joined]
    bad[1:][joined] = (f[b] != f[a]) | ((key[b] != key[a]) & (key[a] != NO_KEY))
    if bad.any():
        row = int(rows[bad].min())
        sentence = _broken_rule(row, type_=type_, process=process, f=f, fs=fs, source=source)
        raise HistoryError(f"{source.at(row)}: {sentence}")

    pair = np.full(len(type_), NO_KEY, dtype=np.int32)
    pair[b], pair[a] = a, b
    return pair


def _broken_rule(row: int, *, type_: Bytes, process: Ints | Codes, f: Codes, fs: Sequence[str], source: Source) -> str:
    """Which rule ``row`` breaks, and what would be right."""
    who, what = f"process {process[row]}", repr(fs[f[row]])
    earlier = np.flatnonzero(process[:row] == process[row])
    if not len(earlier):
        return f"{who} completes {what} without an invocation; its invoke line must come before"
    last = int(earlier[-1])
    open_f, open_line = repr(fs[f[last]]), source.line(last)
    if type_[last] == INFO:
        return (
            f"{who} is used again after its {open_f} ended info on line {open_line}; that operation is open "
            "for ever, so its thread goes on under a new process number"
        )
    if type_[row] == INVOKE:
        return (
            f"{who} invokes {what} while its {open_f} of line {open_line} is open; a process has one "
            "operation at a time, so that one needs an ok, fail or info line first"
        )
    if type_[last] != INVOKE:
        return (
            f"{who} completes {what} without an invocation (it has completed {open_f} on line {open_line}); "
            "an invoke line must come before"
        )
    part = "f" if f[row] != f[last] else "key"
    return (
        f"{who} completes {what} but the {part} differs from its open {open_f} of line {open_line}; "
        f"a completion repeats the {part} of its invocation"
    )
