"""Every seeded bug of every target is found by the checker that it names, and its correct twin is not blamed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation import conduct, plan_of, why
from tests.sweep.cases import BUGS, FULL, Case

pytestmark = pytest.mark.sweep

TWINS_MAX = 5


@pytest.mark.parametrize("case", BUGS, ids=str)
def test_a_seeded_bug_is_found_by_its_checker_and_the_correct_twin_is_valid(case: Case) -> None:
    shown = case.shown()
    for seed in range(min(shown + 1, TWINS_MAX)) if FULL else (shown,):
        twin = replace(plan_of(case.target, seed=seed, **case.wishes()), bug=None)
        report = conduct(twin)
        assert report.results["verdict"] == "valid", why(report)
