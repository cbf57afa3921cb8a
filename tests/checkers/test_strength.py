"""Strength: mutants are lies and nothing else; a history of which no lie would be noticed is no pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checkers import sets
from checkers.bank import make as bank
from checkers.linearizable.check import make as linearizable
from checkers.mutants import mutants
from checkers.queues.total import make as total_queue
from checkers.stats import make as stats
from checkers.strength import FRUGAL_STEPS, strength
from checkers.transactions.list_append import make as list_append
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Checker, Validity, Verdict
from tests.builders import history, timeline
from tests.checkers.runs import register_run, rolls


class Blind:
    """A checker that finds every history valid."""

    name = "blind"

    def check(self, history: History, budget: Budget) -> Verdict:
        return Verdict(checker=self.name, validity=Validity.VALID, reason="whatever")


class Crashing(Blind):
    """It crashes on what it does not know: a lie does not pass as valid."""

    def check(self, history: History, budget: Budget) -> Verdict:
        raise ValueError("no")


REGISTER = register_run(rolls(400, 3), lies=False)


def made(run: History, each: int = 4) -> dict[str, list[History]]:
    found: dict[str, list[History]] = {}
    for kind, mutant in mutants(run, each):
        found.setdefault(kind, []).append(mutant)
    return found


def differences(run: History, mutant: History) -> list[tuple[Op, Op]]:
    return [(one, other) for one, other in zip(run, mutant, strict=True) if one != other]


def test_each_mutant_is_one_lie() -> None:
    found = made(REGISTER)
    assert {kind: len(each) for kind, each in found.items()} == {"lost": 4, "failed": 4, "swapped": 4, "stale": 4}
    for mutant in found["lost"]:
        gone = [op for op in REGISTER if op.index not in set(mutant.index.tolist())]
        assert [op.type for op in gone] == ["invoke", "ok"]
        assert gone[0].value is not None
    for mutant in found["failed"]:
        [(one, other)] = differences(REGISTER, mutant)
        assert (one.type, other.type) == ("ok", "fail")
    for mutant in found["swapped"]:
        (a, b), (c, d) = differences(REGISTER, mutant)
        assert (a.value, c.value) == (d.value, b.value)
        assert a.f == c.f == "read"
        assert a.key == c.key
    for mutant in found["stale"]:
        [(one, other)] = differences(REGISTER, mutant)
        assert any(
            op.f == one.f and op.key == one.key and op.value == other.value for op in REGISTER if op.index < one.index
        )


def test_mutants_are_the_same_for_the_same_history_and_the_history_stays_as_it_is() -> None:
    before = list(REGISTER)
    assert [(kind, list(mutant)) for kind, mutant in mutants(REGISTER, 3)] == [
        (kind, list(m)) for kind, m in mutants(REGISTER, 3)
    ]
    assert before == list(REGISTER)


def test_in_transactions_single_reads_are_lied_about() -> None:
    ops: list[Op] = []
    for n in range(1, 9):
        call = Op(process=0, f="txn", value=[["r", "x", None], ["append", "x", n]])
        ops += [call, call.ok([["r", "x", list(range(1, n)) or None], ["append", "x", n]])]
    run = History.of(ops)
    found = made(run)
    for kind in ("swapped", "stale"):
        assert found[kind]
        for mutant in found[kind]:
            for one, other in differences(run, mutant):
                assert one.value[0] != other.value[0]
                assert one.value[1] == other.value[1]
    verdict = strength(run, [list_append()], Budget())
    assert verdict.stats["mutants"]["swapped"]["caught"] > 0


def test_of_a_map_one_entry_is_lied_about() -> None:
    ops: list[Op] = []
    for n in range(1, 6):
        call = Op(process=0, f="read")
        ops += [call, call.ok({"a": 10 - n, "b": 10 + n})]
    transfer = Op(process=0, f="transfer", value={"from": "a", "to": "b", "amount": 1})
    run = History.of([*ops, transfer, transfer.ok(transfer.value)])
    found = made(run)["fractured"]
    assert found
    for mutant in found:
        [(one, other)] = differences(run, mutant)
        assert [one.value["a"] == other.value["a"], one.value["b"] == other.value["b"]] == [False, True]
    caught = strength(run, [bank(total=20)], Budget()).stats["mutants"]
    assert caught["fractured"]["caught"] == caught["fractured"]["made"]
    assert caught["stale"]["caught"] == 0


def test_half_of_the_lies_are_about_final_reads_and_tell_what_was_seen_first() -> None:
    calls = [Op(process=0, f="read", key="x", extra={"final": True} if n >= 20 else {}) for n in range(26)]
    run = History.of([op for n, call in enumerate(calls) for op in (call, call.ok(n))])
    changed = [other for mutant in made(run)["stale"] for _, other in differences(run, mutant)]
    assert [other.value for other in changed[2:]] == [0, 0]
    assert [bool(run.extras.get(int(other.index) - 1)) for other in changed] == [False, False, True, True]


def test_micro_operations_change_places_only_with_their_like() -> None:
    """Of another key, of another name, without a key, or no micro-operations at all."""
    values: list[tuple[Any, Any]] = []
    for n in range(6):
        values += [
            ([["r", "x"], ["r", "y"]], [["r", "x", n], ["r", "y", 10 + n]]),
            ([["poll"]], [["poll", {"k": [[n, n]]}]]),
            ([n, 1], [n, 2]),
        ]
    calls = [(Op(process=0, f="txn", value=asked), got) for asked, got in values]
    run = History.of([op for call, got in calls for op in (call, call.ok(got))])
    found = made(run, 40)
    assert {str(one.value[0])[:6] for mutant in found["stale"] for one, _ in differences(run, mutant)} >= {
        "['r', ",
        "['poll",
    }
    for mutant in found["swapped"]:
        for one, other in differences(run, mutant):
            assert [type(part) for part in one.value] == [type(part) for part in other.value]
            for before, after in zip(one.value, other.value, strict=True):
                if isinstance(before, list):
                    assert before[0] == after[0]
                    assert before[0] == "poll" or (before[1], before[2] // 10) == (after[1], after[2] // 10)


SET = """
p0 |-- add - 1 --| |-- add - 2 --| |-- add - 3 --|
p1                                                 |-- read - [1] --| |-- read - [1,2,3] --|
"""
QUEUE = "".join(
    [f"p0 invoke enqueue - {n}\np0 ok enqueue - {n}\n" for n in range(6)]
    + [f"p1 invoke dequeue - _\np1 ok dequeue - {n}\n" for n in [*range(6), "_"]]
)


@pytest.mark.parametrize(
    ("run", "checker"),
    [(REGISTER, linearizable()), (timeline(SET), sets.make()), (history(QUEUE), total_queue())],
    ids=["register", "set", "queue"],
)
def test_a_checker_that_sees_catches_lies(run: History, checker: Checker) -> None:
    assert checker.check(run, Budget()).validity is Validity.VALID
    verdict = strength(run, [checker, stats()], Budget())
    assert verdict.validity is Validity.VALID
    assert verdict.stats["caught_share"] >= 0.5
    assert " told in copies of this history were caught; up to " in verdict.reason


def test_a_history_of_which_no_lie_is_noticed_is_no_pass() -> None:
    verdict = strength(REGISTER, [Blind()], Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.stats["mutants"]["swapped"]["made"] > 20
    assert verdict.reason.startswith("not one of ")
    assert "told in copies of this history would have been noticed" in verdict.reason


class Searching(Blind):
    """It takes so many steps for every answer."""

    def __init__(self, steps: int) -> None:
        self._stats = {"steps": steps}

    def check(self, history: History, budget: Budget) -> Verdict:
        return replace(super().check(history, budget), stats=self._stats)


def test_where_strength_is_a_remark_long_searches_have_one_lie_of_each_kind() -> None:
    quick, slow = (
        strength(REGISTER, [Searching(steps)], Budget(), frugal=True).stats["mutants"] for steps in (1, FRUGAL_STEPS)
    )
    assert {kind: told["made"] for kind, told in slow.items()} == dict.fromkeys(slow, 1)
    assert all(told["made"] > 1 for told in quick.values())
    assert strength(REGISTER, [linearizable()], Budget(), frugal=True).stats["caught_share"] >= 0.5


def test_what_does_not_pass_as_valid_is_noticed_though_not_caught() -> None:
    verdict = strength(REGISTER, [Crashing()], Budget())
    assert (verdict.validity, verdict.stats["caught_share"]) == (Validity.VALID, 0.0)


def test_few_lies_say_nothing_and_so_do_checkers_that_only_report() -> None:
    short = timeline("p0 |-- write x 1 --| |-- read x 1 --| |-- write x 2 --| |-- read x 2 --|")
    assert strength(short, [Blind()], Budget()).validity is Validity.VALID
    told = strength(REGISTER, [stats()], Budget())
    assert told.validity is Validity.VALID
    assert "no lie was thought of" in told.reason


@pytest.mark.parametrize(("reads", "validity"), [(4, Validity.VALID), (5, Validity.UNKNOWN)])
def test_eight_lies_about_results_say_something(reads: int, validity: Validity) -> None:
    """Each two neighbours of these reads make two: one has the other's result, or both have."""
    lines = "".join(f"p0 invoke read x _\np0 ok read x {value}\n" for value in range(reads))
    verdict = strength(history(lines), [Blind()], Budget())
    assert sum(verdict.stats["mutants"][kind]["made"] for kind in ("swapped", "stale")) == 2 * (reads - 1)
    assert verdict.validity is validity


def test_the_longer_a_history_the_fewer_mutants() -> None:
    counts: list[Any] = []
    for length in (400, 20_000):
        run = register_run(rolls(length, 1), lies=False, crashes=False)
        counts.append({each["made"] for each in strength(run, [linearizable()], Budget()).stats["mutants"].values()})
    assert counts == [{8}, {1}]


def test_figures() -> None:
    run = timeline("""
    p0   |-- write x 1 --|   |-- write y 1 --|
    p1        |-- write x 2 --|                 |-- write y 2 --|
    p2   |-- write z 1 -->
    """)
    figures = strength(run, [Blind()], Budget()).stats
    assert {
        name: figures[name] for name in ("operations", "open_at_once", "faults", "during_faults", "contended_keys")
    } == {
        "operations": 5,
        "open_at_once": 2,
        "faults": 0,
        "during_faults": 0,
        "contended_keys": 1,
    }
    faulty = history("""
    p0 invoke write x 1 time=1s
    nemesis info start-kill - {"id": 1} time=2s
    nemesis info start-kill - {"id": 1, "bit": true} time=2s
    p0 ok write x 1 time=3s
    nemesis info stop-kill - {"id": 1} time=4s
    nemesis info stop-kill - {"id": 1, "healed": true} time=4s
    p0 invoke write x 2 time=5s
    p0 ok write x 2 time=6s
    """)
    figures = strength(faulty, [Blind()], Budget()).stats
    assert (figures["faults"], figures["during_faults"]) == (1, 1)
