"""A verification's claims as the words of a table: the columns, the cells, the figures. Whatever a document holds may be anybody's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.wording import sentence

Document = Mapping[str, Any]
Claim = Mapping[str, Any]

# status → (sign, word in a cell)
SIGNS: Mapping[str, tuple[str, str]] = {
    "holds": ("✓", "holds"),
    "violated as expected": ("✓", "breaks, as expected"),
    "VIOLATED": ("✗", "VIOLATED"),
    "unknown": ("?", "unknown"),
    "": ("", ""),
}
NAMES = {
    "new": "new: never found before",
    "ongoing": "ongoing: found before, too",
    "rare": "rare: found before, but not often",
    "resolved": "resolved: found last time, not now",
}


def kinds(document: Document) -> list[str]:
    """The kinds of faults that took effect in some run, or are claimed to be borne: the columns of the matrix."""
    return sorted({sentence(kind) for claim in document.get("claims", ()) for kind in claim.get("cells", {})})


def failed(document: Document) -> list[Claim]:
    """The claims that are VIOLATED or unknown, the violated ones first."""
    bad = [claim for claim in document.get("claims", ()) if claim["status"] in ("VIOLATED", "unknown")]
    return sorted(bad, key=lambda claim: str(claim["status"]) != "VIOLATED")


def rate(figures: Mapping[str, Any]) -> str:
    """Of how many runs a violation was found in how many, with the 95 % interval of the share."""
    fresh, hits = figures["fresh_runs"], figures["detected"]
    if not fresh:
        return f"{figures['runs']} known" if figures["runs"] else ""
    low, high = figures["rate_95"]
    return f"{hits} of {fresh} ({100 * low:.0f}–{100 * high:.0f} %)"


def short_rate(figures: Mapping[str, Any]) -> str:
    """``rate`` without its interval, for narrow places."""
    return f"{figures['detected']}/{figures['fresh_runs']}" if figures["fresh_runs"] else rate(figures)


def detect(figures: Mapping[str, Any]) -> str:
    """The median time, in the run's own seconds, until the first anomaly was complete."""
    return "" if figures.get("detect_s") is None else f"{figures['detect_s']:.1f} s"


def where(claim: Claim) -> str:
    """Target, claim, and cluster in one line."""
    return f"{sentence(claim['target'])} {sentence(claim['claim'])} on {sentence(claim['cluster'])}"


def expected(claim: Claim) -> str:
    """What the claim expects to see."""
    wanted: Sequence[Any] = claim["expected"]
    return "holds" if list(wanted) == ["holds"] else "breaks: " + " or ".join(sentence(name) for name in wanted)


def canary(document: Document) -> str:
    """What became of the canary, in one sentence."""
    told = document["canary"]
    if told["status"] == "VIOLATED":
        return "The canary, a claim that is false, was found to be violated, as it must."
    return f"The canary, a claim that is false, was NOT found to be violated ({sentence(told['reason'])}): nothing here can be trusted."
