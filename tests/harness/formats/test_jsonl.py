"""Our own format: lines come back as they were, JSON's dialects are read, and nothing is changed behind our back."""

from __future__ import annotations

import enum
import json
import pickle
import random
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.formats import json_columns, jsonl
from harness.formats.json_columns import JsonTable
from harness.history import INFO, NO_KEY, History
from harness.op import Op, OpType
from tests.builders import ops
from tests.harness.formats.strategies import json_values, op_lists, patient


def read(text: str | bytes, **options: Any) -> History:
    return jsonl.read(text if isinstance(text, bytes) else text.encode(), "h.jsonl", **options)


def written(lines: list[Op]) -> bytes:
    return b"".join(jsonl.write(lines))


LINES = """
    p0      invoke write x 1         node=n1
    nemesis info   start-kill - {"id": 1, "kind": "kill", "args": {"b": 1, "a": [2]}}
    p0      ok     write x 1         node=n1
    p1      invoke read  - _
    p1      info   read  - _         error=["net",3] final=true why="x"
"""


def test_the_format_is_this() -> None:
    assert written(ops(LINES)).decode() == (
        '{"splitbrain":"history","version":1}\n'
        '{"index":0,"time":0,"type":"invoke","process":0,"f":"write","key":"x","value":1,"node":"n1"}\n'
        '{"index":1,"time":1000000,"type":"info","process":"nemesis","f":"start-kill",'
        '"value":{"id":1,"kind":"kill","args":{"b":1,"a":[2]}}}\n'
        '{"index":2,"time":2000000,"type":"ok","process":0,"f":"write","key":"x","value":1,"node":"n1"}\n'
        '{"index":3,"time":3000000,"type":"invoke","process":1,"f":"read","value":null}\n'
        '{"index":4,"time":4000000,"type":"info","process":1,"f":"read","value":null,"error":["net",3],"final":true,"why":"x"}\n'
    )


def test_reading_and_writing_again_gives_the_same_bytes() -> None:
    data = written(ops(LINES))
    assert written(list(read(data))) == data


@settings(patient, max_examples=40)
@given(op_lists(json_values()))
def test_round_trip(lines: list[Op]) -> None:
    data = written(lines)
    again = read(data)
    assert again == History.of(lines)
    assert written(list(again)) == written(list(History.of(lines)))
    for line in data.splitlines():
        json.loads(line)  # the standard library reads it, too


def spelled(value: Any, dice: random.Random) -> str:
    """One of the many JSON texts of ``value``: by key order, whitespace, escapes, exponents."""
    if isinstance(value, dict):
        items = list(value.items())
        dice.shuffle(items)
        return "{ " + " , ".join(f"{spelled(name, dice)} : {spelled(item, dice)}" for name, item in items) + "}"
    if isinstance(value, list):
        comma = dice.choice([",", ", ", "\t,"])
        return "[" + comma.join(spelled(item, dice) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=dice.random() < 0.5)
    if isinstance(value, float) and dice.random() < 0.5:
        return f"{value!r}e0" if "e" not in repr(value) else f"{value:.17E}"
    return json.dumps(value)


@patient
@given(st.lists(json_values(), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_every_spelling_of_a_value_has_one_code(values: list[Any], dice: random.Random) -> None:
    """What is one value for History.of is one for the reader."""
    twice = values + values
    lines = [
        f'{{"type":"invoke","f":"w","process":{n},"value":{spelled(value, dice)}}}\n' for n, value in enumerate(twice)
    ]
    found = read("".join(lines))
    expected = History.of([Op(f="w", process=process, value=value) for process, value in enumerate(twice)])
    assert found == expected
    assert found.value.tolist() == expected.value.tolist()


@patient
@given(json_values(), st.randoms(use_true_random=False))
def test_a_text_that_is_taken_as_it_stands_is_the_canonical_one(value: Any, dice: random.Random) -> None:
    text = spelled(value, dice).encode()
    if json_columns._has_one_spelling(text):
        assert text == json_columns._canonical(text)


@pytest.mark.parametrize(
    "text", [b"17", b"-3", b"null", b"true", b'"abc"', b'[["append",1,2],["r",3,null]]', b"123456789012345678901"]
)
def test_common_texts_are_taken_as_they_stand(text: bytes) -> None:
    assert json_columns._has_one_spelling(text)


def test_composite_values_are_fresh_at_each_access() -> None:
    run = read('{"type":"invoke","process":0,"f":"w","value":[1]}\n')
    run[0].value.append(2)
    assert run[0].value == [1]
    assert list(run.values) == [[1]]
    assert list(run.values[:1]) == [[1]]


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize("value", [(1, (2,)), Colour.RED, [Colour.RED], MappingProxyType({"a": (1.5,)}), 10**30])
def test_what_json_spells_differently_but_keeps_is_written(value: Any) -> None:
    line = Op(process=0, f="w", value=value)
    assert read(written([line])) == History.of([line])


NOT_PLAIN = [
    (float("nan"), "nan, which JSON cannot hold"),
    ([1, {"a": float("inf")}], "inf, which JSON cannot hold"),
    ({1, 2}, "a set; JSON holds"),
    ([frozenset()], "a frozenset; JSON holds"),
    (b"x", "a bytes; JSON holds"),
    ({1: 2}, "a key that is no string"),
    ([{None: 2}], "a key that is no string"),
    ("\ud800", "surrogates not allowed"),
    (["\ud800"], "surrogates not allowed"),
    (object(), "a object; JSON holds"),
]


@pytest.mark.parametrize(("value", "sentence"), NOT_PLAIN)
def test_what_json_would_change_is_refused(value: Any, sentence: str) -> None:
    for line in (
        Op(process=0, f="w", value=value),
        Op(process=0, f="w", key=value),
        Op(process=0, f="w", extra={"a": value}),
    ):
        with pytest.raises(HistoryError, match=sentence):
            jsonl.encode_op(line)


@pytest.mark.parametrize("error", [value for value, _ in NOT_PLAIN])
def test_an_odd_error_becomes_text_since_people_alone_read_it(error: Any) -> None:
    line = Op(process=0, f="w", error=error)
    assert isinstance(json.loads(jsonl.encode_op(line))["error"], str)


def test_deep_and_endless_values_are_refused_when_written_and_when_read() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(HistoryError, match="nested more than 200 deep"):
        jsonl.encode_op(Op(process=0, f="w", value=value))
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    assert read(written([Op(process=0, f="w", value=deep)]))[0].value == deep
    for depth in (202, 5000):
        text = "[" * depth + "1" + "]" * depth
        with pytest.raises(HistoryError, match=r"h\.jsonl line 1: (value is nested more than 200|.*recursion)"):
            read(f'{{"type":"invoke","process":0,"f":"w","value":{text}}}\n')


@pytest.mark.parametrize("name", ["index", "time", "type", "process", "f", "key", "value", "node", "error"])
def test_an_extra_field_must_not_hide_a_field(name: str) -> None:
    with pytest.raises(HistoryError, match=f"extra field '{name}' is a field of every op"):
        jsonl.encode_op(Op(process=0, f="w", extra={name: 1}))


def test_writing_names_the_op() -> None:
    with pytest.raises(HistoryError, match=r"op 1 \(index 7\): value has nan"):
        written([Op(process=0, f="w"), Op(process=1, f="w", index=7, value=float("nan"))])


# ---------------------------------------------------------------- dialects

A = '{"type":"invoke","process":0,"f":"r"}\n'


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"invoke","process":0,"f":"r","value":null}\n{"type":"ok","process":0,"f":"r","value":1}\n',
        '{"process":0,"value":null,"f":"r","type":"invoke"}\r\n\r\n{"type":"ok","process":0,"f":"r","value":1}',
        '\n  \n{"type":":invoke","process":0,"f":":r"}\n{"type":":ok","process":0,"f":"r","value":1}\n\n',
        '[{"type":"invoke","process":0,"f":"r"},{"type":"ok","process":0,"f":"r","value":1}]',
        ' [\n  {"type": "invoke",\n   "process": 0, "f": "r"},\n  {"type":"ok","process":0,"f":"r","value":1}\n]\n',
        '{"index":null,"time":null,"key":null,"node":null,"error":null,"type":"invoke","process":0,"f":"r"}\n{"type":"ok","process":0,"f":"r","value":1}\n',
        '{"index":0,"time":-1,"type":"invoke","process":0,"f":"r"}\n{"index":1,"type":"ok","process":0,"f":"r","value":1}\n',
    ],
)
def test_dialects(text: str) -> None:
    run = read(text)
    assert run == History.of([Op(process=0, f="r"), Op(process=0, f="r", type=OpType.OK, value=1)])
    assert run.fs == ["r"]


def test_whole_floats_are_times() -> None:
    assert read('{"time":1e9,"type":"invoke","process":0,"f":"r"}\n').time_ns.tolist() == [10**9]


@pytest.mark.parametrize("process", ["nemesis", ":nemesis"])
def test_the_nemesis(process: str) -> None:
    line = f'{{"type":"info","process":"{process}","f":"kill","value":"all"}}\n'
    run = read(line + line)
    assert [(start.value, end and end.process) for start, end in run.nemesis()] == [("all", "nemesis")]


def test_extra_fields_in_a_batch_with_plain_lines() -> None:
    run = read(A + '{"type":"ok","process":0,"f":"r","odd":[1],"final":true,"also":null}\n' + A)
    assert run.extras == {1: {"odd": [1], "final": True, "also": None}}
    assert list(run.extras[1]) == ["odd", "final", "also"]


def test_transactions_may_lack_f() -> None:
    run = read(
        '{"type":"invoke","process":0,"value":[["r",1,null]]}\n{"type":"ok","process":0,"value":[["r",1,[2]]]}\n'
    )
    assert run.fs == ["txn"]
    assert run[1].value == [["r", 1, [2]]]


def test_keyed_values_are_taken_apart() -> None:
    run = read(
        '{"type":"invoke","process":0,"f":"w","value":["x",1]}\n'
        '{"type":"info","process":"nemesis","f":"kill","value":["n1","n2"]}\n'
        '{"type":"invoke","process":1,"f":"w","key":"y","value":[3,4]}\n'
        '{"type":"invoke","process":2,"f":"cas","value":[[1],[3,4]]}\n',
        keyed=True,
    )
    assert [(op.key, op.value) for op in run] == [("x", 1), (None, ["n1", "n2"]), ("y", [3, 4]), ([1], [3, 4])]


@pytest.mark.parametrize("value", ["null", "1", "[1]", "[1,2,3]", "[null,1]", '{"a":1}'])
def test_a_keyed_value_that_is_no_pair_is_refused(value: str) -> None:
    text = A.replace('"f"', '"value":["k",1],"f"') + f'{{"type":"ok","process":0,"f":"r","value":{value}}}\n'
    with pytest.raises(HistoryError, match=r"line 2: a keyed history has \[key value\]"):
        read(text, keyed=True)


# ---------------------------------------------------------------- errors

HEADER = jsonl.HEADER.decode()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEADER + A + "x\n", "line 3: this is no JSON .*; an op is"),
        (HEADER + A + "\n[1]\n", "line 4: this is a list, no op; an op is"),
        (A + "null\n", "line 2: this is a NoneType, no op"),
        (A + '{"type":"ok","process":0,"f":"r","value":NaN}\n', "line 2: .*JSON has no NaN"),
        (A + '{"type":"ok","process":0,"f":"r","value":-Infinity}\n', "line 2: this is no JSON"),
        (A + '{"type":"ok","process":0,"f":"r","value":1e999}\n', "line 2: .*out of range"),
        (A + '{"type":"ok","process":0,"f":"r","value":"\\ud800"}\n', "line 2: this is no JSON"),
        (A + '{"type":"okay","process":0,"f":"r"}\n', "line 2: type is 'okay'; it must be one of invoke"),
        (A + '{"process":0,"f":"r"}\n', "line 2: type is None"),
        (A + '{"type":1,"process":0,"f":"r"}\n', "line 2: Expected `str | null`, got `int` - at `\\$.type`"),
        (A + '{"type":"ok","f":"r"}\n', "line 2: process is missing; it must be a client's number or 'nemesis'"),
        (A + '{"type":"ok","process":"p0","f":"r"}\n', "line 2: process is 'p0'"),
        (A + '{"type":"ok","process":-1,"f":"r"}\n', "line 2: process is -1"),
        (A + '{"type":"ok","process":0.5,"f":"r"}\n', "line 2: Expected .* - at `\\$.process`"),
        (A + '{"type":"ok","process":true,"f":"r"}\n', "line 2: Expected .* - at `\\$.process`"),
        (A + '{"type":"ok","process":0,"f":"r","time":1.5}\n', "line 2: time is 1.5; it must be a whole number"),
        (A + '{"type":"ok","process":0,"f":"r","index":1e30}\n', "line 2: Expected .* - at `\\$.index`"),
        (A + '{"type":"ok","process":0,"f":"r","index":9223372036854775808}\n', "line 2: index is 9223372036854775808"),
        (A + '{"type":"ok","process":0,"f":"r","time":-7}\n', "line 2: time_ns -7 is negative"),
        (A + '{"type":"ok","process":0}\n', "line 2: f, the name of the operation, is missing"),
        (A + '{"type":"ok","process":0,"f":""}\n', "line 2: f, the name"),
        (A + '{"type":"ok","process":0,"f":"r","index":1}\n' + A, "line 1: index -1 does not exceed .* on all lines or"),
        (A + '{"type":"ok","process":0,"f":"w"}\n', "line 2: process 0 completes 'w' but the f differs"),
        (HEADER + A + "\n\n" + A, "line 5: process 0 invokes 'r' while its 'r' of line 2 is open"),
        (A + '{"type":"oops","process":0,"f":"r"}\nno json\n', "line 2: type is 'oops'"),
        ("[\n" + A.strip() + ",\n\n" + A.strip() + "]", "line 4: process 0 invokes 'r' while its 'r' of line 2"),
        ("[" + A.strip() + "," + A.strip() + "]", "line 1, op 1: process 0 invokes"),
        ("[\n" + A.strip() + ",]", "line 2: this is no JSON array of ops: .*trailing comma"),
        ("[" + A.strip(), "this is no JSON array of ops"),
        ("[1]", "line 1: this is a int, no op"),
        (HEADER.replace("1", "2") + A, "is of version 2 of the format, and this splitbrain reads up to 1: update"),
        (HEADER.replace("1", '"1"') + A, "line 1: the version of the format is '1'; it must be a number"),
        (HEADER.replace("1", "0"), "line 1: the version of the format is 0"),
        (HEADER.replace(',"version":1', ""), "line 1: the version of the format is None"),
        (HEADER.replace("history", "faults"), "is splitbrain's 'faults' file, not its history"),
    ],
)  # fmt: skip
def test_errors_name_the_line_and_what_is_right(text: str, sentence: str) -> None:
    with pytest.raises(HistoryError, match=r"^h\.jsonl.*" + sentence):
        read(text)


@pytest.mark.parametrize("field", ["f", "value", "key", "error", "odd"])
def test_invalid_utf_8_is_named_by_line(field: str) -> None:
    line = b'{"type":"ok","process":0,"f":"r","' + field.encode() + b'":"\xff"}\n'
    with pytest.raises(HistoryError, match=r"line 2: .*[uU][tT][fF]-8"):
        read(A.encode() + line)


def test_lines_are_counted_across_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f'{{"type":"invoke","process":{n},"f":"r","value":[{n % 7}]}}\n' for n in range(40)]
    whole = read("".join(lines))
    monkeypatch.setattr(jsonl, "BATCH_BYTES", 100)
    assert read("".join(lines)) == whole
    lines[17] = '{"type":"invoke","process":17,"f":"r","value":[3],"extra":1}\n'
    lines[30] = "\n" * 200 + lines[30]
    assert read("".join(lines)).extras == {17: {"extra": 1}}
    with pytest.raises(HistoryError, match=r"line 240: process 39 .* of line 240|line 241: process 39"):
        read("".join([*lines, lines[39]]))


# ---------------------------------------------------------------- torn ends


def test_a_torn_end_at_every_byte_of_the_last_line() -> None:
    call, end = ops("""
        p0 invoke write x {"é":[1,"ü"]}
        p0 ok     write x {"é":[1,"ü"]}
    """)
    first, last = written([call]), jsonl.encode_op(end)
    for cut in range(1, len(last) - 1):
        data = first + last[:cut]
        with pytest.raises(HistoryError, match=r"h\.jsonl line 3: the last line is torn"):
            read(data)
        run = read(data, torn="truncate")
        assert list(run) == [call]
        assert run.calls().outcome.tolist() == [INFO]
        assert run.pair.tolist() == [NO_KEY]
    for whole_line in (last[:-1], last):  # only the newline is missing: nothing is
        assert list(read(first + whole_line)) == [call, end]
        assert list(read(first + whole_line, torn="truncate")) == [call, end]


def test_a_torn_header_leaves_nothing() -> None:
    for cut in range(1, len(HEADER) - 1):
        for torn in ("refuse", "truncate"):
            with pytest.raises(HistoryError, match=r"h\.jsonl line 1: the (last|only) line is torn"):
                read(HEADER[:cut], torn=torn)
    assert len(read(HEADER[:-1])) == len(read(HEADER, torn="truncate")) == 0


def test_truncating_forgives_the_last_line_alone() -> None:
    with pytest.raises(HistoryError, match="line 2: this is no JSON"):
        read(A + '{"type":"o\n' + A, torn="truncate")
    with pytest.raises(HistoryError, match="line 2: type is 'oops'"):
        read(A + '{"type":"oops"}', torn="truncate")
    assert len(read(A + '{"type":"oops"', torn="truncate")) == 1


def test_a_table_gives_back_every_kind_of_value_and_numbers_of_any_size() -> None:
    values = [None, 0, -(2**63), 2**63, 2**63 - 1, True, 1.5, "x", [1, [2]], {"a": 1}]
    table = JsonTable(values)
    assert list(table) == [table[code] for code in range(len(values))] == table[:] == values
    assert [type(value) for value in table] == [type(value) for value in values]
    assert (table[-1], table[-2:]) == ({"a": 1}, [[1, [2]], {"a": 1}])
    assert table.texts([8, 9]) == [b"[1,[2]]", b'{"a":1}']
    assert table.texts([1, 8]) is None
    assert list(pickle.loads(pickle.dumps(table))) == values


def test_columns_that_say_nothing_take_no_memory_and_wide_numbers_stay_whole() -> None:
    line = '{"index":%d,"type":"%s","process":%d,"f":"read","value":null}\n'
    history = read(line % (3, "invoke", 2**40) + line % (2**50, "ok", 2**40))
    assert history.time_ns.strides == history.key.strides == history.node.strides == (0,)
    assert (history.index.tolist(), history.process.tolist()) == ([3, 2**50], [2**40] * 2)
    assert history.calls().node.tolist() == history.calls().key.tolist() == [-1]
    assert history.calls().process.tolist() == [2**40]
