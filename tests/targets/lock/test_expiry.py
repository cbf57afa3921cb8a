"""When the leader ends a lease that nobody renews, by a clock that goes right and by one that jumps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.clusters.virtual_loop import VirtualTimeLoop
from targets.lock.service.expiry import CHECKS, expire

LEASE_S = 4.0
CHECK_S = LEASE_S / CHECKS
BEGAN_S = 1.0


class Fake:
    """One lease, which is seen from ``BEGAN_S`` on with its turn, and a quorum that this node leads at some times."""

    def __init__(self, renewed_s: float, led_s: tuple[float, float]) -> None:
        self._renewed_s, self._led_s = renewed_s, led_s
        self.ended: list[tuple[float, list[Any]]] = []

    @property
    def leads(self) -> bool:
        return self._led_s[0] <= asyncio.get_running_loop().time() < self._led_s[1]

    def leases(self) -> list[tuple[str, int]]:
        now_s = asyncio.get_running_loop().time()
        return [] if now_s < BEGAN_S else [("l", 1 if now_s < self._renewed_s else 2)]

    def propose(self, command: list[Any]) -> None:
        self.ended.append((asyncio.get_running_loop().time(), command))


def ended(jump_s: float = 0.0, renewed_s: float = 99.0, led_s: tuple[float, float] = (0.0, 99.0)) -> tuple[float, Any]:
    """When the end of a lease was first proposed, and of which, where the clock jumps by ``jump_s`` a second after the lease began."""
    fake: Any = Fake(renewed_s, led_s)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        def now_s() -> float:
            return loop.time() + (jump_s if loop.time() >= BEGAN_S + 1 else 0)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(40):
                await expire(fake, fake, now_s, LEASE_S)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scenario())
    time_s, command = fake.ended[0]
    return time_s, command


def test_a_lease_that_nobody_renews_ends_after_its_time_and_not_before() -> None:
    time_s, command = ended()
    assert BEGAN_S + LEASE_S <= time_s <= BEGAN_S + LEASE_S + 2 * CHECK_S
    assert command == ["expire", "l", 1]


def test_a_renewal_begins_it_anew() -> None:
    time_s, command = ended(renewed_s=4.0)
    assert 4.0 + LEASE_S <= time_s <= 4.0 + LEASE_S + 2 * CHECK_S
    assert command == ["expire", "l", 2]


def test_a_new_leader_counts_anew() -> None:
    assert ended(led_s=(3.0, 99.0))[0] >= 3.0 + LEASE_S


@pytest.mark.parametrize("jump_s", [2.0, -3.0])
def test_by_a_clock_that_jumps_it_ends_early_or_late_by_as_much(jump_s: float) -> None:
    assert abs(ended(jump_s)[0] - (ended()[0] - jump_s)) <= CHECK_S
