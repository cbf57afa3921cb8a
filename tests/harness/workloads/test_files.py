"""The workloads of files: what their ops are, that a file system that works passes, and that each kind of failure is caught."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from checkers.files.check import make
from harness.files import ABSENT, EXISTS
from harness.generator import Context, clients, limit, phases
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity, Verdict
from harness.workloads.files import (
    CELL,
    EXTENT,
    FILE_APPENDS,
    FILE_APPENDS_ONCE,
    FILE_WRITES,
    FILE_WRITES_DEFINED,
    FILES,
    NAMING,
    QUIET_S,
)
from harness.workloads.workload import Workload
from tests.harness.workloads.stores import options
from tests.virtual_time import invocations, simulate

LATENCY_NS = 5_000_000
NODES = ("n1", "n2", "n3")
RECORD = 10  # bytes of an appended record
ALL = (FILES, FILE_APPENDS, FILE_APPENDS_ONCE, FILE_WRITES, FILE_WRITES_DEFINED)


class FileSystem:
    """An op takes effect when it is invoked, on all three replicas. Every so many crash behind their effect. ``bug``: see the tests."""

    def __init__(self, bug: str = "", crash_every: int = 0) -> None:
        self.bug, self.crash_every, self.count = bug, crash_every, 0
        self.files: dict[
            str, list[dict[int, Any]]
        ] = {}  # path → what each replica holds, byte by byte or record by record
        self.written = False

    def __call__(self, _: Context, op: Op) -> Op:
        self.count += 1
        done = replace(self.answer(op), time_ns=op.time_ns + LATENCY_NS)
        if self.crash_every and self.count % self.crash_every == 0 and done.type is OpType.OK:
            return replace(done, type=OpType.INFO, value=op.value, error="timeout")
        return done

    def often(self, bug: str, every: int = 15) -> bool:
        return self.bug == bug and self.count % every == 0

    def answer(self, op: Op) -> Op:
        if op.f == "list":
            return op.ok(sorted(self.files)[1:] if self.often("lists-less", 5) else sorted(self.files))
        there = op.key in self.files
        if op.f == "create":
            if there:
                return op.fail(EXISTS)
            self.files[op.key] = [{} for _ in NODES]
            return op.ok(None)
        if not there:
            return op.fail(ABSENT)
        return getattr(self, op.f)(op)  # type: ignore[no-any-return]

    def delete(self, op: Op) -> Op:
        if not self.often("keeps-deleted", 4):
            del self.files[op.key]
        return op.ok(None)

    def rename(self, op: Op) -> Op:
        if op.value in self.files:
            return op.fail(EXISTS)
        self.files[op.value] = self.files[op.key] if self.often("renames-half", 3) else self.files.pop(op.key)
        return op.ok(None)

    def stat(self, op: Op) -> Op:
        return op.ok({"records": None, "replicas": len(NODES)})

    def append(self, op: Op) -> Op:
        replicas = self.files[op.key]
        end = max((offset for replica in replicas for offset in replica), default=-RECORD) + RECORD
        if self.often("loses-records"):
            return op.ok(end)
        if self.often("doubles-records"):
            for replica in replicas:
                replica[end] = op.value
            end += RECORD
        for replica in replicas[1:] if self.often("skips-a-replica") else replicas:
            replica[end] = op.value
        return op.ok(end)

    def write(self, op: Op) -> Op:
        self.written = True
        offset, record, length = op.value
        replicas = self.files[op.key]
        # As if the one before had come later on the first half of it.
        begin = offset + length // 2 if self.often("mixes-writes", 3) and offset in replicas[0] else offset
        for replica in replicas[1:] if self.often("skips-a-replica") else replicas:
            replica.update(dict.fromkeys(range(begin, offset + length), record))
        return op.ok(None)

    def content(self, replica: dict[int, Any]) -> list[list[Any]]:
        """Entries where records begin, or where bytes are another's than the one before."""
        if not self.written:
            return [[offset, replica[offset]] for offset in sorted(replica)]
        return [[offset, record] for offset, record in sorted(replica.items()) if replica.get(offset - 1) != record]

    def read(self, op: Op) -> Op:
        entries = self.content(self.files[op.key][self.count % len(NODES)])
        if self.often("serves-damage") and entries:
            entries[-1][1] = "\x00"
        if self.often("stale-reads", 4):
            entries = entries[:-1]
        return op.ok(entries)

    def replicas(self, op: Op) -> Op:
        held = {node: self.content(replica) for node, replica in zip(NODES, self.files[op.key], strict=True)}
        return op.ok(dict([*held.items()][1:]) if self.bug == "forgets-a-replica" else held)


def run(workload: Workload, world: FileSystem, *, ops: int = 500, seed: int = 1, **chosen: Any) -> list[Op]:
    given = options(4, **chosen)
    final = workload.final(given)
    assert final is not None
    main = clients(limit(ops, workload.generator(given)))
    return simulate(phases(main, clients(final)), world, concurrency=4, seed=seed)


def judged(workload: Workload, ops: list[Op]) -> Verdict:
    history = History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ops))
    return make(**dict(workload.checkers)["files"]).check(history, Budget())


@pytest.mark.parametrize("workload", ALL, ids=lambda workload: workload.name)
@pytest.mark.parametrize("crash_every", [0, 9])
def test_a_file_system_that_works_passes(workload: Workload, crash_every: int) -> None:
    verdict = judged(workload, run(workload, FileSystem(crash_every=crash_every)))
    assert verdict.validity is Validity.VALID, verdict.reason


@pytest.mark.parametrize(
    ("workload", "bug", "name"),
    [
        (FILES, "keeps-deleted", "resurrected-file"),
        (FILES, "renames-half", "resurrected-file"),
        (FILES, "lists-less", "lost-file"),
        (FILE_APPENDS, "loses-records", "lost-record"),
        (FILE_APPENDS, "stale-reads", "stale-read"),
        (FILE_APPENDS, "serves-damage", "corrupt-read"),
        (FILE_APPENDS, "skips-a-replica", "replicas-differ"),
        (FILE_APPENDS, "forgets-a-replica", "under-replicated"),
        (FILE_APPENDS_ONCE, "doubles-records", "duplicate-record"),
        (FILE_WRITES, "skips-a-replica", "replicas-differ"),
        (FILE_WRITES, "stale-reads", "stale-read"),
        (FILE_WRITES_DEFINED, "mixes-writes", "undefined-region"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_each_finds_what_it_is_for(workload: Workload, bug: str, name: str) -> None:
    assert name in {anomaly.name for anomaly in judged(workload, run(workload, FileSystem(bug))).anomalies}


def test_records_may_be_doubled_where_at_least_once_is_promised() -> None:
    verdict = judged(FILE_APPENDS, run(FILE_APPENDS, FileSystem("doubles-records")))
    assert verdict.validity is Validity.VALID
    assert verdict.stats["duplicate_share"] > 0.03


def test_files_are_made_before_they_are_used_and_looked_at_in_the_end() -> None:
    ops = run(FILE_APPENDS, FileSystem(), keys=2)
    asked = invocations(ops)
    assert {op.key for op in asked} == {"f0", "d1/f1"}
    assert [op.f for op in asked if op.f == "create"] == ["create"] * 2
    assert all(op.type is not OpType.FAIL for op in ops)
    finals = Counter((op.f, op.key) for op in asked if op.extra.get("final"))
    assert finals == {(f, path): many for f, many in (("read", 4), ("replicas", 2)) for path in ("f0", "d1/f1")}
    appended = [op.value for op in asked if op.f == "append"]
    assert appended == list(range(len(appended)))
    quiet = [op for op in asked if op.time_ns > max(op.time_ns for op in asked if op.f == "append")]
    watched = [op.time_ns for op in quiet if op.f == "stat"]
    assert watched[-1] - watched[0] > (QUIET_S - 1) * 1e9


def test_writes_overlap_within_the_extent() -> None:
    spans = [op.value for op in invocations(run(FILE_WRITES, FileSystem())) if op.f == "write"]
    assert {start % CELL for start, _, _ in spans} == {length % CELL for _, _, length in spans} == {0}
    assert min(start for start, _, _ in spans) == 0
    assert max(start + length for start, _, length in spans) == EXTENT
    assert len({length for _, _, length in spans}) > 3


def test_all_that_names_can_suffer_is_asked_for() -> None:
    ops = invocations(run(FILES, FileSystem(), ops=2000))
    counts = Counter(op.f for op in ops if not op.extra)
    assert all(abs(counts[f] / 2000 - share) < 0.03 for f, share in NAMING.items())
    assert all(op.key != op.value for op in ops if op.f == "rename")
    assert {op.key for op in ops if op.f == "list"} == {None}
