"""Every name and sentence for a violation must be true: a pattern that applies proves the history impossible."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from checkers.linearizable import patterns
from checkers.linearizable.models import CAS_REGISTER
from checkers.linearizable.patterns import PATTERNS, Case, Pattern
from checkers.linearizable.sources import Sources
from checkers.wording import Narrator
from harness.history import History
from tests.builders import timeline
from tests.checkers.runs import STEPS, Step, register_run, rolls
from tests.checkers.test_algorithms import by_definition, keys_of
from tests.examples import examples

FORM = CAS_REGISTER.register


def applying(run: History, pattern: Pattern) -> list[bool]:
    """Per key, whether the pattern applies to any of its operations."""
    assert FORM is not None
    say = Narrator(run.calls())
    cases = [Case(ops=ops, form=FORM, sources=Sources(ops), say=say) for ops in keys_of(run)]
    return [pattern(case, list(range(len(case.ops)))) is not None for case in cases]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.__name__)
@examples(25)
@given(steps=STEPS)
def test_a_pattern_that_applies_is_a_proof(pattern: Pattern, steps: list[Step]) -> None:
    for domain in (0, 2, 3):
        run = register_run(steps, domain=domain)
        for applies, good in zip(applying(run, pattern), by_definition(run), strict=True):
            assert not (applies and good)


def test_every_pattern_applies_to_something() -> None:
    found: Counter[str] = Counter()
    for seed in range(150):
        run = register_run(rolls(24, seed), domain=(0, 2, 3)[seed % 3])
        found.update(pattern.__name__ for pattern in PATTERNS for applies in applying(run, pattern) if applies)
    assert {name for name in found if found[name] > 1} >= {"orphan", "comeback", "crossing"}


@pytest.mark.parametrize(
    ("pattern", "text", "near_miss"),
    [
        (
            patterns.two_cas,
            "p0 |-- write x 1 --| |-- cas x [1,2] --|\np1 |---- cas x [1,3] ----|",
            "p0 |-- write x 1 --| |-- cas x [1,2] --|\np1 |---- cas x [1,3] ---->",
        ),
        (
            patterns.crossing,
            "p0 |- write x 7 -| |- read x 7 -|\np1 |- write x 9 -| |- read x 9 -|",
            "p0 |- write x 7 -| |- read x 9 -|\np1 |- write x 9 -| |- read x 9 -|",
        ),
        (
            patterns.comeback,
            "p0 |- write x 7 ----------------------------------------|\np1 |- read x 7 -| |- write x 9 -| |- read x 7 -|",
            "p0 |- write x 7 -----------------------|\np1 |- read x _ -| |- write x 9 -| |- read x 7 -|",
        ),
        (
            patterns.inversion,
            "p0 |- write x 7 -| |- write x 9 -----------------|\np1               |- read x 9 -| |- read x 7 -|",
            "p0 |- write x 7 -| |- write x 9 -----------------|\np1               |- read x 7 -| |- read x 9 -|",
        ),
    ],
)
def test_a_pattern_and_its_near_miss(pattern: Pattern, text: str, near_miss: str) -> None:
    assert applying(timeline(text), pattern) == [True]
    assert by_definition(timeline(text)) == [False]
    assert applying(timeline(near_miss), pattern) == [False]
    assert by_definition(timeline(near_miss)) == [True]
