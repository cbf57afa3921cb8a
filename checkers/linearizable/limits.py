"""What a search may cost and what it can answer; shared by the searches. Counted in steps, so that every
machine answers alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.verdict import Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """At most so many steps (operations looked at), so many remembered configurations, and so many bytes of tables."""

    steps: int
    configs: int
    bytes: int = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search says of one key.

    ``explained`` of ``completed`` completed operations, in the order of their ends, have a legal order that
    was found (all of them if valid); ``stuck`` is the one after them (a position among the operations
    searched), which no order reached: None if there is none. UNKNOWN means that the limits were reached; ``tried`` is what had not
    decided it before the search, for whoever reads the verdict.
    """

    validity: Validity
    steps: int
    explained: int
    completed: int
    stuck: int | None = None
    tried: str = ""


def further(before: Found | None, now: Found) -> Found:
    """What is known after another search of the same key: its answer, or else the longer of the two explained beginnings."""
    if before is None or now.validity is not Validity.UNKNOWN or now.explained >= before.explained:
        return now
    return replace(now, explained=before.explained)
