"""What the logs say of roles, and the figures of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.history import History
from reports.figures import completion_ns, figures
from reports.report import Report
from reports.roles import elections, line_ns, roles
from tests.builders import history, timeline
from tests.reports.runs import small_run, synthetic_run, untimed_run


def told(lines: list[dict[str, Any]]) -> list[tuple[int, str, str | None]]:
    run = Report(results={}, history=History.of([]), node_logs={"n1": lines})
    return [(c.start_ns, c.role, c.term) for c in roles(run).get("n1", [])]


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ({"event": "leader"}, "leader"),
        ({"event": "became leader"}, "leader"),
        ({"event": "become_follower"}, "follower"),
        ({"event": "is now"}, None),
        ({"event": "became the primary"}, "primary"),
        ({"event": "pre_candidate"}, "pre-candidate"),
        ({"event": "role", "role": "Follower"}, "follower"),
        ({"event": "commit", "role": "sheriff"}, None),
        ({"event": "leader-lost"}, None),
        ({"event": 7}, None),
        ({"line": "leader"}, None),
    ],
)
def test_which_lines_tell_a_role(line: dict[str, Any], role: str | None) -> None:
    found = told([{"t": 1.5, **line}, {"t": 2.0, "event": "candidate"}])
    assert found[0][1] == (role or "candidate")


def test_roles_change_when_role_or_term_does_and_end_with_a_restart() -> None:
    lines: list[dict[str, Any]] = [
        {"t": 0.0, "event": "start"},
        {"t": 1.0, "event": "follower", "term": 1},
        {"t": 2.0, "event": "follower", "term": 1},
        {"t": 3.0, "event": "follower", "term": 2},
        {"t": None, "event": "leader", "term": 3},
        {"t": 4.0, "event": "crash", "traceback": "..."},
        {"t": 5.0, "event": "start"},
    ]
    assert told(lines) == [(0, "", None), (10**9, "follower", "1"), (3 * 10**9, "follower", "2"), (4 * 10**9, "", None)]


@pytest.mark.parametrize("t", [None, "1", True, float("nan"), float("inf"), [1]])
def test_a_time_that_is_none_is_none(t: object) -> None:
    assert line_ns({"t": t, "event": "leader"}) is None


def test_elections_are_counted_over_all_nodes_or_unknown() -> None:
    assert elections(synthetic_run(500)) == 3
    assert elections(untimed_run()) is None


def test_figures_of_a_small_run() -> None:
    run = figures(small_run("invalid"))
    assert (run.all_ops.ok, run.all_ops.fail, run.all_ops.info, run.all_ops.total) == (4, 1, 2, 7)
    assert run.all_ops.latency_ns == (4_000_000, 100_000_000, 100_000_000, 100_000_000)
    assert {row.f: (row.ok, row.fail, row.info) for row in run.per_f} == {
        "write": (2, 0, 2),
        "cas": (0, 1, 0),
        "read": (2, 0, 0),
    }
    assert (run.faults, run.probed, run.bit, run.healed, run.elections) == (1, 1, 1, 1, 1)
    assert run.duration_ns == 3_600_000_000
    assert run.ok_per_s == pytest.approx(4 / 3.6)


def test_quantiles_are_latencies_that_some_operation_had() -> None:
    run = synthetic_run(2_000)
    calls = run.history.calls()
    latency = (completion_ns(run) - run.history.time_ns[calls.call])[calls.outcome == 1]
    ordered = np.sort(latency)
    nearest_rank = tuple(int(ordered[int(np.ceil(q * len(ordered))) - 1]) for q in (0.5, 0.9, 0.99, 1.0))
    assert figures(run).all_ops.latency_ns == nearest_rank


def test_nothing_happened() -> None:
    run = figures(Report(results={}, history=History.of([])))
    assert (run.all_ops.total, run.all_ops.latency_ns, run.per_f, run.duration_ns, run.ok_per_s) == (0, (), (), 0, 0.0)


def test_a_history_without_times_is_laid_out_by_its_lines() -> None:
    run = untimed_run()
    assert not run.timed
    assert run.time_ns.tolist() == [n * 1_000_000 for n in range(7)]
    assert run.moment(3_000_000) == "line 3"


def test_a_clock_that_jumps_back_does_not_turn_the_order_round() -> None:
    run = Report(
        results={},
        history=history("""
            p0 invoke read x _ time=2s
            p1 invoke read x _ time=1s
            p1 ok     read x 1 time=3s
        """),
    )
    assert run.time_ns.tolist() == [2 * 10**9, 2 * 10**9, 3 * 10**9]


def test_completion_times_follow_the_calls() -> None:
    run = Report(results={}, history=timeline("p0 |-- write x 1 --|\np1   |-- read x 1 -->"))
    assert completion_ns(run).tolist() == run.history.time_ns[[2, 3]].tolist()
