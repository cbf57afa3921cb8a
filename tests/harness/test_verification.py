"""What runs say of claims, and claims of the whole."""

from __future__ import annotations

import pytest

from harness.verification import PROFILES, Outcome, Profile, Status, Trial, compare, fingerprints, row, status_of
from tests.verifications import ASLEEP, case, outcome, trial, verification

BREAKS = case("breaks", violates=("lost",))


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([outcome()], Status.HOLDS),
        ([outcome(), outcome("unknown")], Status.UNKNOWN),
        ([outcome("unknown"), outcome("invalid", "set/lost")], Status.VIOLATED),
        ([], Status.UNKNOWN),
    ],
)
def test_a_claim_that_must_hold(outcomes: list[Outcome], status: Status) -> None:
    assert status_of(case(), outcomes)[0] is status


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([outcome(), outcome("invalid", "set/lost")], Status.EXPECTED),
        ([outcome("unknown"), outcome("invalid", "set/lost", "set/stale")], Status.EXPECTED),
        ([outcome(), outcome()], Status.UNKNOWN),
        ([outcome("unknown")], Status.UNKNOWN),
        ([outcome("invalid", "nodes/crash")], Status.VIOLATED),
        ([outcome("invalid", "nodes/crash"), outcome("invalid", "set/lost")], Status.EXPECTED),
        ([], Status.UNKNOWN),
    ],
)
def test_a_claim_that_is_known_to_break(outcomes: list[Outcome], status: Status) -> None:
    assert status_of(BREAKS, outcomes)[0] is status


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ([trial(case(), outcome())], "valid"),
        ([trial(BREAKS, outcome("invalid", "set/lost"))], "valid"),
        ([trial(case(), outcome()), trial(BREAKS, outcome())], "unknown"),
        ([trial(case(), outcome("invalid", "set/lost")), trial(BREAKS, outcome())], "invalid"),
        ([], "unknown"),
    ],
)
def test_the_worst_claim_decides(claims: list[Trial], verdict: str) -> None:
    assert verification(*claims)["verdict"] == verdict


def test_with_a_canary_that_nobody_noticed_nothing_is_valid() -> None:
    told = verification(trial(case(), outcome()), canary=ASLEEP)
    assert told["verdict"] == "unknown"
    assert "the canary" in told["reason"]


def test_a_cell_tells_of_the_runs_with_its_fault() -> None:
    told = row(
        trial(
            case(),
            outcome(faults=("kill",)),
            outcome("invalid", "set/lost", faults=("partition",)),
            outcome(faults=()),
            outcome("unknown", faults=("clock",)),
        )
    )
    found = {kind: cell["status"] for kind, cell in told["cells"].items()}
    assert found == {"kill": "holds", "partition": "VIOLATED", "no fault": "holds", "clock": "unknown"}


def test_a_fault_that_no_run_had_leaves_its_cell_empty() -> None:
    assert row(trial(case(), outcome(faults=("kill",))))["cells"]["partition"]["status"] == ""


def test_rates_are_of_fresh_seeds() -> None:
    known = outcome("invalid", "set/lost", seed=9, known=True, detect_s=4.0)
    told = row(trial(BREAKS, known, outcome(seed=0), outcome("invalid", "set/lost", seed=1, detect_s=8.0)))
    assert (told["runs"], told["fresh_runs"], told["detected"], told["rate"]) == (3, 2, 1, 0.5)
    assert told["detect_s"] == 6.0
    low, high = told["rate_95"]
    assert 0 < low < 0.5 < high < 1


def test_the_smallest_run_that_tells_is_named() -> None:
    big, small = outcome("invalid", "set/lost", ops=900, seed=1), outcome("invalid", "set/lost", ops=90, seed=2)
    assert row(trial(BREAKS, big, small))["smallest"]["seed"] == 2
    surprise = outcome("invalid", "nodes/crash", ops=5, seed=3)
    assert row(trial(BREAKS, big, small, surprise))["smallest"]["seed"] == 2
    assert row(trial(BREAKS, surprise))["smallest"]["seed"] == 3
    assert row(trial(case(), outcome()))["smallest"] is None


def test_each_cell_names_the_smallest_run_with_its_fault() -> None:
    killed = outcome("invalid", "set/lost", ops=900, seed=1, faults=("kill",))
    both = outcome("invalid", "set/lost", ops=90, seed=2, faults=("partition", "kill"))
    least = outcome("invalid", "set/lost", ops=9, seed=3, faults=("clock",))
    cells = row(trial(BREAKS, killed, both, least, outcome(faults=("pause",), ops=1)))["cells"]
    found = {kind: cell["smallest"] and cell["smallest"]["seed"] for kind, cell in cells.items()}
    assert found == {"kill": 2, "partition": 2, "clock": 3, "pause": None}


def test_a_claim_that_breaks_is_tried_until_it_is_seen_to() -> None:
    trying = Trial(BREAKS, "sim", PROFILES["pr"], known=(7,))
    assert trying.next_seed() == 7
    assert trying.next_seed() is None  # the run of 7 may be enough
    trying.outcomes.append(outcome(seed=7))
    assert trying.next_seed() == 0
    trying.outcomes.append(outcome("invalid", "set/lost", seed=0))
    assert trying.done
    assert trying.next_seed() is None


def test_all_seeds_of_a_claim_that_holds_may_run_side_by_side() -> None:
    trying = Trial(case(), "sim", PROFILES["nightly"], known=(2, 7), first_seed=0)
    assert [trying.next_seed() for _ in range(8)] == [2, 7, 0, 1, 3, 4, None, None]


def test_nightly_tries_all_seeds_also_of_what_breaks() -> None:
    trying = Trial(BREAKS, "sim", PROFILES["nightly"])
    for seed in range(5):
        assert trying.next_seed() == seed
        trying.outcomes.append(outcome("invalid", "set/lost", seed=seed))
    assert trying.next_seed() is None


def test_a_profile_never_asks_for_more_runs_than_the_claim() -> None:
    assert Profile(name="p", holding_runs=9, breaking_runs=2, stop_when_shown=False).runs(case(seeds=3)) == 3
    assert Profile(name="p", holding_runs=9, breaking_runs=2, stop_when_shown=False).runs(BREAKS) == 2


def test_findings_have_names_that_last() -> None:
    told = verification(
        trial(case(), outcome("invalid", "set/lost", seed=1), outcome("invalid", "set/lost", seed=2)),
        trial(BREAKS, outcome("invalid", "set/lost"), outcome("invalid", "nodes/crash", "set/lost")),
    )
    assert fingerprints(told) == ["kv/store:holds on sim: set/lost"]


def test_findings_are_compared_with_those_of_before() -> None:
    earlier = [["a", "gone", "rare"], ["a"], ["a", "last"]]
    assert compare(["a", "fresh", "rare"], earlier) == {
        "new": ["fresh"],
        "ongoing": ["a"],
        "rare": ["rare"],
        "resolved": ["last"],
    }
    assert compare(["a"], []) == {"new": ["a"], "ongoing": [], "rare": [], "resolved": []}


def test_runs_that_must_hold_are_short_with_every_change() -> None:
    assert PROFILES["pr"].settings(case()) == {"time_limit_s": 20.0}
    assert PROFILES["pr"].settings(case(settings={"time_limit_s": 90.0})) == {}
    assert PROFILES["pr"].settings(BREAKS) == {}
    assert PROFILES["nightly"].settings(case()) == {}
