"""Instances that are probed: where exactly a span begins and ends, and every figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checkers.health.check import make
from checkers.health.spans import Span, merged
from harness.history import History
from harness.op import OpType
from harness.verdict import Budget, Validity
from tests.checkers.test_health import INFO, LATE, OK, Call, commanded, history_of, judged, read, served
from tests.checkers.test_health_told import AGAIN, MUTED, of_two

# Figures


@pytest.mark.parametrize(
    ("told", "noticed_s"),
    [
        ([("passing", 3, 4), ("critical", 14, 15)], 5.0),  # since the mute was acknowledged
        ([("critical", 3, 4), ("passing", 5, 6), ("critical", 12, 13)], 3.0),
        ([("passing", 3, 4), ("passing", 11, 12), ("critical", 14, 15), ("critical", 16, 17)], 5.0),
        ([("critical", 3, 4), ("critical", 14, 15)], None),  # it was so before
        ([("passing", 3, 4), ("critical", 7, 11), ("critical", 14, 15)], None),  # perhaps, too
        ([("critical", 14, 15)], None),
        ([("passing", 3, 4)], None),
        ([("passing", 3, 4), ("critical", 19, 21)], None),  # or because it answered late, again
        ([("passing", 3, 4), ("critical", 18, 20)], None),
        ([("passing", 3, 4), ("critical", 18, 19)], 9.0),
    ],
)
def test_how_long_it_took_to_notice_a_silence(told: list[tuple[str, int, int]], noticed_s: float | None) -> None:
    calls = [
        *MUTED,
        commanded("answer", 20, 22),
        *(read("instances", start, end, status) for status, start, end in told),
    ]
    stats = judged(calls).stats
    assert (stats["silences_noticed"], stats["noticed_after_median_s"]) == (int(noticed_s is not None), noticed_s)


def test_of_several_silences_the_median_is_told() -> None:
    calls = [*MUTED, commanded("answer", 16, 17), commanded("mute", 26, 27)]
    looks = [(3, "passing"), (13, "critical"), (24, "passing"), (34, "critical")]
    stats = judged([*calls, *(read("instances", at, at + 1, status) for at, status in looks)]).stats
    assert (stats["silences_noticed"], stats["noticed_after_median_s"]) == (2, 6.0)


@pytest.mark.parametrize(
    ("told", "alarms"),
    [
        (["passing", "critical"], 1),
        (["passing", "critical", "passing", "critical"], 1),  # of one time that it answered
        (["critical", "passing"], 0),
        (["critical", "critical"], 0),
        (["passing", "passing"], 0),
    ],
)
def test_alarms_are_of_who_had_passed_and_answered_on(told: list[str], alarms: int) -> None:
    calls = [LATE, *(read("instances", at, at + 1, status) for at, status in enumerate(told, start=3))]
    calls += [commanded("answer", 12, 13), commanded("mute", 16, 17), read("instances", 26, 27, "critical")]
    calls += [commanded("answer", 30, 31), read("instances", 33, 34, "critical")]
    assert judged(calls, ("partition", 2, 11)).stats["alarms_on_the_answering"] == alarms


def test_every_figure_counts_what_it_says() -> None:
    both = [["a", "passing"], ["b", "critical"]]
    told = {"since": 0, "upto": 2, "changes": [[1, "up", 0, "a"], [2, "up", 0, "b"]]}
    calls = [
        LATE,
        served(3, 4),
        ("instances", 5, 6, OK, both),
        ("healthy", 8, 9, OK, ["a"]),
        ("watch", 10, 11, OK, told),
    ]
    verdict = of_two(calls, 1)
    assert (
        verdict.reason
        == "2 readings told of 2 instances what 2 changes made of them; 3 times another answer would have been wrong"
    )
    wanted = {"instances": 2, "readings": 2, "sightings": 3, "certain": 3, "changes": 2, "watches": 1}
    assert {name: verdict.stats[name] for name in wanted} == wanted


def test_options() -> None:
    """Faults excuse, and a registry has three seconds, unless it is said otherwise."""
    calls = [*MUTED, read("healthy", 19, 20, "passing")]
    assert make().check(history_of(calls), Budget()).validity is Validity.INVALID
    assert not make(late_s=4.5).check(history_of(calls), Budget()).anomalies
    assert not make().check(history_of(calls, ("kill", 11, 12)), Budget()).anomalies
    assert make(excused=False).check(history_of(calls, ("kill", 11, 12)), Budget()).anomalies
    near = [*MUTED, read("healthy", 18, 19, "passing")]  # 5.75 s and 3 s after the mute was acknowledged are 18.75
    assert not make().check(history_of(near), Budget()).anomalies


# Where exactly


WHOLE = {"instance": "a", "interval_s": 2, "timeout_s": 1, "failures": 2, "deregister_s": 4}


@pytest.mark.parametrize(
    ("calls", "name"),
    [
        # It passes from 2 + 2 + 1 + 2 = 7 s on, while it answers or soon after: to before 20 + 2.
        ([read("instances", 7, 8, "critical")], "false-alarm"),
        ([read("instances", 6, 8, "critical")], None),
        ([commanded("mute", 20, 21), read("instances", 20, 21, "critical")], "false-alarm"),
        ([commanded("mute", 20, 21), read("instances", 20, 22, "critical")], None),
        # Silent since 10 s, it does not pass from 10 + 2 * 2 + 1 + 2 = 17 s on, and is gone from 24 s on.
        ([commanded("mute", 9, 10), read("healthy", 17, 18, "passing")], "healthy-though-silent"),
        ([commanded("mute", 9, 10), read("healthy", 16, 18, "passing")], None),
        ([commanded("mute", 9, 10), read("instances", 24, 25, "critical")], "not-deregistered"),
        ([commanded("mute", 9, 10), read("instances", 23, 25, "critical")], None),
        ([commanded("mute", 9, 10), commanded("answer", 24, 25), read("instances", 26, 27, "critical")], None),
        # From 13 s on nothing that it answered makes it pass again.
        ([commanded("mute", 9, 10), read("healthy", 13, 14, None), read("healthy", 15, 16, "passing")], "healthy-though-silent"),
        ([commanded("mute", 9, 10), read("healthy", 12, 14, None), read("healthy", 15, 16, "passing")], None),
        # It is registered when the serve has ended, to before 9 + 2 + 4 = 15 s.
        ([read("instances", 2, 3, None)], "lost-instance"),
        ([commanded("mute", 9, 10), read("instances", 13, 14, None)], "lost-instance"),
        ([commanded("mute", 9, 10), read("instances", 13, 15, None)], None),
        ([commanded("withdraw", 9, 10), read("instances", 7, 8, None)], "lost-instance"),
        ([commanded("withdraw", 9, 10), read("instances", 7, 9, None)], None),
    ],
)  # fmt: skip
def test_a_span_holds_its_beginning_and_not_its_end(calls: list[Call], name: str | None) -> None:
    anomalies = judged([("serve", 1, 2, OK, WHOLE), *calls]).anomalies
    assert [anomaly.name for anomaly in anomalies] == ([name] if name else [])


def test_lines_tell_what_came_first_where_a_clock_does_not() -> None:
    ops = [replace(op, time_ns=0) for op in history_of(AGAIN)]
    (anomaly,) = make().check(History.of(ops), Budget()).anomalies
    assert anomaly.name == "ghost-instance"


@pytest.mark.parametrize(
    ("fault", "excused"),
    [
        (("kill", 11, 12), True),  # then probes begin to count at 12 s
        (("kill", 19, 20), False),
        (("kill", 17, 18), True),
        (("kill", 5, 8), False),
        (("drift", 11, 12), False),
        (("clock", 11, 12), False),
    ],
)
def test_between_which_faults_a_silence_counts(fault: tuple[str, int, int], excused: bool) -> None:
    calls = [("serve", 1, 2, OK, WHOLE), commanded("mute", 9, 10), read("healthy", 17, 18, "passing")]
    assert bool(judged(calls, fault).anomalies) != excused


def test_who_is_served_at_the_very_beginning_runs_from_then_on() -> None:
    assert [anomaly.name for anomaly in judged([served(0, 1), read("instances", 7, 8, "critical")]).anomalies] == [
        "false-alarm"
    ]


@pytest.mark.parametrize(
    ("spans", "wanted"),
    [
        ([], []),
        ([(5, 9), (1, 3)], [(1, 3), (5, 9)]),
        ([(1, 3), (3, 5)], [(1, 5)]),
        ([(1, 9), (2, 5), (8, 12)], [(1, 12)]),
        ([(1, 2), (4, 9), (5, 6), (7, 11)], [(1, 2), (4, 11)]),
    ],
)
def test_spans_that_touch_are_one(spans: list[Span], wanted: list[Span]) -> None:
    assert merged(spans) == wanted


def test_a_silence_that_is_shorter_than_it_takes_to_notice_changes_nothing() -> None:
    """It passes on from before the mute until after the answer: one time, which is told once."""
    calls = [("serve", 1, 2, OK, {**WHOLE, "failures": 9}), commanded("mute", 9, 10), commanded("answer", 11, 12)]
    verdict = judged([*calls, read("instances", 20, 21, "critical"), read("healthy", 20, 21, None)])
    assert verdict.stats["anomalies"] == {"false-alarm": 2}  # each reading once


@pytest.mark.parametrize(
    ("readings", "ends"),
    [
        ([read("instances", 24, 25, "critical")], ["gone for 0.000 s longer than it may take to tell"]),
        (
            [read("instances", 23, 25, "passing")],
            ["6.000 s longer than it may take to tell, until it must have been gone"],
        ),
        (
            [read("healthy", 14, 15, None), read("instances", 24, 25, "passing")],
            ["7.000 s longer than it may take to tell"],
        ),
        (
            [read("healthy", 14, 15, None), read("healthy", 23, 25, "passing")],
            ["to tell, until it must have been gone", "it has been silent since, until it must have been gone"],
        ),
    ],
)
def test_until_when_a_silence_counts_is_told_of_who_asked_before(readings: list[Call], ends: list[str]) -> None:
    anomalies = judged([("serve", 1, 2, OK, WHOLE), commanded("mute", 9, 10), *readings]).anomalies
    assert len(anomalies) == len(ends)
    assert all(anomaly.reason.endswith(end) for anomaly, end in zip(anomalies, ends, strict=True))


@pytest.mark.parametrize(("start", "excused"), [(19, True), (20, False)])
def test_a_silence_counts_from_after_the_end_of_a_fault(start: int, excused: bool) -> None:
    calls = [("serve", 1, 2, OK, WHOLE), commanded("mute", 9, 10), read("healthy", start, start + 1, "passing")]
    assert bool(judged(calls, ("kill", 11, 12)).anomalies) != excused


@pytest.mark.parametrize(("outcome", "names"), [(OK, {"false-alarm"}), (INFO, set())])
def test_only_a_command_that_was_acknowledged_shows_that_an_instance_still_ran(
    outcome: OpType, names: set[str]
) -> None:
    """Something failed after it had been served."""
    calls = [LATE, commanded("answer", 16, 17, outcome), read("instances", 10, 11, "critical")]
    assert {anomaly.name for anomaly in judged(calls, ("kill", 3, 4)).anomalies} == names
