"""Where replicas go: to nodes that have few, on more than one rack (GFS 4.2; HDFS's default policy). Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from random import Random


def rack_of(node: str, nodes: Sequence[str], racks: int) -> int:
    """The rack in which the node stands."""
    return list(nodes).index(node) % racks


def choose(
    have: Collection[str],
    can: Sequence[str],
    count: int,
    *,
    rack: Callable[[str], int],
    load: Callable[[str], int],
    rng: Random,
) -> list[str]:
    """Up to ``count`` of ``can`` for new replicas beside those that the nodes of ``have`` have.

    The least loaded first, by chance among equals; but as long as all replicas stand in one rack, one of another rack before them.
    """
    chosen: list[str] = []
    left = sorted((node for node in can if node not in have), key=lambda node: (load(node), rng.random()))
    while left and len(chosen) < count:
        racks = {rack(node) for node in (*have, *chosen)}
        elsewhere = [node for node in left if len(racks) == 1 and rack(node) not in racks]
        node = (elsewhere or left)[0]
        left.remove(node)
        chosen.append(node)
    return chosen


def surplus(have: Sequence[str], count: int, *, rack: Callable[[str], int], load: Callable[[str], int]) -> list[str]:
    """Which of ``have`` give up their replicas, so that ``count`` are left: the most loaded, yet not all of one rack of two."""
    left = sorted(have, key=lambda node: (-load(node), node))
    dropped: list[str] = []
    while len(left) > count:
        racks = {rack(node) for node in left}
        keeps = [
            node
            for node in left
            if count < 2 or len({rack(other) for other in left if other != node}) >= min(2, len(racks))
        ]
        node = (keeps or left)[0]
        left.remove(node)
        dropped.append(node)
    return dropped
