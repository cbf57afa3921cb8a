"""Swarm sampling: each run draws some variants never and others often, instead of all evenly.

A run that does a few things again and again gets into states that an even mix of everything never reaches.
Source: Groce et al., Swarm Testing, ISSTA 2012; TigerBeetle samples its fuzzers the same way.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

# A variant is left out of a run with this probability; the others' weights lie between 1/SPREAD and SPREAD.
OFF_SHARE = 0.25
SPREAD = 4.0


def draw_weights(names: Iterable[str], rng: random.Random) -> dict[str, float]:
    """One run's weight of each name."""
    return {name: 0.0 if rng.random() < OFF_SHARE else SPREAD ** rng.uniform(-1, 1) for name in names}


def pick(names: Sequence[str], weights: Mapping[str, float], rng: random.Random) -> str:
    """One of ``names`` by weight (1 where none is given); evenly if all of them are switched off."""
    weighed = [weights.get(name, 1.0) for name in names]
    if not any(weighed):
        return rng.choice(names)
    return rng.choices(names, weighed)[0]
