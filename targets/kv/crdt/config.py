"""The options of a node: times in seconds, sizes in entries and records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.node.options import chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``data``: which data type (see the package). ``fanout``: a node tells a rumour to so many peers at a time, drawn anew for each round.
    ``round_s``: the time between rounds, of which a rumour stays hot for ``hot_rounds`` (Demers, section 1.4: blind, by counter).
    ``anti_entropy_s``: so often a node compares all it has with one peer, which finds what rumours missed; 0 is never.
    ``checkpoint_records``: the state is written whole after so many records; far fewer than in production, so that a run of a minute sees
    several. ``requests_max``: so many request ids are remembered against copies.
    """

    data: str = "g-set"
    fanout: int = 2
    round_s: float = 0.1
    hot_rounds: int = 3
    anti_entropy_s: float = 1.0
    checkpoint_records: int = 200
    requests_max: int = 10_000

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.fanout < 1 or config.hot_rounds < 0 or config.round_s <= 0 or config.anti_entropy_s < 0:
            raise ValueError("fanout must be at least 1, round_s above 0, hot_rounds and anti_entropy_s 0 or more")
        if config.checkpoint_records < 1 or config.requests_max < 1:
            raise ValueError("checkpoint_records and requests_max must be at least 1")
        return config
