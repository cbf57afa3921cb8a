"""The same kernel on lists and on arrays, with numba and without."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

import pytest

from checkers.linearizable import jit
from checkers.linearizable.jit import Column, Compiled, Plain, engine
from tests.checkers.engines import compiled
from tests.checkers.runs import register_run, rolls
from tests.checkers.test_algorithms import by_search


def doubled(column: Column, at: int) -> int:
    """A helper that a kernel calls."""
    column[at] = column[at] * 2
    return column[at]


def kernel(column: Column) -> int:
    total = 0
    for at in range(len(column)):
        total += doubled(column, at)
    return total


def entries(column: Column) -> list[int]:
    return [column[at] for at in range(len(column))]


@pytest.mark.parametrize("run", [Plain(), Compiled()])
def test_a_kernel_and_its_helpers_run_on_either_engine(run: Plain | Compiled) -> None:
    column = run.column([1, 2, 3])
    assert run.kernel(kernel)(column) == 12
    assert entries(column) == [2, 4, 6]
    assert entries(run.full(3, 7)) == [7, 7, 7]
    assert entries(run.full(2, 0)) == [0, 0]


def test_only_long_work_is_compiled() -> None:
    with patch.dict(sys.modules):
        sys.modules.pop("numba", None)
        assert isinstance(engine(jit.COMPILE_FROM_STEPS - 1), Plain)
        assert isinstance(engine(jit.COMPILE_FROM_STEPS), Compiled)
    import numba  # noqa: F401 - to have paid for it

    assert isinstance(engine(jit.COMPILE_LOADED_FROM_STEPS - 1), Plain)
    assert isinstance(engine(jit.COMPILE_LOADED_FROM_STEPS), Compiled)


def test_without_numba_everything_runs_uncompiled() -> None:
    with patch.object(jit, "has_numba", return_value=False), compiled():
        assert isinstance(engine(10**9), Plain)
        assert all(found.validity == 0 for found in by_search(register_run(rolls(300, 1), domain=4, lies=False)))
    assert jit.has_numba()


def test_without_a_place_for_the_cache_kernels_are_compiled_all_the_same() -> None:
    import numba

    asked = []

    def njit(*functions: Any, **options: object) -> Any:
        asked.append(options)
        if options:
            raise RuntimeError("cannot cache function: no locator available")
        return numba.jit(*functions, nopython=True)

    jit._compiled.cache_clear()
    try:
        with patch.object(numba, "njit", njit):
            assert Compiled().kernel(kernel)(Compiled().column([1, 2])) == 6
    finally:
        jit._compiled.cache_clear()
    assert {"cache": True} in asked
