"""Session guarantees: words by goldens, verdicts against the definition by trying all orders of versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.sessions.chains import GUARANTEES, MR, MW, RYW, WFR
from checkers.sessions.check import make
from checkers.versions import ODD_SIGHTS
from harness.errors import PlanError
from harness.history import History
from harness.verdict import Budget, Validity, Verdict
from tests.builders import timeline
from tests.checkers import loose
from tests.checkers.loose import PROCESSES, Call, Step, loose_run, stamped, steps
from tests.checkers.runs import STEPS as REGISTER_STEPS
from tests.checkers.runs import register_run
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("sessions")
PROMISES = st.lists(st.sampled_from(GUARANTEES), min_size=1, unique=True)
SESSIONS = {
    "process": lambda call: call.process,
    "thread": lambda call: call.process % PROCESSES,
    "node": lambda call: call.node,
}
# Whether source and target of a demand write → the guarantee that makes it.
DEMANDS = {(True, False): RYW, (False, False): MR, (True, True): MW, (False, True): WFR}


def check(run: History, **options: Any) -> Verdict:
    options.setdefault("concurrency", PROCESSES)
    return make(**options).check(run, Budget())


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("sessions", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def test_every_guarantee_is_broken_in_a_golden() -> None:
    broken = {name for _, _, _, wanted in CASES for name in wanted.split("\n", maxsplit=1)[0].split()[1:]}
    assert broken >= {RYW, MR, MW, WFR, *ODD_SIGHTS}


def demands(calls: Sequence[Call], promised: Sequence[str], session: str) -> Iterator[tuple[str, Call, Call]]:
    """(guarantee, before, after) for every two operations of which the later must touch a version that is at least as new."""
    for one in calls:
        for other in calls:
            together = (
                one.key == other.key and SESSIONS[session](one) == SESSIONS[session](other) and one.ret < other.call
            )
            touch = all(
                call.wrote != loose.NOTHING or (call.f != "write" and call.saw != loose.NOTHING)
                for call in (one, other)
            )
            rule = DEMANDS[one.wrote != loose.NOTHING, other.wrote != loose.NOTHING]
            if together and touch and rule in promised:
                yield rule, one, other


def version(call: Call) -> Any:
    return call.saw if call.wrote == loose.NOTHING else call.wrote


def some_order_exists(calls: Sequence[Call], promised: Sequence[str], session: str, order: str, key: Any) -> bool:
    """By the definition: there is an order of the key's versions that meets every demand."""
    mine = [call for call in calls if call.key == key]
    pairs = [(version(one), version(other)) for _, one, other in demands(mine, promised, session)]
    writes = [call for call in mine if call.wrote != loose.NOTHING]
    pairs += [(call.saw, call.wrote) for call in writes if call.saw != loose.NOTHING]
    if order == "real-time":
        pairs += [(one.wrote, other.wrote) for one in writes for other in writes if one.ret < other.call]
    for written in permutations({value for call in mine for value in (call.saw, call.wrote)} - {loose.NOTHING, None}):
        place = {value: at for at, value in enumerate((None, *written))}
        if all(place[one] <= place[other] for one, other in pairs):
            return True
    return False


@pytest.mark.parametrize("order", ["any", "real-time"])
@given(drawn=steps(30), promised=PROMISES, session=st.sampled_from(sorted(SESSIONS)))
def test_verdicts_are_those_of_the_definition(order: str, drawn: list[Step], promised: list[str], session: str) -> None:
    run = loose_run(drawn, keys=2)
    verdict, calls = check(run, guarantees=promised, session=session, order=order), loose.calls_of(run)
    if not loose.explained(calls):
        assert verdict.validity is Validity.INVALID
        assert verdict.anomalies[0].name in ODD_SIGHTS
        return
    keys = {call.key for call in calls}
    impossible = {key for key in keys if not some_order_exists(calls, promised, session, order, key)}
    assert (verdict.validity is Validity.INVALID) == bool(impossible)
    assert {run[anomaly.ops[0]].key for anomaly in verdict.anomalies} == impossible
    for anomaly in verdict.anomalies:
        assert anomaly.name in promised
        # What is shown is impossible by itself (with the null before all, which needs no line).
        part = loose.calls_of(run.select(run.rows_of(anomaly.witness)))
        assert not some_order_exists(part, promised, session, order, part[0].key)
    asked = [rule for rule, _, _ in demands(calls, promised, session)]
    if not impossible:
        assert (verdict.validity is Validity.VALID) == (set(asked) == set(promised))


@given(drawn=steps(30), promised=PROMISES, session=st.sampled_from(sorted(SESSIONS)))
def test_with_values_that_count_up_every_step_back_is_found(
    drawn: list[Step], promised: list[str], session: str
) -> None:
    run = loose_run(drawn, keys=2, domain=5, cas=False)
    verdict, calls = check(run, guarantees=promised, session=session, order="value"), loose.calls_of(run)
    seen = {(call.key, call.saw) for call in calls}
    back = {
        (rule, other.call)
        for rule, one, other in demands(calls, promised, session)
        if rank(version(other)) < rank(version(one)) and (other.certain or (other.key, other.wrote) in seen)
    }
    if not loose.explained(calls):
        assert verdict.validity is Validity.INVALID
        return
    assert (verdict.validity is Validity.INVALID) == bool(back)
    assert verdict.stats["broken"] == {rule: sum(name == rule for name, _ in back) for rule in promised}
    for anomaly in verdict.anomalies:
        assert any(anomaly.name == rule and row in anomaly.ops for rule, row in back)


def rank(value: Any) -> float:
    return -1 if value is None else value


@given(drawn=REGISTER_STEPS, session=st.sampled_from(sorted(SESSIONS)), order=st.sampled_from(["any", "real-time"]))
def test_a_linearizable_register_keeps_all_guarantees(drawn: list[Step], session: str, order: str) -> None:
    run = register_run(drawn, lies=False, keys=2)
    assert check(run, session=session, order=order).validity is not Validity.INVALID


@given(drawn=steps(40), promised=PROMISES)
def test_names_of_keys_processes_and_values_do_not_matter(drawn: list[Step], promised: list[str]) -> None:
    run = loose_run(drawn, keys=2, cas=False)
    renamed = stamped(
        replace(op, process=op.process * 3 + 1, key=f"key {op.key}", value=None if op.value is None else f"v{op.value}")  # type: ignore[operator]
        for op in run
    )
    one, other = check(run, guarantees=promised), check(renamed, guarantees=promised)
    assert (one.validity, one.stats) == (other.validity, other.stats)
    assert [anomaly.ops for anomaly in one.anomalies] == [anomaly.ops for anomaly in other.anomalies]


@given(drawn=steps(40), other=steps(40))
def test_keys_are_judged_one_by_one(drawn: list[Step], other: list[Step]) -> None:
    one = loose_run(drawn)
    two = stamped(replace(op, process=op.process + 1000, key="y") for op in loose_run(other))  # type: ignore[operator]
    both = stamped([*one, *two])
    found = {name: check(run) for name, run in (("one", one), ("two", two), ("both", both))}
    broken = {name: sum(verdict.stats["broken"].values()) for name, verdict in found.items()}
    assert broken["both"] == broken["one"] + broken["two"]


def test_a_session_is_whom_the_promise_is_made_to() -> None:
    run = timeline("""
        p0   |-- write x 7 --|  |-- write y 1 -->
        p4                                         |-- read x _ --|
    """)
    alone = {"guarantees": [RYW]}
    assert check(run, **alone).validity is Validity.UNKNOWN  # process 4 wrote nothing
    assert check(run, **alone, session="thread").validity is Validity.INVALID  # but its thread did
    assert check(run, **alone, session="thread", concurrency=3).validity is Validity.UNKNOWN
    assert check(run, **alone, session="node").validity is Validity.UNKNOWN  # no call names a node


@pytest.mark.parametrize(
    ("second", "validity"),
    [
        ("p2                                                           |-- read x 7 --|", Validity.INVALID),
        ("p2                                                    |-- read x 7 --|", Validity.VALID),
    ],
)
def test_in_a_session_of_a_node_only_what_does_not_overlap_is_ordered(second: str, validity: Validity) -> None:
    drawing = f"""
p0   |-- write x 7 --|  |-- write x 9 --|
p1                                         |-- read x 9 --|
{second}
p3                                                                              |-- read x 9 --|
    """
    run = stamped(replace(op, node="n1") for op in timeline(drawing))
    assert check(run, guarantees=[MR], session="node", order="real-time").validity is validity
    assert check(run, guarantees=[MR], session="process", order="real-time").validity is Validity.UNKNOWN


def test_many_violations_are_counted_and_some_told() -> None:
    lines = [f"p{n} |-- write k{n} 2 --| |-- read k{n} _ --|" for n in range(12)]
    verdict = check(timeline("\n".join(lines)))
    assert len(verdict.anomalies) == 8
    assert verdict.stats["broken"][RYW] == 12
    assert verdict.reason.endswith("read-your-writes is broken (and 11 more)")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"guarantees": ["monotonic-read"]}, "unknown guarantee 'monotonic-read': did you mean 'monotonic-reads'"),
        ({"guarantees": []}, "no guarantee is to be judged"),
        ({"session": "client"}, "unknown session 'client'"),
        ({"order": "time"}, "unknown order 'time'"),
        ({"session": "thread", "concurrency": None}, "needs the run's concurrency"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError, match=problem):
        make(**options)
