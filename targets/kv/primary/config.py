"""The options of a node: times in seconds, sizes in entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from targets.node.options import chosen


class Mode(StrEnum):
    """When a write is acknowledged: see the package."""

    SYNC = "sync"
    ASYNC = "async"


class ReadsBy(StrEnum):
    """Who answers a read: the primary, for which any other node asks it, or whichever node is asked, from its own state."""

    PRIMARY = "primary"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``reads``: by any node they are fast and served on both sides of a partition, but may be stale; the data converge all the same.
    ``heartbeat_s``: how often a primary shows that it lives; the asynchronous one ships its log with its heartbeats, so this is how much
    it may lose by a crash. ``failover_min_s`` .. ``failover_max_s``: a backup that has not heard its primary for a time drawn from this
    interval looks for another one; three heartbeats fit into the shortest, so that a lost one does no harm. ``checkpoint_entries``: the
    state is saved whole after so many entries; far fewer than in production, so that a run of a minute sees several. ``tail_entries``: so
    many entries stay in the log behind a checkpoint: a backup that was away for longer gets the full state, any other the difference.
    ``group_s``: what a primary is asked to write within this time goes to its disk, and out, together (group commit).
    ``batch_entries`` per message. ``sessions_max``: clients remembered for exactly-once, the least recently served goes first.
    ``forward_max_s``: how long a backup remembers a request that it has handed on.
    """

    mode: Mode = Mode.SYNC
    reads: ReadsBy = ReadsBy.PRIMARY
    heartbeat_s: float = 0.075
    failover_min_s: float = 0.3
    failover_max_s: float = 0.6
    checkpoint_entries: int = 250
    tail_entries: int = 100
    batch_entries: int = 64
    group_s: float = 0.001
    sessions_max: int = 4096
    forward_max_s: float = 10.0

    @property
    def sync(self) -> bool:
        return self.mode is Mode.SYNC

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if not 0 < config.heartbeat_s < config.failover_min_s <= config.failover_max_s:
            raise ValueError("0 < heartbeat_s < failover_min_s <= failover_max_s must hold")
        if min(config.checkpoint_entries, config.batch_entries, config.sessions_max) < 1 or config.tail_entries < 0:
            raise ValueError(
                "checkpoint_entries, batch_entries and sessions_max must be at least 1, tail_entries at least 0"
            )
        return config
