"""Calls that are repeated: pauses grow, and a storm of fixed retries keeps a server busy that back-off lets recover."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.messaging import WAYS, measured
from benchmarks.retry_storm import storm
from harness.clusters.sim import SimCluster
from targets.rpc.backoff import BACK_OFF, FIXED, JITTER, PAUSE_MAX_S, PAUSE_S, PAUSES


def test_pauses_double_up_to_the_longest() -> None:
    dice = random.Random(1)
    pauses = [PAUSES[BACK_OFF](attempt, dice) for attempt in range(1, 40)]
    assert pauses[0] == PAUSE_S
    assert all(b in (2 * a, PAUSE_MAX_S) for a, b in pairwise(pauses))
    assert pauses[-1] == PAUSE_MAX_S
    assert {PAUSES[FIXED](attempt, dice) for attempt in range(1, 40)} == {PAUSE_S}


@pytest.mark.parametrize("attempt", [1, 3, 20])
def test_jitter_spreads_them_from_nothing_to_that(attempt: int) -> None:
    dice = random.Random(1)
    longest = PAUSES[BACK_OFF](attempt, dice)
    pauses = [PAUSES[JITTER](attempt, dice) for _ in range(1000)]
    assert 0 <= min(pauses) < 0.05 * longest
    assert 0.95 * longest < max(pauses) <= longest


def on_sim(what: Any) -> Any:
    with asyncio.Runner(loop_factory=SimCluster.loop_factory) as runner:
        return runner.run(what)


def test_back_off_lets_a_server_recover(tmp_path: Path) -> None:
    fixed, jitter = (on_sim(storm(retry, 1, tmp_path / retry, after_s=5.0)) for retry in (FIXED, JITTER))
    assert fixed["most"] > 2 * jitter["most"]
    assert fixed["answered_s"] is None


def test_whoever_waits_for_no_answer_is_quicker(tmp_path: Path) -> None:
    found = dict(zip(WAYS, on_sim(measured(SimCluster, 100, tmp_path)), strict=True))
    assert [answer["arrived"] for answer in found.values()][:2] == [100, 100]
    assert found["synchronous"]["took_s"] > 5 * found["asynchronous"]["took_s"] > 5 * found["one-way"]["took_s"]
