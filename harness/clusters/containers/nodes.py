"""A node of the docker cluster over its lives: what outlasts them, and the command line that begins one."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.clusters.containers.group import Group
from harness.clusters.containers.life import Life
from harness.clusters.duty import Pacemaker
from harness.clusters.starts import NodeStart, python_node

# The command line of one life of a node inside its container, from how it starts and where it and all others listen.
Argv = Callable[[NodeStart, str, Mapping[str, str]], Sequence[str]]


def container_node(start: NodeStart, listen: str, peers: Mapping[str, str]) -> list[str]:
    """The command line of our own node runtime, on the image's Python."""
    argv = ["python3", *python_node(start)[1:], "--listen", listen]
    for name, where in peers.items():
        argv += ["--peer", f"{name}={where}"]
    return argv


class ContainerNode:
    """What outlasts a node's lives."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.directory, self.log = name, directory, directory / "node.log"
        self.container = ""  # the engine's id of its own
        self.life: Life | None = None  # None: dead
        self.lives = 0
        self.crash: str | None = None  # how its last life ended, if nobody killed it
        self.pacemaker: Pacemaker  # for its throttle alone: a pause is the engine's, and holds beside it

    def signal(self, number: signal.Signals) -> None:
        """To all its processes, if it lives."""
        group = self.group
        if group is not None:
            group.tell(number)

    @property
    def group(self) -> Group | None:
        """Its processes; None if it is dead."""
        return self.life.group if self.life is not None else None

    def why(self, otherwise: str) -> str:
        """How it ended if it did so by itself."""
        return self.crash or otherwise
