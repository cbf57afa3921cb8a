"""The options of a node that asks for the time: times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.node.options import chosen

CRISTIAN, MARZULLO = METHODS = ("cristian", "marzullo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``references``: so many nodes, the first ones, are asked for the time by their wall clocks, every ``poll_s``. ``method``: "marzullo"
    takes what all but ``liars_max`` of the answers agree on, "cristian" the answer that came back soonest. An answer older than ``age_s``
    is forgotten. ``drift``: how much a monotonic clock may gain or lose, as a share; NTP assumes 15e-6 (RFC 5905), and a host whose clock
    is being slewed gains up to 500e-6. A time that is known less well than ``bound_max_s`` either way is not told.
    """

    references: int = 3
    liars_max: int = 1
    method: str = MARZULLO
    poll_s: float = 0.25
    age_s: float = 2.0
    drift: float = 0.001
    bound_max_s: float = 0.5

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.method not in METHODS:
            raise ValueError(f"option method={config.method!r} is none of {', '.join(METHODS)}")
        if not 0 <= config.liars_max < config.references:
            raise ValueError("0 <= liars_max < references must hold")
        if not 0 < config.poll_s <= config.age_s or not 0 <= config.drift < 1 or config.bound_max_s <= 0:
            raise ValueError("0 < poll_s <= age_s, 0 <= drift < 1 and 0 < bound_max_s must hold")
        return config
