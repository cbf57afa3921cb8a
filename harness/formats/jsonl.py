"""Histories as JSON lines: our own format, and the dialects of Jepsen's relatives (Maelstrom, elle-cli,
Knossos).

One op per line: {"index", "time" (ns), "type", "process", "f", "key"?, "value", "node"?, "error"?, and extra
fields}; null key, node and error are left out, value is always there. Our files begin with HEADER, which
carries the version. Reading also takes files without header, a JSON array of ops, types as ":ok", processes
as ":nemesis", and ops without index, time, value, or (transactions, as Elle writes them) f.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from harness.errors import HistoryError
from harness.formats.content import Data, forget
from harness.formats.json_columns import FIELDS, NOT_JSON, JsonColumns, Line
from harness.formats.plain import SIMPLE, check_plain
from harness.history import History
from harness.op import Op, Process

VERSION = 1
HEADER = b'{"splitbrain":"history","version":1}\n'
_ARRAY = re.compile(rb"\s*\[")
BATCH_BYTES = 1 << 20  # bounds the objects that live at once; larger batches are not faster

Torn = Literal["refuse", "truncate"]


class _Written(msgspec.Struct, gc=False, omit_defaults=True):
    """One line that is written, in the order of its fields; those that equal their default are left out."""

    index: int = -1
    time: int = -1
    type: str | None = None
    process: Process | None = None
    f: str | None = None
    key: Any = None
    value: Any = UNSET
    node: str | None = None
    error: Any = None


class _OddLine(Line, forbid_unknown_fields=False):
    """One line that is read, with fields that we do not know."""


def _as_dict(mapping: Any) -> Any:
    """For the encoder, which knows no other kind of map."""
    if isinstance(mapping, Mapping):
        return dict(mapping)
    raise TypeError(f"{type(mapping).__name__} is no JSON")


_encode = msgspec.json.Encoder(enc_hook=_as_dict).encode
_decode = msgspec.json.Decoder().decode
_line = msgspec.json.Decoder(Line)
_odd_decoder = msgspec.json.Decoder(_OddLine)
_OP_IS = 'an op is {"index", "time", "type", "process", "f", "value"}'


def encode_op(op: Op) -> bytes:
    """The line of ``op``, newline included; the same bytes for the same op on every machine.

    Raises HistoryError for a key, value or extra field that JSON would change: a set, NaN, bytes, a map with
    keys that are no strings. An odd ``error`` becomes text, since it is for people alone.
    """
    if type(op.value) not in SIMPLE:
        check_plain(op.value, "value")
    if type(op.key) not in SIMPLE:
        check_plain(op.key, "key")
    error = None if op.error is None else _readable(op.error)
    try:
        line = _encode(_Written(op.index, op.time_ns, op.type, op.process, op.f, op.key, op.value, op.node, error))
        return (_with_extra(line, op.extra) if op.extra else line) + b"\n"
    except (TypeError, ValueError) as problem:  # a lone surrogate is a ValueError
        raise HistoryError(f"op {op.f!r} cannot be written as JSON: {problem}") from problem


def _with_extra(line: bytes, extra: Mapping[str, Any]) -> bytes:
    check_plain(extra, "extra")
    clash = next((name for name in FIELDS if name in extra), None)
    if clash:
        raise HistoryError(f"the extra field {clash!r} is a field of every op; rename it")
    return line[:-1] + b"," + _encode(extra)[1:]


def _readable(error: Any) -> Any:
    try:
        check_plain(error, "error")
        _encode(error)
    except (HistoryError, TypeError, ValueError):
        return ascii(error)
    return error


def write(ops: Iterable[Op]) -> Iterator[bytes]:
    """The file: header, then a line per op. Raises HistoryError naming the op that cannot be written."""
    yield HEADER
    for row, op in enumerate(ops):
        try:
            yield encode_op(op)
        except HistoryError as error:
            raise HistoryError(f"op {row} (index {op.index}): {error}") from error


def read(data: Data, name: str, *, keyed: bool = False, torn: Torn = "refuse") -> History:
    """The history in ``data``, the content of the file ``name``.

    ``keyed`` takes values apart into key and value. ``torn`` says what happens to a last line without newline
    that is no JSON, which a crash leaves behind. Raises HistoryError naming the line and what would be right.
    """
    columns = JsonColumns(name, keyed=keyed)
    if _ARRAY.match(data):
        _read_array(data[:], columns, name)
        return columns.history()
    whole = _whole(data, name, torn)
    position, number = _after_header(data, name)
    while position < whole:
        end = data.rfind(b"\n", position, position + BATCH_BYTES) + 1 or data.find(b"\n", position) + 1 or whole
        number = _read_batch(data[position:end], number, columns, name)
        forget(data, end)
        position = end
    return columns.history()


def _whole(data: Data, name: str, torn: Torn) -> int:
    """How much of it is there without a torn end. Raises HistoryError."""
    start = data.rfind(b"\n") + 1
    last = data[start:]
    if not last.strip():
        return len(data)
    try:
        _decode(last)
    except NOT_JSON as error:
        at = f"{name} line {_line_at(data, start)}"
        if torn == "refuse":
            raise HistoryError(
                f"{at}: the last line is torn (no newline, and no JSON: {error}), as a crash leaves it; "
                "finish the line, or load the history without it"
            ) from error
        if not start:
            raise HistoryError(f"{at}: the only line is torn, so nothing is left of the history") from error
        return start
    return len(data)


def _after_header(data: Data, name: str) -> tuple[int, int]:
    """Position and number of the first line that is an op. Raises HistoryError for a header that is not ours
    to read.
    """
    end = data.find(b"\n") + 1 or len(data)
    try:
        header = _decode(data[:end]) if b'"splitbrain"' in data[:end] else None
    except NOT_JSON:
        return 0, 1  # the reader of lines says it better
    if not isinstance(header, dict) or "splitbrain" not in header or "process" in header:
        return 0, 1
    kind, version = header["splitbrain"], header.get("version")
    if kind != "history":
        raise HistoryError(f"{name} is splitbrain's {kind!r} file, not its history; give the history.jsonl beside it")
    if type(version) is not int or version < 1:
        raise HistoryError(f"{name} line 1: the version of the format is {version!r}; it must be a number from 1")
    if version > VERSION:
        raise HistoryError(
            f"{name} is of version {version} of the format, and this splitbrain reads up to {VERSION}: update splitbrain"
        )
    return end, 2


def _read_batch(batch: bytes, first: int, columns: JsonColumns, name: str) -> int:
    """Add the lines of ``batch``, of which the first has number ``first``; returns the number of the line
    after it.
    """
    count = batch.count(b"\n") + (not batch.endswith(b"\n"))
    try:
        lines = _line.decode_lines(batch)
    except NOT_JSON:
        lines = []
    if len(lines) == count:
        columns.add(lines, range(first, first + count), {})
    else:  # blank lines, extra fields or an error
        raws = [(first + n, raw) for n, raw in enumerate(batch.split(b"\n")) if raw.strip()]
        _read_one_by_one(raws, columns, name)
    return first + count


def _read_one_by_one(raws: Iterable[tuple[int, bytes]], columns: JsonColumns, name: str) -> None:
    lines: list[Line] = []
    numbers: list[int] = []
    extras: dict[int, Mapping[str, Any]] = {}
    for number, raw in raws:
        try:
            line = _line.decode(raw)
        except NOT_JSON:
            try:
                line, extra = _odd_line(raw)
            except HistoryError as error:
                columns.add(lines, numbers, extras)  # an earlier line may be wrong, too, and comes first
                raise HistoryError(f"{name} line {number}: {error}") from error
            extras[len(lines)] = extra
        lines.append(line)
        numbers.append(number)
    columns.add(lines, numbers, extras)


def _odd_line(raw: bytes) -> tuple[Line, Mapping[str, Any]]:
    """A line with extra fields, and these. Raises HistoryError, without a place, if it is no op."""
    try:
        fields = _decode(raw)
    except NOT_JSON as error:
        hint = "; JSON has no NaN" if b"NaN" in raw else ""
        raise HistoryError(f"this is no JSON ({error}){hint}; {_OP_IS}") from error
    if not isinstance(fields, dict):
        raise HistoryError(f"this is a {type(fields).__name__}, no op; {_OP_IS}")
    try:
        line = _odd_decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise HistoryError(f"{error}; {_OP_IS}") from error
    return line, {name: value for name, value in fields.items() if name not in FIELDS}


def _read_array(data: bytes, columns: JsonColumns, name: str) -> None:
    try:
        raws = msgspec.json.decode(data, type=list[msgspec.Raw])
    except NOT_JSON as error:
        found = re.search(r"\(byte (\d+)\)", str(error))
        place = f" line {_line_at(data, int(found[1]))}" if found else ""
        raise HistoryError(f"{name}{place}: this is no JSON array of ops: {error}") from error
    _read_one_by_one(_located(data, map(bytes, raws)), columns, name)


def _located(data: bytes, raws: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each element of an array with the number of the line on which it begins."""
    position, number = 0, 1
    for raw in raws:
        start = data.index(raw, position)
        number += data.count(b"\n", position, start)
        yield number, raw
        number += raw.count(b"\n")
        position = start + len(raw)


def _line_at(data: Data, position: int) -> int:
    return data[:position].count(b"\n") + 1
