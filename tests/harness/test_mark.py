"""Whose is it: marks are exact, and say of a controller what can be said."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from harness import mark
from harness.mark import Life, Mark


def dead() -> Mark:
    """The mark of a process that lived a moment ago."""
    code = "from harness import mark; print(mark.mine())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = mark.parse(done.stdout.strip())
    assert found is not None
    return found


def test_this_process_lives() -> None:
    assert mark.mine().pid == os.getpid()
    assert mark.mine().life() is Life.LIVES


def test_a_process_that_ended_is_dead() -> None:
    assert dead().life() is Life.DEAD


def test_a_later_process_of_the_same_number_is_somebody_else() -> None:
    ours = mark.mine()
    assert replace(ours, started=ours.started - 1).life() is (Life.DEAD if ours.started else Life.LIVES)


def test_a_process_that_only_waits_to_be_reaped_is_dead() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    try:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert mark._started(child) is None
    finally:
        os.waitpid(child, 0)


@pytest.mark.parametrize("elsewhere", [{"boot": "feedbeef"}, {"space": 1}])
def test_of_another_machine_or_namespace_nothing_is_known(elsewhere: dict[str, object]) -> None:
    assert replace(dead(), **elsewhere).life() is Life.UNSEEN  # type: ignore[arg-type]  # fields by name


def test_marks_are_read_back() -> None:
    ours = mark.mine()
    assert mark.parse(str(ours)) == ours
    assert mark.in_name(ours.name) == mark.in_name(f"/run/{ours.name}-n1/data") == ours


@pytest.mark.parametrize("text", ["", "1", "splitbrain", "1-2-3", "a-b-c-d", "1-2-xyz-4-"])
def test_what_is_no_mark(text: str) -> None:
    assert mark.parse(text) is None
    assert mark.in_name(text) is None


def test_an_environment_is_marked() -> None:
    assert mark.marked({"A": "1"}) == {"A": "1", mark.VARIABLE: str(mark.mine())}
