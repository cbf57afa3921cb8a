"""A program that cannot be made on one node. It travels into containers: standard library and ``targets.node`` alone."""

from __future__ import annotations

from targets.node.env import Env


class BrokenAtBirth:
    """See the module."""

    def __init__(self, env: Env) -> None:
        if env.node_id == "n2":
            raise OSError("the disk of this node is broken")
