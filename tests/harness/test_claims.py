"""Files of claims: what is read, and a sentence with its line for everything that is wrong."""

from __future__ import annotations

import pytest

from harness.claims import parse_claims
from harness.errors import PlanError
from harness.protocols import Claim, Target

CARRIED = Claim(
    name="loses",
    topic="t",
    statement="It loses.",
    model="no-loss",
    workload="set",
    faults=("kill",),
    violates=("lost",),
)
STORE = Target(
    name="kv/store", summary="", program="", client="", workloads=("register", "set"), claims=(CARRIED,), bugs=()
)


def target_of(name: str) -> Target:
    if name != STORE.name:
        raise PlanError(f"unknown target {name!r}")
    return STORE


def test_a_claim_of_the_target_is_taken_as_it_is() -> None:
    text = 'version = 1\n\n[[claim]]\ntarget = "kv/store"\nclaim = "loses"\nrow = "3"\nclusters = ["sim", "local"]\n'
    file = parse_claims(text, "c.toml", target_of)
    (case,) = file.cases
    assert (case.claim, case.row, case.clusters, case.line, case.name) == (
        CARRIED,
        "3",
        ("sim", "local"),
        3,
        "kv/store:loses",
    )
    assert case.breaks
    assert file.title == "c.toml"


def test_seeds_of_the_file_go_before_those_of_the_claim() -> None:
    text = 'version = 1\n[[claim]]\ntarget = "kv/store"\nclaim = "loses"\nseeds = 3\n'
    assert parse_claims(text, "c.toml", target_of).cases[0].claim.seeds == 3


def test_a_claim_of_ones_own() -> None:
    text = """
version = 1
title = "ours"
[[claim]]
target = "kv/store"
name = "linearizable"
model = "linearizable"
faults = ["partition", "kill"]
settings.rate = 50.0
checkers.availability.progress_s = 3.0
"""
    file = parse_claims(text, "c.toml", target_of)
    claim = file.cases[0].claim
    assert (claim.workload, claim.faults, claim.violates) == ("register", ("partition", "kill"), ())
    assert claim.settings == {"rate": 50.0}
    assert claim.checkers == {"availability": {"progress_s": 3.0}}
    assert file.title == "ours"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('claim = "loses"', "c.toml:2: a claim needs a target"),
        ('target = "kv/stor"\nclaim = "loses"', "c.toml:2: unknown target 'kv/stor'"),
        ('target = "kv/store"\nclaim = "lose"', "carries no claim 'lose': did you mean 'loses'?"),
        ('target = "kv/store"\nname = "No Loss"', "a claim needs a name of small letters"),
        ('target = "kv/store"', "a claim needs a name"),
        ('target = "kv/store"\nname = "x"\nworkload = "sett"', "has no workload 'sett': did you mean 'set'?"),
        ('target = "kv/store"\nname = "x"\nfault = ["kill"]', "unknown key 'fault': did you mean 'faults'?"),
        ('target = "kv/store"\nname = "x"\nfaults = "kill"', "faults must be a list of texts, not 'kill'"),
        ('target = "kv/store"\nname = "x"\nseeds = 0', "seeds must be 1 to 1000000, not 0"),
        ('target = "kv/store"\nname = "x"\nseeds = true', "seeds must be a whole number, not True"),
        ('target = "kv/store"\nclaim = "loses"\nfaults = ["kill"]', "unknown key 'faults'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(body: str, sentence: str) -> None:
    with pytest.raises(PlanError) as error:
        parse_claims(f"version = 1\n[[claim]]\n{body}\n", "c.toml", target_of)
    assert sentence in str(error.value)


def test_all_mistakes_at_once() -> None:
    text = 'version = 1\n[[claim]]\ntarget = "a"\nclaim = "x"\n[[claim]]\ntarget = "kv/store"\nclaim = "y"\n'
    with pytest.raises(PlanError) as error:
        parse_claims(text, "c.toml", target_of)
    assert "c.toml:2" in str(error.value)
    assert "c.toml:5" in str(error.value)


def test_a_claim_stands_once() -> None:
    entry = '[[claim]]\ntarget = "kv/store"\nclaim = "loses"\n'
    with pytest.raises(PlanError, match="c.toml:5: 'loses' of kv/store stands in line 2 already"):
        parse_claims(f"version = 1\n{entry}{entry}", "c.toml", target_of)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("version = ", "not a TOML document"),
        ("", "claims of version None: write version = 1"),
        ("version = 2", "claims of version 2"),
        ("version = 1", "no claim in it"),
        ("version = 1\nclaim = 3", "no claim in it"),
        ("version = 1\nclaim = [3]", "a claim is a table"),
    ],
)
def test_what_is_no_file_of_claims(text: str, sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        parse_claims(text, "c.toml", target_of)
