"""Runs a scenario on each cluster that can run here, with the program ``echo``, which shows what its world does to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.clusters import CLUSTERS
from harness.effects import Link
from harness.powers import powers_of
from harness.protocols import Channel, ClusterSpec
from harness.registry import load
from tests.harness.clusters.hosts import servers

NODES = ("n1", "n2", "n3")
# What the tests run on, by name: a cluster with the options that make another network of it.
WORLDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    **{name: (name, {}) for name in CLUSTERS},
    "docker-helper": ("docker", {"fabric": "helper"}),
}
OF_NETWORKS = {"cut", "shape"}
# Clusters that start real processes.
REAL = {"docker", "local", "process", "proxy", "ssh"}
# Clusters whose faults act on packets below TCP, which hides loss and duplication from the nodes and needs both ways to talk at all:
# what nodes see of a lossy or one-way link is measured in packets there (see tests/harness/clusters/local).
ON_PACKETS = {"docker", "docker-helper", "local", "ssh"}
# Clusters on which nodes talk TCP over links that fail: each message arrives once and in order, or late.
ON_STREAMS = ON_PACKETS | {"proxy"}


def _worlds(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("cluster_name", [pytest.param(name, marks=_marks(name)) for name in names])


def _marks(name: str) -> list[pytest.MarkDecorator]:
    cluster, _ = WORLDS[name]
    if cluster not in REAL:
        return []
    why = servers.hindrance() if cluster == "ssh" else load(CLUSTERS[cluster]).unavailable()
    kinds = {"docker": [pytest.mark.docker], "ssh": [pytest.mark.ssh, pytest.mark.process]}.get(
        cluster, [pytest.mark.process]
    )
    return [*kinds, pytest.mark.skipif(why is not None, reason=f"cluster {cluster} cannot run here: {why}")]


def every_cluster_with(power: str) -> pytest.MarkDecorator:
    """Those clusters that offer this power; a second network of the same cluster only where it is the network's."""
    names = sorted(WORLDS) if power in OF_NETWORKS else sorted(CLUSTERS)
    return _worlds([name for name in names if power in powers_of(load(CLUSTERS[WORLDS[name][0]]))])


every_cluster = _worlds(sorted(WORLDS))
# For what has nothing to do with the network between the nodes.
every_cluster_once = _worlds(sorted(CLUSTERS))
every_cluster_on_messages = _worlds(sorted(set(WORLDS) - ON_STREAMS))


class World:
    """A running cluster and a client of it."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster
        self._client: Channel = cluster.channel("c1")

    async def call(self, node: str, type_: str, timeout_s: float = 30.0, **fields: Any) -> dict[str, Any]:
        return await self._client.rpc(node, {"type": type_, **fields}, timeout_s)

    async def relays(self, src: str, dest: str, patience_s: float = 20.0) -> bool:
        """Whether a question of ``src`` to ``dest`` is answered, as the node itself sees it."""
        return bool((await self.call(src, "relay", to=dest, patience_s=patience_s))["reached"])

    async def hears(self, src: str, dest: str, notes: int = 20, within_s: float = 0.3) -> list[int]:
        """The numbers of new notes that arrive at ``dest`` when ``src`` sends ``notes`` of them, in order of arrival.

        ``within_s`` need only cover what a shape holds back: pipes and simulated links keep their order, so that what was not
        held back arrives before the question for it.
        """
        before = len((await self.call(dest, "heard", by=src))["numbers"])
        await self.call(src, "shout", to=dest, notes=notes)
        await asyncio.sleep(within_s)
        heard: list[int] = (await self.call(dest, "heard", by=src))["numbers"]
        return heard[before:]

    async def quick(self, link: Link, below_s: float, probes: int = 20) -> None:
        """Returns when probes of the link take less than that, which they do at once, but on a busy machine. Fails after a long time."""
        async with asyncio.timeout(60):
            while (await self.cluster.measure(link, probes))["delay_s"] >= below_s:
                pass

    async def alive(self, node: str, timeout_s: float = 30.0) -> bool:
        return await self.cluster.ask(node, {"type": "sb_ping"}, timeout_s) is not None


def spec(
    directory: Path, *, seed: int = 1, program: str = "targets.node.echo:Echo", disks: bool = False, **options: Any
) -> ClusterSpec:
    settings: dict[str, Any] = {"options": options, "seed": seed, "directory": directory, "disks": disks}
    return ClusterSpec(target="echo", program=program, nodes=NODES, **settings)


def run(cluster_name: str, directory: Path, scenario: Callable[[World], Awaitable[Any]], **settings: Any) -> Any:
    """Start a cluster of ``WORLDS``, play the scenario, stop it whatever happened. ``settings`` are those of ``spec``."""
    cluster_name, options = WORLDS[cluster_name]
    cluster_class = load(CLUSTERS[cluster_name])
    if cluster_name == "ssh":
        settings = {"hosts": str(servers.shared().hosts), **settings}

    async def body() -> Any:
        cluster = cluster_class(spec(directory, **{**options, **settings}))
        await cluster.start()
        try:
            return await scenario(World(cluster))
        finally:
            await cluster.stop()

    with asyncio.Runner(loop_factory=cluster_class.loop_factory) as runner:
        return runner.run(body())
