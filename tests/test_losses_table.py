"""The table of losses: what it says, and that its rows measure what they name."""

from __future__ import annotations

import pytest

from benchmarks import queue_loss
from benchmarks.losses import IDEMPOTENT, LEAST_ONCE, ROWS, UNCONFIRMED, line, told
from benchmarks.queue_loss import Share


def test_it_has_the_losses_of_the_textbook() -> None:
    queues = ["acks", "unclean", "duplicates", "order", "confirms", "autoheal"]
    assert list(ROWS) == ["failover", "skew", *queues, "power"]


def test_rows_of_queues_are_measured_by_rows_that_there_are() -> None:
    assert {LEAST_ONCE, IDEMPOTENT, UNCONFIRMED} <= set(queue_loss.ROWS)


def test_a_share_is_told_with_its_interval() -> None:
    even = [Share(lost=10, acknowledged=100)] * 10
    assert (
        told(even) == "lost 100 of 1,000 acknowledged (10 %, 95 %: 8.3 to 12 %)"
    )  # no run differs: Wilson's by messages
    burst = [Share(lost=100, acknowledged=100), *[Share(lost=0, acknowledged=100)] * 9]
    assert told(burst) == "lost 100 of 1,000 acknowledged (10 %, 95 %: 0 to 30 %)"  # by runs it is far wider


def test_what_happened_is_told_in_the_words_of_the_row() -> None:
    share = Share(lost=1, acknowledged=4)
    assert told([share], "out of order", "pipelined sends").startswith("out of order 1 of 4 pipelined sends (25 %")


def test_nothing_lost_has_a_bound_and_nothing_acknowledged_none() -> None:
    assert told([Share(lost=0, acknowledged=1000)]) == "lost 0 of 1,000 acknowledged (0 %, 95 %: 0 to 0.38 %)"
    assert told([Share(lost=0, acknowledged=0)]) == "lost 0 of 0 acknowledged"


@pytest.mark.sweep
def test_a_row_is_measured() -> None:
    row = line("power", 1)
    assert row.startswith("| power | replicas that confirm before they sync, loss of power | lost ")
    assert " | replicas that sync first | lost 0 of " in row
