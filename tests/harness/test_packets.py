"""What the packets of a fault's links have met: only theirs, only while it held, only what is more than before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.effects import Cut, Kill, Link
from harness.injector import Injector
from harness.journal import FaultJournal
from harness.packets import since
from tests.harness.lab import AB, AC, BA, FakeCluster, FakeFault, Lab, _steps_are_not_json, links

__all__ = ["_steps_are_not_json"]


def test_only_what_has_been_added_is_told() -> None:
    before = {AB: {"cut": 3, "sent": 9}, BA: {"cut": 1}, AC: {}}
    now = {AB: {"cut": 5, "sent": 9}, BA: {"cut": 1}, AC: {"lost": 2}}
    assert since(before, now) == [{"src": "n1", "dest": "n2", "cut": 2}, {"src": "n1", "dest": "n3", "lost": 2}]


@dataclass
class Counting(FakeCluster):
    """Ten more packets meet a cut link at each look; what was before is none of the fault's business."""

    looks: int = 0

    async def counters(self) -> Mapping[Link, Mapping[str, int]]:
        self.looks += 1
        return {AB: {"sent": 5, "cut": 100 + 10 * self.looks}, AC: {"cut": self.looks}, BA: {"sent": 7}}


def test_what_the_packets_of_a_faults_links_met_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path)
        lab.injector = Injector(Counting(), {"fake": FakeFault()}, FaultJournal(lab.path, lambda: 0))
        await lab.start(1, Cut(links=links(AB, BA)))
        assert (await lab.stop(1))["packets"] == [{"src": "n1", "dest": "n2", "cut": 10}]
        await lab.start(2, Kill(nodes=("n1",)))
        assert "packets" not in await lab.stop(2)

    asyncio.run(scenario())
