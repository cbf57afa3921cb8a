"""Many seeds of the replicated data types and counters: the correct nodes keep their promises under every fault, every bug is found.

The seeds are fixed, so these tests are as repeatable as any: a failure names the command that shows it. Claims are swept in test_claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harness.protocols import Bug, Target
from targets.kv.counter_target import EXACTLY_ONCE
from targets.kv.crdt_target import BROADCAST, G_COUNTER, G_SET, OR_SET, PN_COUNTER, UNIQUE_IDS
from tests.simulation import run, why
from tests.sweep.seeds import FIRSTS, chunk

pytestmark = pytest.mark.sweep

CORRECT = (BROADCAST, G_SET, OR_SET, G_COUNTER, PN_COUNTER, UNIQUE_IDS, EXACTLY_ONCE)
BUGS = [(target, bug) for target in CORRECT for bug in target.bugs]
BUG_SEEDS_MAX = 50
TWINS = 3


def unproved(faults: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [fault for fault in faults if not (fault["bit"] and fault["healed"])]


@pytest.mark.parametrize("first", FIRSTS)
@pytest.mark.parametrize("target", CORRECT, ids=lambda target: target.name)
def test_the_correct_node_is_valid_under_all_faults(target: Target, first: int) -> None:
    for seed in chunk(first):
        report = run(target.name, seed=seed, nemesis="partition,packet,kill,pause,clock", time_limit_s=60.0)
        assert report.results["verdict"] == "valid", why(report)
        assert not unproved(report.results["faults"]), why(report)


@pytest.mark.parametrize(("target", "bug"), BUGS, ids=lambda part: part.name)
def test_every_seeded_bug_is_found_and_the_correct_node_is_not_blamed(target: Target, bug: Bug) -> None:
    for seed in range(BUG_SEEDS_MAX):
        report = run(target.name, seed=seed, bug=bug.name)
        results = report.results
        if results["verdict"] == "invalid":
            blamed = {anomaly["checker"] for anomaly in results["anomalies"]}
            assert bug.checker in blamed, why(report)
            assert all(anomaly["reason"] for anomaly in results["anomalies"])
            break
    else:
        pytest.fail(f"{bug.name} was not found in {BUG_SEEDS_MAX} seeds")
    settings = dict(bug.settings)
    for correct in range(min(seed + 1, TWINS)):
        twin = run(target.name, seed=correct, nemesis=",".join(bug.faults) or "none", **settings)
        assert twin.results["verdict"] == "valid", why(twin)


def test_a_repetition_that_raft_applies_twice_shows_in_its_counter() -> None:
    for seed in range(BUG_SEEDS_MAX):
        report = run("kv/raft", seed=seed, bug="apply-twice-on-retry", workload="counter")
        found = {(anomaly["checker"], anomaly["name"]) for anomaly in report.results["anomalies"]}
        if found & {("counter", "extra-add"), ("counter", "impossible-sum")}:
            return
    pytest.fail(f"apply-twice-on-retry was not found in {BUG_SEEDS_MAX} seeds of the workload counter")
