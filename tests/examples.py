"""How many examples a test of Hypothesis has, where the usual hundred are too many, or too few."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100


def examples(count: int) -> settings:
    """So many; but a profile that asks for more than the usual (nightly) has its way."""
    wanted = settings().max_examples
    return settings(max_examples=count if wanted <= USUAL else max(count, wanted))
