"""One partition's log: against a dumb list, over restarts and crashes, and by the rules of KIP-101."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.sim_disk import Disk
from targets.queue.log.partition_log import EPOCH, KEY, OFFSET, PRODUCER, VALUE, PartitionLog, Record

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 2), st.integers(0, 3)),  # epochs onwards, key
        st.tuples(st.just("truncate"), st.integers(0, 12), st.just(0)),
        st.tuples(st.just("retain"), st.integers(1, 4), st.integers(0, 12)),
        st.tuples(st.just("compact"), st.integers(0, 12), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=30,
)


def opened(disk: Disk) -> PartitionLog:
    return PartitionLog(disk, "t0-0")


def filled(*epochs: int) -> PartitionLog:
    """A log with one message of each of these epochs."""
    log = opened(Disk())
    log.append([[offset, epoch, None, None, offset] for offset, epoch in enumerate(epochs)])
    return log


@given(STEPS)
def test_it_is_a_list_of_messages_that_restarts_and_cleaning_do_not_change(steps: list[tuple[str, int, int]]) -> None:
    disk = Disk()
    log, dumb, epoch, end = opened(disk), list[Record](), 1, 0
    for step, number, other in steps:
        if step == "append":
            epoch += number
            record = [end, epoch, None, f"key{other}" if other else None, f"v{end}.{epoch}"]
            log.append([record])
            log.sync()
            dumb.append(record)
            end += 1
        elif step == "truncate" and number >= log.start:
            log.truncate(number)
            dumb = [record for record in dumb if record[OFFSET] < number]
            end = min(end, max(number, log.start))
        elif step == "retain":
            log.retain(number, other)
            while len(dumb) > number and dumb[0][OFFSET] < other:
                dumb.pop(0)
        elif step == "compact":
            log.compact(number)
            latest = {record[KEY]: record[OFFSET] for record in dumb if record[OFFSET] < number}
            last = max((record[OFFSET] for record in dumb if record[OFFSET] < number), default=-1)
            dumb = [
                record
                for record in dumb
                if record[OFFSET] >= number
                or record[KEY] is None
                or latest[record[KEY]] == record[OFFSET]
                or (record[PRODUCER] is not None and record[OFFSET] == last)
            ]
        elif step == "restart":
            log = opened(disk)
        assert log.records == dumb
        assert log.end == end
        assert log.since(3, 4) == [record for record in dumb if record[OFFSET] >= 3][:4]
        if dumb:
            assert log.last_epoch >= dumb[-1][EPOCH]


def test_the_end_of_an_epoch_is_where_the_next_one_begins() -> None:
    log = filled(1, 1, 3, 3, 3, 7)
    assert log.end_of(1) == (1, 2)
    assert log.end_of(2) == (1, 2), "an epoch that is not known ended where the one before it did"
    assert log.end_of(3) == (3, 5)
    assert log.end_of(9) == (7, 6)
    assert log.end_of(0) == (0, 0), "before the first epoch there is nothing"


def test_epochs_are_forgotten_with_what_is_truncated() -> None:
    log = filled(1, 1, 3, 3)
    log.truncate(2)
    assert (log.last_epoch, log.end) == (1, 2)
    assert log.end_of(3) == (1, 2)


def test_compaction_keeps_epochs_and_every_producers_last_message() -> None:
    disk = Disk()
    log = opened(disk)
    log.append(
        [
            [0, 1, [7, 0, 0], "a", 1],
            [1, 2, [8, 0, 0], "a", 2],
            [2, 3, None, "a", 3],
            [3, 3, None, "a", 4],
        ]
    )
    log.compact(4)
    assert [record[VALUE] for record in log.records] == [1, 2, 4]
    again = opened(disk)
    assert again.end_of(1) == (1, 1)
    assert again.records == log.records


def test_a_torn_tail_is_cut_off_and_written_over() -> None:
    for seed in range(20):
        disk = Disk()
        log = opened(disk)
        log.append([[0, 1, None, None, "kept"]])
        log.sync()
        log.append([[1, 1, None, None, "x" * 50], [2, 1, None, None, "y" * 50]])
        disk.crash(random.Random(seed))
        again = opened(disk)
        assert again.records[0][VALUE] == "kept"
        again.append([[again.end, 2, None, None, "new"]])
        again.sync()
        assert opened(disk).records == again.records


def test_a_log_may_begin_anew_behind_what_it_had() -> None:
    disk = Disk()
    log = opened(disk)
    log.append([[0, 1, None, None, "old"]])
    log.restart_at(40)
    assert (log.start, log.end, log.records, log.last_epoch) == (40, 40, [], 0)
    assert opened(disk).end == 40
