"""Files: the format is told by the content, and whatever is wrong with a file is one sentence."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.formats import load_history, save_history
from harness.formats.edn import Keyword
from harness.history import History
from harness.interning import identity
from harness.op import Op
from tests.builders import history

RUN = """
    p0      invoke write x 1            node=n1
    p1      invoke cas   y [1,null]     time=2s
    nemesis info   start-kill - {"id":1,"kind":"kill"} time=2s
    p0      ok     write x 1            node=n1 time=3s
    p1      info   cas   y [1,null]     error=timeout time=3s
    p2      invoke read  x _            time=4s
    p2      ok     read  x {"a":[true,1.0,"ü"]} final=true time=5s
"""
JSON = '{"type":"invoke","process":0,"f":"r"}\n'
EDN = "{:type :invoke, :process 0, :f :r}\n"
ONE = History.of([Op(process=0, f="r")])


@pytest.mark.parametrize("name", ["h.jsonl", "h.edn", "h.jsonl.gz", "h.edn.gz"])
@pytest.mark.parametrize("keyed", [False, True])
def test_saved_histories_come_back(tmp_path: Path, name: str, keyed: bool) -> None:
    run = history(RUN)
    save_history(run, tmp_path / name, keyed=keyed)
    assert load_history(tmp_path / name, keyed=keyed) == run
    first = (tmp_path / name).read_bytes()
    save_history(load_history(tmp_path / name, keyed=keyed), tmp_path / name, keyed=keyed)
    assert (tmp_path / name).read_bytes() == first


def test_keyed_files_are_what_jepsen_writes(tmp_path: Path) -> None:
    save_history(history("p0 invoke cas x [1,2]"), tmp_path / "h.edn", keyed=True)
    assert (tmp_path / "h.edn").read_text() == (
        '{:index 0, :time 0, :type :invoke, :process 0, :f :cas, :value ["x" [1 2]]}\n'
    )


@pytest.mark.parametrize("data", [
    JSON,
    "\ufeff" + JSON,
    "\n\n" + JSON,
    "[" + JSON + "]",
    " [\n" + JSON + "]",
    EDN,
    "\ufeff" + EDN,
    "; comment\n" + EDN,
    ", [" + EDN + "]",
    "(" + EDN + ")",
    "[;comment\n" + EDN + "]",
    "#_ {:a 1}" + EDN,
    "#a.Op" + EDN,
    "[#a.Op" + EDN + "]",
    '{"type" "invoke", :process 0, :f :r}',
])  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_the_content_tells_the_format(tmp_path: Path, data: str, packed: bool) -> None:
    path = tmp_path / "history"
    path.write_bytes(gzip.compress(data.encode(), mtime=0) if packed else data.encode())
    if data.startswith('{"type" '):
        with pytest.raises(HistoryError, match="line 1"):  # EDN with strings for keys looks like JSON, and is told so
            load_history(path)
    else:
        assert load_history(str(path)) == ONE


@pytest.mark.parametrize("data", ["[]", "[ ]\n", "()", '{"splitbrain":"history","version":1}\n'])
def test_a_history_may_have_no_ops(tmp_path: Path, data: str) -> None:
    path = tmp_path / "history"
    path.write_text(data)
    assert load_history(path) == History.of([])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty; a history is JSON lines"),
        (b" \n\t\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "is no history: it begins with b'.x89PNG"),
        (b"\xff\xfe{\x00", "is no history: it begins with"),
        (b"\x00" * 100, "is no history"),
        (b"hello", "is no history: it begins with b'hello'; a history is JSON lines"),
        (b"[1, 2]", "is no history"),
        (b"<?xml?>", "is no history"),
        (b"JEPSEN\x00\x00", "is Jepsen's binary store; give the history.edn beside it"),
        (b"\x1f\x8bnonsense", "is a broken gzip file: .*; unpack"),
        (gzip.compress(JSON.encode(), mtime=0)[:-5], "is a broken gzip file"),
        (gzip.compress(JSON.encode() * 99, mtime=0)[:40], "is a broken gzip file"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (EDN.encode() + b'{:f "\xff"}', "line 2: byte 0xff is no UTF-8; save the file as UTF-8"),
        (JSON.encode() + b'{"f":"\xff"}\n', "line 2: this is no JSON .*[uU][tT][fF]-8"),
        (JSON.encode() + b"{:f 1}\n", "line 2: this is no JSON"),
        (EDN.encode() + b'{"f": 1}\n', "line 2"),
    ],
)
def test_files_that_are_no_history(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "history"
    path.write_bytes(data)
    with pytest.raises(HistoryError, match=r"/history .*" + sentence if sentence[:4] == "line" else sentence) as info:
        load_history(path)
    assert str(path) in str(info.value)
    assert "\n" not in str(info.value)


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="is a directory; give the history in it, such as history.jsonl"):
        load_history(tmp_path)
    with pytest.raises(HistoryError, match="does not exist"):
        load_history(tmp_path / "none.jsonl")
    with pytest.raises(HistoryError, match="cannot be read"):
        load_history("a\0b")
    with pytest.raises(HistoryError, match="cannot be read"):
        load_history(tmp_path / ("x" * 300))


def test_saving_says_what_is_wrong(tmp_path: Path) -> None:
    for name in ("h", "h.json", "h.txt", "h.gz"):
        with pytest.raises(HistoryError, match="the suffix says no format; use .jsonl or .edn"):
            save_history(ONE, tmp_path / name)
    with pytest.raises(HistoryError, match="cannot be written"):
        save_history(ONE, tmp_path / "none" / "h.edn")


def test_torn_is_handed_on(tmp_path: Path) -> None:
    for text, rest in ((JSON, '{"type'), (EDN, "{:type")):
        (tmp_path / "h").write_text(text + rest)
        assert load_history(tmp_path / "h", torn="truncate") == ONE
        with pytest.raises(HistoryError, match="line 2"):
            load_history(tmp_path / "h")


# ---------------------------------------------------------------- EDN to JSON

EDN_LINE = "{{:type :invoke, :process {}, :f :w, :value {}}}"


def converted(tmp_path: Path, *values: str) -> list[Any]:
    (tmp_path / "h.edn").write_text("\n".join(EDN_LINE.format(n, value) for n, value in enumerate(values)))
    save_history(load_history(tmp_path / "h.edn"), tmp_path / "h.jsonl")
    return [op.value for op in load_history(tmp_path / "h.jsonl")]


@pytest.mark.parametrize(
    ("edn", "value"),
    [
        (":a", "a"),
        ("sym", "sym"),
        (r"\z", "z"),
        ("#{10 9 :b 2 [1]}", [2, 9, 10, "b", [1]]),
        ("{:from 1, 2 [3], :x/y (4)}", {"from": 1, "2": [3], "x/y": [4]}),
        ("{nil 1 true 2}", {"nil": 1, "true": 2}),
        ("[nil true 1.5 1N]", [None, True, 1.5, 1]),
        ("1/3", "1/3"),
        ("1.50M", "1.50M"),
        ('#inst "z"', '#inst "z"'),
        ("##Inf", "##Inf"),
    ],
)
def test_edn_becomes_json_knowingly(tmp_path: Path, edn: str, value: Any) -> None:
    assert identity(converted(tmp_path, edn)[0]) == identity(value)


def test_errors_extras_and_keys_become_json_too(tmp_path: Path) -> None:
    (tmp_path / "h.edn").write_text(
        "{:type :invoke, :process 0, :f :w, :key :k, :value #{1}, :error [:net #{:x}], :more {:a :b}}"
    )
    save_history(load_history(tmp_path / "h.edn"), tmp_path / "h.jsonl")
    op = load_history(tmp_path / "h.jsonl")[0]
    assert (op.key, op.value, op.error, op.extra) == ("k", [1], ["net", ["x"]], {"more": {"a": "b"}})
    assert not isinstance(op.key, Keyword)


@pytest.mark.parametrize("values", [(":a", '"a"'), ("#{1 2}", "[1 2]"), ("{1 2}", '{"1" 2}'), ("1/3", '"1/3"')])
def test_values_that_json_cannot_tell_apart_are_refused(tmp_path: Path, values: tuple[str, str]) -> None:
    with pytest.raises(HistoryError, match="would be the same in JSON; write .edn instead"):
        converted(tmp_path, *values)


def test_keys_that_json_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="has keys that JSON cannot tell apart; write .edn instead"):
        converted(tmp_path, '{1 :x "1" :y}')


# ---------------------------------------------------------------- nothing but HistoryError

_PIECES = st.sampled_from(
    [
        *'{}[]",:;# \n\\',
        JSON,
        EDN,
        '"type":"ok",',
        ":type :info ",
        '"process":',
        "nil",
        "null",
        "1e9",
        "\x00",
        "ü",
        "NaN",
        "{",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=8).map("".join).map(str.encode) | st.binary(max_size=40), st.booleans())
def test_no_file_breaks_the_reader(tmp_path: Path, data: bytes, keyed: bool) -> None:
    """Whatever stands in a file, it is read or refused in one sentence."""
    path = tmp_path / "history"
    path.write_bytes(data)
    for torn in ("refuse", "truncate"):
        try:
            run = load_history(path, keyed=keyed, torn=torn)
        except HistoryError as error:
            assert str(path) in str(error)  # noqa: PT017 - either outcome is right
        else:
            assert len(list(run)) == len(run)
