r"""Protocol Buffers, written by hand: the wire format of one small message, which the library of that name reads and writes alike.

Nodes run on a bare Python in containers and on strangers' hosts, where nothing can be installed, and the format needed is small
(protobuf.dev, "Encoding": varints, eight bytes, length-delimited). The tests hold it against the ``protobuf`` library in both directions.

    syntax = "proto3";
    message Message { string src = 1; string dest = 2; Struct body = 3; }
    message Struct { map<string, Value> fields = 1; }                     // as in google/protobuf/struct.proto,
    message ListValue { repeated Value values = 1; }
    message Value { oneof kind { NullValue null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4;
                                 Struct struct_value = 5; ListValue list_value = 6; sint64 integer_value = 7; } }

with one field more: a whole number is an ``integer_value``, since as a double it would come back as another kind of number, and from 2^53
on as another number. Fields that are unknown are skipped; of what comes twice the last one counts.

Lines are ended by newlines here as everywhere, so within a message newline and escape are written as two bytes (as in SLIP, RFC 1055).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from targets.node.codecs.limits import DEPTH_MAX, Malformed, check_message, check_size, finite, named, too_deep

_VARINT, _EIGHT, _DELIMITED, _FOUR = 0, 1, 2, 5  # wire types
_NULL, _NUMBER, _STRING, _BOOL, _STRUCT, _LIST, _INTEGER = range(1, 8)  # fields of Value
_WIRE_TYPES = {
    _NULL: _VARINT,
    _NUMBER: _EIGHT,
    _STRING: _DELIMITED,
    _BOOL: _VARINT,
    _STRUCT: _DELIMITED,
    _LIST: _DELIMITED,
    _INTEGER: _VARINT,
}
_VARINT_BYTES_MAX, _BITS = 10, 64
_FIELD_MAX = 2**29 - 1
_double = struct.Struct("<d")
_ESCAPE, _ESCAPED, _NEWLINE = b"\x1b", b"\x1b\x01", b"\x1b\x02"


def encode(message: Mapping[str, Any]) -> bytes:
    """See ``codecs``. Whole numbers beyond 64 bits raise ValueError."""
    body = message["body"]
    if not isinstance(body, dict):
        raise TypeError(f"the body of a message is an object, not {body!r}")
    parts = [_field(1, message["src"].encode()), _field(2, message["dest"].encode()), _field(3, _fields(body))]
    return b"".join(parts).replace(_ESCAPE, _ESCAPED).replace(b"\n", _NEWLINE)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return bytes((number << 3 | _DELIMITED,)) + _varint(len(payload)) + payload


def _fields(value: Mapping[Any, Any]) -> bytes:
    """A Struct: each entry of the map is a message of its key (1) and its value (2)."""
    return b"".join(_field(1, _field(1, named(k).encode()) + _field(2, _value(v))) for k, v in value.items())


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _field(_STRING, value.encode())
    if isinstance(value, bool):
        return bytes((_BOOL << 3 | _VARINT, value))
    if value is None:
        return bytes((_NULL << 3 | _VARINT, 0))
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{value} has more than 64 bits, which an integer of Protocol Buffers has not")
        return bytes((_INTEGER << 3 | _VARINT,)) + _varint(value << 1 if value >= 0 else (-value << 1) - 1)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is no number of a message")
        return bytes((_NUMBER << 3 | _EIGHT,)) + _double.pack(value)
    if isinstance(value, dict):
        return _field(_STRUCT, _fields(value))
    if isinstance(value, list | tuple):
        return _field(_LIST, b"".join(_field(1, _value(item)) for item in value))
    raise TypeError(f"{type(value).__name__} is no value of a message")


def decode(line: bytes) -> dict[str, Any]:
    """See ``codecs``."""
    check_size(line)
    if line.count(_ESCAPE) != line.count(_ESCAPED) + line.count(_NEWLINE) or b"\n" in line:
        raise Malformed("a byte is escaped that need not be")
    data = memoryview(line.replace(_NEWLINE, b"\n").replace(_ESCAPED, _ESCAPE))  # parts of it are not copied
    found: dict[str, Any] = {"src": "", "dest": "", "body": {}}
    for number, wire_type, payload in _parts(data):
        if number in (1, 2, 3) and wire_type != _DELIMITED:
            raise Malformed(f"field {number} of the message has wire type {wire_type}")
        if number == 1:
            found["src"] = _text(payload)
        elif number == 2:
            found["dest"] = _text(payload)
        elif number == 3:
            found["body"] = _read_fields(payload, 1)
    return check_message(found)


def _parts(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """(field number, wire type, payload) of each field; a varint is a number, all else bytes."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if not 1 <= number <= _FIELD_MAX:
            raise Malformed(f"no field has the number {number}")
        if wire_type == _VARINT:
            payload, at = _read_varint(data, at)
            yield number, wire_type, payload
            continue
        if wire_type == _DELIMITED:
            size, at = _read_varint(data, at)
        elif wire_type in (_EIGHT, _FOUR):
            size = 8 if wire_type == _EIGHT else 4
        else:
            raise Malformed(f"field {number} has wire type {wire_type}, which messages of today have not")
        if size > end - at:
            raise Malformed(f"field {number} has {size:,} bytes, and only {end - at:,} are left")
        yield number, wire_type, data[at : at + size]
        at += size


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number that begins there, and where it ends."""
    number = 0
    for place in range(_VARINT_BYTES_MAX):
        if at + place >= len(data):
            raise Malformed("the message ends within a number")
        byte = data[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number & (2**_BITS - 1), at + place + 1
    raise Malformed(f"a number has more than {_VARINT_BYTES_MAX} bytes")


def _text(payload: memoryview) -> str:
    try:
        return str(payload, "utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"a text is no UTF-8: {error.reason}") from None


def _read_fields(data: memoryview, depth: int) -> dict[str, Any]:
    found = {}
    for number, wire_type, entry in _parts(data):
        if number != 1 or wire_type != _DELIMITED:
            continue
        key, value = "", memoryview(b"")
        for place, kind, payload in _parts(entry):
            if place == 1 and kind == _DELIMITED:
                key = _text(payload)
            elif place == 2 and kind == _DELIMITED:
                value = payload
        found[key] = _read_value(value, depth + 1)
    return found


def _read_value(data: memoryview, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise too_deep()
    known = [part for part in _parts(data) if _WIRE_TYPES.get(part[0]) == part[1]]
    if not known:
        raise Malformed("a value is of no kind")
    number, _, payload = known[-1]
    if number == _NULL:
        return None
    if number == _BOOL:
        return payload != 0
    if number == _INTEGER:
        return payload >> 1 ^ -(payload & 1)
    if number == _STRING:
        return _text(payload)
    if number == _STRUCT:
        return _read_fields(payload, depth)
    if number == _LIST:
        return [
            _read_value(item, depth + 1) for place, kind, item in _parts(payload) if (place, kind) == (1, _DELIMITED)
        ]
    return finite(_double.unpack(payload)[0])
