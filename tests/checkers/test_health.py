"""Instances that are probed: verdicts on one are those of the definition, tried moment by moment; each way to be wrong is found."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.health.check import make
from harness.history import History
from harness.op import NEMESIS, Op, OpType
from harness.verdict import Budget, Validity, Verdict

SECOND_NS = 1_000_000_000
OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO
Call = tuple[str, int, int, OpType, Any]  # f, the seconds of its beginning and its end, how it ended, what it returned
INTERVAL_S, TIMEOUT_S, FAILURES, DEREGISTER_S, LATE_S = 2.25, 1.25, 2, 4.5, 2.0  # so that no deadline is a whole second
PATIENCE_S, SILENCE_S = INTERVAL_S + TIMEOUT_S + LATE_S, FAILURES * INTERVAL_S + TIMEOUT_S
GRACE_S = (FAILURES - 1) * INTERVAL_S
CHECK = {
    "instance": "a",
    "interval_s": INTERVAL_S,
    "timeout_s": TIMEOUT_S,
    "failures": FAILURES,
    "deregister_s": DEREGISTER_S,
}
READS = ("healthy", "instances")
END_S = 44
MOMENTS = [quarter / 4 + 1 / 8 for quarter in range(4 * END_S)]  # none is that of a line or of a deadline


def history_of(calls: list[Call], fault: tuple[str, int, int] | None = None) -> History:
    """Every call by a process of its own, on one service."""
    lines: list[tuple[float, Op]] = []
    for number, (f, start, end, outcome, result) in enumerate(calls):
        key = 0 if f in ("serve", *READS) else None
        value = None if f in (*READS, "watch") else "a"
        op = Op(f=f, key=key, value=value, process=number, time_ns=start * SECOND_NS)
        done = replace(op, type=outcome, time_ns=end * SECOND_NS, value=value if result is None else result)
        lines += [(start, op), (end, done)]
    if fault:
        kind, start, end = fault
        value = {"id": 1, "targets": ["n1"], "bit": True, "healed": True}
        for word, at in (("start", start), ("start", start), ("stop", end), ("stop", end)):
            lines.append((at, Op(f=f"{word}-{kind}", type=INFO, process=NEMESIS, time_ns=at * SECOND_NS, value=value)))
    ordered = [op for _, op in sorted(lines, key=lambda line: line[0])]
    return History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ordered))


def judged(calls: list[Call], fault: tuple[str, int, int] | None = None, **options: Any) -> Verdict:
    return make(late_s=LATE_S, **options).check(history_of(calls, fault), Budget())


def served(start: int, end: int, outcome: OpType = OK) -> Call:
    return ("serve", start, end, outcome, CHECK if outcome is OK else None)


def commanded(f: str, start: int, end: int, outcome: OpType = OK) -> Call:
    return (f, start, end, outcome, None)


def read(f: str, start: int, end: int, status: str | None) -> Call:
    """A reading that told this status of the instance, or nothing of it."""
    told: list[Any] = ["a"] if f == "healthy" else [["a", status]]
    return (f, start, end, OK, told if status else [])


# The definition


@dataclass(frozen=True)
class World:
    """What is certain of one instance at each moment; every rule asks about all moments of some time."""

    commands: list[Call]
    fault: tuple[str, int, int] | None

    def calm(self, since: float, until: float) -> bool:
        return not self.fault or until < self.fault[1] or since > self.fault[2]

    def last(self, moment: float, kinds: tuple[str, ...], then: tuple[str, ...]) -> Call | None:
        """The latest command of ``kinds`` that was over, if all that began since were acknowledged ones of ``then``."""
        done = [call for call in self.commands if call[3] is OK and call[0] in kinds and call[2] < moment]
        if not done:
            return None
        later = [call for call in self.commands if done[-1][1] < call[1] < moment]
        return done[-1] if all(call[3] is OK and call[0] in then for call in later) else None

    def answers(self, moment: float) -> bool:
        """It was told to, nothing else has begun since, and it still runs: a later command showed that, or nothing failed."""
        last = self.last(moment, ("serve", "answer"), ("answer",))
        if last is None:
            return False
        later = [call for call in self.commands if call[1] > moment][:1]
        shown = max(call[1] for call in self.commands if call[1] < moment)
        return any(call[3] is OK and call[0] in ("answer", "mute") for call in later) or self.calm(shown, moment)

    def silent(self, moment: float) -> bool:
        return self.last(moment, ("mute",), ("mute", "withdraw")) is not None

    @cached_property
    def moments_of(self) -> dict[str, set[float]]:
        return {what: {m for m in MOMENTS if getattr(self, what)(m)} for what in ("answers", "silent")}

    def for_so_long(self, what: str, moment: float, time_s: float) -> bool:
        """Whether that has been so, in calm, at every moment since ``time_s``."""
        if moment - time_s <= 0 or not self.calm(moment - time_s, moment):
            return False
        window = MOMENTS[bisect_left(MOMENTS, moment - time_s) : bisect_right(MOMENTS, moment)]
        return self.moments_of[what].issuperset(window)

    def must_pass(self, moment: float) -> bool:
        if self.for_so_long("answers", moment, PATIENCE_S):
            return True
        mutes = [call for call in self.commands if call[0] == "mute" and call[3] is OK]
        return any(
            call[1] < moment < call[1] + GRACE_S
            and self.for_so_long("answers", call[1] - 1 / 8, PATIENCE_S)
            and self.calm(call[1], moment)
            for call in mutes
        )

    def must_be_there(self, moment: float) -> bool:
        reaped_s = GRACE_S + DEREGISTER_S
        ends = [
            (call[1] + reaped_s) if call[0] == "mute" else call[1]
            for call in self.commands
            if call[0] in ("mute", "withdraw")
        ]
        serve = self.commands[0]
        return serve[2] < moment < min([*ends, END_S]) and self.calm(serve[1], moment)


def legal(calls: list[Call], fault: tuple[str, int, int] | None) -> bool:
    """Whether it can have come and gone, passed and failed at some moments so that every reading has a moment at which it is right."""
    readings = [call for call in calls if call[0] in READS]
    commands = [call for call in calls if call[0] not in READS and (call[3] is not FAIL or call[0] == "serve")]
    serve, world = commands[0], World(commands, fault)
    if serve[3] is FAIL:
        return not any(call[4] for call in readings)
    moments = MOMENTS if serve[3] is OK else []
    passing = {m for m in moments if world.must_pass(m)}
    failing = {m for m in moments if world.for_so_long("silent", m, SILENCE_S + LATE_S)}
    gone = [m for m in moments if world.for_so_long("silent", m, SILENCE_S + DEREGISTER_S + PATIENCE_S)]
    there = [m for m in moments if world.must_be_there(m)]
    deaf: list[list[float]] = []  # runs of moments within which nothing makes it pass again
    for m in (m for m in moments if world.for_so_long("silent", m, INTERVAL_S + TIMEOUT_S)):
        if deaf and m - deaf[-1][-1] < 1 / 2:
            deaf[-1].append(m)
        else:
            deaf.append([m])
    near = sorted({at + side / 8 for call in calls for at in call[1:3] for side in (-1, 1)})
    taken = min((call[2] for call in commands if call[0] == "withdraw" and call[3] is OK), default=10 * END_S)

    def may_be(moment: float, cuts: dict[float, float]) -> set[str]:
        """Its statuses, if in each run of ``deaf`` it passes until the cut, and not from then on."""
        runs = moment in cuts
        may = {"passing", "critical"} if not runs else {"passing" if moment < cuts[moment] else "critical"}
        return may - ({"passing"} if moment in failing else set()) - ({"critical"} if moment in passing else set())

    def right(reading: Call, come: float, go: float, cuts: dict[float, float]) -> bool:
        f, start, end, _, result = reading
        told = {"passing"} if f == "healthy" and result else {status for _, status in result} if result else {None}
        for m in MOMENTS[4 * start : 4 * end]:
            may: set[str | None] = {*may_be(m, cuts)} if come <= m < go else {None}
            if f == "healthy" and "critical" in may:
                may.add(None)
            if told & may:
                return True
        return False

    ends = [*near, *(m + 1 / 4 for m in there[-1:]), *gone[:1], 10 * END_S]
    for come, go in product(near, ends):
        if not serve[1] < come < (serve[2] if serve[3] is OK else go) or not come < go < taken + 1 / 4:
            continue
        if any(not come <= m < go for m in there) or any(come <= m < go for m in gone):
            continue
        for chosen in product(*([run[0], *(m for m in near if m in run), 10 * END_S] for run in deaf)):
            cuts = {m: cut for run, cut in zip(deaf, chosen, strict=True) for m in run}
            if all(right(reading, come, go, cuts) for reading in readings):
                return True
    return False


@st.composite
def one_instance(draw: st.DrawFn) -> tuple[list[Call], tuple[str, int, int] | None]:
    """An instance with its commands one after another, readings at any time, perhaps a fault; no two lines at one second."""
    fs = [
        "serve",
        *draw(st.lists(st.sampled_from(["answer", "mute", "mute"]), max_size=3)),
        *draw(st.sampled_from([[], [], ["withdraw"]])),
    ]
    looks, fault = draw(st.integers(1, 3)), draw(st.booleans())
    size = 2 * (len(fs) + looks + fault)
    times = (
        draw(st.permutations(range(1, END_S)))[:size]
        if draw(st.booleans())
        else draw(st.permutations(range(1, size + 9)))
    )
    mine, calls = sorted(times[: 2 * len(fs)]), list[Call]()
    for number, f in enumerate(fs):
        last = number == len(fs) - 1  # an unknown outcome ends what it is commanded
        outcome = draw(st.sampled_from([OK, OK, OK, OK, *([INFO] * last), *([FAIL] * (number > 0))]))
        start, end = mine[2 * number : 2 * number + 2]
        calls.append(served(start, end, outcome) if f == "serve" else commanded(f, start, end, outcome))
    for number in range(len(fs), len(fs) + looks):
        f = draw(st.sampled_from(READS))
        status = draw(st.sampled_from([None, "passing", "critical"] if f == "instances" else [None, "passing"]))
        calls.append(read(f, *sorted(times[2 * number : 2 * number + 2]), status))
    return calls, ("kill", *sorted(times[size - 2 : size])) if fault else None


@given(one_instance())
def test_verdicts_are_those_of_the_definition(drawn: tuple[list[Call], tuple[str, int, int] | None]) -> None:
    verdict = judged(*drawn)
    assert (verdict.validity is not Validity.INVALID) == legal(*drawn), (verdict.reason, drawn)


LATE = served(1, 2)  # it must pass from 7.5 on, if it answers
ANEW = [
    LATE,
    commanded("mute", 4, 5),
    commanded("answer", 21, 22),
]  # it does not pass from 12.75 on, and is gone from 20.75 on, for good

SOON = [LATE, commanded("mute", 6, 7), commanded("answer", 16, 17), read("healthy", 11, 12, None)]


@pytest.mark.parametrize(
    ("calls", "name"),
    [
        ([read("healthy", 1, 2, "passing")], "phantom-instance"),
        ([read("instances", 1, 2, "critical"), served(3, 4)], "phantom-instance"),
        ([served(1, 2), commanded("withdraw", 3, 4), read("healthy", 5, 6, "passing")], "ghost-instance"),
        ([served(1, 2, INFO), *map(read, ["instances"] * 3, [3, 5, 7], [4, 6, 8], ["critical", None, "critical"])], "ghost-instance"),
        ([LATE, read("instances", 8, 9, "critical")], "false-alarm"),
        ([LATE, read("healthy", 8, 9, None)], "false-alarm"),
        ([LATE, commanded("mute", 9, 12), read("instances", 9, 10, "critical")], "false-alarm"),
        ([LATE, commanded("mute", 9, 10), read("healthy", 18, 19, "passing")], "healthy-though-silent"),
        ([LATE, commanded("mute", 9, 10), read("healthy", 14, 15, None), read("healthy", 16, 17, "passing")], "healthy-though-silent"),
        ([LATE, commanded("mute", 9, 10), read("instances", 26, 27, "critical")], "not-deregistered"),
        ([*ANEW, read("healthy", 13, 23, "passing")], "healthy-though-silent"),
        ([*ANEW, read("healthy", 9, 10, None), read("healthy", 11, 23, "passing")], "healthy-though-silent"),
        ([*SOON, read("instances", 8, 15, None), read("healthy", 13, 18, "passing")], "healthy-though-silent"),
        ([LATE, read("instances", 3, 4, None)], "lost-instance"),
    ],
)  # fmt: skip
def test_each_way_to_be_wrong_has_its_name(calls: list[Call], name: str) -> None:
    verdict = judged(calls)
    assert verdict.validity is Validity.INVALID
    assert {anomaly.name for anomaly in verdict.anomalies} == {name}


@pytest.mark.parametrize(
    "calls",
    [
        [LATE, read("instances", 7, 9, "critical")],
        [LATE, commanded("mute", 9, 12), read("instances", 10, 12, "critical")],
        [LATE, commanded("mute", 9, 10), read("healthy", 17, 18, "passing")],
        [LATE, commanded("mute", 9, 10), read("healthy", 13, 15, None), read("healthy", 16, 17, "passing")],
        [LATE, commanded("mute", 9, 10), read("instances", 25, 27, "critical")],
        [LATE, commanded("mute", 9, 10, INFO), read("healthy", 30, 31, "passing")],
        [*ANEW, read("healthy", 12, 23, "passing")],
        [*SOON, read("instances", 8, 17, None), read("healthy", 13, 18, "passing")],
        [*ANEW, read("healthy", 8, 9, None), read("healthy", 12, 23, "passing")],
        [*ANEW[:2], commanded("answer", 20, 21), read("healthy", 9, 10, None), read("healthy", 13, 23, "passing")],
    ],
)
def test_what_is_as_near_as_can_be_is_right(calls: list[Call]) -> None:
    assert not judged(calls).anomalies


def test_the_words() -> None:
    (late,) = judged([*ANEW, read("healthy", 13, 23, "passing")]).anomalies
    assert late.reason.endswith(
        "was told that instance a is passing, which has been silent for 0.250 s longer than it may take to tell, "
        "until it must have been gone"
    )
    verdict = judged([LATE, commanded("answer", 3, 4), read("instances", 8, 9, "critical")])
    assert verdict.reason == (
        "process 2, who asked for service 0 (8.00 s – 9.00 s), was told that instance a is critical, "
        "which has answered for 0.500 s longer than it may take to tell"
    )


@pytest.mark.parametrize(("kind", "excused"), [("kill", True), ("clock", False)])
def test_a_fault_excuses_what_is_told_late_if_it_is_none_of_a_clock(kind: str, excused: bool) -> None:
    calls = [LATE, commanded("mute", 9, 10), read("healthy", 18, 19, "passing")]
    assert (not judged(calls, (kind, 13, 14)).anomalies) == excused
    assert judged(calls, (kind, 13, 14), excused=False).validity is Validity.INVALID


def test_alarms_on_who_answers_and_silences_are_counted() -> None:
    answering = [
        LATE,
        read("instances", 3, 4, "passing"),
        read("instances", 6, 9, "critical"),
        commanded("answer", 10, 11),
    ]
    assert judged(answering, ("partition", 5, 8)).stats["alarms_on_the_answering"] == 1
    silent = [LATE, read("instances", 3, 4, "passing"), commanded("mute", 5, 6), read("instances", 9, 10, "critical")]
    stats = judged(silent).stats
    assert (stats["silences_noticed"], stats["noticed_after_median_s"]) == (1, 4.0)


def watch(start: int, since: int, upto: int, *changes: tuple[int, str]) -> Call:
    told = [[number, what, 0, "a"] for number, what in changes]
    return ("watch", start, start + 1, OK, {"since": since, "changes": told, "upto": upto})


@pytest.mark.parametrize(
    ("watches", "name"),
    [
        ([watch(8, 0, 3, (1, "up"), (2, "passing"), (3, "down"))], None),
        ([watch(8, 0, 1, (1, "up")), watch(10, 1, 3, (2, "passing"), (3, "critical"))], None),
        ([watch(8, 0, 2, (2, "passing"))], "watch-gap"),
        ([watch(8, 2, 1)], "watch-order"),
        ([watch(8, 0, 1, (1, "up")), watch(10, 0, 1, (1, "down"))], "watch-disagrees"),
        ([watch(8, 0, 2, (1, "up"), (2, "critical"))], "watch-phantom"),
        ([watch(8, 0, 3, (1, "up"), (2, "passing"), (3, "passing"))], "watch-phantom"),
        ([watch(8, 0, 3, (1, "up"), (2, "down"), (3, "passing"))], "watch-phantom"),
        ([watch(8, 0, 1, (1, "passing"))], "watch-phantom"),
    ],
)
def test_what_a_watch_is_told(watches: list[Call], name: str | None) -> None:
    verdict = judged([LATE, read("instances", 3, 4, "passing"), *watches])
    assert name in {anomaly.name for anomaly in verdict.anomalies} or (name is None and not verdict.anomalies)


BOTH = [
    LATE,
    ("serve", 5, 6, OK, {**CHECK, "instance": "b"}),
    ("instances", 7, 8, OK, [["a", "critical"], ["b", "critical"]]),
]


@pytest.mark.parametrize(
    ("calls", "told", "names"),
    [
        (BOTH, "ab", set()),
        (BOTH, "ba", {"watch-order"}),
        ([("serve", 1, 6, OK, CHECK), *BOTH[1:]], "ba", set()),  # at once
        ([served(1, 2, INFO), *BOTH[1:]], "ba", set()),
        ([served(1, 2, FAIL), BOTH[1], ("instances", 7, 8, OK, [["b", "critical"]])], "ba", {"watch-phantom"}),
        ([served(1, 2, FAIL), BOTH[1], ("instances", 7, 8, OK, [["b", "critical"]])], "b", set()),
    ],
)
def test_comings_are_told_in_the_order_of_what_came_after_the_other(
    calls: list[Call], told: str, names: set[str]
) -> None:
    changes = [[number, "up", 0, instance] for number, instance in enumerate(told, start=1)]
    history = history_of([*calls, ("watch", 9, 10, OK, {"since": 0, "changes": changes, "upto": len(told)})])
    ops = [
        replace(op, value="b") if op.f == "serve" and op.process == 1 and op.type is not OK else op for op in history
    ]
    verdict = make().check(History.of(ops), Budget())
    assert {anomaly.name for anomaly in verdict.anomalies} == names


def test_which_recovery_was_the_first_is_not_known_where_changes_are_not() -> None:
    """It had passed before, and failed, and passes again: of that nobody was told by a watch."""
    both = ("instances", 7, 8, OK, [["a", "critical"], ["b", "critical"]])
    changes = {"since": 3, "changes": [[4, "up", 0, "b"], [5, "passing", 0, "a"]], "upto": 5}
    told = ("watch", 9, 10, OK, changes)
    ops = list(
        history_of(
            [LATE, read("instances", 3, 4, "passing"), ("serve", 5, 6, OK, BOTH[1][4]), both, told], ("kill", 1, 8)
        )
    )
    ops = [replace(op, value="b") if op.f == "serve" and op.process == 2 and op.type is not OK else op for op in ops]
    assert not make().check(History.of(ops), Budget()).anomalies


def test_nobody_is_told_of_what_has_not_begun() -> None:
    calls = [served(3, 4), read("instances", 5, 6, "critical")]
    assert judged([*calls, watch(1, 0, 1, (1, "up"))]).anomalies[0].name == "watch-phantom"
    early = {"since": 0, "changes": [[1, "up", 0, "a"]], "upto": 1}
    assert judged([*calls, ("watch", 1, 7, OK, early)]).validity is Validity.VALID


@pytest.mark.parametrize(("changes", "names"), [("up passing up", set()), ("up up", {"watch-missed"}), ("up", set())])
def test_a_recovery_that_somebody_saw_is_told_before_what_began_later(changes: str, names: set[str]) -> None:
    """Instance b is served when somebody has been told that a passes."""
    calls = [LATE, read("healthy", 3, 4, "passing"), ("serve", 5, 6, OK, CHECK)]
    whats = changes.split()
    told = [[number, what, 0, "ab"[whats[:number].count("up") > 1]] for number, what in enumerate(whats, start=1)]
    ops = list(history_of([*calls, ("watch", 8, 9, OK, {"since": 0, "changes": told, "upto": len(told)})]))
    ops = [
        replace(op, value={**CHECK, "instance": "b"} if isinstance(op.value, dict) else "b") if op.process == 2 else op
        for op in ops
    ]
    verdict = make().check(History.of(ops), Budget())
    assert {anomaly.name for anomaly in verdict.anomalies} == names


@pytest.mark.parametrize(
    "call",
    [
        ("read", 3, 4, OK, None),
        ("healthy", 3, 4, OK, 7),
        ("instances", 3, 4, OK, ["a"]),
        ("instances", 3, 4, OK, [["a", "ill"]]),
        ("watch", 3, 4, OK, {"since": 0}),
        ("serve", 3, 4, OK, {"instance": "a"}),
        ("serve", 3, 4, OK, {**CHECK, "failures": 0}),
    ],
)
def test_what_is_no_history_of_instances_is_unknown(call: Call) -> None:
    verdict = judged([call])
    assert verdict.validity is Validity.UNKNOWN
    assert "not a history of instances that are probed" in verdict.reason


def test_an_instance_that_is_commanded_two_things_at_once_is_unknown() -> None:
    assert judged([LATE, commanded("mute", 3, 5), commanded("answer", 4, 6)]).validity is Validity.UNKNOWN


def test_where_nobody_is_told_of_there_was_nothing_to_judge() -> None:
    assert judged([served(1, 2), read("healthy", 3, 4, None)]).validity is Validity.UNKNOWN


@given(one_instance())
def test_valid_says_that_another_answer_would_have_been_wrong(
    drawn: tuple[list[Call], tuple[str, int, int] | None],
) -> None:
    """And there was somebody to answer of."""
    calls, fault = drawn
    verdict = judged(calls, fault)
    if verdict.validity is not Validity.VALID:
        return
    others = [
        [*calls[:at], read(call[0], call[1], call[2], status), *calls[at + 1 :]]
        for at, call in enumerate(calls)
        for status in {"healthy": [None, "passing"]}.get(call[0], [None, "passing", "critical"])
        if call[0] in READS
    ]
    assert any(not legal(other, fault) for other in others), (verdict.stats, calls, fault)


@pytest.mark.parametrize(
    ("calls", "fault", "certain"),
    [
        ([LATE, read("instances", 3, 4, "passing")], None, 1),  # it must be told
        ([LATE, read("instances", 9, 10, "passing")], ("kill", 3, 8), 0),
        ([LATE, read("healthy", 3, 4, "passing"), read("healthy", 6, 7, "passing")], None, 0),
        ([LATE, read("healthy", 8, 9, "passing"), read("instances", 15, 16, "passing")], ("kill", 3, 4), 0),
        ([LATE, commanded("answer", 16, 17), *map(read, READS, [14, 15], [15, 16], ["passing"] * 2)], ("kill", 3, 4), 2),
        ([LATE, commanded("mute", 9, 10), read("healthy", 3, 4, "passing"), read("healthy", 18, 19, None)], None, 1),
        ([LATE, commanded("mute", 9, 10), read("healthy", 3, 4, "passing"), read("healthy", 17, 18, None)], None, 0),
        ([LATE, commanded("mute", 9, 10), read("healthy", 3, 4, "passing"), read("healthy", 31, 32, None)], ("kill", 11, 12), 1),
    ],
)  # fmt: skip
def test_it_is_unknown_where_no_answer_was_certain(
    calls: list[Call], fault: tuple[str, int, int] | None, certain: int
) -> None:
    verdict = judged(calls, fault)
    assert verdict.stats["certain"] == certain
    assert verdict.validity is (Validity.VALID if certain else Validity.UNKNOWN)


def test_large_histories_do_not_take_forever() -> None:
    dice, calls = random.Random(1), [LATE]
    calls += [read("healthy", at, at + 1, "passing") for at in range(8, 3000) if dice.random() < 0.9]
    verdict = judged(calls)
    assert verdict.validity is Validity.VALID
    assert verdict.stats["readings"] > 2000
