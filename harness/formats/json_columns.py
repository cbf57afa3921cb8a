"""The columns of a history that is being read from JSON lines, and the table of its values.

No object per line outlives its batch, and equal values are stored once. Two spellings of one JSON value get one code:
a text that has but one spelling is compared as it stands, any other is decoded and written anew.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import msgspec
import numpy as np
from msgspec import UNSET

from harness.columns import NEMESIS_PROCESS, NO_KEY, TYPES, Source
from harness.errors import HistoryError
from harness.formats.plain import check_plain
from harness.history import History
from harness.interning import DEPTH_MAX
from harness.op import NEMESIS

NULL = b"null"
LINES_AT_ONCE = 10_000


class Line(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One line that is read. Keys and values stay text: most need not be decoded to be told apart."""

    index: int | None = -1
    time: int | float | None = -1
    type: str | None = None
    process: int | str | None = None
    f: str | None = None
    key: msgspec.Raw = msgspec.Raw(NULL)
    value: msgspec.Raw = msgspec.Raw(NULL)
    node: str | None = None
    error: Any = None
    final: Any = UNSET  # the one extra field that is common enough to be worth the fast path


FIELDS = Line.__struct_fields__[:-1]
NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_decode = msgspec.json.Decoder().decode
_decode_pair = msgspec.json.Decoder(tuple[msgspec.Raw, msgspec.Raw]).decode
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode
_TYPE_CODES = {spelling: code for code, name in enumerate(TYPES) for spelling in (name, ":" + name)}
_NEMESES = {NEMESIS: NEMESIS_PROCESS, ":" + NEMESIS: NEMESIS_PROCESS}


class JsonTable(Sequence[Any]):
    """Values by code, without an object for each: whole numbers take nine bytes, lists and maps are kept as JSON text and decoded
    afresh at each access.

    So 10^7 numbers or 10^6 transactions fit into memory, and no reader can change what another one sees.
    """

    __slots__ = ("_numbers", "_others", "_plain")

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._numbers = array("q")  # the value itself where it is plain, else its place among the others
        self._plain = bytearray()
        self._others: list[Any] = []
        for value in values:
            self.append(_encode_sorted(value) if isinstance(value, list | Mapping) else value)

    def append(self, value: Any) -> None:
        """Add a value that is not there: a list or a map as its JSON text."""
        if type(value) is int and -(2**63) <= value < 2**63:
            self._numbers.append(value)
            self._plain.append(1)
        else:
            self._numbers.append(len(self._others))
            self._plain.append(0)
            self._others.append(value)

    def __len__(self) -> int:
        return len(self._plain)

    @overload
    def __getitem__(self, code: int) -> Any: ...
    @overload
    def __getitem__(self, code: slice) -> Sequence[Any]: ...
    def __getitem__(self, code: int | slice) -> Any:
        if isinstance(code, slice):
            return [self[at] for at in range(*code.indices(len(self)))]
        number = self._numbers[code]
        if self._plain[code]:
            return number
        other = self._others[number]
        return _decode(other) if type(other) is bytes else other

    def texts(self, codes: Sequence[int]) -> list[bytes] | None:
        """The JSON texts of these values; None if one of them is no list and no map."""
        if any(self._plain[code] for code in codes):
            return None
        found = [self._others[self._numbers[code]] for code in codes]
        return found if all(type(entry) is bytes for entry in found) else None

    def __iter__(self) -> Iterator[Any]:
        others = self._others
        for number, plain in zip(self._numbers, self._plain, strict=True):
            if plain:
                yield number
            else:
                other = others[number]
                yield _decode(other) if type(other) is bytes else other


class Names(dict[str | None, int]):
    """Names to codes as they come."""

    def __init__(self) -> None:
        self.table: list[Any] = []

    def __missing__(self, name: str) -> int:
        code = self[name] = len(self.table)
        self.table.append(name)
        return code


class Values(dict[bytes, int]):
    """JSON texts to codes as they come. Raises what is in NOT_JSON, or HistoryError, for a text that is no value."""

    def __init__(self) -> None:
        self.table = JsonTable()

    def __missing__(self, text: bytes) -> int:
        canonical = text if text.isdigit() or _has_one_spelling(text) else _canonical(text)
        code = self.get(canonical) if canonical is not text else None
        if code is None:
            code = self[canonical] = len(self.table)
            self.table.append(text if text[0] in _COMPOSITE else _decode(text))
        if canonical is not text:
            self[text] = code  # the next time, this spelling is known
        return code


_COMPOSITE = frozenset(b"[{")
# Made of these alone, a valid text has no escapes, no whitespace, no fractions, no maps; what is left to look for are
# exponents and the other zero, -0.
_UNAMBIGUOUS = bytes(range(ord("a"), ord("z") + 1)) + b'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789[],"-_:/'
_EXPONENT = re.compile(rb"[0-9][eE]")


def _has_one_spelling(text: bytes) -> bool:
    """Whether this valid JSON text is the only one for its value. A no is always right, if slower."""
    return (
        not text.translate(None, _UNAMBIGUOUS)
        and b"-0" not in text
        and not _EXPONENT.search(text)
        and (len(text) <= DEPTH_MAX or text.count(b"[") <= DEPTH_MAX)
    )


def _canonical(text: bytes) -> bytes:
    """One text for all spellings of a value: keys sorted, numbers in their shortest form, zero without sign."""
    value = _decode(text)
    if text.count(b"[") + text.count(b"{") > DEPTH_MAX:
        check_plain(value, "value")
    canonical = _encode_sorted(value)
    return _encode_sorted(_without_negative_zero(value)) if b"-0.0" in canonical else canonical


def _without_negative_zero(value: Any) -> Any:
    """-0.0 is equal to 0.0 (IEEE 754), so both must have one text."""
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, list):
        return [_without_negative_zero(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_negative_zero(item) for name, item in value.items()}
    return value


class JsonColumns:
    """The history so far. ``name`` is the file's, for messages, and ``unit`` what its places are called; ``keyed`` says that
    values are [key value].
    """

    def __init__(self, name: str, *, keyed: bool, unit: str = "line") -> None:
        self._keyed = keyed
        self._lines, self._index, self._time_ns, self._process = (array("q") for _ in range(4))
        self._f, self._key, self._value, self._node = (array("i") for _ in range(4))
        self._type = array("b")
        self._fs, self._nodes = Names(), Names()
        self._keys, self._values = Values(), Values()
        self._nodes[None] = self._keys[NULL] = NO_KEY
        self._source = Source(name, self._lines, unit)
        self._errors: dict[int, Any] = {}
        self._extras: dict[int, Mapping[str, Any]] = {}

    def add(self, batch: Sequence[Line], numbers: Sequence[int], extras: Mapping[int, Mapping[str, Any]]) -> None:
        """Append ``batch``; ``numbers`` are its lines in the file, ``extras`` extra fields by place in it.

        Raises HistoryError naming the first line that is no op.
        """
        row = len(self._lines)
        self._lines += array("q", numbers)
        try:
            if self._keyed:
                for line in batch:
                    _split_key(line)
            self._extend(batch)
        except (HistoryError, LookupError, OverflowError, TypeError, *NOT_JSON):
            for n, line in enumerate(batch):
                _check_fields(line, self._source.at(row + n), keyed=self._keyed)
            raise
        for n in [n for n, line in enumerate(batch) if line.error is not None or line.final is not UNSET]:
            line = batch[n]
            if line.error is not None:
                self._errors[row + n] = line.error
            if line.final is not UNSET:
                self._extras[row + n] = {"final": line.final}
        self._extras.update({row + n: fields for n, fields in extras.items()})

    def filled(self, lines: Iterable[tuple[int, Line]]) -> History:
        """The history of ``lines``, each with its number; what they raise comes after what is wrong with earlier ones."""
        numbers: list[int] = []
        batch: list[Line] = []
        try:
            for number, line in lines:
                numbers.append(number)
                batch.append(line)
                if len(batch) == LINES_AT_ONCE:
                    self.add(batch, numbers, {})
                    numbers, batch = [], []
        finally:
            self.add(batch, numbers, {})
        return self.history()

    def _extend(self, batch: Sequence[Line]) -> None:
        """One pass per column: an array that grows by arrays is twice as fast as one that grows by elements."""
        fs, keys, values, nodes = self._fs, self._keys, self._values, self._nodes
        self._index += array("q", [-1 if line.index is None else line.index for line in batch])
        self._time_ns += array("q", [t if type(t := line.time) is int else _time_ns(t) for line in batch])
        self._type += array("b", [_TYPE_CODES[line.type] for line in batch])  # type: ignore[index]  # see add
        process = [p if type(p := line.process) is int else _NEMESES[p] for line in batch]  # type: ignore[index]  # see add
        if min(process, default=0) < 0 and any(type(line.process) is int and line.process < 0 for line in batch):
            raise LookupError  # a client's number is what our code for the nemesis looks like
        self._process += array("q", process)
        self._f += array("i", [fs[line.f or _implied_f(line)] for line in batch])
        self._key += array("i", [keys[bytes(line.key)] for line in batch])
        self._value += array("i", [values[bytes(line.value)] for line in batch])
        self._node += array("i", [nodes[line.node] for line in batch])

    def history(self) -> History:
        """What was added, as a history. Raises HistoryError if it breaks the rules."""
        return History.from_columns(
            index=_unless_none(self._index),
            time_ns=_unless_none(self._time_ns),
            type=self._type,
            process=self._process,
            f=self._f,
            fs=[f.removeprefix(":") for f in self._fs.table],
            key=self._key if len(self._keys.table) else None,
            keys=self._keys.table,
            value=self._value,
            values=self._values.table,
            node=self._node if self._nodes.table else None,
            nodes=self._nodes.table,
            errors=self._errors,
            extras=self._extras,
            source=self._source,
            interned=not any(f.startswith(":") for f in self._fs.table),
            owned=True,
        )


def _unless_none(column: array[int]) -> array[int] | None:
    """The column; None if it is -1 all over."""
    return column if (np.asarray(column) != NO_KEY).any() else None


def _time_ns(time: int | float | None) -> int:
    """Whole nanoseconds, -1 for none. Raises TypeError for anything between."""
    if isinstance(time, int):
        return time
    if time is None:
        return -1
    if not time.is_integer():
        raise TypeError
    return int(time)


def _implied_f(line: Line) -> str:
    """Elle writes transactions without ``f``: their value is a list of lists. Raises LookupError for other lines."""
    value = _decode(line.value)
    if type(value) is list and all(type(part) is list for part in value):
        return "txn"
    raise LookupError


def _split_key(line: Line) -> None:
    """[key value] into key and value, for a client's line without a key of its own. Raises what is in NOT_JSON."""
    if bytes(line.key) == NULL and line.process not in _NEMESES:
        line.key, line.value = _decode_pair(line.value)
        if bytes(line.key) == NULL:
            raise LookupError


def _check_fields(line: Line, at: str, *, keyed: bool) -> None:
    """Raises HistoryError for the first field that is none, saying what would be right."""
    if line.type not in _TYPE_CODES:
        raise HistoryError(f"{at}: type is {line.type!r}; it must be one of {', '.join(TYPES)}")
    if line.process not in _NEMESES and (type(line.process) is not int or line.process < 0):
        given = "missing" if line.process is None else repr(line.process)
        raise HistoryError(f"{at}: process is {given}; it must be a client's number or {NEMESIS!r}")
    for name, number in (("index", line.index), ("time", line.time), ("process", line.process)):
        if isinstance(number, int | float) and not (-(2**63) <= number < 2**63 and float(number).is_integer()):
            raise HistoryError(f"{at}: {name} is {number}; it must be a whole number of at most 63 bits")
    if not line.f:
        raise HistoryError(f"{at}: f, the name of the operation, is missing")
    for name, text in (("key", line.key), ("value", line.value)):
        try:
            check_plain(_decode(text), name)
        except HistoryError as error:
            raise HistoryError(f"{at}: {error}") from error
        except NOT_JSON as error:
            raise HistoryError(f"{at}: {name} is no JSON that can be read: {error}") from error
    if keyed and bytes(line.key) == NULL and line.process not in _NEMESES:
        raise HistoryError(f"{at}: a keyed history has [key value] as every value of a client; read this one unkeyed")
