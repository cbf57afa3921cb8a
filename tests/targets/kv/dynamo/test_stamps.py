"""Stamps: what wins, and what hybrid clocks promise that wall clocks do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo.stamps import HybridStamps, Stamped, WallStamps

TIMES = st.lists(st.integers(0, 50), min_size=1, max_size=20)


class Hand:
    """A wall clock that shows what it is set to, in milliseconds."""

    def __init__(self) -> None:
        self.millis = 0

    def __call__(self) -> float:
        return self.millis / 1000


def hybrid(writer: str) -> tuple[Hand, Stamped]:
    hand = Hand()
    return hand, Stamped(HybridStamps(hand, writer), Bugs())


@given(times=TIMES)
def test_hybrid_stamps_grow_whatever_the_clock_does(times: list[int]) -> None:
    hand, clock = Hand(), HybridStamps(Hand(), "n1.1")
    clock = HybridStamps(hand, "n1.1")
    stamps = []
    for millis in times:
        hand.millis = millis
        stamps.append(clock.next())
    assert stamps == sorted(stamps)
    assert len({tuple(stamp) for stamp in stamps}) == len(stamps)


@given(times=TIMES, ahead=st.integers(0, 100))
def test_a_write_that_knows_of_another_gets_the_greater_stamp(times: list[int], ahead: int) -> None:
    fast, slow = hybrid("n1.1"), hybrid("n2.1")
    for millis in times:
        fast[0].millis, slow[0].millis = millis + ahead, millis
        first = fast[1].write(None, None, "first", dead=False)
        second = slow[1].write(None, fast[1].context(first), "second", dead=False)
        assert slow[1].merge(first, second) == second
        third = fast[1].write(second, None, "third", dead=False)
        assert slow[1].merge(second, third) == third


def test_a_wall_clock_that_is_behind_loses() -> None:
    hand = Hand()
    kind = Stamped(WallStamps(hand, "n1.1"), Bugs())
    hand.millis = 10
    first = kind.write(None, None, "first", dead=False)
    hand.millis = 5
    second = kind.write(first, kind.context(first), "second", dead=False)
    assert kind.merge(first, second) is first


def test_stamps_of_one_instant_differ_by_writer_and_count() -> None:
    hand = Hand()
    one, other = WallStamps(hand, "n1.1"), WallStamps(hand, "n2.1")
    stamps = [one.next(), one.next(), other.next()]
    assert len({tuple(stamp) for stamp in stamps}) == 3


@given(times=TIMES)
def test_merge_is_a_join(times: list[int]) -> None:
    hand, kind = hybrid("n1.1")
    cells = []
    for millis in times:
        hand.millis = millis
        cells.append(kind.write(None, None, millis, dead=millis % 3 == 0))
    newest = cells[-1]
    for one in cells:
        assert kind.merge(one, one) is one
        assert kind.merge(one, newest) == kind.merge(newest, one) == newest
        assert kind.covers(newest, kind.context(one))
    assert kind.values(newest) == ([] if newest["dead"] else [times[-1]])
