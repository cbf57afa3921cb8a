"""The proof of a skew where a throttled node and a strobing clock keep step."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.effects import ClockSkew, Proof, Skew
from harness.holds import Holds
from harness.node_powers import SkewPower

if TYPE_CHECKING:
    from harness.protocols import CanSkew

# A throttled node runs at the start of each 100 ms, and a clock that flips every 25 ms is then always in the same half.
SLOT_S, PERIOD_S, OFFSET_S = 0.1, 0.025, -5.0
FAST, SLOW = "n1", "n2"


class Strobing:
    """Clocks that strobe, the truth first. SLOW answers at the start of its next slot."""

    def __init__(self, *, strobes: bool = True) -> None:
        self._strobes = strobes

    async def clock_offset(self, node: str) -> float | None:
        loop = asyncio.get_running_loop()
        if node == SLOW:
            await asyncio.sleep(SLOT_S - loop.time() % SLOT_S)
        wrong = round(loop.time() / PERIOD_S, 6) // 1 % 2 == 1
        return OFFSET_S if self._strobes and wrong else 0.0


def proof(nodes: tuple[str, ...], *, throttled: bool, **cluster: Any) -> Proof:
    effect = Skew(nodes=nodes, skew=ClockSkew(offset_s=OFFSET_S, strobe_period_s=PERIOD_S))
    holds = Holds(shares={SLOW: [0.1]} if throttled else {})
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(SkewPower().verify(cast("CanSkew", Strobing(**cluster)), effect, holds))


def test_a_slow_node_does_not_hide_the_strobing_of_others() -> None:
    assert proof((FAST, SLOW), throttled=True).holds
    assert proof((FAST,), throttled=False).holds


@pytest.mark.parametrize("throttled", [True, False])
def test_a_node_that_only_tells_the_truth_proves_nothing(throttled: bool) -> None:
    assert not proof((SLOW,), throttled=throttled).holds


def test_a_clock_that_is_right_on_a_node_that_could_tell_is_no_effect() -> None:
    assert not proof((FAST, SLOW), throttled=False).holds
    assert not proof((FAST, SLOW), throttled=True, strobes=False).holds
