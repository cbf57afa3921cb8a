"""The guardian: it kills what is in its care when its input ends, and nothing that it was told to release."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from harness.clusters.guardian import Guardian
from harness.errors import ClusterError

pytestmark = pytest.mark.process

Group = subprocess.Popen[bytes]


@pytest.fixture
def groups() -> Iterator[list[Group]]:
    """Three processes that wait for ever, each in a group of its own."""
    with ExitStack() as stack:
        started = []
        for _ in range(3):
            group = subprocess.Popen(["/bin/sh", "-c", "read line"], stdin=subprocess.PIPE, process_group=0)
            stack.enter_context(group)
            stack.callback(group.kill)
            started.append(group)
        yield started


def test_what_is_in_its_care_ends_with_it(groups: list[Group]) -> None:
    guardian = Guardian()
    for group in groups:
        guardian.guard(group.pid)
    guardian.release(groups[1].pid)
    guardian.dismiss()
    guardian.dismiss()
    assert [groups[0].wait(30), groups[2].wait(30)] == [-9, -9]
    assert groups[1].poll() is None


def test_a_guardian_with_nothing_in_its_care_harms_nobody(groups: list[Group]) -> None:
    guardian = Guardian()
    for group in groups:
        guardian.guard(group.pid)
        guardian.release(group.pid)
    guardian.dismiss()
    assert [group.poll() for group in groups] == [None] * 3


def test_a_guardian_that_is_gone_is_an_error_for_whoever_needs_it(groups: list[Group]) -> None:
    guardian = Guardian()
    guardian._process.kill()
    guardian._process.wait()
    with pytest.raises(ClusterError, match="guards the nodes against our death has ended"):
        guardian.guard(groups[0].pid)
    guardian.release(groups[0].pid)
    guardian.dismiss()
