"""When a node stands still: the duty against a plain twin, and a pacemaker on virtual time."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.duty import PERIOD_S, Duty, Pacemaker
from harness.clusters.virtual_loop import VirtualTimeLoop

STEP_S = 0.001
acts = st.one_of(
    st.tuples(st.just("pause"), st.sampled_from([0.0, 0.05, 0.25, float("inf")])),
    st.tuples(st.just("resume"), st.none()),
    st.tuples(st.just("throttle"), st.sampled_from([None, 0.1, 0.5, 0.9])),
    st.tuples(st.just("wait"), st.integers(0, 300)),
)


class Twin:
    """The same, counted in steps of a millisecond."""

    def __init__(self) -> None:
        self.left: float = 0  # steps of the pause
        self.run = 100  # of 100 steps, those in which it runs
        self.phase = 0

    def stands(self) -> bool:
        return self.left > 0 or self.phase < 100 - self.run

    def step(self) -> None:
        self.left -= 1
        self.phase = (self.phase + 1) % 100


@given(st.lists(acts, max_size=8))
def test_a_duty_is_what_a_step_by_step_account_says(plan: list[tuple[str, float | None]]) -> None:
    duty, twin, step = Duty(), Twin(), 0
    for act, value in [*plan, ("wait", 150)]:
        now_s = step * STEP_S
        if act == "pause":
            assert value is not None
            duty.pause(now_s + value)
            twin.left = value * 1000
        elif act == "resume":
            duty.resume()
            twin.left = 0
        elif act == "throttle":
            duty.throttle(value, now_s)
            twin.run, twin.phase = round(100 * value) if value is not None else 100, 0
        for _ in range(int(value or 0) if act == "wait" else 0):
            middle_s = (step + 0.5) * STEP_S  # between two edges, so that rounding decides nothing
            assert duty.stands(middle_s) is twin.stands()
            next_s = duty.next_s(middle_s)
            twin.step()
            step += 1
            if duty.stands((step + 0.5) * STEP_S) is not duty.stands(middle_s):
                assert next_s is not None
                assert next_s <= step * STEP_S + STEP_S / 2


@given(st.sampled_from([0.05, 0.1, 0.5]), st.floats(0.021, 0.4))
def test_who_is_looked_at_late_runs_all_the_same(share: float, late_s: float) -> None:
    duty, now_s = Duty(), 0.0
    duty.throttle(share, now_s)
    parts = []
    for _ in range(40):
        next_s = duty.next_s(now_s)
        assert next_s is not None
        now_s = next_s + late_s
        parts.append(duty.stands(now_s))
    assert parts == [False, True] * 20


def test_a_pacemaker_stops_and_goes_in_time() -> None:
    async def play() -> tuple[list[tuple[float, str]], list[tuple[float, str]]]:
        loop = asyncio.get_running_loop()
        seen: list[tuple[float, str]] = []
        pacemaker = Pacemaker(
            loop.time,
            loop.call_at,
            lambda: seen.append((round(loop.time() - began_s, 3), "stop")),
            lambda: seen.append((round(loop.time() - began_s, 3), "go")),
        )
        began_s = loop.time()
        pacemaker.throttle(0.2)
        await asyncio.sleep(2.5 * PERIOD_S)
        throttled = list(seen)
        pacemaker.throttle(None)
        await asyncio.sleep(2 * PERIOD_S)
        seen.clear()
        await asyncio.sleep(1)
        return throttled, seen

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        throttled, after = runner.run(play())
    changes = [one for one, before in zip(throttled, [(0.0, "go"), *throttled], strict=False) if one[1] != before[1]]
    assert changes == [(0.0, "stop"), (0.08, "go"), (0.1, "stop"), (0.18, "go"), (0.2, "stop")]
    assert after == []
