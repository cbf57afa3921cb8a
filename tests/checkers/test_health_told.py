"""Instances that are probed: which histories are judged at all, what is told of each wrong reading, word by word, and every figure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checkers.health.check import make
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity, Verdict
from tests.checkers.test_health import (
    CHECK,
    FAIL,
    INFO,
    LATE,
    OK,
    Call,
    commanded,
    history_of,
    judged,
    read,
    served,
    watch,
)

MUTED = [LATE, commanded("mute", 9, 10)]
B = {**CHECK, "instance": "b"}


def of_two(calls: list[Call], *of_b: int) -> Verdict:
    """The same where the calls of these numbers speak of instance b."""

    def changed(op: Op) -> Op:
        if op.process not in of_b:
            return op
        return replace(op, value=B if isinstance(op.value, dict) else "b" if op.value == "a" else op.value)

    return make(late_s=2.0).check(History.of(map(changed, history_of(calls))), Budget())


# What is no history of instances


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        ([("read", 3, 4, OK, None)], "a registry of instances that are probed has no operation 'read'"),
        ([LATE, served(3, 4)], 'instance "a" was served twice'),
        ([LATE, served(3, 4, FAIL)], 'instance "a" was served twice'),
        ([LATE, commanded("mute", 3, 5), commanded("answer", 4, 6)], 'instance "a" was commanded two things at once'),
        ([LATE, commanded("mute", 3, 4, INFO), commanded("answer", 5, 6)], 'instance "a" was commanded two things at once'),
        ([("healthy", 3, 4, OK, 7)], "the reading of index 1 told 7, which is no list of instances"),
        ([("healthy", 3, 4, OK, {"a": 1})], 'the reading of index 1 told {"a": 1}, which is no list of instances'),
        ([("healthy", 3, 4, OK, "a")], 'the reading of index 1 told "a", which is no list of instances'),
        ([("instances", 3, 4, OK, ["a"])], 'the reading of index 1 told ["a"], which is no list of instances with a status'),
        ([("instances", 3, 4, OK, [["a", "ill"]])], 'told [["a", "ill"]], which is no list of instances with a status'),
        ([("watch", 3, 4, OK, {"since": 0})], 'the watch of index 1 was told {"since": 0}, which are no numbered changes'),
    ],
)  # fmt: skip
def test_what_is_no_history_of_instances_is_told(calls: list[Call], words: str) -> None:
    verdict = judged(calls)
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason.startswith("not a history of instances that are probed: ")
    assert words in verdict.reason


@pytest.mark.parametrize(
    "change",
    [
        {name: value}
        for name in ("interval_s", "timeout_s", "deregister_s")
        for value in (0, -1, "1", None, float("inf"))
    ]
    + [{"failures": value} for value in (0, -1, 1.5, "1", True)],
)
def test_a_serve_must_tell_its_check(change: dict[str, Any]) -> None:
    verdict = judged([("serve", 1, 2, OK, {**CHECK, **change}), read("instances", 3, 4, "passing")])
    assert verdict.validity is Validity.UNKNOWN
    assert "a serve was answered with {" in verdict.reason
    assert "which tells no check" in verdict.reason


@pytest.mark.parametrize("name", ["interval_s", "timeout_s", "deregister_s", "failures"])
def test_a_check_that_lacks_a_part_is_none(name: str) -> None:
    check = {part: value for part, value in CHECK.items() if part != name}
    assert "which tells no check" in judged([("serve", 1, 2, OK, check)]).reason


@pytest.mark.parametrize("change", [{"failures": 1}, {"interval_s": 1}, {"timeout_s": 1e-3}, {"deregister_s": 10**6}])
def test_any_time_and_one_failure_are_a_check(change: dict[str, Any]) -> None:
    calls = [("serve", 1, 2, OK, {**CHECK, **change}), read("instances", 3, 4, "passing")]
    assert judged(calls).validity is Validity.VALID


@pytest.mark.parametrize(
    "other",
    [
        commanded("mute", 5, 6, FAIL),  # nothing happened
        ("watch", 5, 6, FAIL, None),
        ("watch", 5, 6, INFO, None),
        ("healthy", 5, 6, FAIL, None),
        ("instances", 5, 6, INFO, None),
    ],
)
def test_what_was_not_acknowledged_tells_nothing(other: Call) -> None:
    verdict = judged([LATE, read("instances", 3, 4, "passing"), other, read("instances", 20, 21, "passing")])
    assert verdict.validity is Validity.VALID
    assert (verdict.stats["certain"], verdict.stats["readings"], verdict.stats["watches"]) == (2, 2, 0)


def test_commands_to_whom_nobody_served_are_no_lives() -> None:
    calls = [commanded("mute", 1, 2), commanded("withdraw", 3, 4), served(5, 6), read("instances", 7, 8, "passing")]
    verdict = judged(calls)
    assert verdict.validity is Validity.VALID
    assert verdict.stats["instances"] == 1


def test_a_history_without_times_is_unknown() -> None:
    ops = [replace(op, time_ns=-1) for op in history_of([LATE, read("instances", 8, 9, "critical")])]
    verdict = make().check(History.of(ops), Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason == "the history has no times, so nobody knows how long an instance was silent"


def test_a_history_that_begins_at_zero_has_times() -> None:
    assert judged([served(0, 1), read("instances", 3, 4, "passing")]).validity is Validity.VALID
    assert judged([]).reason == "no reading told of an instance, so there was nothing to judge"


# Words


def asked(process: int, start: int) -> str:
    return f"process {process}, who asked for service 0 ({start}.00 s – {start + 1}.00 s), was "


AGAIN = [served(1, 2, INFO), *map(read, ["instances"] * 3, [3, 5, 7], [4, 6, 8], ["critical", None, "critical"])]
RELAPSED = [*MUTED, read("healthy", 14, 15, None), read("healthy", 16, 17, "passing")]


@pytest.mark.parametrize(
    ("calls", "name", "ops", "words"),
    [
        (
            [read("instances", 1, 2, "critical"), read("healthy", 3, 4, "passing")],
            "phantom-instance",
            (0, 1),
            asked(0, 1) + "told of instance a, which nobody served there",
        ),
        (
            [read("instances", 1, 2, "critical"), served(3, 4)],
            "phantom-instance",
            (0, 1, 2, 3),
            asked(0, 1) + "told of instance a before it was served",
        ),
        (
            [served(1, 2, FAIL), commanded("mute", 3, 4, FAIL), read("instances", 5, 6, "critical")],
            "phantom-instance",
            (0, 1, 4, 5),
            asked(2, 5) + "told of instance a, which certainly was not registered",
        ),
        (
            [LATE, commanded("answer", 3, 4), commanded("withdraw", 5, 6), read("healthy", 7, 8, "passing")],
            "ghost-instance",
            (4, 5, 6, 7),
            asked(3, 7) + "told of instance a after it had been taken back at 6.00 s",
        ),
        (
            AGAIN,
            "ghost-instance",
            (0, 1, 4, 5, 6, 7),
            asked(3, 7) + "told of instance a again, which had been there at 4.00 s and was not at 6.00 s",
        ),
        (
            [LATE, commanded("answer", 3, 4), commanded("answer", 7, 10), read("healthy", 8, 9, None)],
            "false-alarm",
            (4, 5, 6, 7),
            asked(3, 8) + "not told of instance a among the healthy, which has answered for 0.500 s longer than it may take to tell",
        ),
        (
            [*MUTED, read("healthy", 18, 19, "passing")],
            "healthy-though-silent",
            (2, 3, 4, 5),
            asked(2, 18) + "told that instance a is passing, which has been silent for 0.250 s longer than it may take to tell",
        ),
        (
            RELAPSED,
            "healthy-though-silent",
            (2, 3, 4, 5, 6, 7),
            asked(3, 16) + "told that instance a is passing, though process 2 was told otherwise at 15.00 s, and it has been silent since",
        ),
        (
            [*MUTED, read("instances", 26, 27, "critical")],
            "not-deregistered",
            (2, 3, 4, 5),
            asked(2, 26) + "told that instance a is critical, which should have been gone for 0.250 s longer than it may take to tell",
        ),
        (
            [LATE, commanded("answer", 3, 4), read("instances", 5, 6, None)],
            "lost-instance",
            (0, 1, 4, 5),
            asked(2, 5) + "not told of instance a, which was registered and had not been silent",
        ),
        (
            [LATE, read("instances", 3, 4, "passing"), watch(8, 0, 2, (1, "up"), (2, "critical"))],
            "watch-phantom",
            (0, 1, 4, 5),
            "change 2 is the failing of instance a under service 0, though the one before is the coming of instance a under service 0",
        ),
        (
            [LATE, read("instances", 3, 4, "passing"), watch(8, 0, 1, (1, "passing"))],
            "watch-phantom",
            (0, 1, 4, 5),
            "change 1 is the recovery of instance a under service 0, which had not come",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_the_operations_that_show_it(
    calls: list[Call], name: str, ops: tuple[int, ...], words: str
) -> None:
    (anomaly,) = judged(calls).anomalies
    assert (anomaly.name, anomaly.ops, anomaly.reason) == (name, ops, words)


def test_a_change_of_whom_nobody_served_is_told() -> None:
    told = {"since": 0, "changes": [[1, "up", 0, "c"]], "upto": 1}
    verdict = of_two([LATE, read("instances", 3, 4, "passing"), ("watch", 5, 6, OK, told)])
    phantoms = [anomaly for anomaly in verdict.anomalies if anomaly.name == "watch-phantom"]
    assert [phantom.ops for phantom in phantoms] == [(4, 5)]
    assert phantoms[0].reason == "change 1 is the coming of instance c under service 0, which was never served"


# Two instances


def test_instances_are_judged_each_for_itself() -> None:
    both = ("instances", 8, 9, OK, [["a", "passing"], ["b", "critical"]])
    verdict = of_two([LATE, served(3, 4), both], 1)
    assert verdict.validity is Validity.VALID
    assert (verdict.stats["instances"], verdict.stats["sightings"], verdict.stats["certain"]) == (2, 2, 2)
    one = ("instances", 10, 11, OK, [["a", "passing"], ["b", "critical"]])
    (anomaly,) = of_two([LATE, served(3, 4), one], 1).anomalies
    assert "told that instance b is critical" in anomaly.reason
    (anomaly,) = of_two([LATE, served(3, 4), ("instances", 8, 9, OK, [["b", "critical"]])], 1).anomalies
    assert "not told of instance a" in anomaly.reason


@pytest.mark.parametrize(
    ("outcome", "changes", "names"),
    [
        (OK, ["a", "b"], set()),
        (OK, ["b"], {"watch-missed"}),  # a had come before b was served
        (INFO, ["b"], set()),  # nobody knows whether a ever came
        (INFO, ["b", "a"], set()),
    ],
)
def test_that_an_instance_came_is_told_before_what_began_later(
    outcome: OpType, changes: list[str], names: set[str]
) -> None:
    told = {"since": 0, "upto": len(changes), "changes": [[n, "up", 0, who] for n, who in enumerate(changes, start=1)]}
    calls = [
        served(1, 2, outcome),
        served(5, 6),
        ("instances", 7, 8, OK, [["b", "critical"]]),
        ("watch", 9, 10, OK, told),
    ]
    lost = {"lost-instance"} if outcome is OK else set()
    assert {anomaly.name for anomaly in of_two(calls, 1).anomalies} == names | lost


def test_a_change_that_was_missed_is_told_with_who_knew_of_it() -> None:
    told = {"since": 0, "upto": 1, "changes": [[1, "up", 0, "b"]]}
    both = ("instances", 7, 8, OK, [["a", "critical"], ["b", "critical"]])
    (anomaly,) = of_two([served(1, 2), served(5, 6), both, ("watch", 9, 10, OK, told)], 1).anomalies
    assert (anomaly.name, anomaly.ops) == ("watch-missed", (0, 1, 2, 3))
    assert anomaly.reason == (
        'process 0\'s serve of "a" had been acknowledged at 2.00 s, but is no change up to 1, which came after it'
    )
