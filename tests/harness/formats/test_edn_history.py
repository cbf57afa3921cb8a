"""Jepsen's histories: read as they are meant, written so that they come back, refused by line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from harness.errors import HistoryError
from harness.formats import edn_history
from harness.formats.edn import Keyword, Tagged
from harness.history import INFO, History
from harness.op import NEMESIS, Op, OpType
from tests.builders import ops
from tests.harness.formats.strategies import edn_values, op_lists, patient


def read(text: str, **options: Any) -> History:
    return edn_history.read(text, "h.edn", **options)


def written(lines: list[Op]) -> str:
    return "".join(edn_history.write(lines))


def test_the_format_is_this() -> None:
    lines = ops("""
        p0      invoke write x 1         node=n1
        nemesis info   start-kill - {"id": 1}
        p0      ok     write x [1,"a"]   error=net final=true
    """)
    assert written(lines) == (
        '{:index 0, :time 0, :type :invoke, :process 0, :f :write, :key "x", :value 1, :node "n1"}\n'
        '{:index 1, :time 1000000, :type :info, :process :nemesis, :f :start-kill, :value {"id" 1}}\n'
        '{:index 2, :time 2000000, :type :ok, :process 0, :f :write, :key "x", :value [1 "a"], :error "net", :final true}\n'
    )
    assert list(read(written(lines))) == lines


@settings(patient, max_examples=40)
@given(op_lists(edn_values()))
def test_round_trip(lines: list[Op]) -> None:
    assert read(written(lines)) == History.of(lines)


@pytest.mark.parametrize(
    "text",
    [
        "{:type :invoke, :process 0, :f :r, :value nil}\n{:type :ok, :process 0, :f :r, :value [1]}\n",
        "{:process 0 :f :r :type :invoke}{:process 0 :f :r :type :ok :value (1)}",
        "[{:type :invoke, :process 0, :f :r}\n {:type :ok, :process 0, :f :r, :value [1]}]",
        "({:type :invoke, :process 0, :f :r}\n {:type :ok, :process 0, :f :r, :value [1]})",
        "; x\n#jepsen.history.Op{:index nil :type :invoke :process 0 :f :r}\n\n#a.Op{:type :ok :process 0 :f :r :value [1]}#_{}",
        '{"type" "invoke", "process" 0, "f" "r"}\n{"type" "ok", "process" 0, "f" "r", "value" [1]}\n',
    ],
)  # fmt: skip
def test_dialects(text: str) -> None:
    run = read(text)
    assert run == History.of([Op(process=0, f="r"), Op(process=0, f="r", type=OpType.OK, value=[1])])
    assert [type(f) for f in run.fs] == [str]


def test_what_is_not_a_field_is_extra() -> None:
    run = read('{:type :info, :process :nemesis, :f :kill, :value :all, :clock-offsets {"n1" 1.5}, :a/b #{1}, "c d" 2}')
    assert run[0].process == NEMESIS
    assert run[0].value == Keyword("all")
    assert run.extras == {0: {"clock-offsets": {"n1": 1.5}, "a/b": frozenset({1}), "c d": 2}}
    assert [type(name) for name in run.extras[0]] == [str] * 3


def test_keywords_and_strings_are_two_values() -> None:
    run = read('{:type :invoke, :process 0, :f :w, :value :a}{:type :invoke, :process 1, :f :w, :value "a"}')
    assert run.value.tolist() == [0, 1]


def test_transactions_may_lack_f() -> None:
    run = read("{:type :invoke, :process 0, :value [[:r 1 nil]]}\n{:type :ok, :process 0, :value [[:r 1 [2]]]}")
    assert run.fs == ["txn"]


def test_keyed_values_are_taken_apart() -> None:
    run = read(
        "{:type :invoke, :process 0, :f :w, :value [:x 1]}"
        "{:type :info, :process :nemesis, :f :w, :value [:n1 :n2]}"
        "{:type :invoke, :process 1, :f :w, :key 7, :value [3 4]}"
        "{:type :invoke, :process 2, :f :w, :value ([1 2] nil)}",
        keyed=True,
    )
    assert [(op.key, op.value) for op in run] == [("x", 1), (None, ["n1", "n2"]), (7, [3, 4]), ([1, 2], None)]


A = "{:type :invoke, :process 0, :f :r}\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (A + "\n7", "line 3: this is 7, no op; an op is"),
        (A + "#inst {:a 1}", "line 2: this is #inst {:a 1}, no op"),
        (A + "{:process 0, :f :r}", "line 2: :type is nil; it must be one of invoke, ok, fail, info"),
        (A + "{:type [1], :process 0, :f :r}", "line 2: :type is \\[1\\]"),
        (A + "{:type :okay, :process 0, :f :r}", "line 2: :type is :okay"),
        (A + "{:type :ok, :f :r}", "line 2: process is missing"),
        (A + "{:type :ok, :process -1, :f :r}", "line 2: process is -1"),
        (A + "{:type :ok, :process 1.0, :f :r}", "line 2: process is 1.0"),
        (A + "{:type :ok, :process :p0, :f :r}", "line 2: process is :p0"),
        (A + "{:type :ok, :process 0}", "line 2: :f is nil; it must be the name of the operation, such as :read"),
        (A + "{:type :ok, :process 0, :f 1}", "line 2: :f is 1"),
        (A + "{:type :ok, :process 0, :f :r, :time 1.5}", "line 2: :time is 1.5; it must be a whole number"),
        (A + "{:type :ok, :process 0, :f :r, :index :a}", "line 2: :index is :a"),
        (A + "{:type :ok, :process 0, :f :r, :index 9223372036854775808}", "line 2: index, time and process must be"),
        (A + "{:type :ok, :process 0, :f :r, :node 1}", "line 2: :node is 1; a node is a name"),
        (A + "{:type :ok, :process 0, :f :r, 7 1}", "line 2: a field is called 7; fields are called by keywords"),
        (A + "{:type :ok, :process 0, :f :r, :value ##NaN}", "line 2: .*NaN"),
        (A + "{:type :ok, :process 0, :f :w}", "line 2: process 0 completes 'w' but the f differs"),
        ("[" + A + "\n" + A + "]", "line 3: process 0 invokes 'r' while its 'r' of line 1 is open"),
        ("[" + A.strip() + A.strip() + "]", "line 1, op 1: process 0 invokes"),
        (A + "{:type :ok, :process", "line 2 column 1: this { is never closed"),
        (A + "{:type :ok, :process 0, :f :r]", "line 2 column 30: \\] cannot close"),
    ],
)
def test_errors_name_the_line_and_what_is_right(text: str, sentence: str) -> None:
    with pytest.raises(HistoryError, match=r"^h\.edn " + sentence):
        read(text)


@pytest.mark.parametrize("value", ["nil", "1", "[1]", "[1 2 3]", "[nil 1]", "{:a 1}", "#{1 2}"])
def test_a_keyed_value_that_is_no_pair_is_refused(value: str) -> None:
    with pytest.raises(HistoryError, match=r"line 1: :value is .* has \[key value\]"):
        read(f"{{:type :invoke, :process 0, :f :r, :value {value}}}", keyed=True)


def test_what_cannot_be_written_is_named_by_op() -> None:
    with pytest.raises(HistoryError, match=r"op 1 \(index 7\): a object cannot be written as EDN"):
        written([Op(process=0, f="w"), Op(process=1, f="w", index=7, value=object())])
    with pytest.raises(HistoryError, match="extra field 'time' is a field of every op"):
        written([Op(process=0, f="w", extra={"time": 1})])


def test_a_torn_end_at_every_byte_of_the_last_line() -> None:
    call = ops('p0 invoke write x {"é":[1,"ü"]}')[0]
    first, last = (
        written([call]),
        written([Op(index=1, process=0, type=OpType.OK, f="write", key="x", value=Tagged("t", [1]))]),
    )
    for cut in range(1, len(last) - 1):
        with pytest.raises(HistoryError, match=r"h\.edn line 2"):
            read(first + last[:cut])
        run = read(first + last[:cut], torn="truncate")
        assert list(run) == [call]
        assert run.calls().outcome.tolist() == [INFO]
    assert len(read(first + last[:-1])) == len(read(first + last[:-1], torn="truncate")) == 2


def test_truncating_forgives_the_last_line_alone() -> None:
    for text in (A + "{:type\n" + A, A + "{:type\n", A + "{:type :oops}", "[" + A + A[:9], "{:type"):
        with pytest.raises(HistoryError, match=r"h\.edn line"):
            read(text, torn="truncate")
