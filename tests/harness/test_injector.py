"""Faults on a cluster that does just what it is told: journal, proofs, overlaps, and that nothing is left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.effects import (
    LOST,
    BreakDisk,
    ClockSkew,
    Cut,
    DiskFault,
    Effect,
    Intrude,
    Kill,
    Link,
    LosePower,
    PacketShape,
    Pause,
    Shape,
    Skew,
    Squeeze,
    Terminate,
    Throttle,
    Unsynced,
)
from harness.errors import TargetError
from harness.injector import Injector
from harness.journal import FaultJournal
from harness.op import NEMESIS, Op
from harness.powers import powers_of
from harness.protocols import Body, Channel

NODES = ("n1", "n2", "n3")
AB, BA, AC = ("n1", "n2"), ("n2", "n1"), ("n1", "n3")


@dataclass
class FakeCluster:
    """A cluster whose faults are sets. ``dud`` makes every fault a no-op, ``sticky`` makes healing one."""

    name: str = "fake"
    nodes: tuple[str, ...] = NODES
    dud: bool = False
    sticky: bool = False
    links_cut: set[Link] = field(default_factory=set)
    shapes: dict[Link, PacketShape] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    still: set[str] = field(default_factory=set)
    skews: dict[str, ClockSkew] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    headrooms: dict[str, int] = field(default_factory=dict)
    crashed: set[str] = field(default_factory=set)
    disks: dict[str, tuple[DiskFault, ...]] = field(default_factory=dict)
    intruders: set[Intrude] = field(default_factory=set)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def channel(self, client: str) -> Channel:
        raise NotImplementedError

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        if node in self.dead | self.still:
            return None
        if body["type"] == "sb_allocate":
            return {"had": body["bytes"] <= self.headrooms.get(node, body["bytes"])}
        if body["type"] == "sb_canary":
            refused = {"write": "EIO"} if self.disks.get(node) else {}
            return {"type": "sb_canary_ok", "refused": refused, "intact": True}
        return {"status": {"role": "leader" if node == "n2" else "follower", "term": 4}}

    async def cut(self, links: Iterable[Link]) -> None:
        self.links_cut |= set() if self.dud else set(links)

    async def mend(self, links: Iterable[Link]) -> None:
        self.links_cut -= set() if self.sticky else set(links)

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        return [link not in self.links_cut for link in links]

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        self.shapes |= {} if self.dud else dict.fromkeys(links, shape)

    async def unshape(self, links: Iterable[Link]) -> None:
        for link in () if self.sticky else links:
            self.shapes.pop(link, None)

    async def measure(self, link: Link, probes: int) -> Mapping[str, float]:
        shape = self.shapes.get(link, PacketShape())
        shares = {"lost": shape.loss, "corrupted": shape.corrupt, "duplicated": shape.duplicate}
        return {**shares, "reordered": shape.reorder, "delay_s": shape.delay_s}

    async def throughput(self, link: Link) -> float:
        return float(self.shapes.get(link, PacketShape()).bytes_per_s or 1e7)

    async def kill(self, node: str) -> None:
        self.dead |= set() if self.dud else {node}

    async def restart(self, node: str) -> None:
        self.dead -= set() if self.sticky else {node}
        self.still.discard(node)  # it is another life

    async def pause(self, node: str) -> None:
        self.still |= set() if self.dud else {node}

    async def resume(self, node: str) -> None:
        self.still -= set() if self.sticky else {node}

    async def terminate(self, node: str) -> bool:
        self.dead |= set() if self.dud else {node}
        return True

    async def throttle(self, node: str, share: float) -> None:
        self.shares |= {} if self.dud else {node: share}

    async def unthrottle(self, node: str) -> None:
        if not self.sticky:
            self.shares.pop(node, None)

    async def cpu_share(self, node: str) -> float | None:
        return None if node in self.dead else self.shares.get(node, 1.0)

    async def squeeze(self, node: str, headroom_bytes: int) -> None:
        self.headrooms |= {} if self.dud else {node: headroom_bytes}

    async def unsqueeze(self, node: str) -> None:
        if not self.sticky:
            self.headrooms.pop(node, None)

    def crashes(self) -> Mapping[str, str]:
        return dict.fromkeys(self.crashed & self.dead, "ended with status 1")

    async def break_disk(self, node: str, faults: Sequence[DiskFault]) -> None:
        if faults and not self.dud:
            self.disks[node] = tuple(faults)
        elif not faults and not self.sticky:
            self.disks.pop(node, None)

    async def damage_disk(self, node: str, fault: DiskFault) -> None: ...

    async def disk_hits(self, node: str, fault: DiskFault) -> int:
        return self.disks.get(node, ()).count(fault)

    async def lose_power(self, nodes: Sequence[str], fate: str) -> Mapping[str, Sequence[Unsynced]]:
        living = set(nodes) - self.dead
        self.dead |= set() if self.dud else living
        return {node: [Unsynced(path="sb-canary", written=64, kept=0)] for node in sorted(living)}

    async def skew(self, node: str, skew: ClockSkew) -> None:
        self.skews |= {} if self.dud else {node: skew}

    async def unskew(self, node: str) -> None:
        if not self.sticky:
            self.skews.pop(node, None)

    async def clock_offset(self, node: str) -> float | None:
        return self.skews.get(node, ClockSkew()).offset_s

    async def intrude(self, effect: Intrude) -> None:
        self.intruders |= {effect}

    async def withdraw(self, effect: Intrude) -> None:
        self.intruders -= set() if self.sticky else {effect}

    def attempts(self, effect: Intrude) -> Mapping[str, int]:
        return {"unheard": 3} if self.dud else {"refused": 3}

    def intruding(self, effect: Intrude) -> bool:
        return effect in self.intruders

    @property
    def untouched(self) -> bool:
        held = (self.links_cut, self.shapes, self.dead, self.still, self.skews, self.shares, self.headrooms, self.disks)
        return not any((*held, self.intruders))


@dataclass(frozen=True)
class FakeStep:
    effect: Effect
    offset_s: float = 0.0
    length_s: float | None = None


class FakeFault:
    """A fault whose arguments are its steps."""

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[FakeStep, ...]]:
        return tuple(role_of), tuple(args["steps"])

    def describe(self, args: Mapping[str, Any]) -> str:
        return "fake"


def links(*pairs: Link) -> frozenset[Link]:
    return frozenset(pairs)


SKEW = ClockSkew(offset_s=-60.0)
BAD = PacketShape(delay_s=0.05, loss=0.2, duplicate=0.1, reorder=0.1, corrupt=0.1, bytes_per_s=16_000)
EFFECTS = {
    "cut": Cut(links=links(AB, BA)),
    "shape": Shape(links=links(AB), shape=BAD),
    "kill": Kill(nodes=("n1", "n3")),
    "pause": Pause(nodes=("n2",)),
    "skew": Skew(nodes=("n3",), skew=SKEW),
    "terminate": Terminate(nodes=("n1", "n3")),
    "throttle": Throttle(nodes=("n2",), share=0.2),
    "memory": Squeeze(nodes=("n2",), headroom_bytes=1 << 20),
    "disk": BreakDisk(nodes=("n1", "n2"), fault=DiskFault(action="eio")),
    "power": LosePower(nodes=NODES, fate=LOST),
    "intrude": Intrude(nodes=NODES, attempts=("no-token",), per_s=10.0),
}


class Lab:
    """An injector, its cluster, and the ops that drive them."""

    def __init__(self, path: Path, **cluster: bool) -> None:
        self.cluster = FakeCluster(**cluster)
        path.mkdir(exist_ok=True)
        self.path = path / "faults.jsonl"
        self.injector = Injector(self.cluster, {"fake": FakeFault()}, FaultJournal(self.path, lambda: 0))

    async def start(self, number: int, *effects: Effect, **args: Any) -> dict[str, Any]:
        steps = [FakeStep(effect) for effect in effects]
        return await self._op("start-fake", {"id": number, "kind": "fake", "args": {"steps": steps, **args}})

    async def steps(self, number: int, *steps: FakeStep) -> dict[str, Any]:
        return await self._op("start-fake", {"id": number, "kind": "fake", "args": {"steps": list(steps)}})

    async def stop(self, number: int) -> dict[str, Any]:
        return await self._op("stop-fake", {"id": number, "kind": "fake"})

    async def heal(self) -> dict[str, Any]:
        return await self._op("heal", None)

    async def _op(self, f: str, value: Any) -> dict[str, Any]:
        done = await self.injector.invoke(Op(process=NEMESIS, f=f, value=value))
        assert isinstance(done.value, dict)
        return done.value

    def journal(self) -> list[str]:
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [line["state"] for line in lines[1:]]


@pytest.fixture(autouse=True)
def _steps_are_not_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake's arguments are objects; a real fault's are JSON."""
    monkeypatch.setattr("harness.journal.json.dumps", lambda line: json.JSONEncoder(default=str).encode(line))


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
