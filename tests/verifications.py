"""Verifications made by hand, for tests of what judges and shows them."""

from __future__ import annotations

from typing import Any

from harness.claims import Case
from harness.protocols import Claim
from harness.verification import CANARY, PROFILES, Outcome, Trial, document, row


def case(
    name: str = "holds", *, violates: tuple[str, ...] = (), seeds: int = 5, target: str = "kv/store", **more: Any
) -> Case:
    fields: dict[str, Any] = {"topic": "t", "statement": "It holds.", "model": "linearizable", "workload": "register"}
    claim = Claim(name=name, faults=("kill", "partition"), violates=violates, seeds=seeds, **{**fields, **more})
    return Case(target=target, claim=claim, row="1", line=7)


def outcome(verdict: str = "valid", *findings: str, seed: int = 0, **more: Any) -> Outcome:
    fields: dict[str, Any] = {
        "faults": ("kill",),
        "reason": f"it was {verdict}",
        "ops": 100,
        "repeat": "splitbrain run x",
    }
    return Outcome(cluster="sim", seed=seed, verdict=verdict, findings=findings, **{**fields, **more})


def trial(of: Case, *outcomes: Outcome, profile: str = "pr") -> Trial:
    made = Trial(of, "sim", PROFILES[profile])
    made.outcomes.extend(outcomes)
    return made


AWAKE = trial(CANARY, outcome("invalid", "linearizable/stale-read"))
ASLEEP = trial(CANARY, outcome("valid"))


def verification(*trials: Trial, canary: Trial = AWAKE, **head: Any) -> dict[str, Any]:
    told = {
        "title": "ours",
        "file": "claims/ours.toml",
        "profile": "pr",
        "bug": None,
        "splitbrain": "0.1.0",
        "store": "store",
        "began": "20260102T030405.678901Z",
        "wall_s": 1.5,
        "first_seed": 0,
        "retries": [],
        "repeat": "splitbrain verify claims/ours.toml",
        "findings": {},
    }
    return document(claims=[row(t) for t in trials], canary=row(canary), head={**told, **head})
