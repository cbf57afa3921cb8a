"""What a user may choose: topologies, latencies, and clear words for what is wrong."""

from __future__ import annotations

import random
import statistics
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.maelstrom.latency import DISTRIBUTIONS, latency
from harness.clusters.maelstrom.settings import Settings, complete
from harness.clusters.maelstrom.topology import TOPOLOGIES, topology
from harness.errors import PlanError

NAMES = tuple(f"n{number}" for number in range(1, 100))


@given(st.sampled_from(sorted(TOPOLOGIES)), st.integers(1, 40))
def test_every_topology_is_connected_and_goes_both_ways(name: str, count: int) -> None:
    neighbours = topology(name, NAMES[:count])
    assert list(neighbours) == list(NAMES[:count])
    for node, others in neighbours.items():
        assert len(set(others)) == len(others)
        assert node not in others
        assert all(node in neighbours[other] for other in others)
    reached, queue = {"n1"}, ["n1"]
    while queue:
        fresh = set(neighbours[queue.pop()]) - reached
        reached |= fresh
        queue += fresh
    assert reached == set(neighbours)


@pytest.mark.parametrize(
    ("name", "neighbours"),
    [
        ("line", {"n1": "n2", "n2": "n1 n3", "n3": "n2 n4", "n4": "n3 n5", "n5": "n4"}),
        ("grid", {"n1": "n2 n4", "n2": "n1 n3 n5", "n3": "n2", "n4": "n1 n5", "n5": "n2 n4"}),
        ("tree2", {"n1": "n2 n3", "n2": "n1 n4 n5", "n3": "n1", "n4": "n2", "n5": "n2"}),
        ("tree4", {"n1": "n2 n3 n4 n5", "n2": "n1", "n3": "n1", "n4": "n1", "n5": "n1"}),
        ("total", {node: " ".join(set(NAMES[:5]) - {node}) for node in NAMES[:5]}),
    ],
)
def test_topologies_of_five(name: str, neighbours: dict[str, str]) -> None:
    found = topology(name, NAMES[:5])
    assert {node: set(others) for node, others in found.items()} == {n: set(o.split()) for n, o in neighbours.items()}


def test_maelstroms_names_are_known() -> None:
    assert {"line", "grid", "tree", "tree2", "tree3", "tree4", "total"} == set(TOPOLOGIES)
    assert {"constant", "uniform", "exponential"} == set(DISTRIBUTIONS)


@pytest.mark.parametrize(("name", "deviation"), [("constant", 0.0), ("uniform", 0.2 / 12**0.5), ("exponential", 0.1)])
def test_latencies_have_the_mean_and_the_spread_of_their_distribution(name: str, deviation: float) -> None:
    draw = latency(name, 0.1, random.Random(1))
    assert draw is not None
    sample = [draw() for _ in range(20_000)]
    assert statistics.fmean(sample) == pytest.approx(0.1, rel=0.03)
    assert statistics.pstdev(sample) == pytest.approx(deviation, rel=0.05, abs=1e-9)
    assert min(sample) >= 0


def test_no_latency_costs_nothing() -> None:
    assert latency("exponential", 0, random.Random(1)) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "which program the nodes are must be said: --bin PATH"),
        ({"bin": "/nowhere/node"}, "--bin /nowhere/node: there is no such file"),
        ({"bin": "no-such-program"}, "no such program on PATH"),
        ({"bin": __file__}, "the file is not executable: chmod"),
        ({"bin": sys.executable, "args": "-m"}, "args must be a list of texts, not '-m'"),
        ({"bin": sys.executable, "latency_ms": -1}, "latency_ms must be 0 to 60000 milliseconds, not -1"),
        (
            {"bin": sys.executable, "latency_dist": "pareto"},
            "latency_dist must be one of constant, uniform, exponential",
        ),
        ({"bin": sys.executable, "topology": "ring"}, "topology must be one of grid"),
        (
            {"bin": sys.executable, "latncy_ms": 1},
            "no option of this target is called 'latncy_ms': did you mean 'latency_ms'?",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(options: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError) as error:
        complete(options)
    assert words in str(error.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(PlanError, match=r"(?s)--bin PATH.*latency_ms.*topology"):
        complete({"latency_ms": "much", "topology": 3})


def test_a_path_is_from_here_and_a_name_from_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert complete({"bin": "./node"})["bin"] == complete({"bin": "node"})["bin"] == str(node)
    assert Settings.of({"bin": "sh"}).bin.endswith("/sh")
