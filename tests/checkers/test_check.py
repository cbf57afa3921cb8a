"""The checker as a whole: keys, budget, statistics, what it refuses. The words stand in the goldens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from checkers import CHECKERS, MODELS
from checkers.linearizable.check import make
from checkers.linearizable.explain import ANOMALIES
from checkers.linearizable.models import Model
from harness.errors import PlanError
from harness.history import History
from harness.op import Op
from harness.registry import Registry
from harness.verdict import Budget, Checker, Validity, Verdict
from tests.builders import history, timeline
from tests.checkers.runs import STEPS, Step, could_be_wrong, history_of, register_run, rolls
from tests.checkers.test_algorithms import by_definition
from tests.examples import examples

ROOT = Path(__file__).parents[2]


made = cache(lambda model: make(model=model))


def check(found: History, budget: Budget | None = None, model: str | Model = "cas-register") -> Verdict:
    return made(model).check(found, budget or Budget())


@examples(25)
@given(STEPS)
def test_the_verdict_is_the_definition(steps: list[Step]) -> None:
    for domain in (0, 3):
        run = register_run(steps, domain=domain, keys=3)
        verdict = check(run)
        wanted = by_definition(run)
        legal = Validity.VALID if could_be_wrong(run) else Validity.UNKNOWN
        assert verdict.validity is (legal if all(wanted) else Validity.INVALID)
        assert len(verdict.anomalies) == wanted.count(False)
        assert verdict.stats["keys"] == len(wanted)
        for anomaly in verdict.anomalies:
            assert anomaly.name in ANOMALIES
            assert anomaly.ops
            assert set(anomaly.witness) <= set(run.index.tolist())


def test_who_asks_for_the_verdict_alone_is_told_no_more() -> None:
    for lies in (False, True):
        run = register_run(rolls(300, 1), domain=5, lies=lies, crashes=False)
        whole, bare = (make().check(run, Budget(told=told)) for told in (True, False))
        assert bare.validity is whole.validity
        assert bool(whole.anomalies) == lies
        assert not bare.anomalies


def test_keys_are_judged_alone_and_the_worst_wins() -> None:
    verdict = check(
        timeline("""
            p0   |-- write a 1 --|  |-- write a 2 --|  |-- read a 2 --|
            p1   |-- write b 1 --|  |-- write b 2 --|  |-- read b 1 --|
            p2   |-- write c 1 --|  |-- write c 1 --|  |-- read c 1 --|
        """)
    )
    assert verdict.validity is Validity.INVALID
    assert "key b" in verdict.reason
    assert verdict.stats["by_validity"] == {"valid": 2, "unknown": 0, "invalid": 1}
    assert verdict.stats["algorithms"] == {"unique": 2, "search": 1}
    assert [(row["key"], row["validity"], row["algorithm"]) for row in verdict.stats["by_key"]] == [
        ("b", "invalid", "unique"),
        ("c", "valid", "search"),
        ("a", "valid", "unique"),
    ]


def test_many_broken_keys_are_counted_and_some_told() -> None:
    ops = []
    for key in range(20):
        for f, value in (("write", 1), ("write", 2), ("read", 1)):
            op = Op(process=0, f=f, key=key, value=None if f == "read" else value)
            ops += [op, op.ok(value)]
    verdict = check(history_of(ops))
    assert verdict.stats["by_validity"]["invalid"] == 20
    assert len(verdict.anomalies) == 8
    assert verdict.reason.endswith("(19 more keys of 20 not linearizable)")


def test_equal_numbers_of_different_kinds_are_different_values() -> None:
    """A read of true, of 1.0 or of "1" after a write of 1 is a read of what nobody wrote; Python would call three of them equal."""
    for other in (True, 1.0, "1", [1]):
        op, read = Op(process=0, f="write", value=1), Op(process=0, f="read")
        assert check(history_of([op, op.ok(1), read, read.ok(1)])).validity is Validity.VALID
        assert check(history_of([op, op.ok(1), read, read.ok(other)])).anomalies[0].name == "phantom-read"
        swap = Op(process=0, f="cas", value=[other, 2])
        assert check(history_of([op, op.ok(1), swap, swap.ok([other, 2])])).validity is Validity.INVALID


def hard(size: int, key: str, process: int) -> Iterator[Op]:
    """Concurrent writes of two values that never complete, under reads that alternate: much to search, and legal."""
    for i in range(size):
        yield Op(process=process + 10 + i, f="write", key=key, value=i % 2)
    for i in range(size):
        read = Op(process=process, f="read", key=key)
        yield from (read, read.ok(i % 2))


def impossible_small(key: str) -> Iterator[Op]:
    """Found by search alone: every read has a possible source, and together they do not."""
    text = f"""
        p0   |-- write {key} 1 --|  |-- write {key} 2 -------------------------------------------|
        p1                          |-- write {key} 1 -------------------------------------------|
        p2                           |-- read {key} 2 --|  |-- read {key} 1 --|  |-- read {key} 2 --|
    """
    yield from timeline(text)


def test_a_hard_key_does_not_hide_the_violation_of_another() -> None:
    ops = [*hard(40, "hard", 100), *impossible_small("easy")]
    found = check(history_of(ops), Budget(steps_max=40_000, configs_max=10**6))
    assert found.validity is Validity.INVALID
    assert found.anomalies[0].name == "new-old-inversion"
    assert {row["key"]: row["validity"] for row in found.stats["by_key"]}["easy"] == "invalid"


@pytest.mark.parametrize("budget", [Budget(steps_max=300), Budget(configs_max=20), Budget(steps_max=1)])
def test_out_of_budget_is_unknown_with_the_prefix_reached(budget: Budget) -> None:
    run = register_run(rolls(900, 1), domain=5, lies=False)
    verdict = check(run, budget)
    assert verdict.validity is Validity.UNKNOWN
    assert "undecided within the budget" in verdict.reason
    assert "MiB); a legal order was found for the first" in verdict.reason
    (row,) = verdict.stats["by_key"]
    assert row["validity"] == "unknown"
    assert 0 <= row["explained"] < row["completed"]


def test_budget_is_shared_in_order_and_what_was_never_tried_says_so() -> None:
    ops = [*hard(12, "a", 100), *hard(12, "b", 300)]
    verdict = check(history_of(ops), Budget(steps_max=5))
    assert verdict.validity is Validity.UNKNOWN
    assert "2 keys of 2 undecided" in verdict.reason
    assert "of key a, a legal order was found" in verdict.reason


def test_verdicts_do_not_depend_on_the_engine() -> None:
    from tests.checkers.engines import compiled, plain

    run = register_run(rolls(1500, 8), domain=4, keys=2, lies=False)
    for steps_max in (100, 700, 10**6):
        with plain():
            one = check(run, Budget(steps_max=steps_max))
        with compiled():
            assert check(run, Budget(steps_max=steps_max)) == one


def test_a_model_of_your_own_judges() -> None:
    def step(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, Any]:
        return (True, argument) if f == "open" else (result == state, state)

    door = Model(name="door", summary="", init="shut", step=step, fs=frozenset({"open", "look"}))
    text = "p0 invoke open - 7\np0 ok open - 7\np0 invoke look - _\np0 ok look - "
    assert check(history(text + "7"), model=door).validity is Validity.VALID
    assert check(history(text + "8"), model=door).validity is Validity.INVALID


def test_a_model_that_throws_is_unknown() -> None:
    found = check(history('p0 invoke add - "three"\np0 ok add - _'), model="counter")
    assert found.validity is Validity.UNKNOWN
    assert found.reason.startswith("the model counter cannot judge this history: TypeError")


def test_an_unknown_model_gets_a_suggestion() -> None:
    with pytest.raises(PlanError, match="did you mean 'mutex'"):
        make(model="mutexx")


def test_every_table_entry_is_there() -> None:
    for name in CHECKERS:
        checker: Checker = Registry("checker", CHECKERS).get(name)()
        assert checker.name == name
        verdict = checker.check(history(""), Budget())
        assert verdict.checker == name
        assert verdict.reason
    for name in MODELS:
        model: Model = Registry("model", MODELS).get(name)
        assert (model.name, bool(model.summary)) == (name, True)


def test_small_histories_are_judged_without_numba() -> None:
    """Importing it takes longer than all the rest."""
    code = (
        "import sys\n"
        "from checkers.linearizable.check import make\n"
        "from harness.verdict import Budget\n"
        "from tests.checkers.runs import register_run, rolls\n"
        "for domain in (0, 5):\n"
        "    run = register_run(rolls(2000, 1), domain=domain, keys=3, lies=False)\n"
        "    assert make().check(run, Budget()).validity == 0\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
