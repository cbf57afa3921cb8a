"""Faults on a cluster that does just what it is told: journal, proofs, overlaps, and that nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.effects import (
    Cut,
    Effect,
    Kill,
    PacketShape,
    Pause,
    Shape,
    Throttle,
)
from harness.errors import TargetError
from harness.injector import Injector
from harness.journal import FaultJournal
from harness.powers import powers_of
from tests.harness.lab import (
    AB,
    AC,
    BA,
    EFFECTS,
    FakeCluster,
    FakeFault,
    FakeStep,
    Lab,
    _steps_are_not_json,
    links,
)

__all__ = ["_steps_are_not_json"]  # for every test here


def test_the_fake_offers_every_power() -> None:
    assert powers_of(FakeCluster) == set(EFFECTS)


@pytest.mark.parametrize("name", EFFECTS)
def test_each_effect_bites_and_heals(name: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path)
        started = await lab.start(1, EFFECTS[name])
        assert started["bit"], started
        assert not lab.cluster.untouched
        stopped = await lab.stop(1)
        assert stopped["healed"], stopped
        assert lab.cluster.untouched
        assert lab.journal() == ["intent", "applied", "verified", "healed"]

    asyncio.run(scenario())


@pytest.mark.parametrize("name", EFFECTS)
def test_a_fault_that_does_nothing_is_found_out(name: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path, dud=True)
        assert not (await lab.start(1, EFFECTS[name]))["bit"]
        assert not (await lab.stop(1))["bit"]

    asyncio.run(scenario())


@pytest.mark.parametrize("name", EFFECTS)
def test_a_fault_that_stays_is_found_out(name: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path, sticky=True)
        await lab.start(1, EFFECTS[name])
        assert not (await lab.heal())["healed"]
        assert lab.journal()[-1] == "not-healed"

    asyncio.run(scenario())


@pytest.mark.parametrize("name", EFFECTS)
def test_healing_one_of_two_equal_faults_keeps_the_other(name: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path)
        await lab.start(1, EFFECTS[name])
        await lab.start(2, EFFECTS[name])
        await lab.stop(1)
        assert not lab.cluster.untouched
        await lab.stop(2)
        assert lab.cluster.untouched

    asyncio.run(scenario())


def test_overlapping_shapes_of_a_link_add_up_and_fall_back(tmp_path: Path) -> None:
    slow = Shape(links=links(AB, AC), shape=PacketShape(delay_s=0.1))
    lossy = Shape(links=links(AB), shape=PacketShape(loss=0.3))

    async def scenario() -> None:
        lab = Lab(tmp_path)
        await lab.start(1, slow)
        await lab.start(2, lossy)
        assert lab.cluster.shapes[AB] == PacketShape(delay_s=0.1, loss=0.3)
        await lab.stop(1)
        assert lab.cluster.shapes == {AB: PacketShape(loss=0.3)}

    asyncio.run(scenario())


def test_a_node_that_comes_back_while_another_fault_keeps_it_still_stands_still(tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path)
        await lab.start(1, Kill(nodes=("n1",)))
        await lab.start(2, Pause(nodes=("n1",)))
        await lab.stop(1)
        assert lab.cluster.still == {"n1"}
        await lab.stop(2)
        assert lab.cluster.untouched

    asyncio.run(scenario())


def test_heal_ends_everything_and_can_be_repeated(tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path)
        for number, effect in enumerate(EFFECTS.values()):
            await lab.start(number, effect)
        assert (await lab.heal())["healed"]
        assert lab.cluster.untouched
        assert (await lab.heal())["healed"]
        assert (await lab.stop(0)) == {"id": 0, "kind": "fake", "healed": True, "evidence": "healed before"}

    asyncio.run(scenario())


def test_timed_steps_come_and_go_and_the_stop_ends_the_rest(tmp_path: Path) -> None:
    first = FakeStep(Cut(links=links(AB)), offset_s=0.0, length_s=0.01)
    second = FakeStep(Cut(links=links(BA)), offset_s=0.02)
    never = FakeStep(Cut(links=links(AC)), offset_s=3600.0)

    async def scenario() -> None:
        lab = Lab(tmp_path)
        await lab.steps(1, first, second, never)
        async with asyncio.timeout(30):
            while lab.cluster.links_cut != {BA}:
                await asyncio.sleep(0)
        stopped = await lab.stop(1)
        assert stopped["bit"]
        assert stopped["healed"]
        assert lab.cluster.untouched

    asyncio.run(scenario())


def test_what_did_not_heal_at_its_time_is_looked_at_again_by_the_heal(tmp_path: Path) -> None:
    async def scenario(comes_back: bool) -> dict[str, Any]:
        lab = Lab(tmp_path / str(comes_back), sticky=True)
        await lab.start(1, EFFECTS["cut"])
        assert not (await lab.stop(1))["healed"]
        if comes_back:
            lab.cluster.links_cut.clear()
        return await lab.heal()

    assert asyncio.run(scenario(True))["healed"]
    assert not asyncio.run(scenario(False))["healed"]


def test_a_step_that_ended_is_proved_healed_too(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> dict[str, Any]:
        await lab.steps(1, FakeStep(Kill(nodes=("n1",)), offset_s=0.0, length_s=0.001))
        async with asyncio.timeout(30):
            while not lab.injector._active[1].healed:
                await asyncio.sleep(0)
        return await lab.stop(1)

    healed = asyncio.run(scenario(Lab(tmp_path)))
    assert (healed["healed"], healed["evidence"]) == (True, "up again: n1")
    monkey = Lab(tmp_path / "sticky", sticky=True)
    assert not asyncio.run(scenario(monkey))["healed"]


def test_a_node_that_does_not_come_back_is_told_not_raised(tmp_path: Path) -> None:
    class Stillborn(FakeCluster):
        async def restart(self, node: str) -> None:
            raise TargetError(f"node {node} did not start")

    async def scenario() -> None:
        lab = Lab(tmp_path)
        lab.injector = Injector(Stillborn(), {"fake": FakeFault()}, FaultJournal(lab.path, lambda: 0))
        await lab.start(1, EFFECTS["kill"])
        stopped = await lab.stop(1)
        assert (stopped["healed"], stopped["evidence"]) == (False, "node n1 did not start")

    asyncio.run(scenario())


def test_a_role_is_looked_up_when_the_fault_starts(tmp_path: Path) -> None:
    async def scenario() -> None:
        started = await Lab(tmp_path).start(1, EFFECTS["pause"], target="leader")
        assert started["roles"] == {"n1": "follower", "n2": "leader", "n3": "follower"}

    asyncio.run(scenario())


def test_a_node_that_died_of_its_limit_is_started_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path)
        lab.cluster.dead.add("n2")
        lab.cluster.crashed.add("n2")
        started = await lab.start(1, EFFECTS["memory"])
        assert started["bit"]
        stopped = await lab.stop(1)
        assert stopped["healed"]
        assert lab.cluster.untouched

    asyncio.run(scenario())


def test_of_two_limits_the_stricter_holds_until_it_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path)
        await lab.start(1, Throttle(nodes=("n2",), share=0.2))
        await lab.start(2, Throttle(nodes=("n2", "n3"), share=0.4))
        assert lab.cluster.shares == {"n2": 0.2, "n3": 0.4}
        await lab.stop(1)
        assert lab.cluster.shares == {"n2": 0.4, "n3": 0.4}
        await lab.stop(2)
        assert lab.cluster.untouched

    asyncio.run(scenario())


class FakePursuer(FakeFault):
    """Goes after nodes in turn: what it is told to want at each look."""

    def __init__(self, *wanted: Effect | None) -> None:
        self.wanted = list(wanted)

    def look_s(self, args: Mapping[str, Any]) -> float:
        return 0.01

    def react(self, args: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]]) -> Effect | None:
        assert seen["n2"]["role"] == "leader"
        return self.wanted.pop(0) if len(self.wanted) > 1 else self.wanted[0]


@pytest.mark.parametrize("last", [Cut(links=links(AC)), None], ids=["somebody", "nobody"])
def test_a_pursuer_holds_what_it_wants_now_and_nothing_else(last: Effect | None, tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path)
        pursuer = FakePursuer(Cut(links=links(AB)), Cut(links=links(AB)), Cut(links=links(BA)), last)
        lab.injector = Injector(lab.cluster, {"fake": pursuer}, FaultJournal(lab.path, lambda: 0))
        await lab.steps(1)
        async with asyncio.timeout(30):
            while len(pursuer.wanted) > 1 or lab.cluster.links_cut != (last.links if isinstance(last, Cut) else set()):
                await asyncio.sleep(0)
        done = await lab.stop(1)
        assert done["bit"]
        assert done["healed"]
        assert f"it moved {3 if last else 2} times" in done["evidence"]
        assert lab.cluster.untouched

    asyncio.run(scenario())


def test_a_pursuer_whose_effect_stays_is_not_healed(tmp_path: Path) -> None:
    async def scenario() -> None:
        lab = Lab(tmp_path, sticky=True)
        pursuer = FakePursuer(Cut(links=links(AB)), None)
        lab.injector = Injector(lab.cluster, {"fake": pursuer}, FaultJournal(lab.path, lambda: 0))
        await lab.steps(1)
        async with asyncio.timeout(30):
            while len(pursuer.wanted) > 1:
                await asyncio.sleep(0)
        assert not (await lab.stop(1))["healed"]

    asyncio.run(scenario())
