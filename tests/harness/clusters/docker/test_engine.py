"""Calls to the engine: what a call brought is not lost when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import threading

import pytest

from harness.clusters.containers import engine


class NoEngine:
    def close(self) -> None: ...


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> engine.Engine:
    monkeypatch.setattr(engine, "connect", NoEngine)
    return engine.Engine()


def test_what_a_cancelled_call_brings_is_undone(calls: engine.Engine) -> None:
    begun, may_end, undone = threading.Event(), threading.Event(), []

    def call() -> str:
        begun.set()
        may_end.wait()
        return "a socket"

    async def body() -> None:
        waiting = asyncio.create_task(calls.call("cannot", call, undo=undone.append))
        await asyncio.to_thread(begun.wait)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        may_end.set()
        await asyncio.to_thread(calls.drain)

    asyncio.run(body())
    assert undone == ["a socket"]


@pytest.mark.parametrize("cancelled", [False, True])
def test_what_is_waited_for_or_fails_is_not_undone(calls: engine.Engine, cancelled: bool) -> None:
    begun, may_end, undone = threading.Event(), threading.Event(), []

    def call() -> str:
        begun.set()
        may_end.wait()
        if cancelled:
            raise OSError
        return "a socket"

    async def body() -> None:
        waiting = asyncio.create_task(calls.call("cannot", call, undo=undone.append))
        await asyncio.to_thread(begun.wait)
        if cancelled:
            waiting.cancel()
        may_end.set()
        if cancelled:
            with pytest.raises(asyncio.CancelledError):
                await waiting
        else:
            assert await waiting == "a socket"
        await asyncio.to_thread(calls.drain)

    asyncio.run(body())
    assert undone == []
