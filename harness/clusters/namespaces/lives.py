"""A node of the local cluster over its lives: what outlasts them, and the command line that begins one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.clusters.namespaces import layout
from harness.clusters.namespaces.programs import Program
from harness.clusters.starts import NodeStart, python_node

# The command line of one life of a node, from how it starts and where it and all others listen.
Argv = Callable[[NodeStart, str, Mapping[str, str]], Sequence[str]]


def tcp_node(start: NodeStart, listen: str, peers: Mapping[str, str]) -> list[str]:
    """The command line of our own node runtime on the network; addresses are HOST:PORT."""
    argv = [*python_node(start), "--listen", listen]
    for name, where in peers.items():
        argv += ["--peer", f"{name}={where}"]
    return argv


class LocalNode:
    """What outlasts a node's lives."""

    def __init__(self, name: str, directory: Path, address: layout.Address) -> None:
        self.name, self.directory, self.address = name, directory, address
        self.log = directory / "node.log"
        self.program: Program | None = None  # None: dead
        self.paused = False
        self.lives = 0
        self.crash: str | None = None  # how its last life ended, if nobody killed it

    def why(self, otherwise: str) -> str:
        """How it ended if it did so by itself."""
        return self.crash or otherwise
