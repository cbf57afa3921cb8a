"""CSV, Parquet and Porcupine's logs: the same history as from EDN, and one sentence for what is none."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.formats import json_columns, load_history, table
from harness.history import History
from harness.op import Op
from tests.builders import history
from tests.harness.formats import strategies

CSV = """process,type,f,key,value,time,node
0,invoke,write,x,1,1000,n1
1,invoke,read,x,,2000,n2
0,ok,write,x,1,3000,n1
1,ok,read,x,1,4000,n2
nemesis,info,start-kill,,"{""id"": 1}",5000,
2,invoke,cas,x,"[1, 2]",6000,
2,info,cas,x,"[1, 2]",7000,
3,invoke,write,y,three words,8000,
"""
SAME = history("""
    p0      invoke write x 1           node=n1 time=1us
    p1      invoke read  x _           node=n2 time=2us
    p0      ok     write x 1           node=n1 time=3us
    p1      ok     read  x 1           node=n2 time=4us
    nemesis info   start-kill - {"id": 1}      time=5us
    p2      invoke cas   x [1, 2]              time=6us
    p2      info   cas   x [1, 2]              time=7us
    p3      invoke write y "three words"       time=8us
""")
LOG = """INFO  jepsen.util - 0	:invoke	:read	nil
INFO  jepsen.util - 1	:invoke	:write	3
INFO  jepsen.util - 0	:ok	:read	nil
INFO  jepsen.util - 2	:invoke	:cas	[3 1]
INFO  jepsen.util - 1	:info	:write	:timed-out
INFO  jepsen.util - 2	:fail	:cas	[3 1]
INFO  jepsen.util - 0	:invoke	:read	nil
INFO  jepsen.util - 0	:fail	:read	:timed-out
"""


def written(tmp_path: Path, text: str, name: str = "history") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_csv_is_a_history(tmp_path: Path) -> None:
    assert load_history(written(tmp_path, CSV)) == SAME


def test_parquet_is_a_history(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    path = tmp_path / "history.parquet"
    columns = {
        "process": [0, 1, 0, 1],
        "type": ["invoke", "invoke", "ok", "ok"],
        "f": ["write", "read", "write", "read"],
        "value": [7, None, 7, 7],
    }
    parquet.write_table(pa.table(columns), path)
    calls = load_history(path).calls()
    assert [(calls.op(row).f, calls.completion(row).value) for row in range(2)] == [("write", 7), ("read", 7)]  # type: ignore[union-attr]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(HistoryError, match="broken Parquet"):
        load_history(path)
    with (
        patch.dict(sys.modules, {"pyarrow": None, "pyarrow.parquet": None}),
        pytest.raises(HistoryError, match="pip install pyarrow"),
    ):
        load_history(path)


@settings(max_examples=60, deadline=None)
@given(st.lists(strategies.json_values(), max_size=12), st.integers(1, 4))
def test_any_values_come_back_from_tables(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], at_once: int
) -> None:
    """The same history from JSON lines, CSV and Parquet, in batches of any size."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    ops = [
        op for n, value in enumerate(values) for op in (Op(process=n, f="write", value=value, time_ns=n, index=2 * n),)
    ]
    directory = tmp_path_factory.mktemp("tables")
    wanted = History.of(ops)
    with (directory / "history.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["index", "time_ns", "process", "type", "f", "value"])
        writer.writerows([op.index, op.time_ns, op.process, "invoke", op.f, json.dumps(op.value)] for op in ops)
    rows = {
        "index": [op.index for op in ops],
        "process": [op.process for op in ops],
        "type": ["invoke"] * len(ops),
        "f": ["write"] * len(ops),
        "time": [op.time_ns for op in ops],
    }
    names = pa.table({**rows, "value": pa.array([f"v{n}" for n in range(len(ops))], type=pa.string())})
    parquet.write_table(names, directory / "history.parquet")
    with patch.object(json_columns, "LINES_AT_ONCE", at_once), patch.object(table, "ROWS_AT_ONCE", at_once):
        assert load_history(directory / "history.csv") == wanted
        found = load_history(directory / "history.parquet")
    assert [(op.index, op.time_ns, op.process, op.value) for op in found] == [
        (op.index, op.time_ns, op.process, f"v{n}") for n, op in enumerate(ops)
    ]


def test_cells_of_parquet_may_be_lists_maps_and_numbers(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    path = tmp_path / "history.parquet"
    for values in ([[1, None], [2, 3]], [{"a": 1}, {"a": 2}], [1.5, 2.0], [True, False], ["x", None]):
        columns = {"process": [0, 1], "type": ["invoke"] * 2, "f": ["write"] * 2, "value": values}
        parquet.write_table(pa.table(columns), path)
        assert [op.value for op in load_history(path)] == values
    parquet.write_table(pa.table({**columns, "value": [1.5, float("nan")]}), path)
    with pytest.raises(HistoryError, match="row 2: value has nan, which JSON cannot hold"):
        load_history(path)
    parquet.write_table(pa.table({**columns, "value": [1, 2], "process": [0, 0]}), path)
    with pytest.raises(HistoryError, match="row 2: process 0 invokes 'write' while its 'write' of line 1 is open"):
        load_history(path)


def test_rows_that_go_over_lines_are_counted_by_lines(tmp_path: Path) -> None:
    text = 'process,type,f,value\n\n0,invoke,write,"two\nlines"\n0,ok,write,007\n1,oops,read,\n'
    with pytest.raises(HistoryError, match="line 6: type is 'oops'"):
        load_history(written(tmp_path, text))
    found = [op.value for op in load_history(written(tmp_path, text.replace("1,oops", "1,invoke")))]
    assert found == ["two\nlines", "007", None]
    path = tmp_path / "bad.csv"
    path.write_bytes(text.encode() + b"2,invoke,\xff,1\n")
    with pytest.raises(HistoryError, match=r"line (6: type|7: byte 0xff)"):
        load_history(path)


def test_a_log_of_etcd_is_a_history(tmp_path: Path) -> None:
    found = [(op.process, str(op.type), op.f, op.value) for op in load_history(written(tmp_path, LOG))]
    assert found == [
        (0, "invoke", "read", None),
        (1, "invoke", "write", 3),
        (0, "ok", "read", None),
        (2, "invoke", "cas", [3, 1]),
        (1, "info", "write", 3),
        (2, "fail", "cas", [3, 1]),
        (0, "invoke", "read", None),
        (0, "fail", "read", None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CSV.replace("value", "valu", 1), "'valu' is no column of a history"),
        (CSV.replace("process,type,f", "process,f,type", 1), "line 2: type is 'write'"),
        (CSV.replace("0,ok,write,x,1,3000,n1", "0,ok,write,x,1"), "line 4: there are 5 cells"),
        (CSV.replace("1,ok,read", "0,ok,read"), "line 5: process 0 completes 'read' without an invocation"),
        (CSV.replace("2,info", "-2,info"), "line 8: process is -2"),
        (CSV.replace("3000", "3000.5"), "line 4: time is 3000.5; it must be a whole number"),
        (CSV + '4,invoke,write,x,"1', "this is no CSV"),
        (LOG.replace(":write\t3", ":write\tthree"), "line 2: the value is 'three'"),
        (LOG.replace("- 2\t:fail", "- 5\t:fail"), "line 6: process 5 completes 'cas' without an invocation"),
        (LOG.replace("INFO  jepsen.util - 0\t:ok\t:read\tnil", "something else"), "line 3: this is 'something else'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(HistoryError, match=message.replace("[", r"\[")):
        load_history(written(tmp_path, text))
