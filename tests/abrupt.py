"""A simulated cluster whose nodes die in the middle of what they do: before one of the next calls of their storage.

In the simulator nodes die between events, and a handler is done or was never begun. A real one may die between any two of its writes. Here
that happens, too, to every node that is killed or loses its power, unless it writes nothing for a while; and the disk of one that is
killed keeps some of its unsynced writes, in no order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from harness import rng
from harness.clusters import CLUSTERS
from harness.clusters.sim import SimCluster
from harness.effects import REORDERED, Unsynced
from harness.protocols import ClusterSpec

NAME = "abrupt"
CALLS_MAX = 6  # until a node dies
PATIENCE_S = 0.15


class Died(Exception):  # noqa: N818 - what has happened
    """The node that makes this call is dead."""


class AbruptSim(SimCluster):
    """``deaths``: at which calls nodes died."""

    name = NAME
    deaths: Sequence[str] = ()

    def __init__(self, spec: ClusterSpec) -> None:
        super().__init__(spec)
        self._when = rng.stream(spec.seed, NAME)

    async def kill(self, node: str) -> None:
        await self.lose_power([node], REORDERED)

    async def lose_power(self, nodes: Sequence[str], fate: str) -> Mapping[str, Sequence[Unsynced]]:
        lost = dict[str, Sequence[Unsynced]]()
        await self._at_a_write(nodes, lambda: lost.update(self._lose_power(nodes, fate)))
        return lost or self._lose_power(nodes, fate)

    async def _at_a_write(self, nodes: Sequence[str], die: Callable[[], None]) -> None:
        """Have them die by ``die`` at a call that one of them makes soon. Returns when that has happened, or nobody made a call."""
        lives = [life for life in (self._node(node).life for node in nodes) if life is not None]
        if not lives:
            return
        mount, left, died = self._when.choice(lives).mount, self._when.randint(1, CALLS_MAX), asyncio.Event()

        def counted(call: str, do: Callable[..., None], *args: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                type(self).deaths = (*self.deaths, call)
                die()
                died.set()
                raise Died
            do(*args)

        calls = ("append", "sync", "replace")
        for call in calls:
            setattr(mount, call, partial(counted, call, getattr(mount, call)))
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await died.wait()
        for call in calls:
            delattr(mount, call)


def offer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster is to be had by ``NAME``, and nobody has died on it yet."""
    monkeypatch.setitem(CLUSTERS, NAME, f"{__name__}:{AbruptSim.__name__}")
    monkeypatch.setattr(AbruptSim, "deaths", ())
