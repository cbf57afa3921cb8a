"""The views of a history: what checkers and reports build on must mean what Jepsen's rules say."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest

from harness.errors import HistoryError
from harness.history import FAIL, FOREVER, INFO, INVOKE, NEMESIS_PROCESS, NO_KEY, OK, Calls, History
from harness.op import NEMESIS, Op, OpType
from tests.builders import history, ops, timeline

RUN = """
    p0      invoke write x 1
    p1      invoke read  x _       node=n2
    nemesis info   start-kill - {"id":1,"kind":"kill"}
    p0      ok     write x 1
    p2      invoke cas   y [1,2]
    p1      ok     read  x 1       node=n2 final=true
    nemesis info   start-kill - {"id":1,"kind":"kill","bit":true}
    p2      info   cas   y [1,2]   error=timeout
    p3      invoke enq   - 7
    p0      invoke write x 2
    p0      fail   write x 2       error=refused
    nemesis info   heal - _
"""


def test_ops_come_back_as_they_were() -> None:
    given = ops(RUN)
    run = history(RUN)
    assert list(run) == given
    assert run[-1] == given[-1]
    assert len(run) == len(given)


@pytest.mark.parametrize("row", [12, -13, 1000])
def test_a_row_outside_is_an_index_error(row: int) -> None:
    with pytest.raises(IndexError, match="12 lines"):
        history(RUN)[row]


def test_columns() -> None:
    run = history(RUN)
    assert run.index.tolist() == list(range(12))
    assert run.type[:4].tolist() == [INVOKE, INVOKE, INFO, OK]
    assert run.process.tolist() == [0, 1, NEMESIS_PROCESS, 0, 2, 1, NEMESIS_PROCESS, 2, 3, 0, 0, NEMESIS_PROCESS]
    assert [run.fs[code] for code in run.f[:5]] == ["write", "read", "start-kill", "write", "cas"]
    assert run.key[2] == NO_KEY
    assert [run.keys[code] for code in run.key if code != NO_KEY] == ["x", "x", "x", "y", "x", "y", "x", "x"]
    assert run.value[0] == run.value[3] == run.value[5]
    assert run.nodes[run.node[1]] == "n2"
    assert run.node[0] == NO_KEY
    assert run.pair.tolist() == [3, 5, 6, 0, 7, 1, 2, 4, NO_KEY, 10, 9, NO_KEY]
    assert run.errors == {7: "timeout", 10: "refused"}
    assert run.extras == {5: {"final": True}}
    assert run.clients.tolist() == [process >= 0 for process in run.process]


def test_nothing_of_a_history_can_be_changed() -> None:
    run = history(RUN)
    for name in ("index", "time_ns", "type", "process", "f", "key", "value", "node", "pair"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(run, name)[0] = 1


def test_calls() -> None:
    run = history(RUN)
    calls = run.calls()
    assert calls is run.calls()
    assert calls.call.tolist() == [0, 1, 4, 8, 9]
    assert calls.ret.tolist() == [3, 5, FOREVER, FOREVER, 10]  # info, and never completed: open for ever
    assert calls.outcome.tolist() == [OK, OK, INFO, INFO, FAIL]
    assert calls.process.tolist() == [0, 1, 2, 3, 0]
    assert [run.fs[code] for code in calls.f] == ["write", "read", "cas", "enq", "write"]
    assert [run.values[code] for code in calls.argument] == [1, None, [1, 2], 7, 2]
    assert calls.result[3] == NO_KEY
    assert [run.values[code] for code in calls.result if code != NO_KEY] == [1, 1, [1, 2], 2]
    assert calls.node.tolist() == [NO_KEY, 0, NO_KEY, NO_KEY, NO_KEY]
    assert calls.op(2) == run[4]
    assert calls.completion(2) == run[7]
    assert calls.completion(3) is None


def test_calls_of_some_rows() -> None:
    calls = history(RUN).calls()
    certain = calls.where(calls.outcome == OK)
    assert len(certain) == 2
    assert certain.ret.tolist() == [3, 5]
    assert certain.history is calls.history
    assert len(certain.where(certain.outcome == FAIL)) == 0


def test_calls_by_key_come_in_order_of_first_appearance() -> None:
    run = history("""
        p0 invoke write b 1
        p1 invoke write - 2
        p2 invoke write a 3
        p0 ok     write b 1
        p3 invoke read  b _
        p4 invoke read  a _
    """)

    def of(calls: Calls) -> list[Any]:
        return [run.values[code] for code in calls.argument]

    groups = [(NO_KEY if key == NO_KEY else run.keys[key], of(calls)) for key, calls in run.calls().by_key()]
    assert groups == [("b", [1, None]), (NO_KEY, [2]), ("a", [3, None])]


def test_nemesis_lines_pair_in_twos_of_one_f() -> None:
    def named(text: str) -> list[tuple[int, int | None]]:
        return [(start.index, None if end is None else end.index) for start, end in history(text).nemesis()]

    assert named("""
        nemesis info start-partition - "majority"
        nemesis info start-partition - [["n1"],["n2"]]
        nemesis info stop-partition - _
        nemesis info start-partition - "one"
        nemesis info stop-partition - "healed"
        nemesis info start-partition - [["n1"]]
        nemesis info stop-partition - _
    """) == [(0, 1), (2, 4), (3, 5), (6, None)]


def test_two_faults_of_one_kind_at_once_are_told_apart_by_their_id() -> None:
    run = history("""
        nemesis info start-kill - {"id": 1}
        nemesis info start-kill - {"id": 2}
        nemesis info start-kill - {"id": 2, "bit": true}
        nemesis info start-kill - {"id": 1, "bit": false}
    """)
    assert [(start.value["id"], end and end.value["bit"]) for start, end in run.nemesis()] == [(1, False), (2, True)]


def test_an_empty_history_has_all_views() -> None:
    empty = History.of([])
    assert len(empty) == 0
    assert list(empty) == []
    assert len(empty.calls()) == 0
    assert list(empty.calls().by_key()) == []
    assert empty.nemesis() == []
    assert len(empty.to_frame()) == 0
    assert empty == pickle.loads(pickle.dumps(empty))
    assert len(empty.select([])) == 0
    with pytest.raises(HistoryError, match="index 0"):
        empty.rows_of(0)


def test_a_pickled_history_is_the_same() -> None:
    run = history(RUN)
    run.calls()  # the cache does not travel
    again = pickle.loads(pickle.dumps(run))
    assert again == run
    assert list(again) == list(run)
    assert again.calls().ret.tolist() == run.calls().ret.tolist()


@pytest.mark.parametrize(
    "other",
    [
        RUN.replace("write x 1", "write x true"),  # Python holds 1 == True
        RUN.replace("write x 1", "write x 1.0"),
        RUN.replace("write x", "write 1"),
        RUN.replace("node=n2", "node=n3"),
        RUN.replace("timeout", "net"),
        RUN.replace("final=true", "final=false"),
        RUN.replace("final=true", "final=1"),
        RUN.replace("enq", "push"),
        RUN.replace("heal - _", "heal - _ time=5s"),
        RUN + "p9 invoke read x _",
    ],
)
def test_histories_differ_if_any_line_does(other: str) -> None:
    assert history(RUN) != history(other)
    assert history(RUN) == history(RUN)


def test_equality_does_not_depend_on_how_values_are_numbered() -> None:
    lines: dict[str, Any] = {"type": [0, 1, 0], "process": [0, 0, 1], "f": [0, 0, 0], "fs": ["w"]}
    one = History.from_columns(**lines, value=[0, 1, 0], values=[[1], "a"])
    other = History.from_columns(**lines, value=[2, 0, 2], values=["a", "unused", [1]])
    assert one == other
    assert one != History.from_columns(**lines, value=[0, 0, 1], values=[[1], "a"])


def test_rows_of_indices() -> None:
    run = History.of([Op(f="r", process=process, index=index) for process, index in enumerate([3, 5, 9])])
    assert run.rows_of([9, 3]).tolist() == [2, 0]
    for unknown in (4, 10, -1):
        with pytest.raises(HistoryError, match=f"index {unknown}"):
            run.rows_of([3, unknown])


def test_select_keeps_indices_times_errors_and_pairs() -> None:
    run = history(RUN)
    some = run.select([7, 4, 5, 1])
    assert some.index.tolist() == [1, 4, 5, 7]
    assert list(some) == [run[row] for row in (1, 4, 5, 7)]
    assert some.pair.tolist() == [2, 3, 0, 1]
    assert list(run.select(run.process == 0)) == [op for op in run if op.process == 0]


def test_select_refuses_to_tear_an_operation() -> None:
    with pytest.raises(HistoryError, match="line 4: process 0 completes 'write' without an invocation"):
        history(RUN).select([3])


def test_to_frame() -> None:
    frame = history(RUN).to_frame()
    assert list(frame.columns) == [
        "index",
        "time_ns",
        "type",
        "process",
        "f",
        "key",
        "value",
        "node",
        "pair",
        "error",
    ]
    assert Counter(frame.type.tolist()) == {"invoke": 5, "info": 4, "ok": 2, "fail": 1}
    assert frame.loc[4, "value"] == [1, 2]
    assert list(frame.loc[5, ["f", "key", "value", "node", "pair"]]) == ["read", "x", 1, "n2", 1]
    assert frame.loc[2, "key"] is None
    assert frame["node"].isna().sum() == 10
    assert frame["error"].dropna().to_dict() == {7: "timeout", 10: "refused"}


def test_lines_without_index_and_time_get_row_numbers_and_none() -> None:
    run = History.of([Op(f="r", process=0), Op(f="r", process=0, type=OpType.OK)])
    assert run.index.tolist() == [0, 1]
    assert run.time_ns.tolist() == [-1, -1]


def test_from_columns_merges_equal_values_unless_told_that_there_are_none() -> None:
    run = History.from_columns(
        type=[0, 0, 0, 0],
        process=[0, 1, 2, 3],
        f=[0, 1, 0, 1],
        fs=["w", "w"],
        value=[0, 1, 2, 3],
        values=[{"a": 1, "b": 2}, {"b": 2, "a": 1}, 1, True],
        key=[0, 1, -1, 0],
        keys=["k", "k"],
        node=[0, 1, 1, -1],
        nodes=["n1", "n1"],
    )
    assert (run.fs, run.keys, run.nodes) == (["w"], ["k"], ["n1"])
    assert run.value.tolist() == [0, 0, 1, 2]
    assert run.key.tolist() == [0, 0, NO_KEY, 0]
    assert run.node.tolist() == [0, 0, 0, NO_KEY]
    many = History.from_columns(type=[0], process=[0], f=[0], fs=["w"], value=[7], values=range(1000), interned=True)
    assert many[0].value == 7


GOOD: dict[str, Any] = {
    "type": [0, 1],
    "process": [0, 0],
    "f": [0, 0],
    "fs": ["w"],
    "value": [0, 0],
    "values": [1],
}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"f": [0]}, "column 'f' has shape"),
        ({"f": [[0, 0]]}, "column 'f' has shape"),
        ({"f": [0, 1]}, "line 2: f 1 is a code outside of its table"),
        ({"f": [-1, 0]}, "line 1: f -1 is a code outside"),
        ({"value": [0, 1]}, "line 2: value 1 is a code outside"),
        ({"value": [0, -1]}, "line 2: value -1 is a code outside"),
        ({"key": [0, -1]}, "line 1: key 0 is a code outside"),
        ({"key": [-2, -1]}, "line 1: key -2"),
        ({"node": [0, 0]}, "line 1: node 0 is a code outside"),
        ({"type": [0, 4]}, "line 2: type 4 is no code"),
        ({"type": [0, 300]}, "column 'type' has numbers that do not fit into int8"),
        ({"process": [0.5, 0.5]}, "column 'process' has numbers that do not fit"),
        ({"process": [-2, -2]}, "line 1: process -2 is negative"),
        ({"index": [1, 1]}, "line 2: index 1 does not exceed the one before"),
        ({"index": [2, 1]}, "line 2: index 1 does not exceed"),
        ({"index": [-1, 5]}, "line 1: index -1 does not exceed the one before; .* on all lines or on none"),
        ({"time_ns": [0, -2]}, "line 2: time_ns -2 is negative"),
        ({"fs": [7]}, "7 is no name"),
        ({"type": [1, 1]}, "line 1: process 0 completes 'w' without an invocation"),
    ],
)
def test_from_columns_refuses(wrong: dict[str, Any], sentence: str) -> None:
    assert len(History.from_columns(**GOOD)) == 2
    with pytest.raises(HistoryError, match=sentence):
        History.from_columns(**{**GOOD, **wrong})


def test_columns_are_copied() -> None:
    types = np.array([0, 1], dtype=np.int8)
    run = History.from_columns(**{**GOOD, "type": types})
    types[1] = 3
    assert run.type.tolist() == [0, 1]


def test_touching_bars_of_a_drawing_overlap() -> None:
    run = timeline("""
        p0   |-- write x 1 --|
        p1                   |-- read x 0 --|
        p2        |-- cas x [1,2] -->
        p3     |-- write - "a b" --!
    """)
    assert [(op.index, op.process, str(op.type), op.f, op.key, op.value) for op in run] == [
        (0, 0, "invoke", "write", "x", 1),
        (1, 3, "invoke", "write", None, "a b"),
        (2, 2, "invoke", "cas", "x", [1, 2]),
        (3, 1, "invoke", "read", "x", None),
        (4, 0, "ok", "write", "x", 1),
        (5, 3, "fail", "write", None, "a b"),
        (6, 2, "info", "cas", "x", [1, 2]),
        (7, 1, "ok", "read", "x", 0),
    ]
    assert (np.diff(run.time_ns) >= 0).all()


@pytest.mark.parametrize("text", ["p0 invoke write x", "p0 does write x 1", "p0 ok write x 1 y", "q0 ok write x 1"])
def test_builders_refuse_what_is_not_in_the_notation(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|does"):
        history(text)


@pytest.mark.parametrize(
    "text", ["p0 |-- write x --|", "p0 |-- write x 1 --", "p0 |-- write x 1 2 --|", NEMESIS + " |- w x 1 -|"]
)
def test_a_drawing_refuses_what_is_no_bar(text: str) -> None:
    with pytest.raises(ValueError, match=r"not|too much|nemesis"):
        timeline(text)


def test_times_of_the_text_notation() -> None:
    run = history("""
        p0 invoke w - 1  time=7ns
        p1 invoke w - 1  time=3us
        p2 invoke w - 1  time=20ms
        p3 invoke w - 1  time=1.5s error=[1]
    """)
    assert run.time_ns.tolist() == [7, 3_000, 20_000_000, 1_500_000_000]
    assert run[3].error == [1]
