"""A run, or a verification, against earlier ones: which findings are new, and what else is different. Pure, from their documents alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.verification import Status, compare, fingerprints

COMPARISON_VERSION = 1
# Settings of a plan that always differ, or say nothing of what was run.
_NO_SETTING = frozenset({"version", "schedule", "splitbrain"})

Figures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is compared, of one run or verification: ``findings`` maps a name that does not change from run to run to a sentence;
    ``figures`` are named numbers, ``settings`` how it was made.
    """

    name: str
    kind: str  # "run" or "verification"
    verdict: str
    reason: str
    findings: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def run_side(name: str, results: Mapping[str, Any]) -> Side:
    """A run, by its results: its findings are its anomalies as "checker/name", its figures all numbers that checkers give."""
    findings: dict[str, str] = {}
    for anomaly in results.get("anomalies") or ():
        findings.setdefault(f"{anomaly.get('checker')}/{anomaly.get('name')}", str(anomaly.get("reason") or ""))
    figures = dict(_numbers("", results.get("stats") or {}))
    for row in results.get("checkers") or ():
        if row.get("checker") != "stats":  # the run's own figures, already there
            figures |= dict(_numbers(f"{row.get('checker')}: ", row.get("stats") or {}))
    told = results.get("plan") or {}
    return Side(
        name=name,
        kind="run",
        verdict=str(results.get("verdict")),
        reason=str(results.get("reason") or ""),
        findings=findings,
        figures=figures,
        settings={setting: value for setting, value in told.items() if setting not in _NO_SETTING},
    )


def verification_side(name: str, document: Mapping[str, Any]) -> Side:
    """A verification, by its document: its findings are those against its claims, its figures how many claims have which status."""
    claims = document.get("claims") or ()
    reasons = {f"{claim['name']} on {claim['cluster']}": str(claim["reason"]) for claim in claims}
    figures: Figures = {"claims": len(claims), "runs": sum(claim["runs"] for claim in claims)}
    figures |= {str(status): sum(claim["status"] == status for claim in claims) for status in Status}
    figures |= {"retries": len(document.get("retries") or ()), "wall_s": float(document.get("wall_s") or 0.0)}
    return Side(
        name=name,
        kind="verification",
        verdict=str(document.get("verdict")),
        reason=str(document.get("reason") or ""),
        findings={finding: reasons.get(finding.partition(": ")[0], "") for finding in fingerprints(document)},
        figures=figures,
        settings={name: document.get(name) for name in ("file", "profile", "first_seed", "bug", "splitbrain")},
    )


def comparison(now: Side, earlier: Sequence[Side]) -> dict[str, Any]:
    """The document: ``sides`` are now and the earlier ones, the newest first; every list of a finding, figure or setting is in this order.

    Invalid if there is a new finding, else valid: what is known already is for others to judge.
    """
    sides = [now, *reversed(earlier)]
    findings = compare(sorted(now.findings), [sorted(side.findings) for side in earlier])
    names = sorted({name for side in sides for name in side.findings})
    return {
        "version": COMPARISON_VERSION,
        "verdict": "invalid" if findings["new"] else "valid",
        "reason": _reason(findings, len(earlier)),
        "sides": [
            {"name": side.name, "kind": side.kind, "verdict": side.verdict, "reason": side.reason} for side in sides
        ],
        "findings": findings,
        "seen": {name: [name in side.findings for side in sides] for name in names},
        "examples": {name: next(side.findings[name] for side in sides if name in side.findings) for name in names},
        "figures": _rows([side.figures for side in sides]),
        "settings": {
            name: values
            for name, values in _rows([side.settings for side in sides]).items()
            if len({json.dumps(value, sort_keys=True, default=str) for value in values}) > 1
        },
    }


def _reason(findings: Mapping[str, Sequence[str]], earlier: int) -> str:
    told = [f"{len(found)} {name}" for name, found in findings.items() if found]
    against = f"against {earlier} earlier" if earlier > 1 else "against the one before"
    return f"findings {against}: {', '.join(told)}" if told else f"no findings, {against}"


def _rows(tables: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Every name that any of them has, with its value in each, None where it is missing."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: [table.get(name) for table in tables] for name in names}


def _numbers(prefix: str, stats: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in stats.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", value
