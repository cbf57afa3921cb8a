"""Faults on a machine that is late: their stop is due as soon as they begin."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from harness.effects import Cut, Kill
from tests.harness.lab import AC, FakeStep, Lab, links


def test_what_is_due_at_once_is_done_though_the_stop_comes_in_the_same_instant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.journal.json.dumps", lambda line: json.JSONEncoder(default=str).encode(line))
    step = FakeStep(Kill(nodes=("n1",)), offset_s=0.0, length_s=0.01)
    later = FakeStep(Cut(links=links(AC)), offset_s=0.001)

    async def scenario() -> None:
        lab = Lab(tmp_path)
        await lab.steps(1, step, later)
        stopped = await lab.stop(1)
        assert stopped["bit"]
        assert "n1" in stopped["bit_evidence"]
        assert stopped["healed"]
        assert lab.cluster.untouched

    asyncio.run(scenario())
