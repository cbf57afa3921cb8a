"""asyncio on virtual time: what works, what is refused, who owns what, and what a kill and a pause leave behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters import virtual_loop
from harness.clusters.owners import Owner
from harness.clusters.virtual_loop import DeadlockError, LivelockError, UnhandledError, VirtualTimeLoop


def run(main: Callable[[VirtualTimeLoop], Awaitable[Any]]) -> Any:
    async def body() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        return await main(loop)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(body())


def no_error(error: BaseException) -> None:
    raise AssertionError(f"unexpected: {error!r}")


def _fail() -> None:
    raise KeyError("missing")


def start(loop: VirtualTimeLoop, owner: Owner, coro: Any) -> None:
    """Run ``coro`` as a task of ``owner``."""
    loop.call_as(owner, loop.time(), lambda: loop.create_task(coro))


def test_sleeping_costs_nothing_and_moves_time_exactly() -> None:
    async def main(loop: VirtualTimeLoop) -> float:
        await asyncio.sleep(3600)
        await asyncio.sleep(0)
        return loop.time()

    assert run(main) == 3600.0


def test_timeouts_groups_queues_and_events_work() -> None:
    async def main(loop: VirtualTimeLoop) -> list[Any]:
        seen: list[Any] = []
        queue: asyncio.Queue[int] = asyncio.Queue()
        event = asyncio.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await event.wait()
        seen.append(loop.time())
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(2))
            loop.call_later(1, queue.put_nowait, 7)
            seen.append((await queue.get(), loop.time()))
        seen.append(loop.time())
        return seen

    assert run(main) == [5.0, (7, 6.0), 7.0]


def test_a_failing_child_cancels_its_group_in_the_order_of_creation() -> None:
    async def main(_loop: VirtualTimeLoop) -> list[int]:
        ended: list[int] = []

        async def child(number: int) -> None:
            try:
                await asyncio.sleep(10)
            finally:
                ended.append(number)

        async def fail() -> None:
            await asyncio.sleep(1)
            raise ValueError("enough")

        async def family() -> None:
            async with asyncio.TaskGroup() as group:
                for number in range(50):
                    group.create_task(child(number))
                group.create_task(fail())

        with pytest.raises(ExceptionGroup, match="unhandled errors"):
            await family()
        return ended

    assert run(main) == list(range(50))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30))
def test_timers_fire_like_a_stable_sort(timers: list[tuple[int, bool]]) -> None:
    """The heap against a sort: by time, then by order of creation, without those that were cancelled."""

    async def main(loop: VirtualTimeLoop) -> list[tuple[int, float]]:
        fired: list[tuple[int, float]] = []
        for number, (delay_s, cancelled) in enumerate(timers):
            handle = loop.call_later(delay_s, lambda number=number: fired.append((number, loop.time())))
            if cancelled:
                handle.cancel()
                assert handle.cancelled()
        await asyncio.sleep(10)
        return fired

    kept = [(number, float(delay_s)) for number, (delay_s, cancelled) in enumerate(timers) if not cancelled]
    assert run(main) == sorted(kept, key=lambda timer: timer[1])


def test_cancelled_timers_do_not_move_time() -> None:
    async def main(loop: VirtualTimeLoop) -> float:
        loop.call_later(100, no_error).cancel()
        await asyncio.sleep(1)
        return loop.time()

    assert run(main) == 1.0


def test_a_timer_in_the_past_does_not_turn_time_back() -> None:
    async def main(loop: VirtualTimeLoop) -> float:
        await asyncio.sleep(5)
        loop.call_at(1.0, lambda: None)
        await asyncio.sleep(0.5)
        return loop.time()

    assert run(main) == 5.5


def test_a_deadlock_is_an_error_that_names_who_could_go_on() -> None:
    async def main(loop: VirtualTimeLoop) -> None:
        owner = loop.owner("n1", no_error)
        start(loop, owner, asyncio.sleep(5))
        await asyncio.sleep(1)
        loop.pause(owner)
        await loop.create_future()

    with pytest.raises(DeadlockError, match="n1 would go on if resumed"):
        run(main)


@pytest.mark.parametrize("delay_s", [0, 1e-20])
def test_a_loop_that_lets_no_time_pass_is_an_error(monkeypatch: pytest.MonkeyPatch, delay_s: float) -> None:
    monkeypatch.setattr(virtual_loop, "ROUNDS_MAX", 1000)

    async def main(_loop: VirtualTimeLoop) -> None:
        await asyncio.sleep(1)
        while True:
            await asyncio.sleep(delay_s)

    with pytest.raises(LivelockError, match="root keeps the loop busy"):
        run(main)


def test_a_failing_callback_of_the_harness_ends_the_run() -> None:
    async def main(loop: VirtualTimeLoop) -> None:
        loop.call_later(1, _fail)
        await asyncio.sleep(2)

    with pytest.raises(KeyError, match="missing"):
        run(main)


def test_a_failing_callback_of_an_owner_is_handed_to_it() -> None:
    async def main(loop: VirtualTimeLoop) -> list[str]:
        errors: list[str] = []
        owner = loop.owner("n1", lambda error: errors.append(repr(error)))
        loop.call_as(owner, 1.0, _fail)
        await asyncio.sleep(2)
        return errors

    assert run(main) == ["KeyError('missing')"]


@pytest.mark.parametrize("keep", [True, False])
def test_a_task_that_fails_unheard_surfaces_whatever_the_collector_does(keep: bool) -> None:
    async def fail() -> None:
        raise ValueError("unheard")

    async def main(loop: VirtualTimeLoop) -> None:
        task = loop.create_task(fail())
        await asyncio.sleep(1)
        if not keep:
            del task
            gc.collect()

    with pytest.raises(UnhandledError, match="unheard"):
        run(main)


def test_the_main_task_s_own_error_comes_first() -> None:
    async def fail() -> None:
        raise ValueError("unheard")

    async def main(loop: VirtualTimeLoop) -> None:
        loop.create_task(fail())
        await asyncio.sleep(1)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        run(main)
    assert "unheard" in caught.value.__notes__[0]


def test_work_for_an_executor_is_done_at_once() -> None:
    async def main(loop: VirtualTimeLoop) -> tuple[int, float]:
        result = await asyncio.to_thread(lambda: 6 * 7)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return result, loop.time()

    assert run(main) == (42, 0.0)


def test_what_an_owner_starts_is_its_own_whoever_wakes_it() -> None:
    async def main(loop: VirtualTimeLoop) -> list[str]:
        seen: list[str] = []
        owner = loop.owner("n1", no_error)
        woken = loop.create_future()

        async def grandchild() -> None:
            await woken  # resolved by the root
            seen.append("woken")

        async def child() -> None:
            loop.create_task(grandchild())
            await asyncio.sleep(1)
            loop.call_later(1, seen.append, "timer")

        start(loop, owner, child())
        await asyncio.sleep(1.5)
        loop.kill(owner)
        woken.set_result(None)
        await asyncio.sleep(5)
        return seen

    assert run(main) == []


def test_a_killed_owner_runs_no_finally_until_it_is_buried() -> None:
    seen: list[str] = []

    async def main(loop: VirtualTimeLoop) -> None:
        owner = loop.owner("n1", no_error)

        async def worker() -> None:
            try:
                await asyncio.sleep(100)
            finally:
                seen.append("finally")
                loop.create_task(asyncio.sleep(1))
                await asyncio.sleep(1)
                seen.append("after")

        start(loop, owner, worker())
        await asyncio.sleep(1)
        loop.kill(owner)
        gc.collect()
        await asyncio.sleep(1000)
        assert seen == []

    run(main)
    assert seen == ["finally"]


def test_the_runner_does_not_wait_for_killed_tasks() -> None:
    async def main(loop: VirtualTimeLoop) -> str:
        owner = loop.owner("n1", no_error)
        start(loop, owner, asyncio.sleep(100))
        await asyncio.sleep(1)
        loop.kill(owner)
        return "done"

    assert run(main) == "done"


def test_a_paused_owner_goes_on_in_order_where_it_stood() -> None:
    async def main(loop: VirtualTimeLoop) -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []
        owner = loop.owner("n1", no_error)

        def note(name: str) -> None:
            seen.append((name, loop.time()))

        for when in (1.0, 4.0, 2.0, 3.0, 9.0):
            loop.call_as(owner, when, note, f"at {when:g}")
        await asyncio.sleep(1.5)
        loop.pause(owner)
        await asyncio.sleep(5)
        assert seen == [("at 1", 1.0)]
        loop.resume(owner)
        loop.resume(owner)
        await asyncio.sleep(5)
        return seen

    assert run(main) == [("at 1", 1.0), ("at 2", 6.5), ("at 3", 6.5), ("at 4", 6.5), ("at 9", 9.0)]


def test_a_dead_owner_cannot_be_resumed() -> None:
    async def main(loop: VirtualTimeLoop) -> list[int]:
        seen: list[int] = []
        owner = loop.owner("n1", no_error)
        loop.call_as(owner, 1.0, seen.append, 1)
        loop.pause(owner)
        await asyncio.sleep(2)
        loop.kill(owner)
        loop.resume(owner)
        loop.call_as(owner, 3.0, seen.append, 3)
        await asyncio.sleep(2)
        assert owner.dead
        return seen

    assert run(main) == []


def test_forgotten_generators_are_closed_at_the_end_and_not_by_the_collector() -> None:
    seen: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            seen.append("closed")

    async def main(_loop: VirtualTimeLoop) -> None:
        async for _ in numbers():
            break
        gc.collect()
        assert seen == []

    run(main)
    assert seen == ["closed"]


def test_a_loop_inside_a_loop_is_refused() -> None:
    async def main(_loop: VirtualTimeLoop) -> None:
        inner = VirtualTimeLoop()  # type: ignore[abstract]  # what it lacks, asyncio refuses
        with pytest.raises(RuntimeError, match="already running"):
            inner.run_forever()
        inner.close()

    run(main)


def test_a_closed_loop_is_refused() -> None:
    loop = VirtualTimeLoop()  # type: ignore[abstract]  # as above
    loop.close()
    assert loop.is_closed()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_forever()
