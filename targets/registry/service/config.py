"""The options of a node of the registry: times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.queue.options import chosen

MONOTONIC, WALL = "monotonic", "wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``ttl_s``: a session that has not been heard of for so long has ended. ``clock``: by which clock the leader measures that: "monotonic",
    or "wall", which jumps. ``batch_max``: at most so many changes are told at once to whoever watches.
    """

    ttl_s: float = 2.0
    clock: str = MONOTONIC
    batch_max: int = 50

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.clock not in (MONOTONIC, WALL):
            raise ValueError(f"option clock={config.clock!r} is none of {MONOTONIC}, {WALL}")
        if config.ttl_s <= 0 or config.batch_max < 1:
            raise ValueError("ttl_s must be above 0 and batch_max at least 1")
        return config
