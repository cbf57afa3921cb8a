"""A cluster that does just what it is told, and faults that tell it: for tests of the injector."""

from __future__ import annotations

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
from harness.injector import Injector
from harness.journal import FaultJournal
from harness.op import NEMESIS, Op
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
