"""The quick path for registers with cas says of every key what the definition says, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest.mock import patch

import pytest

from checkers.linearizable import chains
from checkers.linearizable.check import make
from checkers.linearizable.encode import kinds_of
from checkers.linearizable.models import CAS_REGISTER
from harness.history import History
from harness.verdict import Budget
from tests.builders import timeline
from tests.checkers.engines import compiled, plain
from tests.checkers.runs import register_run, rolls
from tests.checkers.test_algorithms import by_definition, by_unique

FORM = CAS_REGISTER.register
assert FORM is not None


def by_chains(history: History) -> list[bool] | None:
    assert FORM is not None
    calls = history.calls()
    wrong = chains.wrong_keys(calls, kinds_of(history, FORM))
    return None if wrong is None else [key not in wrong for key, _ in calls.by_key()]


def by_unique_alone(history: History) -> list[bool | None]:
    with patch.object(chains, "wrong_keys", lambda *_: None):
        return by_unique(history)


def decided(seed: int, steps: int, keys: int) -> Counter[bool]:
    """Of one run: what was said of its keys; nothing where a lie told a value of another key, or a value was written twice."""
    history = register_run(
        rolls(steps, seed), keys=keys, crashes=seed % 3 > 0, lies=steps < 30 or seed % 2 > 0, nulls=seed % 11 == 0
    )
    found = by_chains(history)
    unique = by_unique_alone(history)
    if found is None:
        assert keys > 1 or None in unique, seed
        return Counter()
    assert found == unique, seed
    if steps < 30:
        assert found == by_definition(history), seed
    return Counter(found)


@pytest.mark.parametrize("keys", [1, 3])
def test_it_is_the_definition(keys: int) -> None:
    seen = Counter[bool]()
    for seed in range(500):
        seen += decided(seed, 8 + seed % 20, keys)
    assert min(seen[True], seen[False]) >= 60, seen


def test_compiled_it_is_the_same() -> None:
    seen = Counter[bool]()
    with compiled():
        for seed in range(60):
            seen += decided(seed, 40 + 10 * seed, 1 + seed % 2)
    assert min(seen[True], seen[False]) >= 5, seen


@pytest.mark.parametrize("keys", [1, 3])
@pytest.mark.parametrize("kernels", [plain, compiled])
def test_what_it_finds_wrong_is_told_as_if_all_operations_had_been_looked_at(
    keys: int, kernels: Callable[[], AbstractContextManager[None]]
) -> None:
    told = Counter[str]()
    with kernels():
        for seed in range(250):
            history = register_run(rolls(16 + seed % 60, seed), keys=keys, crashes=seed % 3 > 0)
            found = make(model="cas-register").check(history, Budget())
            with patch.object(chains, "wrong_keys", lambda *_: None):
                assert found == make(model="cas-register").check(history, Budget()), seed
            told.update(anomaly.name for anomaly in found.anomalies)
    wanted = {"stale-read", "future-read", "lost-write", "impossible-cas", "lost-update"}
    assert wanted <= told.keys(), told


def test_a_circle_of_cas_has_no_beginning() -> None:
    run = timeline("""
        p0   |-- cas x [1,2] --|
        p1   |-- cas x [2,1] --|
    """)
    assert by_chains(run) == by_definition(run) == [False]


def test_a_cas_that_nobody_saw_the_end_of_happened_if_its_value_was_seen() -> None:
    run = timeline("""
        p0   |-- write x 1 --|  |-- cas x [1,2] -->
        p1                                            |-- read x 2 --|  |-- read x 1 --|
    """)
    assert by_chains(run) == by_definition(run) == [False]
