"""Which nodes hold which shard, which shard holds which key, and who coordinates. Pure: every node works it out for itself."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from targets.txn.store.config import Config

CLOCK = "clock"  # the group that gives out stamps


def slot_of(key: Any) -> str:
    """A key as it stands in a shard: distinct for distinct JSON values."""
    return json.dumps(key)


class Placement:
    """``groups``: name → its nodes, the shards "s0", "s1", ... and the clock; ``coordinators``: the nodes that take requests."""

    def __init__(self, nodes: Sequence[str], config: Config) -> None:
        storing = tuple(nodes[: len(nodes) - config.coordinators])
        if len(storing) < config.replicas:
            raise ValueError(
                f"{len(nodes)} nodes are too few for {config.replicas} replicas and {config.coordinators} coordinators"
            )
        self.coordinators = tuple(nodes[len(storing) :]) or storing
        self.shards = tuple(f"s{number}" for number in range(config.shards))
        # Evenly around the nodes; the clock between the first two shards.
        starts = {shard: number * len(storing) // config.shards for number, shard in enumerate(self.shards)}
        self.groups = {
            name: tuple(storing[(start + place) % len(storing)] for place in range(config.replicas))
            for name, start in (*starts.items(), (CLOCK, 1))
        }

    def shard_of(self, slot: str) -> str:
        """The shard that holds this key."""
        return self.shards[zlib.crc32(slot.encode()) % len(self.shards)]

    def coordinator_for(self, node: str) -> str:
        """Who coordinates the transactions of clients of ``node``: itself, if it may."""
        if node in self.coordinators:
            return node
        return self.coordinators[zlib.crc32(node.encode()) % len(self.coordinators)]
