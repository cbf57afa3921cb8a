"""What is done to a history moves its verdict one way only, whichever model and algorithm judged it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from checkers.linearizable.check import make
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity
from tests.checkers.containers import NAMES, container_run
from tests.checkers.runs import register_run, rolls

RUNS: dict[str, Callable[[int], History]] = {
    **{name: (lambda seed, name=name: container_run(name, 24, seed, processes=3)) for name in NAMES},
    "cas-register": lambda seed: register_run(rolls(24, seed), domain=(0, 3)[seed % 2]),
}


def plain(history: History) -> list[Op]:
    return [replace(op, index=-1) for op in history]


def widened(history: History, dice: random.Random) -> History:
    """An invocation a line earlier, or a completion a line later, where its process has nothing there: less is ordered."""
    ops = plain(history)
    for _ in range(8):
        at = dice.randrange(len(ops) - 1)
        one, two = ops[at], ops[at + 1]
        if one.process != two.process and one.type is not OpType.INVOKE and two.type is OpType.INVOKE:
            ops[at], ops[at + 1] = two, one
    return History.of([replace(op, time_ns=n) for n, op in enumerate(ops)])


def renamed(history: History, dice: random.Random) -> History:
    """Other processes; values keep their order, since priorities have one."""
    names = list(range(100, 1_100))
    dice.shuffle(names)
    return History.of([replace(op, process=names[int(op.process)]) for op in plain(history)])


def with_crash(history: History, dice: random.Random) -> History:
    """One more operation of unknown outcome, of a value that nobody saw."""
    ops = plain(history)
    insert = next(op.f for op in ops if op.type is OpType.INVOKE and op.value is not None and op.f != "cas")
    key = next((op.key for op in ops if op.key is not None), None)
    extra = Op(process=9_999, f=insert, key=key, value=77_777)
    at = dice.randrange(len(ops) + 1)
    return History.of([replace(op, time_ns=n) for n, op in enumerate([*ops[:at], extra, *ops[at:]])])


def verdict(model: str, history: History) -> Validity:
    return make(model=model).check(history, Budget()).validity


@pytest.mark.parametrize("model", RUNS)
def test_verdicts_move_one_way_only(model: str) -> None:
    seen = Counter[Validity]()
    for seed in range(60):
        history, dice = RUNS[model](seed), random.Random(seed)
        if not any(op.value is not None and op.f != "cas" for op in history if op.type is OpType.INVOKE):
            continue
        before = verdict(model, history)
        seen[before] += 1
        assert verdict(model, renamed(history, dice)) is before, seed
        assert verdict(model, widened(history, dice)) <= before, seed
        assert verdict(model, with_crash(history, dice)) is before, seed
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 5
