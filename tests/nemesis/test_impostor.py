"""The impostor's arguments: whom it tries, by what, how often."""

from __future__ import annotations

from typing import Any

import pytest

from harness.effects import ATTEMPTS, Intrude
from nemesis.impostor import IMPOSTOR
from tests.nemesis.scenes import dice, names, scene


def test_it_tries_everything_at_every_node() -> None:
    args = IMPOSTOR.plan(scene(3), dice(1))
    assert (args["nodes"], args["attempts"]) == (list(names(3)), list(ATTEMPTS))
    hit, (step,) = IMPOSTOR.resolve(args, names(3), {})
    assert hit == names(3)
    assert step.effect == Intrude(nodes=hit, attempts=ATTEMPTS, per_s=args["per_s"])
    assert IMPOSTOR.describe(args).startswith("impostor: n1 n2 n3, ")


def test_it_tries_what_it_is_told_to() -> None:
    args = IMPOSTOR.complete({"nodes": ["n2"], "attempts": ["alg-none"], "per_s": 5}, scene(3), dice(1))
    assert args == {"nodes": ["n2"], "attempts": ["alg-none"], "per_s": 5}
    assert IMPOSTOR.describe(args) == "impostor: n2, 5 per second, alg-none"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"attempts": []}, "is not a list of attempts"),
        ({"attempts": "all"}, "is not a list of attempts"),
        ({"attempts": ["no-tokn"]}, "no-token"),
        ({"per_s": 0}, "attempts per second"),
        ({"pers": 1}, "unknown argument"),
        ({"nodes": ["n9"]}, "there is no node"),
    ],
)
def test_what_is_wrong_with_arguments(args: dict[str, Any], why: str) -> None:
    (problem,) = IMPOSTOR.problems(args, scene(3))
    assert why in problem
