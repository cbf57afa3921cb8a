"""Whom the adversary goes after, and by how much it delays him."""

from __future__ import annotations

from typing import Any

import pytest

from harness.effects import Shape
from nemesis.adversary import ADVERSARY
from tests.nemesis.scenes import dice, scene

ARGS = {"look_s": 0.1, "margin": 1.1}


def seen(**roles: tuple[str, int]) -> dict[str, dict[str, Any]]:
    """Node → what it says of itself, from role and term; n1 waits for 0.1 s, n2 for 0.2 s, ..."""
    return {node: {"role": role, "term": term, "timeout_s": int(node[1:]) / 10} for node, (role, term) in roles.items()}


@pytest.mark.parametrize(
    ("statuses", "victim"),
    [
        (seen(n1=("follower", 3), n2=("leader", 3), n3=("candidate", 4)), "n2"),
        (seen(n1=("leader", 2), n2=("leader", 3), n3=("follower", 3)), "n2"),
        (seen(n1=("backup", 3), n2=("candidate", 3), n3=("candidate", 4)), "n3"),
        (seen(n1=("pre-candidate", 3), n2=("candidate", 3), n3=("follower", 3)), "n1"),
        (seen(n1=("primary", 3), n2=("backup", 3), n3=("backup", 3)), "n1"),
    ],
)
def test_what_the_latest_leader_sends_is_late_or_else_what_a_candidate_sends(
    statuses: dict[str, dict[str, Any]], victim: str
) -> None:
    effect = ADVERSARY.react(ARGS, statuses)
    assert isinstance(effect, Shape)
    assert effect.links == {(victim, node) for node in statuses if node != victim}
    assert effect.shape.delay_s == pytest.approx(0.33)  # 1.1 times what the most patient of them waits


@pytest.mark.parametrize(
    "statuses", [{}, seen(n1=("follower", 3), n2=("follower", 3)), {"n1": {"role": "leader"}, "n2": {}}]
)
def test_where_nobody_leads_or_nobody_waits_nothing_is_done(statuses: dict[str, dict[str, Any]]) -> None:
    assert ADVERSARY.react(ARGS, statuses) is None


@pytest.mark.parametrize("args", [{"look_s": 0.001}, {"margin": 0.5}, {"target": "leader"}, {"margin": "much"}])
def test_arguments_that_make_no_sense(args: dict[str, Any]) -> None:
    assert len(ADVERSARY.problems(args, scene())) == 1
    assert ADVERSARY.complete({"margin": 1.2}, scene(), dice(1))["margin"] == 1.2
