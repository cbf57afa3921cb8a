"""Transactions are read from their JSON texts as from objects; what the kernel of texts does not know is left to the reader of objects."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.transactions import txns
from checkers.transactions.parse import CROWDED, NOTHING, NUMBER_MAX, PARSED, STRANGE, Odds, Parsed, Texts, parse_texts
from checkers.transactions.txns import Txns, Unjudgeable, has_failed, is_ok, number_keys, sessions_of, txns_of
from harness.formats import jsonl
from harness.formats.json_columns import JsonTable
from harness.history import History
from harness.op import Op
from tests.checkers.transactions.texts import drawn


def read(*texts: str, written: str = "append", lists: bool = True, room: int = 64) -> tuple[int, str | None]:
    """What the kernel answers, and what it read as JSON."""
    entries = [text.encode() for text in texts]
    whole = b"".join([*entries, b"]]]]]]]]"])
    size = len(whole)
    given_texts = Texts(
        np.frombuffer(whole, dtype=np.int8).tolist(),
        [0, *accumulate(map(len, entries))],
        list(written.encode()),
    )
    starts, write, key, value, first, element = ([0] * (size + 1) for _ in range(6))
    counts = [0] * 3
    out = Parsed(starts, write, key, value, first, element, counts)
    odds = Odds([0] * room, [0] * room, [0] * room)
    answer = parse_texts(given_texts, odds, out, int(lists))
    if answer != PARSED:
        return answer, None
    table = [json.loads(whole[odds.begin[n] : odds.end[n]]) for n in range(counts[2])]

    def shown(code: int) -> Any:
        return code if code >= 0 else None if code == NOTHING else table[-2 - code]

    def mop(m: int) -> list[Any]:
        elements = [shown(code) for code in element[first[m] : first[m + 1]]]
        if write[m] or not lists:
            assert not elements
            return [written if write[m] else "r", shown(key[m]), shown(value[m])]
        assert value[m] == NOTHING
        return ["r", shown(key[m]), elements]

    assert counts[0] == starts[len(texts)]
    assert counts[1] == first[counts[0]]
    return answer, json.dumps([[mop(m) for m in range(starts[n], starts[n + 1])] for n in range(len(texts))])


def wanted(*texts: str, written: str = "append", lists: bool = True) -> str:
    """The same by Python's reader of JSON; a read that returned null has seen no element."""

    def mop(f: str, key: Any, value: Any) -> list[Any]:
        f = f.removeprefix(":")
        assert f in ("r", written)
        return [f, key, (value or []) if f == "r" and lists else value]

    return json.dumps([[mop(*one) for one in json.loads(text)] for text in texts])


PLAIN = [
    "[]",
    " [ ] ",
    '[["r","x",null]]',
    '[["r","x",[]]]',
    '[["r","x",[1,2,3]],["append","y",4]]',
    '[[":r",7,[0]],[":append",7,0]]',
    '\n[\t[ "r" , "x" , [ 1 , 2 ] ]\r,\n[ "append" , "x" , 3 ] ]\n',
    f'[["append",{NUMBER_MAX},{NUMBER_MAX}],["append",{NUMBER_MAX + 1},{NUMBER_MAX + 2}]]',
    '[["append",12345678901234567890123,99999999999999999999999]]',
    '[["append",-1,-9],["append",-10,-1234567890123]]',
    '[["append",true,false],["append",false,true],["append",null,null]]',
    '[["r","x",[true,false,null,"",-5]]]',
    '[["append","",""],["append","ü","日本"],["append"," a b ","]"]]',
    '[["append","r",":r"],["append","append","10"],["append",10,"-10"]]',
    '[["r","ab",["ab","ba","abc","ab"]]]',
    '[["append",0,1],["append",1,0]]',
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_texts_are_read_as_they_are(text: str) -> None:
    assert read(text) == (PARSED, wanted(text))
    assert read(*PLAIN, text) == (PARSED, wanted(*PLAIN, text))


def test_numbers_are_codes_as_far_as_columns_of_32_bits_go() -> None:
    assert np.iinfo(np.int32).max == NUMBER_MAX


def test_registers_have_single_values() -> None:
    text = '[["r","x",null],["r","x",1],["w","x","a"],["r","y",-3],["r","x",true]]'
    options: dict[str, Any] = {"written": "w", "lists": False}
    assert read(text, **options) == (PARSED, wanted(text, **options))
    assert read('[["r","x",[1]]]', **options) == (STRANGE, None)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "7",
        '"[]"',
        "[7]",
        "[null]",
        '[{"f":"r"}]',
        "[[]]",
        '[["r"]]',
        '[["r","x"]]',
        '[["r","x",1]]',
        '[["r","x","a"]]',
        '[["r","x",true]]',
        '[["r","x",null,1]]',
        '[["append","x"]]',
        '[["append","x",1,2]]',
        '[["append","x",[1]]]',
        '[["append","x",{}]]',
        '[["append",["x"],1]]',
        '[["append",{},1]]',
        '[["q","x",1]]',
        '[["appen","x",1]]',
        '[["appends","x",1]]',
        '[["apPend","x",1]]',
        '[["","x",1]]',
        '[["::r","x",null]]',
        '[["rr","x",null]]',
        '[[7,"x",1]]',
        '[[null,"x",1]]',
        '[["append","x",1.5]]',
        '[["append","x",1e3]]',
        '[["append","x",1E3]]',
        '[["append","x",-1.5]]',
        '[["append","x",-1e3]]',
        '[["append","x",-0]]',
        '[["append","x",-0.5]]',
        '[["append",1.0,1]]',
        '[["append","\\n",1]]',
        '[["append","x","a\\"b"]]',
        '[["r","x",[[1]]]]',
        '[["r","x",[1,{}]]]',
        '[["r","x",[1.5]]]',
        '[["r","x",[1,-0]]]',
    ],
)
def test_what_is_not_plain_is_left_to_the_reader_of_objects(text: str) -> None:
    for texts in ((text,), ("[]", text), (text, "[]")):
        assert read(*texts) == (STRANGE, None)


VALUES = (
    st.none() | st.booleans() | st.integers(-12, 12) | st.integers() | st.text('ab"\\ü]', max_size=3) | st.floats(0, 9)
)
MOPS = st.tuples(st.sampled_from(["r", ":r"]), VALUES, st.none() | st.lists(VALUES, max_size=4)) | st.tuples(
    st.sampled_from(["append", ":append"]), VALUES, VALUES
)


def is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return type(value) is not float and (type(value) is not str or not set(value) & set('"\\'))


@given(st.lists(st.lists(MOPS, max_size=3), max_size=4), st.sampled_from([(",", ":"), (", ", ": "), ("\n,\t", ":")]))
def test_texts_are_read_as_by_another_reader_of_json(values: list[list[Any]], separators: tuple[str, str]) -> None:
    texts = [json.dumps(one, separators=separators, ensure_ascii=False) for one in values]
    assert read(*texts, room=256) == ((PARSED, wanted(*texts)) if is_plain(values) else (STRANGE, None))


@pytest.mark.parametrize(
    ("text", "others"),
    [('[["append","x",{}]]', 1), ('[["append",{},1]]', 0), ('[["r",1,[{}]]]', 0), ('[["r",{},null]]', 0)],
)
@pytest.mark.parametrize("count", range(1, 5))
def test_a_table_of_odd_values_is_half_full_at_most(text: str, others: int, count: int) -> None:
    """Whoever asks for one more begins again with more room; a value that was there before takes none."""
    texts = [text.replace("{}", f'"{n}"') for n in range(count)]
    for room in (2, 4, 8, 16):
        answer, _ = read(*texts, *texts, room=room)
        assert answer == (PARSED if 2 * (count + others) <= room else CROWDED)


# What the columns say


def of_texts(*texts: str) -> History:
    """Transactions one after another, by a process each, whose values are kept as JSON texts."""
    lines = [
        f'{{"type":"{kind}","process":{3 * n},"f":"txn","value":{text.replace(chr(10), " ")}}}\n'
        for n, text in enumerate(texts)
        for kind in ("invoke", "ok")
    ]
    return jsonl.read("".join(lines).encode(), "a text", keyed=False, torn="refuse")


def columns(read: Txns) -> dict[str, object]:
    names = ("session", "starts", "write", "key", "value", "first", "element", "keys")
    return {name: getattr(read, name).tolist() for name in names} | {"odd": list(read.odd)}


SOME = (
    '[["append","y",5],["r","x",[5,"a",null]]]',
    "[]",
    '[["r","y",null],["append","x",-7],["r","x",[-7]]]',
)


def test_columns_are_what_they_are_said_to_be() -> None:
    lines = of_texts(*SOME)
    assert isinstance(lines.values, JsonTable)
    for one in (lines, History.of(list(lines))):
        read = txns_of(one, "append", lists=True)
        assert len(read) == 3
        assert read.size == 3 + 5 + 4
        assert read.written == "append"
        assert columns(read) == {
            "session": [0, 1, 2],
            "starts": [0, 2, 2, 5],
            "write": [1, 0, 0, 1, 0],
            "key": [0, 1, 0, 1, 1],
            "value": [5, -1, -1, -5, -1],
            "first": [0, 0, 3, 3, 3, 4],
            "element": [5, -4, -1, -5],
            "keys": [-2, -3],
            "odd": ["y", "x", "a", -7],
        }
        assert [read.txn_of(mop) for mop in range(5)] == [0, 0, 2, 2, 2]
        assert [read.list_of(mop) for mop in range(5)] == [[], [5, "a", None], [], [], [-7]]
        assert [read.key_object(number) for number in range(2)] == ["y", "x"]
        assert [read.object(code) for code in (0, 5, -1, -2, -5)] == [0, 5, None, "y", -7]


@pytest.mark.parametrize("text", PLAIN)
def test_both_readers_give_the_same_codes(text: str) -> None:
    lines = of_texts(*SOME, text)
    read, made = (txns_of(one, "append", lists=True) for one in (lines, History.of(list(lines))))
    assert columns(read) == columns(made)


@pytest.mark.parametrize("text", SOME)
def test_texts_are_read_without_the_reader_of_objects(text: str) -> None:
    with patch.object(txns, "_from_objects", side_effect=AssertionError):
        assert len(txns_of(of_texts(*SOME, text), "append", lists=True)) == 4


def test_one_value_that_is_no_list_sends_all_to_the_reader_of_objects() -> None:
    with pytest.raises(Unjudgeable, match=r"the transaction of index 2 is 7, which is no list of micro-operations"):
        txns_of(of_texts("[]", "7"), "append", lists=True)
    with pytest.raises(Unjudgeable, match=r'the transaction of index 2 has \["r"\], which is no micro-operation'):
        txns_of(of_texts("[]", '[["r"]]'), "append", lists=True)


def test_more_odd_values_than_there_is_room_for_are_read_again() -> None:
    texts = [f'[["append","{n}","{2 * n}"]]' for n in range(40)]
    wanted_columns = columns(txns_of(History.of(list(of_texts(*texts))), "append", lists=True))
    for room in (2, 64, 128):
        with (
            patch.object(txns, "_ODDS", room),
            patch.object(txns, "_from_objects", side_effect=AssertionError),
        ):
            assert columns(txns_of(of_texts(*texts), "append", lists=True)) == wanted_columns


def test_a_history_of_too_many_micro_operations_is_refused() -> None:
    """By columns of 32 bits; with fewer bits here. Elements, and micro-operations, as many as there may be are judged."""
    for text, size in ('[["r","x",[1,2,3]]]', 3), ('[["r",1,[]],["r",1,[]],["r",1,[]]]', 3):
        with patch.object(txns, "NUMBER_MAX", size):
            assert len(txns_of(of_texts(text), "append", lists=True)) == 1
        with patch.object(txns, "NUMBER_MAX", size - 1), pytest.raises(Unjudgeable, match=r"more than 2\^31"):
            txns_of(of_texts(text), "append", lists=True)


def test_of_what_failed_or_is_unknown_the_writes_count_as_they_were_asked_for() -> None:
    lines = drawn("p0 |ax1!\np1 |ax2>\np2 |ax3|\np3 |rx3|")
    read = txns_of(lines, "append", lists=True)
    assert read.value.tolist() == [1, 2, 3, NOTHING]
    assert is_ok(read).tolist() == [False, False, True, True]
    assert [has_failed(read, txn) for txn in range(4)] == [True, False, False, False]


def test_other_operations_are_no_transactions() -> None:
    other, txn = Op(process=1, f="read"), Op(process=0, f="txn", value=[["append", "x", 1]])
    lines = History.of([other, txn, other.ok(3), txn.ok(txn.value)])
    read = txns_of(lines, "append", lists=True)
    assert len(read) == 1
    assert columns(read)["value"] == [1]


@pytest.mark.parametrize("processes", [[], [0], [3, 0, 3], [5, 1, 1, 4, 5], [2, 10**6, 2, 7], [10**6]])
def test_sessions_are_the_processes_by_dense_numbers(processes: list[int]) -> None:
    numbers = sorted(set(processes))
    assert sessions_of(np.array(processes, dtype=np.int64)).tolist() == [numbers.index(one) for one in processes]


@given(
    st.lists(st.integers(-4, 30) | st.sampled_from([NUMBER_MAX, NUMBER_MAX - 1, -NUMBER_MAX]), max_size=60),
    st.booleans(),
)
def test_keys_are_numbered_by_their_first_use(raw: list[int], tight: bool) -> None:
    """Whatever they collide with; the table is half full at most."""
    different = list(dict.fromkeys(raw))
    room = 1 << (2 * len(different if tight else raw)).bit_length()
    keys, number = [0] * len(raw), [0] * len(raw)
    assert number_keys(raw, [0] * room, keys, number) == len(different)
    assert keys[: len(different)] == different
    assert number == [different.index(one) for one in raw]


def test_more_keys_than_the_least_table_holds() -> None:
    texts = [f'[["append",{n % 23 * 16},1]]' for n in range(60)]
    read = txns_of(of_texts(*texts), "append", lists=True)
    assert read.keys.tolist() == [n * 16 for n in range(23)]
    assert read.key.tolist() == [n % 23 for n in range(60)]
