"""The options of a node of the registry: times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.node.options import chosen

MONOTONIC, WALL = "monotonic", "wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``ttl_s``: a session that has not been heard of for so long has ended. ``clock``: by which clock the leader measures that: "monotonic",
    or "wall", which jumps. ``batch_max``: at most so many changes are told at once to whoever watches.
    The check of an instance that is registered here: ``probe_s``, every so often it is probed; ``probe_timeout_s``, for so long an
    answer is waited for; ``probe_failures`` in a row make it critical; ``deregister_s``, critical for so long it is deregistered.
    """

    ttl_s: float = 2.0
    clock: str = MONOTONIC
    batch_max: int = 50
    probe_s: float = 0.5
    probe_timeout_s: float = 0.5
    probe_failures: int = 3
    deregister_s: float = 3.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.clock not in (MONOTONIC, WALL):
            raise ValueError(f"option clock={config.clock!r} is none of {MONOTONIC}, {WALL}")
        if config.ttl_s <= 0 or config.batch_max < 1:
            raise ValueError("ttl_s must be above 0 and batch_max at least 1")
        if not 0 < config.probe_timeout_s <= config.probe_s:
            raise ValueError("0 < probe_timeout_s <= probe_s must hold")
        if config.probe_failures < 1 or config.deregister_s <= 0:
            raise ValueError("probe_failures must be at least 1 and deregister_s above 0")
        return config

    @property
    def check(self) -> dict[str, Any]:
        """The check of an instance, as it is registered."""
        return {
            "interval_s": self.probe_s,
            "timeout_s": self.probe_timeout_s,
            "failures": self.probe_failures,
            "deregister_s": self.deregister_s,
        }
