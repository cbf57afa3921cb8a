"""The options of a node of ``dfs/gfs``: times in seconds, sizes in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.dfs.gfs.content import WORD
from targets.node.options import chosen

MONOTONIC, WALL = "monotonic", "wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``servers``: so many of the first nodes are metadata servers. ``replicas`` of each chunk, spread over ``racks``: the n-th node stands
    in rack n modulo that. ``chunk_bytes`` and ``record_bytes``, to which an appended record is padded: chunks are small, so that they end.

    ``fencing``: whether journals refuse a metadata server once a later one has begun its epoch, and data nodes its orders; without it, a
    server goes on until it hears of the later one. ``fenced_leases``: whether replicas refuse what a primary sends under a version of the
    chunk that is over; without it, the primary alone looks at its lease, by its ``clock``: "monotonic", or "wall", which jumps.
    ``lease_s``: how long a primary may write to a chunk.

    ``checksums``: whether data nodes verify what they read; ``scrub_s``: how often they read everything for that (0: never).
    ``rereplication``: whether lost replicas are made anew; ``rebalance``: whether chunks move to nodes that have fewer.
    ``replaced``: a data node that starts again has an empty disk, since its machine was replaced.
    ``cache_s``: so long a client goes by what it knows of whom to write to; that is refused once it is wrong. ``read_cache_s``: so long it
    goes by what it knows of whom to read from, who may have missed something meanwhile (0: it always asks).

    ``beat_s``: how often data nodes and the active server say that they live; ``report_s``: how often data nodes say what they have.
    ``dead_s``: who is silent for so long is dead. ``failover_min_s`` to ``failover_max_s``: a standby waits so long for the active server.
    ``step_s``: patience for one request between nodes. ``repair_s``: how often the active server looks for what is missing.
    ``checkpoint_edits``: the namespace is saved after so many edits. They are a tenth of HDFS's and less, so that a run of half a minute
    sees many failures.
    """

    servers: int = 3
    replicas: int = 3
    racks: int = 2
    chunk_bytes: int = 256
    record_bytes: int = 24
    fencing: bool = True
    fenced_leases: bool = True
    clock: str = MONOTONIC
    lease_s: float = 2.0
    checksums: bool = True
    scrub_s: float = 2.0
    rereplication: bool = True
    rebalance: bool = True
    replaced: bool = False
    cache_s: float = 1.0
    read_cache_s: float = 0.0
    beat_s: float = 0.2
    report_s: float = 1.0
    dead_s: float = 1.5
    failover_min_s: float = 0.8
    failover_max_s: float = 1.6
    step_s: float = 0.5
    repair_s: float = 0.5
    checkpoint_edits: int = 100

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.clock not in (MONOTONIC, WALL):
            raise ValueError(f"option clock={config.clock!r} is neither {MONOTONIC} nor {WALL}")
        if min(config.servers, config.replicas, config.racks, config.checkpoint_edits) < 1:
            raise ValueError("servers, replicas, racks and checkpoint_edits must be at least 1")
        sizes = (config.chunk_bytes, config.record_bytes)
        if any(size % WORD for size in sizes) or not 0 < config.record_bytes <= config.chunk_bytes:
            raise ValueError(f"0 < record_bytes <= chunk_bytes must hold, both in multiples of {WORD}")
        if not 0 < config.beat_s < min(config.dead_s, config.failover_min_s):
            raise ValueError("0 < beat_s < dead_s and beat_s < failover_min_s must hold: else everybody is dead")
        if not config.failover_min_s <= config.failover_max_s:
            raise ValueError("failover_min_s <= failover_max_s must hold")
        if min(config.lease_s, config.report_s, config.step_s, config.repair_s) <= 0:
            raise ValueError("lease_s, report_s, step_s and repair_s must be above 0")
        if min(config.scrub_s, config.cache_s, config.read_cache_s) < 0:
            raise ValueError("scrub_s, cache_s and read_cache_s must be 0 or more")
        return config
