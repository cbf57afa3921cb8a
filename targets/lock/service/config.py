"""The options of a node of the lock service: times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.node.options import chosen

TOLD, BY_CLOCK = "told", "clock"
MONOTONIC, WALL = "monotonic", "wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``lease_s``: a lock whose holder has not been heard of for so long is free again. ``holder``: until when a holder believes that it
    holds its lock: "told", until the service says that it does not (as with the sessions of Consul and ZooKeeper), or "clock", until its
    lease ends by its own clock. ``clock``: by which clock leases are measured, by the service and by holders: "monotonic", or "wall",
    which jumps. ``fenced``: whether the resource refuses tokens that are smaller than one that it has seen.
    ``idle_s``: a holder whose client is silent for so long gives up.
    """

    lease_s: float = 1.0
    holder: str = TOLD
    clock: str = MONOTONIC
    fenced: bool = False
    idle_s: float = 3.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        for name, known in (("holder", (TOLD, BY_CLOCK)), ("clock", (MONOTONIC, WALL))):
            if getattr(config, name) not in known:
                raise ValueError(f"option {name}={getattr(config, name)!r} is none of {', '.join(known)}")
        if not 0 < config.lease_s <= config.idle_s:
            raise ValueError("0 < lease_s <= idle_s must hold")
        return config
