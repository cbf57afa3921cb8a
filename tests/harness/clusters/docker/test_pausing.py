"""A container that does not freeze at once, on a busy machine, is asked again; one that never does is an error. Without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.clusters.containers.engine import Engine
from harness.clusters.containers.life import FREEZE_TRIES, Life
from harness.errors import ClusterError


class Busy:
    """An engine that fails to freeze a container so many times, and says why."""

    def __init__(self, failures: int, why: str = "unable to freeze") -> None:
        self.failures, self.asked, self.why = failures, 0, why
        self.client = SimpleNamespace(pause=None)

    async def call(self, what: str, _function: Callable[..., Any], *_args: Any) -> None:
        self.asked += 1
        if self.asked <= self.failures:
            raise ClusterError(f"{what}: {self.why}")


async def paused(engine: Busy) -> None:
    await Life(cast("Engine", engine), "c", lambda _line: None, lambda _end: None).pause()


@pytest.mark.parametrize("failures", range(FREEZE_TRIES))
def test_who_does_not_freeze_is_asked_again(failures: int) -> None:
    engine = Busy(failures)
    asyncio.run(paused(engine))
    assert engine.asked == failures + 1


def test_who_never_freezes_is_an_error() -> None:
    engine = Busy(FREEZE_TRIES)
    with pytest.raises(ClusterError, match="cannot pause a container: unable to freeze"):
        asyncio.run(paused(engine))
    assert engine.asked == FREEZE_TRIES


def test_an_engine_that_is_gone_is_asked_once() -> None:
    engine = Busy(FREEZE_TRIES, why="Connection refused")
    with pytest.raises(ClusterError, match="Connection refused"):
        asyncio.run(paused(engine))
    assert engine.asked == 1
