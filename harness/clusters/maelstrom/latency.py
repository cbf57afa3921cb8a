"""How long a message between nodes takes: Maelstrom's three distributions around a mean. Clients are next to their node: no latency."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

# Distribution → (dice, mean) → one latency.
DISTRIBUTIONS: Mapping[str, Callable[[random.Random, float], float]] = {
    "constant": lambda _dice, mean_s: mean_s,
    "uniform": lambda dice, mean_s: dice.uniform(0.0, 2 * mean_s),
    "exponential": lambda dice, mean_s: dice.expovariate(1.0) * mean_s,
}


def latency(distribution: str, mean_s: float, dice: random.Random) -> Callable[[], float] | None:
    """What gives each message's latency in seconds; None if there is none."""
    if mean_s <= 0:
        return None
    draw = DISTRIBUTIONS[distribution]
    return lambda: draw(dice, mean_s)
