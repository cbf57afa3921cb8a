"""What there is to sweep: every target whose nodes the simulator runs, with its bugs and claims. A new target is swept without more ado.

A case is something that some seed must show: a seeded bug that its checker finds, a claim that is known to break. ``corpus.json`` knows a
seed of each that shows it, which is tried first, in a brief run, so that a sweep is short. ``SPLITBRAIN_SWEEP=full pytest -m sweep``
(nightly) asks the corpus for nothing: runs are as long as a user's, and seeds are tried from 0 on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.cli.corpus import Corpus, read_corpus
from harness.protocols import Bug, Claim, Target
from harness.registry import Registry
from reports.report import Report
from targets import TARGETS
from tests.simulation import run, why

BUG_SEEDS_MAX = 50
FULL = os.environ.get("SPLITBRAIN_SWEEP") == "full"
# A run is as brief as this where the bug or the claim does not say how long it must be.
BRIEF: Mapping[str, float] = {} if FULL else {"time_limit_s": 30.0, "rate": 50.0}
CORPUS = Path(__file__).parent / "corpus.json"
KNOWN: Corpus = {} if FULL else read_corpus(CORPUS)

_REGISTRY = Registry("target", TARGETS)
# Programs that are not ours need a machine to run on: their targets name who hosts them.
SIMULATED: list[Target] = [
    target for target in map(_REGISTRY.get, TARGETS) if not target.hosts or "sim" in target.hosts
]
KEPT: list[tuple[Target, Claim]] = [
    (target, claim) for target in SIMULATED for claim in target.claims if not claim.violates
]


def brief(target: Target, of: Bug | Claim) -> dict[str, Any]:
    """What makes a run of this bug or claim brief. What has a schedule has its own times."""
    bugs = {bug.name: bug.settings for bug in target.bugs}
    settings = {**bugs.get(of.settings.get("bug", ""), {}), **of.settings}
    return {name: value for name, value in BRIEF.items() if name not in settings and "schedule" not in settings}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``option`` is "bug" or "claim". It shows in a run where ``checker`` (any, if empty) reports one of ``anomalies`` (any, if empty)."""

    target: str
    option: str
    name: str
    seeds: int
    checker: str = ""
    anomalies: tuple[str, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)  # of the plan

    def __str__(self) -> str:
        return f"{self.target} --{self.option} {self.name}"

    def wishes(self) -> dict[str, Any]:
        """The case as wishes for a plan."""
        return {self.option: self.name, **self.settings}

    def shown_by(self, report: Report) -> bool:
        """Whether this run shows it. What a run finds must be told in words, whatever it is."""
        found = report.results["anomalies"]
        assert (report.results["verdict"] == "invalid") == bool(found), why(report)
        assert all(anomaly["reason"] for anomaly in found), why(report)
        return any(
            self.checker in ("", anomaly["checker"]) and (not self.anomalies or anomaly["name"] in self.anomalies)
            for anomaly in found
        )

    def order(self, known: Corpus) -> Iterable[int]:
        """The seeds in the order in which they are tried: those that are known to show it, then all from 0 on."""
        first = known.get(str(self), {}).get("sim", [])
        return (*first, *(seed for seed in range(self.seeds) if seed not in first))

    def shown(self, known: Corpus = KNOWN) -> int:
        """The first seed that shows it. Raises AssertionError if none does."""
        for seed in self.order(known):
            if self.shown_by(run(self.target, seed=seed, **self.wishes())):
                return seed
        raise AssertionError(
            f"{self} does not show in {self.seeds} seeds: splitbrain run {self} --cluster sim --seed 0"
        )


def _bug(target: Target, bug: Bug) -> Case:
    found = {"seeds": BUG_SEEDS_MAX, "checker": bug.checker, "settings": brief(target, bug)}
    return Case(target=target.name, option="bug", name=bug.name, **found)


def _claim(target: Target, claim: Claim) -> Case:
    found = {"seeds": claim.seeds, "anomalies": claim.violates, "settings": brief(target, claim)}
    return Case(target=target.name, option="claim", name=claim.name, **found)


BUGS = [_bug(target, bug) for target in SIMULATED for bug in target.bugs]
BROKEN = [_claim(target, claim) for target in SIMULATED for claim in target.claims if claim.violates]


def breaks_by_default(target: Target) -> bool:
    """Whether the target says of itself that a plain run of it may come out invalid."""
    return any(
        claim.violates and claim.workload == target.workloads[0] and not claim.settings and not claim.checkers
        for claim in target.claims
    )
