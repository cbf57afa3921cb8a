"""The options of a node: times in seconds, sizes in additions and records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from targets.node.options import chosen


class Delivery(StrEnum):
    """What a sender promises; see the package."""

    AT_MOST_ONCE = "at-most-once"
    AT_LEAST_ONCE = "at-least-once"
    EXACTLY_ONCE = "exactly-once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``delivery``: see the package. ``send_s``: so often a node looks for what to send, at most ``batch_max`` additions a message.
    ``retry_min_s``: what was not acknowledged is sent again after that, then after twice as long, and so on up to ``retry_max_s``.
    ``checkpoint_records``: the state is written whole after so many records. ``ids_max``: so many request ids are remembered.
    """

    delivery: str = Delivery.EXACTLY_ONCE.value
    send_s: float = 0.05
    retry_min_s: float = 0.2
    retry_max_s: float = 1.6
    batch_max: int = 64
    checkpoint_records: int = 200
    ids_max: int = 100_000

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.delivery not in set(Delivery):
            raise ValueError(f"option delivery={config.delivery!r}: known are {', '.join(Delivery)}")
        if config.send_s <= 0 or not 0 < config.retry_min_s <= config.retry_max_s:
            raise ValueError("send_s must be above 0, and 0 < retry_min_s <= retry_max_s must hold")
        if config.batch_max < 1 or config.checkpoint_records < 1 or config.ids_max < 1:
            raise ValueError("batch_max, checkpoint_records and ids_max must be at least 1")
        return config
