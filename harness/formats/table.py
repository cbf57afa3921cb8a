"""Histories as tables, CSV or Parquet, with named columns: process, type and f, and of index, time (or time_ns), key,
value, node and error what there is.

In CSV, a value is JSON where it is JSON, else the text itself; an empty cell is null. Other columns are refused
rather than ignored: a misspelt "value" would make every history valid.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.columns import Source
from harness.errors import HistoryError
from harness.history import History
from harness.op import NEMESIS, Op, OpType

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = ("process", "type", "f")
KNOWN = (*NEEDED, "index", "time", "time_ns", "key", "value", "node", "error")
# The first line of a CSV history: names and commas, among them the needed ones.
HEADER = re.compile(
    rb'\s*(?=[^\n]*\bprocess\b)(?=[^\n]*\btype\b)(?=[^\n]*\bf\b)"?[A-Za-z_]+"?\s*,[\w", \t]*\r?(?:\n|\Z)'
)
PARQUET = b"PAR1"
_TYPES = {str(name): name for name in OpType}


def read_csv(text: str, name: str, *, keyed: bool = False) -> History:
    """The history in ``text``. Raises HistoryError naming the line and what would be right."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    numbers: list[int] = []

    def ops() -> Iterator[Op]:
        header = [word.strip() for word in next(reader)]
        _check_names(header, name)
        try:
            for row in reader:
                if not row:
                    continue
                numbers.append(reader.line_num)
                at = f"{name} line {reader.line_num}"
                if len(row) != len(header):
                    raise HistoryError(f"{at}: there are {len(row)} cells; the first line names {len(header)} columns")
                yield _op(dict(zip(header, map(_cell, row), strict=True)), at, keyed=keyed)
        except csv.Error as error:
            raise HistoryError(
                f"{name} line {reader.line_num}: this is no CSV: {error}; quotes come in pairs"
            ) from error

    return History.of(ops(), source=Source(name, numbers))


def read_parquet(path: Path, *, keyed: bool = False) -> History:
    """The history in the Parquet file ``path``. Raises HistoryError; without pyarrow it says how to get it."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise HistoryError(f"{path} is a Parquet file, which takes pyarrow to read: pip install pyarrow") from error
    try:
        table = parquet.read_table(path)
    except Exception as error:  # pyarrow has many kinds of errors, some of them OSError
        raise HistoryError(f"{path} is a broken Parquet file: {error}") from error
    _check_names(table.column_names, str(path))

    def ops() -> Iterator[Op]:
        row = 0
        for batch in table.to_batches(max_chunksize=10_000):
            columns = {name: batch.column(name).to_pylist() for name in table.column_names}
            for cells in zip(*columns.values(), strict=True):
                row += 1
                yield _op(dict(zip(columns, map(_plain, cells), strict=True)), f"{path} row {row}", keyed=keyed)

    return History.of(ops(), source=Source(str(path)))


def _check_names(names: Sequence[str], file: str) -> None:
    missing = [name for name in NEEDED if name not in names]
    odd = [name for name in names if name not in KNOWN]
    if missing or odd or len(set(names)) != len(names):
        what = (
            f"the column {missing[0]!r} is missing" if missing else f"{(odd or names)[0]!r} is no column of a history"
        )
        raise HistoryError(f"{file}: {what}; columns are {', '.join(KNOWN)}, each once, the first three always")


def _cell(text: str) -> Any:
    if text == "":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _plain(value: Any) -> Any:
    """A cell of Parquet: bytes are text, times are not ours to guess."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _op(cells: Mapping[str, Any], at: str, *, keyed: bool) -> Op:
    given, f, process = cells["type"], cells["f"], cells["process"]
    type_ = _TYPES.get(given) if isinstance(given, str) else None
    if type_ is None:
        raise HistoryError(f"{at}: type is {given!r}; it must be one of {', '.join(_TYPES)}")
    if not isinstance(f, str):
        raise HistoryError(f"{at}: f is {f!r}; it must be the name of the operation")
    if process != NEMESIS and (type(process) is not int or process < 0):
        raise HistoryError(f"{at}: process is {process!r}; it must be a client's number or {NEMESIS!r}")
    key, value = cells.get("key"), cells.get("value")
    if keyed and process != NEMESIS and key is None:
        if not (isinstance(value, list) and len(value) == 2 and value[0] is not None):
            raise HistoryError(
                f"{at}: a keyed history has [key, value] as every value of a client; read this one unkeyed"
            )
        key, value = value
    node = cells.get("node")
    return Op(
        index=_whole(cells, ("index",), at),
        time_ns=_whole(cells, ("time_ns", "time"), at),
        type=type_,
        process=process,
        f=f,
        key=key,
        value=value,
        node=None if node is None else str(node),
        error=cells.get("error"),
    )


def _whole(cells: Mapping[str, Any], names: Sequence[str], at: str) -> int:
    number = next((cells[name] for name in names if cells.get(name) is not None), None)
    if number is None:
        return -1
    if type(number) is not int:
        raise HistoryError(f"{at}: {names[-1]} is {number!r}; it must be a whole number")
    return number
