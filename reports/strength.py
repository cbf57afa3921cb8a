"""How strong the history of a valid run is, as a table: which lies told in copies of it were caught, and what it was made of.

From the stats of the checker ``strength``; what a document of somebody else holds there is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.report import Report
from reports.wording import sentence

CHECKER = "strength"
LIES_MAX = 50
# What a lie of this kind says, which a broken system might have said.
LIES = {
    "lost": "an update that was acknowledged never happened",
    "failed": "an update that was acknowledged is said to have failed",
    "swapped": "two operations have each other's results",
    "stale": "an operation returned what an earlier one had returned",
    "fractured": "one entry of a map is from an earlier read, the others are not",
}
# What the history was made of, in the order of the table.
FIGURES = {
    "operations": "operations",
    "open_at_once": "most operations open at once",
    "faults": "faults that held",
    "during_faults": "operations open during a fault",
    "contended_keys": "keys that several clients worked on at once",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """So many of ``made`` copies with a lie of this kind were ``caught``."""

    kind: str
    meaning: str
    made: int
    caught: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """``share`` of all lies were caught, in percent; None if none was told."""

    reason: str
    share: int | None
    lies: tuple[Lie, ...]
    figures: tuple[tuple[str, int], ...]


def strength(report: Report) -> Strength | None:
    """The table; None where strength was not judged, as in runs that are not valid."""
    rows = (row for row in report.results.get("checkers") or () if isinstance(row, Mapping))
    row = next((row for row in rows if row.get("checker") == CHECKER), None)
    stats = row.get("stats") if row is not None else None
    if row is None or not isinstance(stats, Mapping):
        return None
    told = stats.get("mutants")
    lies = tuple(_lies(told if isinstance(told, Mapping) else {}))
    made, caught = (sum(getattr(lie, name) for lie in lies) for name in ("made", "caught"))
    return Strength(
        reason=sentence(row.get("reason")),
        share=round(100 * caught / made) if made else None,
        lies=lies,
        figures=tuple((words, stats[name]) for name, words in FIGURES.items() if _is_count(stats.get(name))),
    )


def _lies(told: Mapping[str, Any]) -> list[Lie]:
    found = []
    for kind, counts in list(told.items())[:LIES_MAX]:
        if not isinstance(counts, Mapping) or not all(_is_count(counts.get(name)) for name in ("made", "caught")):
            continue
        made, caught = counts["made"], counts["caught"]
        if made > 0:
            meaning = LIES.get(kind, "")
            found.append(Lie(kind=sentence(kind, 40), meaning=meaning, made=made, caught=min(caught, made)))
    order = list(LIES)
    return sorted(found, key=lambda lie: order.index(lie.kind) if lie.kind in order else len(order))


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0
