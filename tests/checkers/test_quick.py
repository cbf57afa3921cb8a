"""The quick path for registers says yes exactly where all keys are linearizable and nothing is unusual."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from checkers.linearizable import quick
from checkers.linearizable.encode import READ, WRITE, kinds_of
from checkers.linearizable.models import REGISTER
from harness.columns import FOREVER
from tests.checkers.engines import compiled
from tests.checkers.runs import register_run, rolls
from tests.checkers.test_algorithms import by_definition, by_unique

FORM = REGISTER.register
assert FORM is not None


def both(seed: int, steps: int, keys: int) -> tuple[bool, bool, list[bool]]:
    plain_ops = [(process, roll - 30 if roll >= 75 else roll) for process, roll in rolls(steps, seed)]  # no cas
    history = register_run(plain_ops, keys=keys, crashes=seed % 3 > 0)
    calls = history.calls()
    kinds = kinds_of(history, FORM)
    f = kinds[calls.f].astype(np.int32)
    dense = quick.dense_linearizable(
        f=f,
        key=calls.key,
        argument=calls.argument,
        result=calls.result,
        outcome=calls.outcome,
        call=calls.call.astype(np.int32),
        ret=np.where(calls.ret == FOREVER, -1, calls.ret).astype(np.int32),
        values=len(history.values),
        keys=len(history.keys),
        null=next((code for code, value in enumerate(history.values) if value is None), -2),
    )
    wanted = by_definition(history) if steps < 30 else [bool(good) for good in by_unique(history)]
    return quick.linearizable(calls, kinds), dense, wanted


@pytest.mark.parametrize("keys", [1, 3])
def test_the_quick_path_is_the_definition(keys: int) -> None:
    seen = Counter[bool]()
    for seed in range(400):
        wide, dense, wanted = both(seed, 8 + seed % 20, keys)
        assert wide == dense == all(wanted), seed
        seen[wide] += 1
    assert min(seen.values()) >= 25


def test_compiled_it_is_the_same() -> None:
    with compiled():
        for seed in range(40):
            wide, dense, wanted = both(seed, 100 + 10 * seed, 1 + seed % 3)
            assert wide == dense == all(wanted), seed


def test_codes_of_kinds() -> None:
    assert (READ, WRITE) == (0, 1)  # a dense column of functions counts on it
