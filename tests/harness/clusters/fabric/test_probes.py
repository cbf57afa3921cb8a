"""Probes report what a network does, no more and no less."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from harness.clusters.fabric import probes
from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.effects import Link

LINK = ("n1", "n2")


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def body() -> Any:
        return await main()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(body())


def scripted(*fates: tuple[float, ...]) -> probes.SendProbe:
    """A network that deals these fates in turn; a negative delay: the copy comes to the end and is not let in."""
    deck = list(fates)

    def send(_link: Link, landed: probes.Landed, _size: int) -> int:
        copies = deck.pop(0) if deck else ()
        for delay_s in copies:
            asyncio.get_running_loop().call_later(abs(delay_s), landed, delay_s >= 0)
        return len(copies)

    return send


def test_one_probe_that_comes_through_is_enough() -> None:
    lost: tuple[float, ...] = ()
    assert run(lambda: probes.reaches(scripted(*[lost] * (probes.REACH_PROBES - 1), (2.0,)), [LINK])) == [True]


def test_no_probe_no_reach() -> None:
    assert run(lambda: probes.reaches(scripted(), [LINK, ("n2", "n1")])) == [False, False]
    assert run(lambda: probes.reaches(scripted(), [])) == []


def test_a_probe_that_is_not_let_in_has_not_arrived() -> None:
    assert run(lambda: probes.reaches(scripted((-1.0,)), [LINK])) == [False]


def test_a_link_asked_twice_answers_twice() -> None:
    first = [(1.0,)] * probes.REACH_PROBES
    assert run(lambda: probes.reaches(scripted(*first), [LINK, LINK])) == [True, False]


def test_measured_shares() -> None:
    fates: list[tuple[float, ...]] = [(0.1,)] * 10
    fates[2] = ()  # lost
    fates[3] = ()  # damaged
    fates[4] = (0.1, 0.2)  # twice
    fates[6] = (0.1025,)  # overtaken by the two behind it
    counts = iter([*[0] * 7, *[1] * 13])  # before and after each probe: the fourth is the damaged one
    measured = run(lambda: probes.measure(scripted(*fates), LINK, 10, lambda: next(counts)))
    assert measured == {
        "lost": pytest.approx(0.1),
        "corrupted": pytest.approx(0.1),
        "duplicated": pytest.approx(0.1),
        "reordered": pytest.approx(0.1),
        "delay_s": pytest.approx(0.1),
    }


def test_a_rate_is_that_between_the_first_arrival_and_the_last() -> None:
    fates = [(0.5 + 0.1 * number, 9.0) for number in range(probes.BURST)]  # second copies come late, and do not count
    assert run(lambda: probes.throughput(scripted(*fates), LINK)) == pytest.approx(10 * probes.BURST_BYTES)
    assert run(lambda: probes.throughput(scripted((0.1,)), LINK)) == 0
    assert run(lambda: probes.throughput(scripted(), LINK)) == 0


def test_nothing_comes_through() -> None:
    measured = run(lambda: probes.measure(scripted(), LINK, 5, lambda: 0))
    assert measured == {"lost": 1.0, "corrupted": 0.0, "duplicated": 0.0, "reordered": 0.0, "delay_s": float("inf")}


@pytest.mark.parametrize(
    ("reply", "offset_s"),
    [(None, None), ({"type": "error", "code": 10}, None), ({"type": "sb_clock_ok", "wall": 103.0}, 2.0)],
)
def test_a_clock_is_read_half_way(reply: dict[str, Any] | None, offset_s: float | None) -> None:
    readings = [100.0, 102.0] * probes.READINGS

    async def ask(node: str, body: dict[str, Any], _timeout_s: float) -> dict[str, Any] | None:
        assert (node, body) == ("n1", {"type": "sb_clock"})
        return reply

    assert run(lambda: probes.clock_offset(ask, "n1", lambda: readings.pop(0))) == offset_s


def test_of_slow_readings_the_quickest_counts() -> None:
    readings = [100.0, 101.0, 200.0, 200.5, 300.0, 300.01]  # question and answer, three times
    walls = iter([100.9, 200.1, 300.105])

    async def ask(_node: str, _body: dict[str, Any], _timeout_s: float) -> dict[str, Any]:
        return {"wall": next(walls)}

    assert run(lambda: probes.clock_offset(ask, "n1", lambda: readings.pop(0))) == pytest.approx(0.1)
    assert readings == []
