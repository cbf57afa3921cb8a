"""Every target keeps its promises under all the faults that it claims to bear, and these have bitten: nobody is blamed without reason."""

from __future__ import annotations

import pytest

from harness.protocols import Target
from tests.simulation import assert_kept, run
from tests.sweep.cases import BRIEF, SIMULATED, breaks_by_default
from tests.sweep.seeds import FIRSTS, chunk

pytestmark = pytest.mark.sweep

# A single counter collects so many adds in doubt that no lie about it would be noticed: many counters have few each.
MANY = {"workload_options": {"keys": 30}}
STRONGER = dict.fromkeys(("kv/crdt-g-counter", "kv/crdt-pn-counter", "kv/counter"), MANY)
CORRECT = [target for target in SIMULATED if not breaks_by_default(target)]


@pytest.mark.parametrize("first", FIRSTS)
@pytest.mark.parametrize("target", CORRECT, ids=lambda target: target.name)
def test_a_target_is_valid_under_the_faults_that_it_bears(target: Target, first: int) -> None:
    for seed in chunk(first):
        assert_kept(run(target.name, seed=seed, **BRIEF, **STRONGER.get(target.name, {})))
