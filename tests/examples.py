"""How many examples a test has: of Hypothesis, where the usual hundred are too many, or too few, and of our own dice."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100


def examples(count: int) -> settings:
    """So many; but a profile that asks for more than the usual (nightly) has its way."""
    return settings(max_examples=seeds(count, max(count, settings().max_examples)))


def seeds(few: int, many: int) -> int:
    """How many; ``many`` where a profile asks for more than the usual (nightly)."""
    return few if settings().max_examples <= USUAL else many
