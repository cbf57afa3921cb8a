"""Sequences: a message that comes twice is recognised, one that comes too early is refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from targets.queue.log.producers import COPY, FENCED, GAP, NEW, REMEMBERED, Producers


@given(st.lists(st.integers(0, 8), max_size=40))
def test_whatever_comes_in_whatever_order_each_message_is_taken_once_and_in_order(arrivals: list[int]) -> None:
    producers, log = Producers(), list[int]()
    for sequence in arrivals:
        judged = producers.judge([1, 0, sequence])
        if sequence == len(log):
            assert judged.what == NEW
            producers.took([len(log), 1, [1, 0, sequence], None, None])
            log.append(sequence)
        elif sequence > len(log):
            assert judged.what == GAP
        else:
            recent = sequence >= len(log) - REMEMBERED
            assert judged == (COPY, sequence if recent else None), "offsets are sequences here"
    assert log == list(range(len(log)))


def test_a_later_epoch_begins_anew_and_fences_the_earlier_one() -> None:
    producers = Producers()
    producers.took([0, 1, [1, 0, 0], None, None])
    assert producers.judge([1, 1, 3]).what == GAP
    assert producers.judge([1, 1, 0]).what == NEW
    producers.took([1, 1, [1, 1, 0], None, None])
    assert producers.judge([1, 0, 1]).what == FENCED


def test_producers_do_not_know_each_other() -> None:
    producers = Producers()
    producers.took([0, 1, [1, 0, 0], None, None])
    assert producers.judge([2, 0, 1]).what == GAP
    assert producers.judge([2, 0, 0]).what == NEW


def test_all_of_it_follows_from_the_log() -> None:
    producers = Producers()
    producers.replay([[0, 1, [1, 0, 0], None, None], [1, 1, None, None, None], [2, 1, [1, 0, 1], None, None]])
    assert producers.judge([1, 0, 2]).what == NEW
    assert producers.judge([1, 0, 1]) == (COPY, 2)
    producers.replay([])
    assert producers.judge([1, 0, 2]).what == GAP


def test_the_seeded_bugs_take_what_comes() -> None:
    producers = Producers()
    producers.took([0, 1, [1, 0, 0], None, None])
    assert producers.judge([1, 0, 2], gaps=True).what == NEW
    assert producers.judge([2, 0, 5], late=True).what == NEW
    assert producers.judge([1, 0, 2], late=True).what == GAP
