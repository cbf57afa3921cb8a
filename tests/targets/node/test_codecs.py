"""Codecs: what arrives is what was sent, whatever it is written in; and nothing that a stranger sends is more than a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from targets.node.codecs import CODECS, Malformed, codec_named, limits
from targets.node.codecs.limits import DEPTH_MAX

ALL = pytest.mark.parametrize("name", CODECS)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.builds(
    lambda src, dest, type_, fields: {"src": src, "dest": dest, "body": {**fields, "type": type_}},
    TEXTS,
    TEXTS,
    TEXTS,
    st.dictionaries(TEXTS, VALUES, max_size=4),
)
READ = {"src": "c1", "dest": "n1", "body": {"type": "read", "key": 3, "msg_id": 1}}


@ALL
@given(message=MESSAGES)
def test_what_arrives_is_what_was_sent_on_one_line(name: str, message: dict[str, Any]) -> None:
    codec = codec_named(name)
    line = codec.encode(message)
    assert b"\n" not in line
    assert json.dumps(codec.decode(line)) == json.dumps(message)  # also what kind of number it is, and the order


@ALL
def test_tuples_and_numbered_keys_are_what_json_makes_of_them(name: str) -> None:
    codec = codec_named(name)
    body = {"type": "t", "pair": (1, [2.0, True]), "by": {7: "seven"}}
    sent = {"src": "a\nb", "dest": "\x1b\x02\x1b", "body": body}
    assert json.dumps(codec.decode(codec.encode(sent))) == json.dumps(json.loads(json.dumps(sent)))


@ALL
@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {(1, 2): 1}, {1, 2}, b"x"])
def test_what_is_no_value_is_refused_by_who_writes_it(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        codec_named(name).encode({"src": "a", "dest": "b", "body": {"type": "t", "value": value}})


def test_a_number_that_protobuf_has_not_is_refused_by_who_writes_it() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        codec_named("protobuf").encode({"src": "a", "dest": "b", "body": {"type": "t", "value": 2**63}})


@ALL
@given(line=st.binary(max_size=200))
def test_garbage_is_a_message_or_malformed(name: str, line: bytes) -> None:
    _read(name, line)


@ALL
@given(message=MESSAGES, data=st.data())
def test_a_damaged_message_is_a_message_or_malformed(name: str, message: dict[str, Any], data: st.DataObject) -> None:
    line = bytearray(codec_named(name).encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(line) - 1))
        line[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        if not line:
            break
    _read(name, bytes(line))


def _read(name: str, line: bytes) -> None:
    """Whatever was taken for a message can be answered with."""
    codec = codec_named(name)
    try:
        message = codec.decode(line)
    except Malformed as error:
        sentence = str(error)
    else:
        sentence = ""
        assert isinstance(message["src"], str)
        assert isinstance(message["body"]["type"], str)
        if isinstance(message.get("dest"), str):
            codec.encode(message)
    assert len(sentence) < 400
    assert "\n" not in sentence


@ALL
@pytest.mark.parametrize(
    ("depth", "taken"), [(DEPTH_MAX - 10, True), (DEPTH_MAX + 10, False), (3_000, False), (100_000, False)]
)
def test_depth_is_limited_and_never_the_end_of_the_reader(name: str, depth: int, taken: bool) -> None:
    codec, line = codec_named(name), _deep(name, depth)
    if taken:
        assert codec.decode(line)["body"]["type"] == "t"
    else:
        with pytest.raises(Malformed, match="levels deep|no message|no UTF|maximum|depth"):
            codec.decode(line)


def _deep(name: str, depth: int) -> bytes:
    """Lists within lists, made without recursion."""
    if name == "json":
        return b'{"src":"a","dest":"b","body":{"type":"t","v":' + b"[" * depth + b"]" * depth + b"}}"
    if name == "xml":
        head = b'<message src="a" dest="b"><map><text name="type">t</text><list name="v">'
        return head + b"<list>" * (depth - 1) + b"</list>" * depth + b"</map></message>"
    from targets.node.codecs import protobuf_lines as wire

    value = wire._field(wire._LIST, b"")
    for _ in range(depth - 1):
        value = wire._field(wire._LIST, wire._field(1, value))
        if len(value) > 200_000:  # grows with the square, else
            break
    entries = [
        wire._field(1, wire._field(1, key) + wire._field(2, v))
        for key, v in ((b"type", wire._value("t")), (b"v", value))
    ]
    data = wire._field(1, b"a") + wire._field(2, b"b") + wire._field(3, b"".join(entries))
    return data.replace(b"\x1b", b"\x1b\x01").replace(b"\n", b"\x1b\x02")


@ALL
def test_size_is_limited(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = codec_named(name)
    line = codec.encode(READ)
    monkeypatch.setattr(limits, "MESSAGE_BYTES_MAX", len(line))
    assert codec.decode(line) == READ
    monkeypatch.setattr(limits, "MESSAGE_BYTES_MAX", len(line) - 1)
    with pytest.raises(Malformed, match="bytes, more than"):
        codec.decode(line)


HOSTILE = {
    "json": [
        (b'{"src":"a","dest":"b","body":{"type":"t","v":NaN}}', "NaN is no number"),
        (b'{"src":"a","dest":"b","body":{"type":"t","v":-Infinity}}', "Infinity is no number"),
        (b'{"src":"a","dest":"b","body":{"type":"t","v":1e999}}', "inf is no number"),
        (b'{"src":"a","dest":"b","body":{"type":"t","v":' + b"9" * 5000 + b"}}", "digits"),
        (b'{"src":"a","dest":"b","body":{"type":"t","v":"\\ud800"}}', "half of a character"),
        (b'{"src":"a","dest":"b","body":{"type":"\xff"}}', "utf-8"),
        (b"[]", "it is not"),
        (b'{"src":5,"dest":"b","body":{"type":"t"}}', "it is not"),
        (b'{"src":"a","dest":"b","body":{"type":7}}', "it is not"),
    ],
    "xml": [
        (
            (
                b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><message src="a" dest="b"><map>'
                b'<text name="type">&b;</text></map></message>'
            ),
            "document type",
        ),
        (b'<!DOCTYPE m SYSTEM "file:///etc/passwd"><message src="a" dest="b"><map/></message>', "document type"),
        (b'<message src="a" dest="b"><map><text name="type">&b;</text></map></message>', "undefined entity"),
        (b'<message src="a" dest="b"><!-- x --><map/></message>', "a comment"),
        (b'<?xml-stylesheet href="x"?><message src="a" dest="b"><map/></message>', "an instruction"),
        (b'<message src="a" dest="b"><map><text name="type"><![CDATA[t]]></text></map></message>', "a section"),
        (b'<message src="a" dest="b"><map><int name="type">0x10</int></map></message>', "no int"),
        (b'<message src="a" dest="b"><map><real name="type">1e999</real></map></message>', "no number"),
        (b'<message src="a" dest="b"><map><int name="v">' + b"9" * 5000 + b"</int></map></message>", "no int"),
        (b'<message src="a" dest="b"><map><text name="v" json="1">\\ud800</text></map></message>', "half of a char"),
        (b'<message src="a" dest="b"><map><text>t</text></map></message>', "lacks its name"),
        (b'<message src="a" dest="b"><text>t</text><map/></message>', "2 bodies"),
        (b'<message src="a" dest="b"><map><script name="type"/></map></message>', "no element is called"),
        (b'<map><text name="type">t</text></map>', "stands where none may be"),
        (b'<message src="a" dest="b"><map>t</map></message>', "text stands in"),
        (b'<message src="a" dest="b"><map><text name="type">t', "no XML"),
        (b'<message src="a" dest="b"><map/></message><message src="a" dest="b"><map/></message>', "no XML"),
    ],
    "protobuf": [
        (b"\x1b\x02\xff\xff\xff\xff\x0fa", "bytes, and only"),
        (b"\x1b\x02" + b"\xff" * 11, "a number has more than 10 bytes"),
        (b"\x1b\x02\x01", "bytes, and only"),
        (b"\x1b\x02", "ends within a number"),
        (b"\x0b", "wire type 3"),
        (b"\x08\x01", "wire type 0"),
        (b"\x00", "no field has the number 0"),
        (b"\x1b\x03", "escaped"),
        (b"\x1b\x02\x01\xff", "no UTF-8"),
        (b"\x1a\x06\x1b\x02\x04\x1b\x02\x00\x12\x00", "a value is of no kind"),
        (b"\x1b\x02\x01a", "it is not"),
    ],
}


@pytest.mark.parametrize(("name", "line", "why"), [(name, *case) for name, cases in HOSTILE.items() for case in cases])
def test_a_hostile_line_is_refused_in_one_sentence(name: str, line: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        codec_named(name).decode(line)


@pytest.mark.parametrize("name", ["yaml", 5, ["json"], None])
def test_an_unknown_codec_is_refused_with_those_that_there_are(name: Any) -> None:
    with pytest.raises(ValueError, match="known are json, xml, protobuf"):
        codec_named(name)


def _library() -> Any:
    """The class that the ``protobuf`` library makes of the message in the docstring of ``protobuf_lines``."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="message.proto", package="splitbrain", syntax="proto3")

    def add(message: Any, name: str, number: int, kind: int, **more: Any) -> None:
        message.field.add(name=name, number=number, type=kind, label=more.pop("label", kinds.LABEL_OPTIONAL), **more)

    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="kind")
    file.enum_type.add(name="NullValue").value.add(name="NULL_VALUE", number=0)
    of_kinds = [
        ("null_value", kinds.TYPE_ENUM, ".splitbrain.NullValue"),
        ("number_value", kinds.TYPE_DOUBLE, None),
        ("string_value", kinds.TYPE_STRING, None),
        ("bool_value", kinds.TYPE_BOOL, None),
        ("struct_value", kinds.TYPE_MESSAGE, ".splitbrain.Struct"),
        ("list_value", kinds.TYPE_MESSAGE, ".splitbrain.ListValue"),
        ("integer_value", kinds.TYPE_SINT64, None),
    ]
    for number, (name, kind, of) in enumerate(of_kinds, 1):
        add(value, name, number, kind, oneof_index=0, **({"type_name": of} if of else {}))
    many = {"label": kinds.LABEL_REPEATED}
    add(file.message_type.add(name="ListValue"), "values", 1, kinds.TYPE_MESSAGE, type_name=".splitbrain.Value", **many)
    struct = file.message_type.add(name="Struct")
    add(struct, "fields", 1, kinds.TYPE_MESSAGE, type_name=".splitbrain.Struct.FieldsEntry", **many)
    entry = struct.nested_type.add(name="FieldsEntry")
    entry.options.map_entry = True
    add(entry, "key", 1, kinds.TYPE_STRING)
    add(entry, "value", 2, kinds.TYPE_MESSAGE, type_name=".splitbrain.Value")
    message = file.message_type.add(name="Message")
    add(message, "src", 1, kinds.TYPE_STRING)
    add(message, "dest", 2, kinds.TYPE_STRING)
    add(message, "body", 3, kinds.TYPE_MESSAGE, type_name=".splitbrain.Struct")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("splitbrain.Message"))


MESSAGE = _library()


def _unescaped(line: bytes) -> bytes:
    return line.replace(b"\x1b\x02", b"\n").replace(b"\x1b\x01", b"\x1b")


def _escaped(data: bytes) -> bytes:
    return data.replace(b"\x1b", b"\x1b\x01").replace(b"\n", b"\x1b\x02")


def _fill(message: Any, value: Any) -> None:
    """A Value of the library's."""
    match value:
        case None:
            message.null_value = 0
        case bool():
            message.bool_value = value
        case int():
            message.integer_value = value
        case float():
            message.number_value = value
        case str():
            message.string_value = value
        case list():
            message.list_value.SetInParent()
            for item in value:
                _fill(message.list_value.values.add(), item)
        case dict():
            message.struct_value.SetInParent()
            for key, item in value.items():
                _fill(message.struct_value.fields[key], item)


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "null_value":
        return None
    if kind == "struct_value":
        return {key: _plain(item) for key, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    return getattr(value, kind)


def _canonical(value: Any) -> str:
    """The library's maps have no order."""
    return json.dumps(value, sort_keys=True)


@given(message=MESSAGES)
def test_the_protobuf_library_reads_what_we_write(message: dict[str, Any]) -> None:
    read = MESSAGE.FromString(_unescaped(codec_named("protobuf").encode(message)))
    body = {key: _plain(value) for key, value in read.body.fields.items()}
    assert _canonical({"src": read.src, "dest": read.dest, "body": body}) == _canonical(message)


@given(message=MESSAGES)
def test_we_read_what_the_protobuf_library_writes(message: dict[str, Any]) -> None:
    written = MESSAGE(src=message["src"], dest=message["dest"])
    for key, value in message["body"].items():
        _fill(written.body.fields[key], value)
    line = _escaped(written.SerializeToString())
    assert _canonical(codec_named("protobuf").decode(line)) == _canonical(message)


@given(
    values=st.dictionaries(TEXTS, st.none() | st.booleans() | TEXTS | st.floats(allow_nan=False, allow_infinity=False))
)
def test_without_whole_numbers_it_is_googles_own_struct(values: dict[str, Any]) -> None:
    struct = struct_pb2.Struct()
    struct.update(values)
    message = MESSAGE.FromString(_unescaped(codec_named("protobuf").encode({**READ, "body": {**values, "type": "t"}})))
    assert struct_pb2.Struct.FromString(message.body.SerializeToString()) == _struct({**values, "type": "t"})


def _struct(values: dict[str, Any]) -> Any:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct
