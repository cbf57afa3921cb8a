"""Registries: verdicts on an entry are those of the definition, tried moment by moment; each way to be wrong is found and told."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.registry.check import make
from harness.history import History
from harness.op import NEMESIS, Op, OpType
from harness.verdict import Budget, Validity, Verdict

SECOND_NS = 1_000_000_000
OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO
Call = tuple[str, int, int, OpType, Any]  # f, the seconds of its beginning and its end, how it ended, what it returned
TTL_S, LATE_S = 3.5, 2.0
MOMENTS = [quarter / 4 + 1 / 8 for quarter in range(4 * 32)]  # none is that of a line or of a deadline


def history_of(calls: list[Call], *, session: str = "a", key: Any = 0) -> History:
    """Every call by a process of its own, on one service."""
    lines: list[tuple[float, Op]] = []
    for number, (f, start, end, outcome, result) in enumerate(calls):
        at = None if f in ("beat", "leave", "watch") else key
        value = None if f in ("lookup", "watch") else session
        op = Op(f=f, key=at, value=value, process=number, time_ns=start * SECOND_NS)
        done = replace(op, type=outcome, time_ns=end * SECOND_NS, value=value if result is None else result)
        lines += [(start, op), (end, done)]
    ordered = [op for _, op in sorted(lines, key=lambda line: line[0])]
    return History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ordered))


def judged(calls: list[Call], **named: Any) -> Verdict:
    return make(late_s=LATE_S).check(history_of(calls, **named), Budget())


def registered(start: int, end: int, outcome: OpType = OK) -> Call:
    return ("register", start, end, outcome, {"session": "a", "ttl_s": TTL_S} if outcome is OK else None)


def looked(start: int, end: int, *, seen: bool) -> Call:
    return ("lookup", start, end, OK, ["a"] if seen else [])


def legal(calls: list[Call]) -> bool:
    """Whether the entry can have come and gone at some moments so that every lookup has a moment at which it is right."""
    by_f = {f: [call for call in calls if call[0] == f] for f in ("register", "beat", "deregister", "lookup")}
    ((_, r_start, r_end, r_outcome, _),) = by_f["register"]
    comes = [m for m in MOMENTS if m > r_start and (r_outcome is not OK or m < r_end)]
    renewals = [call for call in (*by_f["register"], *by_f["beat"]) if call[3] is not FAIL]
    kept = [call for call in renewals if call[3] is OK]
    takes = [call for call in by_f["deregister"] if call[3] is not FAIL]
    bounds = [float(call[2]) for call in takes if call[3] is OK]
    if r_outcome is OK and len(kept) == len(renewals):
        bounds.append(max(call[2] for call in renewals) + TTL_S + LATE_S)

    def may_go(moment: float) -> bool:
        expired = r_outcome is not OK or moment > max(call[1] for call in kept) + TTL_S
        taken = any(moment > call[1] for call in takes)
        return (expired or taken) and all(moment < bound for bound in bounds)

    goes = [m for m in MOMENTS if may_go(m)]
    if not bounds:
        goes.append(1e9)
    return any(
        all(
            any((come < m < go) == bool(result) for m in MOMENTS[4 * start : 4 * end])
            for _, start, end, _, result in by_f["lookup"]
        )
        for come in comes
        for go in goes
        if come < go
    )


@st.composite
def one_entry(draw: st.DrawFn) -> list[Call]:
    """A process that registers, lives and perhaps takes its entry back, and lookups at any time; no two lines at one second."""
    own = ["register", *["beat"] * draw(st.integers(0, 2)), *["deregister"] * draw(st.integers(0, 1))]
    looks = draw(st.integers(0, 3))
    times = draw(st.permutations(range(1, 2 * (len(own) + looks) + 8)))
    mine, calls = sorted(times[: 2 * len(own)]), list[Call]()
    for number, f in enumerate(own):
        start, end = mine[2 * number : 2 * number + 2]
        last = number == len(own) - 1  # an unknown outcome ends the process
        outcome = draw(st.sampled_from([OK, OK, OK, *([INFO] * last), *([FAIL] * (number > 0))]))
        alive = {"session": "a", "alive": True} if f == "beat" and outcome is OK else None
        calls.append(registered(start, end, outcome) if f == "register" else (f, start, end, outcome, alive))
    for number in range(len(own), len(own) + looks):
        start, end = sorted(times[2 * number : 2 * number + 2])
        calls.append(looked(start, end, seen=draw(st.booleans())))
    return calls


@given(one_entry())
def test_verdicts_are_those_of_the_definition(calls: list[Call]) -> None:
    verdict = judged(calls)
    assert (verdict.validity is not Validity.INVALID) == legal(calls), (verdict.reason, calls)


@pytest.mark.parametrize(
    ("calls", "name"),
    [
        ([looked(1, 2, seen=True)], "phantom-entry"),
        ([looked(1, 2, seen=True), registered(3, 4)], "phantom-entry"),
        ([registered(1, 2), looked(3, 4, seen=False)], "early-expiry"),
        ([registered(1, 2), looked(8, 9, seen=True)], "late-expiry"),
        ([registered(1, 2), ("leave", 3, 4, OK, None), looked(5, 6, seen=True)], "ghost-entry"),
        ([registered(1, 2), looked(5, 6, seen=False), looked(7, 8, seen=True)], "ghost-entry"),
        ([registered(1, 2), ("beat", 3, 4, OK, {"session": "a", "alive": False})], "early-expiry"),
    ],
)
def test_each_way_to_be_wrong_has_its_name(calls: list[Call], name: str) -> None:
    verdict = judged(calls)
    assert verdict.validity is Validity.INVALID
    assert {anomaly.name for anomaly in verdict.anomalies} == {name}


def test_the_words() -> None:
    verdict = judged([registered(1, 2), ("beat", 3, 4, OK, {"session": "a", "alive": True}), looked(5, 6, seen=False)])
    assert verdict.reason == (
        "process 2, who looked up service 0 (5.00 s – 6.00 s), did not find the entry of session a, "
        "though its heartbeat came (3.00 s – 4.00 s) and it was to live for 3.5 s from then on"
    )


@pytest.mark.parametrize(("kind", "excused"), [("kill", True), ("clock", False)])
def test_a_fault_excuses_what_ends_late_if_it_is_none_of_a_clock(kind: str, excused: bool) -> None:
    ops = list(history_of([registered(1, 2), looked(9, 10, seen=True)]))
    value = {"id": 1, "targets": ["n1"], "bit": True, "healed": True}
    faults = [
        Op(f=f"{word}-{kind}", type=INFO, process=NEMESIS, time_ns=second * SECOND_NS, value=value)
        for word, second in (("start", 3), ("start", 3), ("stop", 8), ("stop", 8))
    ]
    lines = sorted([*ops, *faults], key=lambda op: op.time_ns)
    history = History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(lines))
    verdict = make(late_s=LATE_S).check(history, Budget())
    assert (verdict.validity is Validity.VALID) == excused


def watch(start: int, since: int, upto: int, *changes: tuple[int, str]) -> Call:
    told = [[number, what, 0, "a"] for number, what in changes]
    return ("watch", start, start + 1, OK, {"since": since, "changes": told, "upto": upto})


@pytest.mark.parametrize(
    ("watches", "name"),
    [
        ([watch(20, 0, 2, (1, "up"), (2, "down"))], None),
        ([watch(20, 0, 1, (1, "up")), watch(22, 1, 2, (2, "down"))], None),
        ([watch(20, 0, 2, (2, "down"))], "watch-gap"),
        ([watch(20, 0, 3)], "watch-gap"),
        ([watch(20, 0, 2, (2, "down"), (1, "up"))], "watch-order"),
        ([watch(20, 2, 1)], "watch-order"),
        ([watch(20, 0, 1, (1, "up")), watch(22, 0, 1, (1, "down"))], "watch-disagrees"),
        ([watch(20, 0, 2, (1, "up"), (2, "up"))], "watch-phantom"),
        ([watch(20, 0, 1, (1, "down"))], "watch-phantom"),
    ],
)
def test_what_a_watch_is_told(watches: list[Call], name: str | None) -> None:
    verdict = judged([registered(1, 2), looked(3, 4, seen=True), *watches])
    assert name in {anomaly.name for anomaly in verdict.anomalies} or (name is None and not verdict.anomalies)


def told_of(*sessions: str) -> Verdict:
    """Sessions a, b, c register one after the other, and a watch is told that ``sessions`` came, in this order."""
    ops = []
    for number, session in enumerate("abc"):
        op = Op(f="register", key=0, value=session, process=number, time_ns=4 * number * SECOND_NS)
        done = {"session": session, "ttl_s": 99}
        ops += [op, replace(op, type=OK, time_ns=op.time_ns + SECOND_NS, value=done)]
    changes = [[number, "up", 0, session] for number, session in enumerate(sessions, start=1)]
    asked = Op(f="watch", process=9, time_ns=20 * SECOND_NS)
    result = {"since": 0, "changes": changes, "upto": len(sessions)}
    looked_up = Op(f="lookup", key=0, process=8, time_ns=19 * SECOND_NS)
    ops += [looked_up, replace(looked_up, type=OK, value=["a", "b", "c"]), asked, replace(asked, type=OK, value=result)]
    history = History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ops))
    return make().check(history, Budget())


def test_a_watch_that_is_told_of_who_never_registered() -> None:
    [phantom] = [anomaly for anomaly in told_of("a", "d").anomalies if anomaly.name == "watch-phantom"]
    assert phantom.reason.startswith("change 2 is ")
    assert phantom.reason.endswith(", which was never made")
    assert "watch-phantom" not in {anomaly.name for anomaly in told_of("a", "b", "c").anomalies}


def test_changes_come_in_the_order_of_what_was_done_and_none_is_missing() -> None:
    assert told_of("a", "b", "c").validity is Validity.VALID
    assert told_of("a", "b").validity is Validity.VALID  # it has not heard of c yet
    assert {anomaly.name for anomaly in told_of("b", "a", "c").anomalies} == {"watch-order"}
    assert {anomaly.name for anomaly in told_of("a", "c").anomalies} == {"watch-missed"}


@pytest.mark.parametrize(
    "call",
    [
        ("read", 3, 4, OK, None),
        ("lookup", 3, 4, OK, 7),
        ("watch", 3, 4, OK, {"since": 0}),
        ("watch", 3, 4, OK, {"since": 0, "upto": "1", "changes": []}),
        ("register", 3, 4, OK, {"session": "a"}),
    ],
)
def test_what_is_no_registry_is_unknown(call: Call) -> None:
    verdict = judged([call])
    assert verdict.validity is Validity.UNKNOWN
    assert "not a history of a registry" in verdict.reason


def test_a_registry_in_which_nobody_is_found_proves_nothing() -> None:
    assert judged([registered(1, 2)]).validity is Validity.UNKNOWN


def test_large_histories_do_not_take_forever() -> None:
    dice, calls = random.Random(1), [registered(1, 2)]
    calls += [looked(3 + number, 4 + number, seen=False) for number in range(5, 2000) if dice.random() < 0.9]
    assert judged(calls).stats["lookups"] > 1000
