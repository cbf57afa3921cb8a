"""Every way in which a file is no history, in every format, plain and gzipped: one sentence with file, line, and what would be right."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from harness.errors import HistoryError
from harness.formats import load_history

JSON = '{{"process":{p},"type":"{t}","f":"write","value":1}}\n'
EDN = "{{:process {p}, :type :{t}, :f :write, :value 1}}\n"
CSV = "{p},{t},write,1\n"
LOG = "INFO  jepsen.util - {p}\t:{t}\t:write\t1\n"
# name → (what stands before, a line, on which line the first one stands)
FORMATS = {
    "history.jsonl": ("", JSON, 1),
    "history.edn": ("", EDN, 1),
    "history.csv": ("process,type,f,value\n", CSV, 2),
    "history.log": ("", LOG, 1),
}
# What is wrong → (lines, which of them, what the sentence says is wrong, what would be right)
WRONG = {
    "two-open": (
        [(0, "invoke"), (1, "invoke"), (0, "invoke")],
        2,
        "process 0 invokes 'write' while its 'write'",
        "needs an ok, fail or info line first",
    ),
    "no-invocation": (
        [(0, "invoke"), (1, "ok")],
        1,
        "process 1 completes 'write' without an invocation",
        "must come before",
    ),
    "twice": (
        [(0, "invoke"), (0, "ok"), (0, "ok")],
        2,
        "process 0 completes 'write' without an invocation",
        "an invoke line must come before",
    ),
    "after-info": ([(0, "invoke"), (0, "info"), (0, "invoke")], 2, "process 0 is used again", "a new process number"),
}


def message(tmp_path: Path, name: str, data: bytes, *, zipped: bool) -> str:
    path = tmp_path / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(data) if zipped else data)
    with pytest.raises(HistoryError) as caught:
        load_history(path)
    told = str(caught.value)
    assert told.startswith(str(path))
    assert "\n" not in told
    return told


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", FORMATS)
def test_a_broken_rule_is_told_with_its_line(tmp_path: Path, name: str, wrong: str, zipped: bool) -> None:
    head, line, first = FORMATS[name]
    rows, bad, what, right = WRONG[wrong]
    text = head + "".join(line.format(p=process, t=kind) for process, kind in rows)
    told = message(tmp_path, name, text.encode(), zipped=zipped)
    assert f" line {first + bad}: " in told
    assert what in told
    assert right in told


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_cut_off_is_told_with_its_line(tmp_path: Path, name: str, zipped: bool) -> None:
    head, line, first = FORMATS[name]
    lines = [line.format(p=process, t="invoke") for process in range(3)]
    data = (head + "".join(lines)).encode()
    told = message(tmp_path, name, data[: -len(lines[-1]) // 2 - 4], zipped=zipped)
    assert f" line {first + 2}" in told


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "data", [b"PK\x03\x04 a zip", b"<html></html>", b"hello, world\n", b"\x00\x01\x02", b"", b" \n\n"]
)
def test_what_is_none_of_the_formats_is_told_what_would_be(tmp_path: Path, data: bytes, zipped: bool) -> None:
    assert "a history is JSON lines (.jsonl), JSON, EDN (.edn), CSV, Parquet" in message(
        tmp_path, "history", data, zipped=zipped
    )


def test_a_gzip_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl.gz"
    path.write_bytes(gzip.compress(JSON.format(p=0, t="invoke").encode() * 50)[:-9])
    with pytest.raises(HistoryError, match="is a broken gzip file: .*; unpack what can be saved of it"):
        load_history(path)
