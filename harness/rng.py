"""Named streams of randomness from one seed: adding a die to one part of a run never changes another part's throws."""

from __future__ import annotations

import random


def stream(seed: int, name: str) -> random.Random:
    """The dice called ``name`` of the run with this seed; the same on every machine and in every process."""
    return random.Random(f"splitbrain/{seed}/{name}")  # a str seed is hashed with SHA-512, not with hash()
