"""Nothing recorded is lost: whatever moment the controller dies at, reopening gives every op that was sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ClusterError
from harness.formats import load_history
from harness.history import INFO
from harness.journal import CONTROLLER_DIED, Appender, FaultJournal, HistoryJournal, recover_history
from harness.op import Op, OpType
from tests.builders import ops

LINES = ops(
    """
    p0       invoke write x 1
    p1       invoke read  x _
    p0       ok     write x 1
    nemesis  info   start-kill - {"id":1}
    p2       invoke cas   x [1,2]
    p1       ok     read  x 1
    """
)


def recorded(path: Path, lines: list[Op]) -> bytes:
    journal = HistoryJournal(path)
    for op in lines:
        journal.record(op)
    journal.close()
    return path.read_bytes()


def test_an_invocation_is_in_the_file_before_record_returns(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    journal = HistoryJournal(path)
    for sent, op in enumerate(LINES, 1):
        journal.record(op)
        if op.type is OpType.INVOKE or op.is_nemesis:
            assert len(path.read_bytes().splitlines()) == sent + 1  # all lines so far, and the header
    journal.close()
    assert len(load_history(path)) == len(LINES)


def test_whatever_byte_the_file_ends_at_the_whole_lines_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    data = recorded(path, LINES)
    header = data.index(b"\n") + 1
    for end in range(header, len(data)):
        path.write_bytes(data[:end])
        whole = data[:end].count(b"\n") - 1
        opened = {op.process for op in LINES[:whole] if op.type is OpType.INVOKE}
        closed = {op.process for op in LINES[:whole] if op.type is OpType.OK}
        assert recover_history(path) == len(opened - closed)
        history = load_history(path)
        assert list(history)[:whole] == LINES[:whole]
        added = list(history)[whole:]
        assert {op.process for op in added} == opened - closed
        assert all(op.type is OpType.INFO and op.error == CONTROLLER_DIED for op in added)


def test_recovering_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    recorded(path, LINES)
    assert recover_history(path) == 1
    once = path.read_bytes()
    assert recover_history(path) == 0
    assert path.read_bytes() == once


WRITER = """
import sys
from pathlib import Path
from harness.journal import HistoryJournal
from harness.op import Op
journal = HistoryJournal(Path(sys.argv[1]))
for number in range(10**9):
    journal.record(Op(index=number, time_ns=number, process=number, f="write", value=number))
    sys.stdout.buffer.write(b"%d\\n" % number)  # the request leaves
    sys.stdout.buffer.flush()
"""


@pytest.mark.process
def test_kill_9_loses_no_op_that_was_sent(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    for lines_read in (1, 7, 100):
        path.unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(lines_read):
                sent = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            rest = child.stdout.read().split()
        sent = max([sent, *map(int, rest[:-1])])
        recover_history(path)
        calls = load_history(path).calls()
        assert len(calls) >= sent + 1
        assert (calls.outcome == INFO).all()


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system: nothing here is always full")
    with pytest.raises(ClusterError, match="cannot write /dev/full: the disk is full: free some space"):
        Appender(full).write(b"x")


def test_the_fault_journal_is_one_synced_line_per_state(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    journal = FaultJournal(path, lambda: 7)
    journal.record("intent", 3, kind="kill")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"splitbrain": "faults", "version": 1}, {"time": 7, "state": "intent", "id": 3, "kind": "kill"}]
    journal.close()
