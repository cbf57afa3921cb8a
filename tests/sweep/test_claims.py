"""Many seeds of every claim of every target: what is promised is kept in every run, what is known to break is seen to break.

The seeds are fixed, so these tests are as repeatable as any: a failure names the command that shows it.
"""

from __future__ import annotations

import pytest

from harness.protocols import Claim
from harness.registry import Registry
from reports.report import Report
from targets import TARGETS
from tests.simulation import run, why

pytestmark = pytest.mark.sweep

# A promise is tried on so many seeds here; the sweeps of its target try it on more.
HOLDING_SEEDS_MAX = 5

_REGISTRY: Registry = Registry("target", TARGETS)
CLAIMS = [(name, claim) for name in TARGETS for claim in _REGISTRY.get(name).claims]


def claimed(*, holds: bool) -> pytest.MarkDecorator:
    """One test per claim that holds, or per claim that breaks."""
    chosen = [pytest.param(*both, id=f"{both[0]}-{both[1].name}") for both in CLAIMS if (not both[1].violates) is holds]
    return pytest.mark.parametrize(("target", "claim"), chosen)


def anomalies(report: Report) -> set[str]:
    return {anomaly["name"] for anomaly in report.results["anomalies"]}


@claimed(holds=True)
def test_what_is_promised_is_kept(target: str, claim: Claim) -> None:
    for seed in range(min(claim.seeds, HOLDING_SEEDS_MAX)):
        report = run(target, seed=seed, claim=claim.name)
        assert report.results["verdict"] == "valid", why(report)


@claimed(holds=False)
def test_what_is_known_to_break_is_seen_to_break(target: str, claim: Claim) -> None:
    seen: set[str] = set()
    for seed in range(claim.seeds):
        report = run(target, seed=seed, claim=claim.name)
        found = anomalies(report)
        assert (report.results["verdict"] == "invalid") == bool(found), why(report)
        if found & set(claim.violates):
            return
        seen |= found
    pytest.fail(f"none of {claim.violates} in {claim.seeds} seeds, only {sorted(seen)}")
