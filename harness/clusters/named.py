"""A cluster's nodes by their names: whoever names one that is not there is told so; who of them has ended by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from harness.errors import TargetError


class Mortal(Protocol):
    """What outlasts a node's lives."""

    crash: str | None  # how its last life ended, if nobody killed it


N = TypeVar("N", bound=Mortal)


class Named(Generic[N]):
    """For a cluster whose ``_nodes`` are what outlasts its nodes' lives."""

    nodes: tuple[str, ...]
    _nodes: Mapping[str, N]

    def _node(self, name: str) -> N:
        node = self._nodes.get(name)
        if node is None:
            raise TargetError(f"there is no node {name!r}: the cluster's nodes are {', '.join(self.nodes)}")
        return node

    def crashes(self) -> dict[str, str]:
        """The nodes that ended without having been killed, and how."""
        return {name: node.crash for name, node in self._nodes.items() if node.crash is not None}
