"""Queues, stacks, priority queues and bags: the near-linear kernels against the definition, and every witness a proof."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from checkers import MODELS
from checkers.kernels.engine import Compiled, Plain
from checkers.linearizable import generic
from checkers.linearizable.check import make
from checkers.linearizable.containers import case as containers
from checkers.linearizable.containers.judging import judge
from checkers.linearizable.containers.lives import NOT_UNIQUE, OPEN
from checkers.linearizable.limits import Limits
from checkers.linearizable.models import Model
from checkers.linearizable.wgl import search
from harness.history import History
from harness.op import Op
from harness.registry import Registry
from harness.verdict import Budget, Validity
from tests.builders import history as lines_of
from tests.checkers.brute import defined, linearizable
from tests.checkers.containers import NAMES, container_run
from tests.checkers.engines import compiled_image

AMPLE = Limits(steps=300_000, configs=100_000)


def model_of(name: str) -> Model:
    model: Model = Registry("model", MODELS).get(name)
    return model


def by_kernels(history: History, model: Model) -> bool | None:
    (case,) = containers.cases(history.calls(), model)
    return None if case.judged.status == NOT_UNIQUE else case.judged.status == OPEN


@pytest.mark.parametrize("name", NAMES)
def test_the_kernels_are_the_definition(name: str) -> None:
    model, seen = model_of(name), Counter[bool | None]()
    for seed in range(500):
        history = container_run(name, 8 + seed % 10, seed, processes=2 + seed % 3, crashes=seed % 4 == 0)
        (case,) = generic.cases(history.calls(), model)
        found, wanted = by_kernels(history, model), linearizable(model, case.calls)
        assert found in (None, wanted), seed
        seen[found] += 1
    assert min(seen[True], seen[False]) >= 60
    assert seen[None] <= 60


def test_a_priority_is_a_number_however_it_is_written() -> None:
    model, seen = model_of("priority-queue"), Counter[bool | None]()
    for seed in range(200):
        dice, ops = random.Random(seed), list[Op]()
        for op in container_run("priority-queue", 8 + seed % 8, seed, crashes=seed % 4 == 0):
            ops.append(replace(op, value=float(op.value)) if op.value is not None and dice.random() < 0.5 else op)
        history = History.of(ops)
        (case,) = generic.cases(history.calls(), model)
        found, wanted = by_kernels(history, model), linearizable(model, case.calls)
        assert found in (None, wanted), seed
        seen[found] += 1
    assert min(seen[True], seen[False]) >= 20


@pytest.mark.parametrize("name", ["fifo-queue", "unordered-queue", "stack"])
def test_a_null_that_was_put_in_cannot_be_told_from_nothing(name: str) -> None:
    put, take = ("push", "pop") if name == "stack" else ("enqueue", "dequeue")
    lines = f"p0 invoke {put} - _\np0 {{}} {put} - _\np1 invoke {put} - 1\np1 ok {put} - 1\np1 invoke {take} - _\np1 ok {take} - 1"
    verdicts = [make(model=name).check(lines_of(lines.format(end)), Budget()) for end in ("ok", "info", "fail")]
    assert [verdict.validity for verdict in verdicts] == [Validity.UNKNOWN, Validity.UNKNOWN, Validity.VALID]
    assert "null was put in, and who takes null found nothing" in verdicts[0].reason


@pytest.mark.parametrize("name", NAMES)
def test_the_kernels_are_the_search_on_longer_histories(name: str) -> None:
    model, seen = model_of(name), Counter[bool | None]()
    for seed in range(120):
        history = container_run(name, 20 + seed, seed, processes=2 + seed % 3, lies=seed % 3 > 0)
        (case,) = generic.cases(history.calls(), model)
        found, wanted = by_kernels(history, model), search(model, case.calls, AMPLE).validity
        if wanted is Validity.UNKNOWN:
            continue
        assert found in (None, wanted is Validity.VALID), seed
        seen[found] += 1
        if not seed % 3:
            assert wanted is Validity.VALID
    assert min(seen[True], seen[False]) >= 15


@pytest.mark.parametrize("name", NAMES)
def test_compiled_and_plain_kernels_agree(name: str) -> None:
    model = model_of(name)
    for seed in range(30):
        history = container_run(
            name, 40 + 10 * seed, seed, processes=3 + seed, lies=seed % 2 == 0, crashes=seed % 3 == 0
        )
        (case,) = containers.cases(history.calls(), model)
        assert judge(case.container, Plain()) == judge(case.container, Compiled(compiled_image())), seed


@pytest.mark.parametrize("name", NAMES)
def test_a_witness_is_impossible_by_definition_and_small(name: str) -> None:
    model, sizes, checker = model_of(name), [], make(model=name)
    for seed in range(150):
        history = container_run(name, 30 + seed % 60, seed, processes=3)
        for anomaly in checker.check(history, Budget()).anomalies:
            part = history.select(history.rows_of(anomaly.witness))
            sizes.append(len(part.calls()))
            (case,) = generic.cases(part.calls(), model)
            assert search(model, case.calls, AMPLE).validity is not Validity.VALID, seed
            assert set(anomaly.ops) <= set(anomaly.witness)
    assert len(sizes) >= 40
    assert sorted(sizes)[len(sizes) * 3 // 4] <= 8


@pytest.mark.parametrize("name", NAMES)
def test_values_that_repeat_are_left_to_the_search(name: str) -> None:
    model, seen = model_of(name), Counter[Validity]()
    for seed in range(60):
        history = container_run(name, 14, seed, duplicates=True)
        (case,) = generic.cases(history.calls(), model)
        verdict = make(model=name).check(history, Budget())
        wanted = defined(model, history)
        for anomaly in verdict.anomalies:
            (part,) = generic.cases(history.select(history.rows_of(anomaly.witness)).calls(), model)
            assert not linearizable(model, part.calls), seed
            assert len(part.calls) <= len(case.calls)
        assert verdict.validity is wanted, seed
        seen[wanted] += 1
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 5
