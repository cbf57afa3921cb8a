"""Lines of node logs that are findings, lines that only look like them, and who is excused."""

from __future__ import annotations

from typing import Any

import pytest

from harness.log_patterns import judge_patterns
from harness.verdict import Validity

Logs = dict[str, list[dict[str, Any]]]


def text(line: str) -> dict[str, Any]:
    return {"t": None, "line": line}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("panic: runtime error: invalid memory address or nil pointer dereference", "panic"),
        ("goroutine 17 [running]:", "panic"),
        ("thread 'main' panicked at src/raft.rs:88:5:", "panic"),
        ('{"level": "fatal", "msg": "failed to sync", "caller": "wal.go"}', "panic"),
        ("java.lang.OutOfMemoryError: Java heap space", "out-of-memory"),
        ("fork: Cannot allocate memory", "out-of-memory"),
        ("AssertionError: term went back", "assertion"),
        ("node: log.c:81: append: Assertion `index > last' failed.", "assertion"),
        ("Traceback (most recent call last):", "traceback"),
        ('Exception in thread "main" java.lang.IllegalStateException', "traceback"),
        ("Segmentation fault (core dumped)", "segfault"),
        ("signal SIGABRT: abort", "segfault"),
        ("WARNING: DATA RACE", "data-race"),
        ("==7==ERROR: AddressSanitizer: heap-use-after-free", "data-race"),
    ],
)
def test_a_line_that_may_not_be_is_a_finding(line: str, name: str) -> None:
    verdict = judge_patterns({"n1": [text("all is well")], "n2": [text(line)]})
    assert verdict.validity is Validity.INVALID
    assert [(a.name, a.ops) for a in verdict.anomalies] == [(name, ())]
    assert verdict.reason == f"the log of n2 holds a line of {name}: {line}"


@pytest.mark.parametrize(
    "line",
    [
        "assertions are on",
        "recovered from the panic button being pressed",
        "memory: 17 MiB out of 64",
        "trace id 77, no traceback asked for",
        '{"level": "info", "msg": "panic threshold is 5"}',
        "AddressSanitizer is off",
    ],
)
def test_near_misses_are_none(line: str) -> None:
    assert judge_patterns({"n1": [text(line)]}).validity is Validity.VALID


def test_what_a_target_expects_and_what_a_denied_node_says_is_counted() -> None:
    logs: Logs = {"n1": [text("panic: bad token (expected in this test)")], "n2": [text("MemoryError")]}
    verdict = judge_patterns(logs, expected=[r"panic: bad token"], denied={"n2"})
    assert verdict.validity is Validity.VALID
    assert verdict.stats == {"lines": 2, "found": {}, "excused": 2}
    assert verdict.reason.endswith("but for 2 that may be")
    assert judge_patterns(logs, denied={"n2"}).validity is Validity.INVALID
    assert judge_patterns(logs, expected=[r"panic: bad token"]).validity is Validity.INVALID


def test_fields_of_lines_are_read_but_the_runtime_s_own_crashes_are_others_business() -> None:
    assert (
        judge_patterns({"n1": [{"t": 1.0, "event": "apply", "error": "AssertionError: no"}]}).validity
        is Validity.INVALID
    )
    assert (
        judge_patterns({"n1": [{"t": 1.0, "event": "crash", "error": "AssertionError: no"}]}).validity is Validity.VALID
    )


def test_many_lines_are_counted_and_some_told_briefly() -> None:
    verdict = judge_patterns({"n1": [text(f"panic: {number}" + "x" * 500) for number in range(9)]})
    assert len(verdict.anomalies) == 5
    assert verdict.reason.endswith("… (panic: 9)")
    assert all(len(anomaly.reason) < 260 for anomaly in verdict.anomalies)
