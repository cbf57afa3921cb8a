"""Coherence: words by goldens, orders against all orders, and states of caches against every instant."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.memory.coherence import make
from harness.history import FAIL, OK, History
from harness.verdict import Budget, ReadsNodeLogs, Validity, Verdict
from tests.builders import history
from tests.checkers.loose import Step, loose_run, steps
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("coherence")
Logs = dict[str, list[dict[str, Any]]]


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("coherence", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def coherent(run: History, key: str) -> bool:
    """Whether some order of the writes lets every process go forward in it: by trying all orders."""
    calls = run.calls()
    rows = [row for row in range(len(calls)) if calls.op(row).key == key and calls.outcome[row] != FAIL]
    writes = {calls.op(row).value: row for row in rows if calls.op(row).f == "write"}
    seen: dict[int, list[tuple[Any, int]]] = {}
    for row in rows:
        op, done = calls.op(row), calls.completion(row)
        if op.f == "write":
            seen.setdefault(int(calls.process[row]), []).append((op.value, row))
        elif done is not None and calls.outcome[row] == OK:
            write = writes.get(done.value)
            if done.value is not None and (
                write is None or (calls.process[write] == calls.process[row] and write > row)
            ):
                return False
            seen.setdefault(int(calls.process[row]), []).append((done.value, row))
    for order in permutations(writes):
        places = {value: place for place, value in enumerate((None, *order))}
        sights = [[places[value] for value, _ in mine] for mine in seen.values()]
        if all(mine == sorted(mine) for mine in sights):
            return True
    return False


@given(steps(18))
def test_one_order_per_location_is_the_definition(drawn: list[Step]) -> None:
    run = loose_run(drawn, keys=2, cas=False)
    if sum(op.f == "write" and op.type == "invoke" for op in run) > 6:
        return
    verdict = make().check(run, Budget())
    assert (verdict.validity is Validity.INVALID) == (not all(coherent(run, key) for key in "xyz"))


def state(time_s: float, held: str, location: object = "x") -> dict[str, Any]:
    return {"t": time_s, "event": "state", "location": location, "state": held}


WORK = "p0 invoke write x 1 time=0s\np0 ok write x 1 time=0s\np0 invoke read x _ time=0s\np0 ok read x 1 time=20s\n"


def judged(logs: Logs, more: str = "", **options: float) -> Verdict:
    checker = make(**options)
    assert isinstance(checker, ReadsNodeLogs)
    return checker.with_logs(logs).check(history(WORK + more), Budget())


def test_two_writers_and_a_reader_beside_a_writer_are_told() -> None:
    verdict = judged({"n1": [state(1, "M"), state(5, "I")], "n2": [state(2, "S"), state(3, "E")]})
    assert [(a.name, a.reason) for a in verdict.anomalies] == [
        ("reader-beside-writer", "n1 held x in state M from 1 s to 5 s, but n2 held it in state S from 2 s on"),
        ("two-writers", "n1 held x in state M from 1 s to 5 s, but n2 held it in state E from 3 s on"),
    ]


KILL = 'nemesis info start-kill - {"id": 1} time=21s\nnemesis info start-kill - {"id": 1, "targets": ["n1"], "bit": true} time=21s'


@pytest.mark.parametrize(
    ("logs", "names"),
    [
        ({"n1": [state(1, "M"), state(2, "I")], "n2": [state(2, "M")]}, []),  # handed over at that instant
        ({"n1": [state(1, "M"), state(2, "S")], "n2": [state(2, "S")]}, []),
        ({"n1": [state(1, "S")], "n2": [state(1, "S")], "n3": [state(1, "S")]}, []),
        ({"n1": [state(1, "O")], "n2": [state(1, "S")]}, []),
        ({"n1": [state(1, "O")], "n2": [state(1, "O")]}, ["two-writers"]),
        ({"n1": [state(1, "E")], "n2": [state(1, "S")]}, ["reader-beside-writer"]),
        ({"n1": [state(1, "M")], "n2": [state(1, "M", "y")]}, []),
        ({"n1": [state(1, "M"), {"t": 2, "event": "start"}], "n2": [state(3, "M")]}, []),  # it came back with nothing
        ({"n1": [state(1, "M"), {"t": 4, "event": "start"}], "n2": [state(3, "M")]}, ["two-writers"]),
        ({"n1": [state(1, "M"), state(21, "I")], "n2": [state(20.5, "M")]}, ["two-writers"]),
    ],
)
def test_states_of_caches(logs: Logs, names: list[str]) -> None:
    verdict = judged(logs)
    assert [anomaly.name for anomaly in verdict.anomalies] == names
    assert verdict.validity is (Validity.INVALID if names else Validity.VALID)


def test_a_dead_node_holds_nothing() -> None:
    fault = KILL.replace("21s", "2s")
    logs = {"n1": [state(1, "M")], "n2": [state(3, "M")]}
    text = fault + "\n" + WORK.replace("time=0s", "time=2s")
    checker = make()
    assert isinstance(checker, ReadsNodeLogs)
    assert checker.with_logs(logs).check(history(text), Budget()).validity is Validity.VALID
    assert judged(logs).validity is Validity.INVALID


def test_clocks_may_differ_by_some_slack() -> None:
    logs = {"n1": [state(1, "M"), state(2.01, "I")], "n2": [state(2, "M")]}
    assert judged(logs).validity is Validity.INVALID
    assert judged(logs, slack_s=0.02).validity is Validity.VALID


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["n1", "n2", "n3"]), st.sampled_from("MEOSI"), st.sampled_from("xy"), st.integers(0, 2)
        ),
        max_size=8,
    )
)
def test_clashes_are_those_of_every_instant(moves: list[tuple[str, str, str, int]]) -> None:
    logs: Logs = {"n1": [], "n2": [], "n3": []}
    now = 0
    held: dict[tuple[str, str], str] = {}
    clash = False
    for node, becomes, location, pause in moves:
        if pause:
            clash |= any(
                one[1] == other[1] and ("M" in pair or "E" in pair or pair == "OO")
                for (one, a), (other, b) in combinations(held.items(), 2)
                if (pair := a + b) and "I" not in pair
            )
        now += pause
        held[node, location] = becomes
        logs[node].append(state(now, becomes, location))
    clash |= any(
        one[1] == other[1] and ("M" in a + b or "E" in a + b or a + b == "OO") and "I" not in a + b
        for (one, a), (other, b) in combinations(held.items(), 2)
    )
    assert bool(judged(logs).anomalies) == clash


@pytest.mark.parametrize("line", [state(1, "X"), {"event": "state", "location": "x", "state": "M"}])
def test_a_line_that_makes_no_sense_is_unknown(line: dict[str, Any]) -> None:
    verdict = judged({"n1": [line]})
    assert verdict.validity is Validity.UNKNOWN
    assert "logged the state" in verdict.reason
