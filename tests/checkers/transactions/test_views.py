"""Monotonic atomic view, read atomic, causal: against all orders, and against one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checkers.transactions import list_append, rw_register
from checkers.transactions.visible import Sights
from harness.history import History
from harness.verdict import Budget, Validity, Verdict
from tests.checkers.engines import compiled, plain
from tests.checkers.transactions.brute_views import allowed
from tests.checkers.transactions.loose import loose_run
from tests.examples import examples

MAKE: dict[str, Any] = {"append": list_append.make, "w": rw_register.make}
MODELS = ("monotonic-atomic-view", "read-atomic", "causal")


def check(write: str, lines: History, model: str) -> Verdict:
    verdict: Verdict = MAKE[write](model=model).check(lines, Budget())
    return verdict


@examples(200)
@example(315, "append", "monotonic-atomic-view")  # one append of a transaction is read, and not the one before it
@example(150, "append", "causal")  # what its process had appended before is missing behind its own append
@example(3052563, "w", "monotonic-atomic-view")  # behind its own write it reads what was rolled back
@given(st.integers(0, 10**9), st.sampled_from(["append", "w"]), st.sampled_from(MODELS))
def test_the_verdict_is_that_of_the_definition(seed: int, write: str, model: str) -> None:
    lines = loose_run(seed, write, txns=5, keys=1 + seed % 3)
    verdict = check(write, lines, model)
    if verdict.validity is not Validity.UNKNOWN:
        assert (verdict.validity is Validity.VALID) == allowed(lines, model), verdict.reason


@pytest.mark.parametrize("write", ["append", "w"])
@pytest.mark.parametrize("store", ["stale", "chaos"])
def test_compiled_and_plain_kernels_say_the_same(write: str, store: str) -> None:
    lines = loose_run(7, write, txns=120, keys=4, store=store)
    for model in MODELS:
        with plain():
            wanted = check(write, lines, model)
        with compiled():
            assert check(write, lines, model) == wanted


def test_a_wrong_read_is_told_with_the_version_that_it_should_have_seen_itself() -> None:
    read, visible, direct = np.array([3, 4, 4, 5]), np.array([30, 40, 41, 50]), np.array([True, False, True, True])
    sights = Sights(read=read, visible=visible, saw=visible, by=read, direct=direct)
    assert [(at, sights.missed(at)) for at in sights.wrong()] == [(3, 30), (4, 41), (5, 50)]
