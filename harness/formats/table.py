"""Histories as tables, CSV or Parquet, with named columns: process, type and f, and of index, time (or time_ns), key,
value, node and error what there is.

In CSV, a value is JSON where it is JSON, else the text itself; an empty cell is null. Other columns are refused
rather than ignored: a misspelt "value" would make every history valid.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from harness.columns import TYPES
from harness.errors import HistoryError
from harness.formats.content import Data, stream
from harness.formats.json_columns import NOT_JSON, NULL, JsonColumns, Line
from harness.formats.plain import SIMPLE, check_plain
from harness.history import History
from harness.op import NEMESIS

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = ("process", "type", "f")
KNOWN = (*NEEDED, "index", "time", "time_ns", "key", "value", "node", "error")
# The first line of a CSV history: names and commas, among them the needed ones.
HEADER = re.compile(
    rb'\s*(?=[^\n]*\bprocess\b)(?=[^\n]*\btype\b)(?=[^\n]*\bf\b)"?[A-Za-z_]+"?\s*,[\w", \t]*\r?(?:\n|\Z)'
)
PARQUET = b"PAR1"
ROWS_AT_ONCE = 10_000
# Of the columns of a line; the first of two names counts.
_LINE = (("type",), ("process",), ("f",), ("key",), ("value",), ("node",), ("index",), ("time_ns", "time"), ("error",))
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read_csv(data: Data, name: str, *, keyed: bool = False) -> History:
    """The history in ``data``, the content of the file ``name``. Raises HistoryError naming the line and what would be right, and
    UnicodeDecodeError for what is no UTF-8.
    """
    reader = csv.reader(io.TextIOWrapper(stream(data), encoding="utf-8", newline=""), strict=True)
    header = [word.strip() for word in next(reader)]
    _check_names(header, name)
    known, take = _Cells(), _taker(header)

    def lines() -> Iterator[tuple[int, Line]]:
        try:
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise HistoryError(  # noqa: TRY301 - it is told with its place below
                        f"there are {len(row)} cells; the first line names {len(header)} columns"
                    )
                kind, process, f, key, value, node, index, time, error = take(row, "")
                yield (
                    reader.line_num,
                    _line(
                        (
                            known[kind],
                            known[process],
                            known[f],
                            known[node],
                            _number(index),
                            _number(time),
                            _cell(error),
                        ),
                        (_raw(key), _raw(value)),
                    ),
                )
        except HistoryError as error:
            raise HistoryError(f"{name} line {reader.line_num}: {error}") from error
        except csv.Error as error:
            raise HistoryError(
                f"{name} line {reader.line_num}: this is no CSV: {error}; quotes come in pairs"
            ) from error

    return JsonColumns(name, keyed=keyed).filled(lines())


def read_parquet(path: Path, *, keyed: bool = False) -> History:
    """The history in the Parquet file ``path``. Raises HistoryError; without pyarrow it says how to get it."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise HistoryError(f"{path} is a Parquet file, which takes pyarrow to read: pip install pyarrow") from error
    try:
        file = parquet.ParquetFile(path)
        names = list(file.schema_arrow.names)
        batches = file.iter_batches(batch_size=ROWS_AT_ONCE)
        _check_names(names, str(path))
        return JsonColumns(str(path), keyed=keyed, unit="row").filled(_parquet_lines(batches, _taker(names), str(path)))
    except HistoryError:
        raise
    except Exception as error:  # pyarrow has many kinds of errors, some of them OSError
        raise HistoryError(f"{path} is a broken Parquet file: {error}") from error


def _parquet_lines(batches: Iterable[Any], take: Taker, file: str) -> Iterator[tuple[int, Line]]:
    row = 0
    for batch in batches:
        columns = [batch.column(at).to_pylist() for at in range(batch.num_columns)]
        for cells in zip(*columns, strict=True):
            row += 1
            try:
                kind, process, f, key, value, node, index, time, error = map(_plain, take(cells, None))
                line = _line((kind, process, f, node, index, time, error), (_json(key), _json(value)))
            except HistoryError as problem:
                raise HistoryError(f"{file} row {row}: {problem}") from problem
            yield row, line


Taker = Callable[[Sequence[Any], Any], Sequence[Any]]


def _taker(names: Sequence[str]) -> Taker:
    """What picks the cells of ``_LINE`` from a row; a column that is not there has the cell ``nothing``."""
    place = {name: at for at, name in enumerate(names)}
    pick = itemgetter(*(next((place[name] for name in them if name in place), len(names)) for them in _LINE))

    def take(row: Sequence[Any], nothing: Any) -> Sequence[Any]:
        picked: Sequence[Any] = pick((*row, nothing))
        return picked

    return take


class _Cells(dict[str, Any]):
    """Texts that come again and again, decoded once."""

    def __missing__(self, text: str) -> Any:
        found = self[text] = _cell(text)
        return found


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


def _number(text: str) -> Any:
    return int(text) if text.isdecimal() and text.isascii() else _cell(text)


def _raw(text: str) -> bytes:
    """A cell as JSON: itself where it is JSON, null where it is empty, else a string."""
    if text == "":
        return NULL
    data = text.encode()
    if text[0] != "0" and data.isdigit():
        return data
    try:
        _decode(data)
    except NOT_JSON:
        return _encode(text)
    return data


def _json(value: Any) -> bytes:
    """A cell of Parquet as JSON. Raises HistoryError, without a place, for what JSON would change."""
    if type(value) not in SIMPLE:
        check_plain(value, "value")
    return _encode(value)


def _plain(value: Any) -> Any:
    """A cell of Parquet: bytes are text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _line(cells: tuple[Any, Any, Any, Any, Any, Any, Any], texts: tuple[bytes, bytes]) -> Line:
    """An op, of cells that have the right types; which values they may have says ``JsonColumns``. Raises HistoryError, without a
    place.
    """
    kind, process, f, node, index, time, error = cells
    if not isinstance(kind, str):
        raise HistoryError(f"type is {kind!r}; it must be one of {', '.join(TYPES)}")
    if not isinstance(f, str):
        raise HistoryError(f"f is {f!r}; it must be the name of the operation")
    if not isinstance(process, int | str) or isinstance(process, bool):
        raise HistoryError(f"process is {process!r}; it must be a client's number or {NEMESIS!r}")
    for name, number in (("index", index), ("time", time)):
        if number is not None and (not isinstance(number, int | float) or isinstance(number, bool)):
            raise HistoryError(f"{name} is {number!r}; it must be a whole number")
    return Line(
        index=index,
        time=time,
        type=kind,
        process=process,
        f=f,
        key=msgspec.Raw(texts[0]),
        value=msgspec.Raw(texts[1]),
        node=None if node is None else str(node),
        error=error,
    )
