"""Keys searched in several processes: verdict, steps and what is told are those of one, whatever happens to the others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest

from checkers.linearizable import apart, check, generic
from checkers.linearizable.check import decide, make
from checkers.linearizable.models import CAS_REGISTER
from harness.history import History
from harness.verdict import Budget, Validity, Verdict
from tests.checkers.runs import register_run, rolls

AMPLE = Budget()
# Rounds end in the middle, shares are no longer covered, or everything is out of budget.
TIGHT = [*(Budget(steps_max=steps) for steps in (60, 150, 400, 1000, 3000)), Budget(configs_max=20)]


@dataclass
class Forks:
    children: list[int] = field(default_factory=list)


@contextmanager
def forking(processes: int) -> Iterator[Forks]:
    """Checks search in so many processes, in many rounds, however little there is to do."""
    seen, fork = Forks(), os.fork

    def counted() -> int:
        child = fork()
        seen.children.append(child)
        return child

    with (
        patch.multiple(check, ROUND_CONFIGS=2, ROUND_CONFIGS_PER_OP=0),
        patch.multiple(apart, FORK_FROM_OPS=0, TASKS_EACH=0),
        patch.object(apart, "usable_processes", lambda: processes),
        patch("os.fork", counted),
    ):
        yield seen


def hard_run(seed: int, keys: int = 3) -> History:
    return register_run(rolls(150 + 40 * (seed % 4), seed), domain=3, keys=keys, lies=seed % 3 > 0)


def judged(history: History, budget: Budget, processes: int) -> tuple[Verdict, int]:
    with forking(processes) as seen:
        return make().check(history, budget), len(seen.children)


def test_any_number_of_processes_gives_the_same_verdict() -> None:
    forks, said = Counter[int](), Counter[Any]()
    for seed in range(16):
        history = hard_run(seed)
        for budget in (AMPLE, *TIGHT[seed % 2 :: 2]):
            alone, none = judged(history, budget, 1)
            assert none == 0
            said[alone.validity] += 1
            for processes in (2, 3):
                found, children = judged(history, budget, processes)
                assert found == alone, (seed, budget, processes)
                forks[processes] += children
    assert min(forks.values()) >= 20, forks
    assert min(said[validity] for validity in Validity) >= 5, said


def test_so_does_the_search_in_plain_python() -> None:
    history, results = hard_run(4), []
    with patch.object(generic, "is_worth_it", lambda *_: False):
        for processes in (1, 2, 3):
            cases = generic.cases(history.calls(), CAS_REGISTER)
            with forking(processes) as seen:
                steps = decide(cases, AMPLE)
            assert bool(seen.children) == (processes > 1)
            results.append((steps, [(case.found, case.algorithm) for case in cases]))
    assert results[0] == results[1] == results[2]


def test_a_process_that_dies_changes_nothing() -> None:
    history = hard_run(5)
    alone, _ = judged(history, AMPLE, 1)
    with patch("pickle.dump", lambda *_: os._exit(9)):
        found, children = judged(history, AMPLE, 2)
    assert children >= 2
    assert found == alone


def test_no_child_is_left() -> None:
    _, children = judged(hard_run(5), AMPLE, 3)
    assert children >= 2
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_search_for_each_process_is_worth_one_only_if_two_rounds_could_not_end_it() -> None:
    history = hard_run(3)

    def children(tasks_each: int, round_factor: int) -> int:
        with (
            forking(2) as forks,
            patch.object(apart, "TASKS_EACH", tasks_each),
            patch.object(check, "ROUND_FACTOR", round_factor),
        ):
            make().check(history, AMPLE)
        return len(forks.children)

    assert children(0, 8) > children(2, 8) == 0  # two rounds are enough
    assert children(0, 2) > children(2, 2) > 0


def test_little_work_is_done_here() -> None:
    with patch.object(apart, "usable_processes", lambda: 2), patch("os.fork", side_effect=AssertionError):
        make().check(hard_run(5), AMPLE)
