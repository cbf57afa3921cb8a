"""Every claim of every target: what is promised is kept in every run, what is known to break is seen to break."""

from __future__ import annotations

import os

import pytest

from harness.protocols import Claim, Target
from tests.simulation import assert_kept, run
from tests.sweep.cases import BROKEN, FULL, KEPT, Case, brief
from tests.sweep.seeds import SEEDS

pytestmark = pytest.mark.sweep

# A promise is tried on so many seeds, or on SPLITBRAIN_SEEDS.
KEPT_SEEDS = SEEDS if FULL or "SPLITBRAIN_SEEDS" in os.environ else 2


@pytest.mark.parametrize(("target", "claim"), KEPT, ids=lambda part: part.name)
def test_what_is_promised_is_kept(target: Target, claim: Claim) -> None:
    for seed in range(KEPT_SEEDS):
        assert_kept(run(target.name, seed=seed, claim=claim.name, **brief(target, claim)))


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_what_is_known_to_break_is_seen_to_break(case: Case) -> None:
    case.shown()
