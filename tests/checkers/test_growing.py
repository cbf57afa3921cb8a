"""Sets that only grow: the chain of reads against the definition."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from checkers.linearizable.check import make
from checkers.linearizable.models import SET
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Validity
from tests.builders import timeline
from tests.checkers.brute import defined

CHECKER = make(model="set")


def set_run(steps: int, seed: int) -> History:
    """A set that ran, with lies, crashes and values that are added again."""
    dice = random.Random(seed)
    content: list[int] = []
    names = list(range(3))
    open_ops: dict[int, tuple[Op, list[int] | None]] = {}
    ops: list[Op] = []
    for _ in range(steps):
        thread = dice.randrange(3)
        if thread not in open_ops:
            op = Op(process=names[thread], f=dice.choice(["add", "read"]))
            op = Op(process=op.process, f=op.f, value=dice.randrange(1, 7) if op.f == "add" else None)
            open_ops[thread] = op, None
            ops.append(op)
            continue
        op, result = open_ops[thread]
        if result is None:
            if op.f == "add":
                content.append(op.value)
            result = sorted(set(content), key=lambda _: dice.random())
            open_ops[thread] = op, result
            continue
        del open_ops[thread]
        if dice.random() < 0.1:
            names[thread] += 3
            ops.append(op.info("timeout"))
            continue
        if dice.random() < 0.1 and result:
            result = result[1:]
        elif dice.random() < 0.05:
            result = [*result, dice.randrange(1, 8)]
        ops.append(op.ok(op.value if op.f == "add" else result))
    return History.of(ops)


def test_the_chain_is_the_definition() -> None:
    seen, names = Counter[Validity](), Counter[str]()
    for seed in range(1500):
        history = set_run(8 + seed % 16, seed)
        verdict, wanted = CHECKER.check(history, Budget()), defined(SET, history)
        assert verdict.validity is wanted, seed
        seen[wanted] += 1
        names.update(anomaly.name for anomaly in verdict.anomalies)
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 150
    assert min(names.values()) >= 3
    assert len(names) == 4


def test_a_witness_names_what_happened() -> None:
    history = timeline("""
        p0   |- add - 1 -|  |- add - 2 -|
        p1                               |- read - [2] -|
    """)
    (anomaly,) = CHECKER.check(history, Budget()).anomalies
    assert anomaly.name == "lost-add"
    assert "1" in anomaly.reason


def test_a_read_that_is_no_list_is_unknown() -> None:
    verdict = CHECKER.check(timeline("p0 |- read - 7 -|"), Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert "list of its elements" in verdict.reason


def test_each_key_is_a_set_of_its_own() -> None:
    apart = timeline("p0 |- add x 1 -|  |- read x [1] -|  |- add y 2 -|  |- read y [2] -|")
    assert make(model="set").check(apart, Budget()).validity is Validity.VALID
    lost = timeline("p0 |- add x 1 -|  |- read x [1] -|  |- add y 2 -|  |- read y [] -|")
    assert make(model="set").check(lost, Budget()).validity is Validity.INVALID


@pytest.mark.parametrize(
    ("drawing", "name", "words"),
    [
        ("p0 |- read - [1] -| |- add - 1 -|", "future-read", "shows what was added only later: process 0's add of 1"),
        (
            "p0 |- add - 1 ---------------------------|\np1       |- read - [1] -| |- read - [] -|",
            "lost-add",
            "but shows elements that the later read lacks",
        ),
        (
            "p0 |- add - 1 -| |- read - [] -|",
            "lost-add",
            "before process 0's read of [] (0.017 s – 0.031 s), which does not show it",
        ),
        (
            "p0 |- add - 1 -| |- add - 2 -| |- read - [1,2] -|\np1  |- read - [2] ------------------|",
            "lost-add",
            "some read shows the later element without the earlier one",
        ),
    ],
    ids=["read and add", "two reads", "add and read", "two adds"],
)
def test_the_words_are_those_of_what_came_too_late(drawing: str, name: str, words: str) -> None:
    (anomaly,) = CHECKER.check(timeline(drawing), Budget()).anomalies
    assert anomaly.name == name
    assert words in anomaly.reason
