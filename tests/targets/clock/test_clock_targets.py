"""The clocks as the harness sees them: every bug and claim is told whole, and a liar is believed by one method alone."""

from __future__ import annotations

import asyncio
import random
from dataclasses import fields
from typing import Any

import pytest

from harness.op import Op, OpType
from harness.protocols import ClientSeat, NoAnswer, NotSent, RpcError, Target
from harness.registry import Registry, load
from nemesis import FAULTS
from targets import TARGETS
from targets.clock.logical.bugs import Bugs as LogicalBugs
from targets.clock.ntp.bugs import Bugs as TimeBugs
from targets.clock.ntp.config import Config
from targets.clock.ntp_client import TimeClient
from targets.node.programs import PROGRAMS
from tests.simulation import run, why

REGISTRY = Registry("target", TARGETS)
ALL: list[Target] = [REGISTRY.get(name) for name in TARGETS if name.startswith("clock/")]


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_variant_is_told_whole(target: Target) -> None:
    assert target.program in PROGRAMS.values()
    assert callable(load(target.program))
    assert callable(load(target.client))
    assert len(target.bugs) >= 6
    assert all(bug.source and set(bug.faults) <= set(FAULTS) for bug in target.bugs)
    assert all(claim.source and claim.workload in target.workloads for claim in target.claims)


def test_programs_know_the_bugs_that_their_targets_name_and_no_others() -> None:
    for known, is_of in ((LogicalBugs, False), (TimeBugs, True)):
        named = {bug.name for target in ALL if (target.name == "clock/ntp") is is_of for bug in target.bugs}
        assert {field.name.replace("_", "-") for field in fields(known)} == named  # type: ignore[arg-type]  # both are dataclasses


def test_a_liar_is_outvoted_by_several_and_believed_by_whom_asks_one() -> None:
    """One seed, the same wrong clock: what differs is how many references count."""
    several = run("clock/ntp", seed=1, claim="a-liar-is-outvoted")
    one = run("clock/ntp", seed=1, claim="the-soonest-answer-believes-a-liar")
    assert several.results["verdict"] == "valid", why(several)
    assert {anomaly["name"] for anomaly in one.results["anomalies"]} == {"out-of-bound"}


class Node:
    """Answers everything with ``answer``, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def rpc(self, _node: str, _body: Any, _timeout_s: float) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def asked(answer: Any, f: str = "now") -> Op:
    times = iter((10.0, 11.0))
    seat = ClientSeat(
        channel=Node(answer),
        node="n1",
        nodes=("n1",),
        name="c1",
        rng=random.Random(1),
        timeout_s=1.0,
        true_s=lambda: next(times),
    )
    return asyncio.run(TimeClient(seat).invoke(Op(f=f, process=1)))


def test_an_answer_has_the_truth_beside_it() -> None:
    done = asked({"time_s": 10.5, "bound_s": 0.1})
    assert (done.type, done.value) == (OpType.OK, {"time_s": 10.5, "bound_s": 0.1})
    assert done.extra == {"true_s": [10.0, 11.0]}


@pytest.mark.parametrize("answer", [NoAnswer("n1"), NotSent("n1"), RpcError(11, "not known")])
def test_a_question_without_an_answer_did_nothing(answer: Exception) -> None:
    assert asked(answer).type is OpType.FAIL


def test_an_unknown_question_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'peek'"):
        asked({}, "peek")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "sundial"}, "option method='sundial' is none of cristian, marzullo"),
        ({"liars_max": 3}, "0 <= liars_max < references"),
        ({"poll_s": 3}, "0 < poll_s <= age_s"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Config.of(options)
