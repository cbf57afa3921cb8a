"""Nodes that die between any two of their writes, in the middle of what they do: what they had promised holds all the same."""

from __future__ import annotations

import pytest

from harness.protocols import Target
from tests.abrupt import NAME, AbruptSim, offer
from tests.simulation import assert_kept, run
from tests.sweep.test_correct import CORRECT, STRONGER

pytestmark = pytest.mark.sweep
SEEDS = 3
NOTHING_ON_DISK = ("kv/unique-ids", "clock/ntp")


@pytest.mark.parametrize("target", CORRECT, ids=lambda target: target.name)
def test_a_target_is_valid_though_its_nodes_die_between_writes(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch)
    for seed in range(SEEDS):
        wishes = {"nemesis": "kill,power", "time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
        assert_kept(run(target.name, cluster=NAME, seed=seed, **wishes, **STRONGER.get(target.name, {})))
    assert bool(AbruptSim.deaths) == (target.name not in NOTHING_ON_DISK)
