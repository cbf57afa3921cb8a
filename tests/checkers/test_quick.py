"""The quick path for registers says yes exactly where all keys are linearizable and nothing is unusual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest.mock import patch

import numpy as np
import pytest

from checkers.linearizable import quick
from checkers.linearizable.check import make
from checkers.linearizable.encode import READ, WRITE, kinds_of
from checkers.linearizable.models import REGISTER
from harness.columns import FOREVER
from harness.verdict import Budget
from tests.builders import timeline
from tests.checkers.engines import compiled, plain
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
    wrong = quick.wrong_keys(calls, kinds)
    if wrong is None:  # a lie told a value of another key
        assert keys > 1
        return False, dense, wanted
    by_order = [key for key, _ in calls.by_key()]
    assert set(wrong.tolist()) == {key for key, good in zip(by_order, wanted, strict=True) if not good}
    return not len(wrong), dense, wanted


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


@pytest.mark.parametrize("keys", [1, 3])
@pytest.mark.parametrize("kernels", [plain, compiled])
def test_what_it_finds_wrong_is_told_as_if_all_operations_had_been_looked_at(
    keys: int, kernels: Callable[[], AbstractContextManager[None]]
) -> None:
    told = Counter[str]()
    with kernels():
        for seed in range(200):
            ops = [(process, roll - 30 if roll >= 75 else roll) for process, roll in rolls(20 + seed % 60, seed)]
            history = register_run(ops, keys=keys, crashes=seed % 3 > 0)
            found = make(model="register").check(history, Budget())
            with patch.object(quick, "wrong_keys", lambda *_: None):
                assert found == make(model="register").check(history, Budget()), seed
            told.update(anomaly.name for anomaly in found.anomalies)
    assert {"stale-read", "future-read", "lost-write", "new-old-inversion"} <= told.keys(), told


@pytest.mark.parametrize(
    ("failed", "name"), [("", "phantom-read"), ("|-- write x 7 --!", "aborted-read")], ids=["phantom", "aborted"]
)
def test_a_value_that_nobody_wrote_is_told_likewise(failed: str, name: str) -> None:
    run = timeline(f"""
        p0   |-- write x 1 --|  {failed}
        p1                                                 |-- read x 7 --|
    """)
    found = make(model="register").check(run, Budget())
    assert [anomaly.name for anomaly in found.anomalies] == [name]
    with patch.object(quick, "wrong_keys", lambda *_: None):
        assert found == make(model="register").check(run, Budget())
