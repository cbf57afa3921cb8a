"""Shapes that make a search explode, or a table grow: each ends within its budget, with a verdict or unknown."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from checkers import MODELS
from checkers.linearizable import generic, register_search
from checkers.linearizable.check import make
from checkers.linearizable.layout import prepare
from checkers.linearizable.limits import Limits
from checkers.linearizable.models import FIFO_QUEUE
from harness.cli.workers import judge_apart
from harness.history import INVOKE, OK, History
from harness.op import Op, OpType
from harness.registry import Registry
from harness.verdict import Budget, Validity
from tests.checkers.runs import register_run, rolls
from tests.checkers.test_algorithms import keys_of

SMALL = Budget(steps_max=400_000, configs_max=20_000, memory_max_mb=64)


def whole(op: Op, result: object) -> Sequence[Op]:
    return op, op.ok(result)


def crashed(f: str, value: Callable[[int], object], reads: int) -> History:
    """500 operations at once that never complete, and reads that saw some of them."""
    dice = random.Random(1)
    ops = [Op(process=process, f=f, value=value(process)) for process in range(500)]
    for _ in range(reads):
        ops += whole(Op(process=500, f="read"), value(dice.randrange(500)))
    return History.of(ops)


def one_forever() -> History:
    dice, ops = random.Random(2), [Op(process=0, f="write", value=3)]
    for n in range(1500):
        written = dice.randrange(5)
        ops += whole(Op(process=1 + n % 5, f="write", value=written), None)
        ops += whole(Op(process=1 + n % 5, f="read"), written)
    return History.of(ops)


def many_keys() -> History:
    ops: list[Op] = []
    for key in range(2000):
        for value in (key % 3, key % 3):
            ops += whole(Op(process=key % 5, f="write", key=key, value=value), None)
        ops += whole(Op(process=key % 5, f="read", key=key), key % 3)
    return History.of(ops)


def heavy_values() -> History:
    nested: object = 7
    for _ in range(150):
        nested = [nested]
    ops: list[Op] = []
    for value in (nested, "x" * (1 << 20), [nested, nested]):
        ops += whole(Op(process=0, f="write", value=value), None)
        ops += whole(Op(process=0, f="read"), value)
    return History.of(ops)


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        (crashed("write", lambda n: n % 7, 40), {Validity.VALID}),
        (crashed("write", lambda n: n, 60), {Validity.VALID, Validity.INVALID}),
        (crashed("cas", lambda n: [n % 7, n * 3 % 7], 0), {Validity.UNKNOWN}),  # nothing was read
        (one_forever(), {Validity.VALID}),
        (many_keys(), {Validity.VALID}),
        (heavy_values(), {Validity.VALID}),
    ],
    ids=["crashed-writes", "crashed-unique", "crashed-cas", "one-forever", "many-keys", "heavy-values"],
)
def test_registers_end_within_the_budget(history: History, wanted: set[Validity]) -> None:
    verdict = make().check(history, SMALL)
    assert verdict.validity in wanted
    assert verdict.stats["steps"] <= SMALL.steps_max + 1000


def test_a_hundred_thousand_keys_are_judged() -> None:
    keys = 100_000
    written = np.repeat(np.arange(2 * keys), 2) + 1
    lines = np.column_stack([written.reshape(keys, 4), np.zeros(keys, dtype=np.int64), written.reshape(keys, 4)[:, 3]])
    history = History.from_columns(
        type=np.tile([INVOKE, OK], 3 * keys),
        process=np.repeat(np.arange(keys) % 7, 6),
        f=np.tile([0, 0, 0, 0, 1, 1], keys),
        fs=["write", "read"],
        key=np.repeat(np.arange(keys), 6),
        keys=range(keys),
        value=lines.reshape(-1),
        values=[None, *range(2 * keys)],
        interned=True,
    )
    verdict = make().check(history, Budget())
    assert verdict.validity is Validity.VALID
    assert verdict.stats["keys"] == keys


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="checks have processes of their own on Linux alone")
@pytest.mark.parametrize(
    "history",
    [
        crashed("write", lambda n: n % 7, 40),
        crashed("cas", lambda n: [n % 7, n * 3 % 7], 5),
        one_forever(),
        many_keys(),
        heavy_values(),
    ],
    ids=["crashed-writes", "crashed-cas", "one-forever", "many-keys", "heavy-values"],
)
def test_a_check_of_hostile_shapes_stays_within_its_memory(history: History) -> None:
    """The limit is the kernel's: what takes more dies, and the verdict would say so."""
    budget = Budget(steps_max=2_000_000, configs_max=50_000, memory_max_mb=64)
    (verdict,) = judge_apart(history, [make()], budget, memory_mb=400)
    assert "died" not in verdict.reason
    assert "out of memory" not in verdict.reason
    assert "crashed" not in verdict.reason


def test_a_queue_with_lost_removals_and_repeated_values_is_unknown_and_says_how_far() -> None:
    dice, ops = random.Random(3), list[Op]()
    for n in range(100):
        ops += whole(Op(process=0, f="enqueue", value=n % 25), None)
    ops += [Op(process=process, f="dequeue") for process in range(1, 40)]
    for _ in range(40):
        ops += whole(Op(process=0, f="dequeue"), dice.randrange(25))
    verdict = make(model="fifo-queue").check(History.of(ops), SMALL)
    assert verdict.validity is Validity.UNKNOWN
    assert "a legal order was found for the first" in verdict.reason
    (case,) = generic.cases(History.of(ops).calls(), FIFO_QUEUE)
    case.attempt(Limits(steps=10**9, configs=10**9, bytes=1 << 20), None)  # type: ignore[arg-type]  # it runs plain
    assert case.found is not None
    assert case.found.validity is Validity.UNKNOWN


def test_memory_bounds_the_table_of_configurations() -> None:
    run = register_run(rolls(600, 1, processes=12), domain=4, lies=False)
    (ops,) = keys_of(run)
    prepared = prepare(ops)
    assert register_search.search(prepared, Limits(steps=10**7, configs=10**5)).validity is Validity.VALID
    found = register_search.search(prepared, Limits(steps=10**7, configs=10**5, bytes=4096))
    assert found.validity is Validity.UNKNOWN
    assert found.explained > 0


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_has_a_short_sentence_on_heavy_values(model: str) -> None:
    """Whether it can judge them or not."""
    values = [op.value for op in heavy_values() if op.f == "write" and op.type is OpType.INVOKE]
    fs = sorted(Registry("model", MODELS).get(model).fs)
    for results in (True, False):
        calls = [(Op(process=0, f=f, value=value), value if results else None) for value in values for f in fs]
        verdict = make(model=model).check(
            History.of([op for call, result in calls for op in whole(call, result)]), SMALL
        )
        said = [verdict.reason, *(anomaly.reason for anomaly in verdict.anomalies)]
        assert max(map(len, said)) < 1000, verdict.reason[:2000]
