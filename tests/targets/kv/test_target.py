"""The target as the harness sees it: the table, the node program, and one run of it."""

from __future__ import annotations

import pytest

from harness.registry import Registry, load
from harness.workloads import WORKLOADS
from nemesis import FAULTS
from targets import TARGETS
from targets.kv.target import RAFT
from targets.node.programs import PROGRAMS


def test_the_target_stands_in_the_table() -> None:
    assert Registry("target", TARGETS).get("kv/raft") is RAFT


def test_the_program_is_the_one_that_the_command_line_of_a_node_knows() -> None:
    assert RAFT.program == PROGRAMS["kv/raft"]
    assert callable(load(RAFT.program))
    assert callable(load(RAFT.client))


def test_its_workloads_exist() -> None:
    assert set(RAFT.workloads) <= set(WORKLOADS)


@pytest.mark.parametrize("bug", RAFT.bugs, ids=lambda bug: bug.name)
def test_a_bug_names_its_checker_its_faults_and_its_source(bug: object) -> None:
    assert bug.checker in {"linearizable", "availability"}  # type: ignore[attr-defined]  # parametrised over a tuple of Bug
    assert set(bug.faults) <= set(FAULTS)  # type: ignore[attr-defined]
    assert bug.source  # type: ignore[attr-defined]
    assert bug.summary  # type: ignore[attr-defined]


def test_names_of_bugs_differ() -> None:
    names = [bug.name for bug in RAFT.bugs]
    assert len(names) == len(set(names)) >= 12
