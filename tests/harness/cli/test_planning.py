"""From a claim, or a target's own faults, to a plan."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cli import planning
from harness.cli.planning import Request, make_plan, repeat_command
from harness.errors import PlanError
from harness.protocols import Bug, Claim, Target

FAULTS = ({"kind": "partition", "start_s": 5, "end_s": 8, "args": {"shape": "one", "nodes": ["n1"]}},)


def claim(name: str, faults: tuple[str, ...], **settings: Any) -> Claim:
    return Claim(
        name=name, topic="t", statement="s", model="linearizable", workload="register", faults=faults, settings=settings
    )


TARGET = Target(
    name="test/claims",
    summary="a target with claims of every form",
    program="targets.kv.raft:Raft",
    client="targets.kv.client:KvClient",
    configs=("targets.kv.raft.config:Config",),
    workloads=("kv", "register"),
    faults=("kill", "drift"),
    bugs=(
        Bug(
            name="no-fsync",
            summary="s",
            checker="linearizable",
            faults=("pause",),
            settings={"nodes": 4, "options": {"batch_s": 0.1, "heartbeat_s": 0.1}},
        ),
    ),
    claims=(
        claim("plain", ("clock",)),
        claim("with-bug", ("kill",), bug="no-fsync", options={"heartbeat_s": 0.2}),
        claim("with-schedule", ("partition",), schedule=FAULTS),
        claim("with-strange-bug", ("kill",), bug="nobody"),
        claim("with-bad-schedule", ("kill",), schedule=({"kind": "kill", "start_s": 5, "end_s": 90},)),
    ),
)


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    class Targets:
        def get(self, name: str) -> Target:
            assert name == TARGET.name
            return TARGET

    monkeypatch.setattr(planning.tables, "targets", Targets)


def plan(**wishes: Any) -> Any:
    return make_plan(Request(target=TARGET.name, cluster="sim", seed=3, **wishes))


def test_a_run_that_names_no_faults_gets_those_of_the_target() -> None:
    assert plan().nemesis == ("kill", "drift")
    assert {"partition", "packet", "kill", "pause", "clock"} <= set(plan(nemesis="all").nemesis)


def test_a_bug_or_a_claim_comes_with_its_own_faults() -> None:
    assert plan(bug="no-fsync").nemesis == ("pause",)
    assert plan(claim="plain").nemesis == ("clock",)


def test_a_claim_may_need_a_seeded_bug_whose_settings_it_may_change() -> None:
    made = plan(claim="with-bug")
    assert (made.bug, made.nemesis, len(made.nodes)) == ("no-fsync", ("kill",), 4)
    assert made.options == {"batch_s": 0.1, "heartbeat_s": 0.2}


def test_a_claim_may_have_a_schedule_of_its_own() -> None:
    made = plan(claim="with-schedule")
    (fault,) = made.schedule.faults
    assert (made.nemesis, fault.start_s, fault.end_s) == (("partition",), 5.0, 8.0)
    assert fault.args == {"shape": "one", "sides": [["n1"], ["n2", "n3", "n4", "n5"]]}


def test_faults_that_the_user_names_replace_the_schedule_of_a_claim() -> None:
    assert plan(claim="with-schedule", nemesis="kill").nemesis == ("kill",)


@pytest.mark.parametrize(
    ("name", "message"), [("with-strange-bug", "no seeded bug 'nobody'"), ("with-bad-schedule", "after the time limit")]
)
def test_a_claim_that_cannot_be_planned_is_refused(name: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        plan(claim=name)


def test_options_that_the_nodes_would_refuse_are_refused_before_anything_starts() -> None:
    with pytest.raises(PlanError, match="target test/claims: 0 < heartbeat_s < election_min_s"):
        plan(options={"heartbeat_s": 9})


def test_the_command_that_repeats_a_claim_names_it() -> None:
    made = plan(claim="with-schedule")
    command = repeat_command(made, claim="with-schedule")
    assert "--claim with-schedule" in command
    assert "--nemesis" not in command
    assert "--nemesis partition" in repeat_command(made)
