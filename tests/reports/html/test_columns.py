"""The timeline's columns: they say what the history says, they are small, and lanes do not overlap."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.history import History
from harness.op import Op, OpType
from reports.html.columns import LOG_LINES_MAX, VALUES_CHARS_MAX, call_rows, columns, lanes
from reports.report import Report
from tests.builders import history
from tests.reports.hostile import ALL, hostile_run
from tests.reports.runs import CONCURRENCY, small_run, synthetic_run, untimed_run


def data(report: Report, focus_ns: int = 0) -> dict[str, Any]:
    """What the page's script sees."""
    seen: dict[str, Any] = json.loads(json.dumps(columns(report, [], focus_ns), allow_nan=False))
    return seen


def rows(report: Report) -> list[str]:
    """The operations, put together again as the script does it."""
    ops = data(report)["ops"]
    start = np.cumsum(ops["start"]).tolist()
    types = ["invoke", "ok", "fail", "info"]

    def text(table: str, code: int) -> str:
        return "" if code < 0 else str(ops[table][code])

    return [
        " ".join(
            word
            for word in (
                f"{start[i]}+{ops['dur'][i]}",
                f"c{ops['process'][i]}",
                text("nodes", ops["node"][i]),
                ops["fs"][ops["f"][i]],
                text("keys", ops["key"][i]),
                text("values", ops["arg"][i]),
                "→ " + text("values", ops["res"][i]) if ops["res"][i] >= 0 else "",
                types[ops["type"][i]],
                text("errors", ops["error"][i]),
            )
            if word
        )
        for i in range(len(start))
    ]


def test_columns_say_what_the_history_says() -> None:
    assert rows(small_run("invalid")) == [
        "1000000+4000 c0 n1 write x 1 ok",
        "1500000+1000000 c1 n2 write x 2 info timeout",
        "1600000+100000 c2 n3 write x 3 ok",
        "1650000+10000 c0 n1 cas x [1, 4] fail precondition-failed",
        "2000000+3000 c0 n1 read x → 1 ok",
        "3100000+100000 c3 n3 read y → null ok",
        "3600000+-1 c4 n1 write y 9 info",
    ]


def test_every_operation_of_a_run_is_there() -> None:
    run = synthetic_run(2_000)
    ops = data(run)["ops"]
    calls = run.history.calls()
    assert {
        len(ops[name])
        for name in ("lane", "start", "dur", "process", "type", "f", "key", "arg", "res", "node", "error", "line")
    } == {len(calls)}
    assert np.cumsum(ops["line"]).tolist() == run.history.index[calls.call].tolist()
    assert np.cumsum(ops["start"]).tolist() == (run.history.time_ns[calls.call] // 1000).tolist()
    assert ops["lane"] == (calls.process % CONCURRENCY).tolist()


def test_faults_phases_and_roles() -> None:
    seen = data(small_run("invalid"))
    assert seen["faults"] == [
        {
            "kind": "partition",
            "targets": ["n1", "n2"],
            "what": "grudge halves",
            "start": 1_100_000,
            "end": 3_010_000,
            "bit": True,
            "healed": True,
        }
    ]
    assert [phase["name"] for phase in seen["phases"]] == ["faults", "healed"]
    assert seen["roles"] == [
        {"node": "n1", "changes": [[100_000, "leader", "1"]], "leads": ["leader"]},
        {"node": "n2", "changes": [[200_000, "follower", "1"]], "leads": []},
    ]
    assert seen["timed"]
    assert seen["end"] == 3_600_000


def test_a_history_without_times_is_laid_out_by_its_lines() -> None:
    seen = data(untimed_run())
    assert not seen["timed"]
    assert np.cumsum(seen["ops"]["start"]).tolist() == [0, 4_000]


def test_an_empty_history_is_a_page_too() -> None:
    seen = data(Report(results={}, history=History.of([])))
    assert seen["ops"]["lane"] == []
    assert seen["end"] == 1


def test_large_values_are_shortened_together() -> None:
    lines = [Op(process=n, f="write", value=f"{n}" + "é" * 1_000) for n in range(4_000)]
    values = data(Report(results={}, history=History.of(lines)))["ops"]["values"]
    assert len(values) == 4_000
    assert len(json.dumps(values)) <= VALUES_CHARS_MAX * 1.2
    assert values[7].startswith('"7é')
    assert values[7].endswith("(1,003 characters)")


def test_a_million_characters_of_errors_are_shortened() -> None:
    lines = []
    for n in range(5_000):
        call = Op(process=n, f="write", value=1)
        lines += [call, call.fail(f"{n} " + "e" * 5_000)]
    assert len(json.dumps(data(Report(results={}, history=History.of(lines)))["ops"]["errors"])) < 1_500_000


def test_logs_are_merged_by_time_and_bounded_around_the_focus() -> None:
    logs: dict[str, list[dict[str, Any]]] = {
        "n1": [{"t": n / 1000, "event": "tick", "n": n} for n in range(15_000)],
        "n2": [{"t": n / 1000 + 0.0005, "event": "tock"} for n in range(15_000)] + [{"t": None, "line": "the end"}],
    }
    seen = data(Report(results={}, history=History.of([]), node_logs=logs), focus_ns=15_000_000_000)["logs"]
    assert (seen["total"], len(seen["time"])) == (30_001, LOG_LINES_MAX)
    assert seen["time"] == sorted(seen["time"])
    assert (seen["event"][0], seen["text"][0]) == ("tock", "")
    assert (seen["text"][-1], seen["timed"][-1], seen["nodes"][seen["node"][-1]]) == ("the end", 0, "n2")


def test_a_line_without_a_time_follows_the_one_before_it_in_its_file() -> None:
    logs: dict[str, list[dict[str, Any]]] = {
        "n1": [{"t": 2.0, "event": "a"}, {"t": None, "line": "b"}],
        "n2": [{"t": 1.0, "event": "c"}, {"t": 3.0, "event": "d"}],
    }
    seen = data(Report(results={}, history=History.of([]), node_logs=logs))["logs"]
    assert [event or text for event, text in zip(seen["event"], seen["text"], strict=True)] == ["c", "a", "b", "d"]


def test_hostile_texts_are_plain_by_the_time_the_script_sees_them() -> None:
    text = json.dumps(data(hostile_run(ALL)), ensure_ascii=False)
    text.encode("utf-8")
    assert len(text) < 60_000


def test_calls_of_history_rows() -> None:
    run = Report(
        results={},
        history=history("""
            p0 invoke read x _
            nemesis info start-kill - {"id":0}
            p1 invoke read x _
            p0 ok read x 1
        """),
    )
    assert [call_rows(run, [row]) for row in range(4)] == [[0], [], [1], [0]]
    assert call_rows(run, [3, 2, 0]) == [0, 1]
    assert call_rows(run, []) == []


@st.composite
def intervals(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Calls (process, start, end): each process one after the other."""
    calls = []
    for process in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, 20))
        for _ in range(draw(st.integers(1, 3))):
            end = at + draw(st.integers(0, 6))
            calls.append((process, at, end))
            at = end + draw(st.integers(0, 4))
    return sorted(calls, key=lambda call: call[1])


@given(intervals(), st.none() | st.integers(1, 9))
def test_lanes_do_not_overlap_and_are_as_few_as_possible(
    calls: list[tuple[int, int, int]], concurrency: int | None
) -> None:
    process, start, end = (np.array(column, dtype=np.int64) for column in zip(*calls, strict=True))
    lane = lanes(process, start, end, concurrency).tolist()
    spans = {p: (start[process == p].min(), end[process == p].max()) for p in set(process.tolist())}
    lane_of = {p: {lane[i] for i in np.flatnonzero(process == p)} for p in spans}
    assert all(len(found) == 1 for found in lane_of.values())
    for p, (p_from, p_to) in spans.items():
        for q, (q_from, q_to) in spans.items():
            if p < q and lane_of[p] == lane_of[q]:
                assert p_to <= q_from or q_to <= p_from
    by_client = concurrency is not None and lane == (process % concurrency).tolist()
    assert by_client or max(lane) + 1 <= max(crowd(list(spans.values())), 1)


def crowd(spans: list[tuple[int, int]]) -> int:
    """How many overlap at most: between two moments, or at a moment at which one begins and ends at once."""
    most = 0
    for t in sorted({moment for span in spans for moment in span}):
        inside = sum(first < t < last for first, last in spans)
        after = sum(first <= t < last for first, last in spans)
        most = max(most, after, inside + ((t, t) in spans))
    return most


def test_a_client_keeps_its_lane_over_an_unknown_outcome() -> None:
    lines = [
        Op(index=0, time_ns=0, process=0, f="write", value=1),
        Op(index=1, time_ns=0, process=1, f="write", value=2),
        Op(index=2, time_ns=9_000, type=OpType.INFO, process=1, f="write", value=2),
        Op(index=3, time_ns=9_000, process=3, f="read"),
    ]
    run = Report(results={"plan": {"concurrency": 2}}, history=History.of(lines))
    assert data(run)["ops"]["lane"] == [0, 1, 1]
