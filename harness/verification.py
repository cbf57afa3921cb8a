"""Claims against runs: what a claim's runs say of it, what all claims say together, as data. Pure.

A claim that must hold is VIOLATED by one invalid run, and unknown if any run is; it holds when every run was valid. A claim that is
known to break is "violated as expected" when a run shows one of the anomalies that it names (what is broken may show in other ways, too).
If runs show nothing but others, that is a violation like any other; if none is invalid, the claim is unknown: what must be seen was not.

Every verification contains a canary, a claim that must come out VIOLATED. If it does not, the judge is asleep and nothing that it
called valid can be believed: the whole is unknown.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.claims import Case
from harness.protocols import Claim
from harness.samples import wilson
from harness.verdict import Validity

VERIFICATION_VERSION = 1
# Settings of a claim that say how long its runs are, or when its faults come.
_LENGTH = frozenset({"time_limit_s", "schedule", "bug"})
# A finding that fewer of the earlier verifications show than this is rare.
RARE_SHARE = 0.5
NO_FAULT = "no fault"


class Status(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    EXPECTED = "violated as expected"
    VIOLATED = "VIOLATED"
    UNKNOWN = "unknown"


# How each status counts for the whole.
VALIDITY: Mapping[Status, Validity] = {
    Status.HOLDS: Validity.VALID,
    Status.EXPECTED: Validity.VALID,
    Status.VIOLATED: Validity.INVALID,
    Status.UNKNOWN: Validity.UNKNOWN,
}

# Must come out VIOLATED: a store with a seeded bug that every judge of linearizability has to see.
CANARY = Case(
    target="kv/raft",
    row="canary",
    claim=Claim(
        name="canary",
        topic="canary",
        statement="This claim is false: every server of this store answers reads from its own state, however old.",
        model="linearizable",
        workload="register",
        faults=("partition",),
        settings={"bug": "stale-local-read", "time_limit_s": 20.0},
        seeds=10,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run said of a claim.

    ``findings`` are its anomalies as "checker/name"; ``faults`` the kinds of faults that took effect; ``detect_s`` when, in the run's
    own time, the first anomaly was complete; ``known`` whether the seed is an earlier failure that was tried again.
    """

    cluster: str
    seed: int
    verdict: str
    reason: str
    findings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    ops: int = 0
    detect_s: float | None = None
    run: str = ""
    repeat: str = ""
    known: bool = False

    def shows(self, claim: Claim) -> bool:
        """Whether this run breaks the claim in a way that the claim names."""
        return any(finding.partition("/")[2] in claim.violates for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How many runs a claim gets, and how long those are that must hold, if the claim says nothing of that.

    A claim that is known to break needs no further run once one has shown it, if ``stop_when_shown``.
    """

    name: str
    holding_runs: int | None  # None: as many as the claim says
    breaking_runs: int | None
    stop_when_shown: bool
    holding_time_s: float | None = None  # None: as long as runs are by default

    def settings(self, case: Case) -> dict[str, float]:
        """What a run of this case is asked for besides what the claim sets."""
        if case.breaks or self.holding_time_s is None or not _LENGTH.isdisjoint(case.claim.settings):
            return {}
        return {"time_limit_s": self.holding_time_s}

    def runs(self, case: Case) -> int:
        limit = self.breaking_runs if case.breaks else self.holding_runs
        return case.claim.seeds if limit is None else min(limit, case.claim.seeds)


PROFILES: Mapping[str, Profile] = {
    "pr": Profile(name="pr", holding_runs=2, breaking_runs=None, stop_when_shown=True, holding_time_s=20.0),
    "nightly": Profile(name="nightly", holding_runs=None, breaking_runs=None, stop_when_shown=False),
}


@dataclass(slots=True)
class Trial:
    """The runs of one case on one cluster, as they come: which seed is next, and what became of the others."""

    case: Case
    cluster: str
    profile: Profile
    known: tuple[int, ...] = ()  # seeds of earlier failures, tried first
    first_seed: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    _asked: int = 0

    @property
    def seeds(self) -> list[int]:
        """All seeds that this trial may try, in order, none twice."""
        count = self.profile.runs(self.case)
        return list(dict.fromkeys([*self.known, *range(self.first_seed, self.first_seed + count)]))

    @property
    def done(self) -> bool:
        """Whether nothing is to be tried any more (what runs at the moment may still end)."""
        return self._asked >= len(self.seeds) or (self._may_stop and self.shown)

    @property
    def shown(self) -> bool:
        if self.case.breaks:
            return any(outcome.shows(self.case.claim) for outcome in self.outcomes)
        return any(outcome.verdict == str(Validity.INVALID) for outcome in self.outcomes)

    @property
    def left(self) -> int:
        """How many seeds have not been asked for."""
        return len(self.seeds) - self._asked

    @property
    def in_turn(self) -> bool:
        """Whether one run has to end before it is known if another is needed."""
        return self._may_stop

    @property
    def running(self) -> int:
        return self._asked - len(self.outcomes)

    @property
    def _may_stop(self) -> bool:
        return self.profile.stop_when_shown and (self.case.breaks or self.case.row == CANARY.row)

    def next_seed(self) -> int | None:
        """A seed to run now; None if there is none, or none before another run has ended."""
        if self.done or (self.in_turn and self.running):
            return None
        self._asked += 1
        return self.seeds[self._asked - 1]


def status_of(case: Case, outcomes: Sequence[Outcome]) -> tuple[Status, str]:
    """What ``outcomes`` say of the claim, and why in one sentence."""
    if not outcomes:
        return Status.UNKNOWN, "no run of it ended"
    shown = [outcome for outcome in outcomes if case.breaks and outcome.shows(case.claim)]
    surprises = [outcome for outcome in outcomes if outcome.verdict == "invalid" and outcome not in shown]
    undecided = [outcome for outcome in outcomes if outcome.verdict == "unknown"]
    if shown:
        return Status.EXPECTED, shown[0].reason
    if surprises:
        expected = f" (expected was {' or '.join(case.claim.violates)})" if case.breaks else ""
        return Status.VIOLATED, surprises[0].reason + expected
    if undecided:
        return Status.UNKNOWN, undecided[0].reason
    if case.breaks:
        named = " or ".join(case.claim.violates)
        return Status.UNKNOWN, f"none of {_runs(len(outcomes))} showed what it is known to break: {named}"
    return Status.HOLDS, f"{_runs(len(outcomes))} valid" if len(outcomes) == 1 else f"all {_runs(len(outcomes))} valid"


def row(trial: Trial) -> dict[str, Any]:
    """A claim on a cluster, as the document tells it."""
    case, claim, outcomes = trial.case, trial.case.claim, trial.outcomes
    status, reason = status_of(case, outcomes)
    return {
        "name": case.name,
        "target": case.target,
        "claim": claim.name,
        "row": case.row,
        "line": case.line,
        "cluster": trial.cluster,
        "topic": claim.topic,
        "statement": claim.statement,
        "source": claim.source,
        "model": claim.model,
        "workload": claim.workload,
        "faults": list(claim.faults),
        "expected": list(claim.violates) or ["holds"],
        "status": str(status),
        "reason": reason,
        **_figures(case, outcomes),
        "smallest": _smallest(case, outcomes),
        "cells": {kind: _cell(case, outcomes, kind) for kind in _kinds(claim, outcomes)},
        "outcomes": [_outcome(outcome) for outcome in outcomes],
    }


def document(
    *, claims: Sequence[Mapping[str, Any]], canary: Mapping[str, Any], head: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole verification: ``head`` says what was verified and how; see ``row`` for a claim."""
    validity = max((VALIDITY[Status(claim["status"])] for claim in claims), default=Validity.UNKNOWN)
    alive = canary["status"] == Status.VIOLATED
    if not alive:
        validity = max(validity, Validity.UNKNOWN)
    return {
        "version": VERIFICATION_VERSION,
        "verdict": str(validity),
        "reason": _reason(claims, alive=alive),
        **head,
        "canary": dict(canary),
        "claims": [dict(claim) for claim in claims],
    }


def fingerprints(verification: Mapping[str, Any]) -> list[str]:
    """What a verification found against its claims, each finding by a name that does not change from run to run."""
    found = {
        f"{claim['name']} on {claim['cluster']}: {finding}"
        for claim in verification.get("claims", ())
        if claim["status"] == Status.VIOLATED
        for outcome in claim["outcomes"]
        if outcome["verdict"] == str(Validity.INVALID)
        for finding in outcome["findings"]
        if finding.partition("/")[2] not in claim["expected"]
    }
    return sorted(found)


def compare(now: Sequence[str], earlier: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Findings against those of earlier verifications (newest last): new, ongoing, rare (seen before, but not often), resolved."""
    last = set(earlier[-1]) if earlier else set()
    before = {finding for findings in earlier for finding in findings}
    often = {f for f in before if sum(f in findings for findings in earlier) >= RARE_SHARE * len(earlier)}
    current = set(now)
    return {
        "new": sorted(current - before),
        "ongoing": sorted(current & often),
        "rare": sorted(current & (before - often)),
        "resolved": sorted(last - current),
    }


def _figures(case: Case, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Rates are of fresh seeds alone: seeds that are known to fail say nothing of how often others do."""
    fresh = [outcome for outcome in outcomes if not outcome.known]
    hits = [outcome for outcome in outcomes if _hit(case, outcome)]
    detected = sum(not outcome.known for outcome in hits)
    low, high = wilson(detected, len(fresh))
    times = [outcome.detect_s for outcome in hits if outcome.detect_s is not None]
    return {
        "runs": len(outcomes),
        "fresh_runs": len(fresh),
        "detected": detected,
        "rate": round(detected / len(fresh), 4) if fresh else None,
        "rate_95": [round(low, 4), round(high, 4)],
        "detect_s": round(statistics.median(times), 6) if times else None,
        "seeds": [outcome.seed for outcome in outcomes],
    }


def _hit(case: Case, outcome: Outcome) -> bool:
    return outcome.shows(case.claim) if case.breaks else outcome.verdict == str(Validity.INVALID)


def _smallest(case: Case, outcomes: Iterable[Outcome]) -> dict[str, Any] | None:
    """The run with the fewest operations that shows what the status is about."""
    outcomes = list(outcomes)
    telling = [o for o in outcomes if _hit(case, o)] or [o for o in outcomes if o.verdict == str(Validity.INVALID)]
    return min((_outcome(o) for o in telling), key=lambda told: told["ops"], default=None)


def _cell(case: Case, outcomes: Sequence[Outcome], kind: str) -> dict[str, Any]:
    """The runs in which faults of this kind took effect; others may have, too."""
    under = [outcome for outcome in outcomes if kind in (outcome.faults or (NO_FAULT,))]
    if not under:
        return {"status": "", "reason": "no run had such a fault"} | _figures(case, under)
    status, reason = status_of(case, under)
    return {"status": str(status), "reason": reason} | _figures(case, under) | {"smallest": _smallest(case, under)}


def _kinds(claim: Claim, outcomes: Iterable[Outcome]) -> list[str]:
    seen = {kind for outcome in outcomes for kind in outcome.faults or (NO_FAULT,)}
    return [*claim.faults, *sorted(seen - set(claim.faults))]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    told = {name: getattr(outcome, name) for name in Outcome.__dataclass_fields__}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}


def _reason(claims: Sequence[Mapping[str, Any]], *, alive: bool) -> str:
    counts = {status: sum(claim["status"] == status for claim in claims) for status in Status}
    told = [f"{number} {status}" for status, number in counts.items() if number]
    sentence = f"of {len(claims)} claims {', '.join(told)}" if told else "there was no claim to verify"
    if not alive:
        return f"the canary, a claim that is false, was not found to be violated: no verdict can be trusted; {sentence}"
    first = next((claim for claim in claims if claim["status"] == Status.VIOLATED), None)
    return f"{sentence}; {first['name']}: {first['reason']}" if first else sentence


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"
