"""The persistent log: what Figure 2 asks of it, and what a crash leaves of it."""

from __future__ import annotations

import itertools
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.clusters.sim_disk import FATES, Disk
from targets.kv.raft.bugs import Bugs
from targets.kv.raft.log import FILE, Log
from targets.node.env import Storage
from targets.node.records import Damaged
from tests.crashes import Tape


def opened(disk: Storage, notes: list[Any] | None = None) -> Log:
    return Log(disk, Bugs(), lambda event, **fields: notes.append((event, fields)) if notes is not None else None)


def entries(*terms: int) -> list[list[Any]]:
    return [[term, ["write", "k", number, None, None]] for number, term in enumerate(terms)]


class Fate(random.Random):
    """Dice that always choose the same fate for unsynced bytes; a torn file keeps ``kept`` of them."""

    def __init__(self, fate: str, kept: int = 0) -> None:
        super().__init__(0)
        self.fate, self.kept = fate, kept

    def choice(self, seq: Any) -> Any:
        assert self.fate in seq
        return self.fate

    def randrange(self, *_: Any) -> int:
        return self.kept


def test_a_new_log_is_empty_and_its_first_entry_has_index_1() -> None:
    log = opened(Disk())
    log.splice(0, entries(1))
    assert (log.last_index, log.last_term, log.term_at(1), log.term_at(0), log.term_at(2)) == (1, 1, 1, 0, None)


def test_if_an_existing_entry_conflicts_with_a_new_one_it_is_deleted_with_all_that_follow_it() -> None:
    log = opened(Disk())
    log.splice(0, entries(1, 1, 2, 2))
    first = log.splice(1, entries(1, 3))
    assert [term for term, _ in log.entries] == [1, 1, 3]
    assert first == 3


def test_an_old_message_that_was_overtaken_deletes_nothing() -> None:
    log = opened(Disk())
    log.splice(0, entries(1, 1, 1))
    first = log.splice(0, entries(1, 1))
    assert log.last_index == 3
    assert first == 3  # nothing changed before it, and nothing from it on


def test_what_was_synced_is_there_after_a_crash() -> None:
    disk = Disk()
    log = opened(disk)
    log.splice(0, entries(1, 1))
    log.sync()
    log.splice(2, entries(1))
    disk.crash(Fate("lost"))
    assert opened(disk).entries == entries(1, 1)


def test_an_overwritten_entry_does_not_come_back_after_a_crash() -> None:
    disk = Disk()
    log = opened(disk)
    log.splice(0, entries(1, 1, 1))
    log.splice(1, entries(2))
    log.sync()
    assert [term for term, _ in opened(disk).entries] == [1, 2]


RECORD_BYTES = 39  # of the third entry below


@pytest.mark.parametrize("kept", range(1, RECORD_BYTES))
def test_a_torn_tail_is_dropped_and_cut_off(kept: int) -> None:
    disk, notes = Disk(), list[Any]()
    log = opened(disk)
    log.splice(0, entries(1, 1))
    log.sync()
    before = len(disk.read(FILE))
    log.splice(2, entries(1))
    assert len(disk.read(FILE)) - before == RECORD_BYTES
    disk.crash(Fate("torn", kept))
    again = opened(disk, notes)
    assert again.last_index == 2
    assert [event for event, _ in notes] == ["torn-tail"]
    again.splice(2, entries(2))
    again.sync()
    assert [term for term, _ in opened(disk, notes).entries] == [1, 1, 2]
    assert len(notes) == 1  # what was written behind the tear is read again, for the tear is gone


def test_a_tail_of_zeros_is_a_torn_tail() -> None:
    disk = Disk()
    log = opened(disk)
    log.splice(0, entries(1))
    log.sync()
    log.splice(1, entries(1))
    disk.crash(Fate("zeroed"))
    assert opened(disk).last_index == 1


def test_a_compacted_log_knows_the_term_of_its_base_and_nothing_before() -> None:
    disk = Disk()
    log = opened(disk)
    log.splice(0, entries(1, 2, 3, 3))
    log.compact(2)
    for same in (log, opened(disk)):
        assert (same.base_index, same.base_term, same.last_index) == (2, 2, 4)
        assert [same.term_at(index) for index in range(1, 6)] == [None, 2, 3, 3, None]


def test_compacting_syncs_what_it_keeps() -> None:
    disk = Disk()
    log = opened(disk)
    log.splice(0, entries(1, 1, 1))
    log.compact(1)
    disk.crash(Fate("lost"))
    assert opened(disk).last_index == 3


def test_first_of_term_stops_at_the_base() -> None:
    log = opened(Disk())
    log.splice(0, entries(1, 2, 2, 2, 3))
    assert log.first_of_term(4) == 2
    log.compact(3)
    assert log.first_of_term(4) == 4


def test_a_log_that_does_not_sync_says_that_it_did() -> None:
    disk = Disk()
    log = Log(disk, Bugs(no_fsync=True), lambda *_, **__: None)
    log.splice(0, entries(1))
    log.sync()
    disk.crash(Fate("lost"))
    assert log.synced_index == 1
    assert opened(disk).last_index == 0


STEP = st.one_of(
    st.tuples(st.just("splice"), st.integers(0, 3), st.lists(st.integers(0, 1), max_size=4)),
    st.tuples(st.just("sync")),
    st.tuples(st.just("compact"), st.integers(0, 5)),
    st.tuples(st.just("crash"), st.sampled_from(FATES), st.integers(0, 200)),
)


@settings(deadline=None)
@given(st.lists(STEP, max_size=25))
def test_a_log_is_what_a_list_would_be(steps: list[Any]) -> None:
    """The dumb twin: a list of (index → entry), and of it the part that was synced."""
    disk = Disk()
    log = opened(disk)
    twin: dict[int, list[Any]] = {}
    durable, base, number = dict(twin), 0, 0
    for kind, *args in steps:
        if kind == "splice":
            back, rises = args
            prev = max(base, log.last_index - back)
            fresh = []
            term = log.term_at(prev) or 0
            for rise in rises:
                number, term = number + 1, term + rise
                fresh.append([term, ["write", "k", number, None, None]])
            log.splice(prev, fresh)
            for offset, entry in enumerate(fresh):
                index = prev + 1 + offset
                if index not in twin or twin[index][0] != entry[0]:
                    twin = {known: kept for known, kept in twin.items() if known < index} | {index: entry}
        elif kind == "sync":
            log.sync()
            durable = dict(twin)
        elif kind == "compact":
            upto = min(log.last_index, base + args[0])
            if upto > base:
                log.compact(upto)
                base = upto
                twin = {index: entry for index, entry in twin.items() if index > base}
                durable = dict(twin)
        else:
            disk.crash(Fate(args[0], args[1] % 60))
            log = opened(disk)
            found = {log.base_index + 1 + place: entry for place, entry in enumerate(log.entries)}
            # What was synced is there unless something unsynced, of which a part was kept, had overwritten it.
            agreed = {index: entry for index, entry in durable.items() if twin.get(index) == entry}
            assert agreed.items() <= {index: found.get(index) for index in agreed}.items()
            assert all(entry in (twin.get(index), durable.get(index)) for index, entry in found.items())
            twin = durable = found
        assert log.base_index == base
        assert log.entries == [twin[index] for index in sorted(twin)]
        assert sorted(twin) == list(range(base + 1, log.last_index + 1))


VALUES = itertools.count()
WORK = st.lists(
    st.one_of(
        st.tuples(st.just("splice"), st.integers(0, 3), st.lists(st.integers(0, 1), min_size=1, max_size=3)),
        st.tuples(st.just("sync")),
        st.tuples(st.just("compact"), st.integers(0, 3)),
    ),
    max_size=5,
)


def worked(log: Log, tape: Tape, steps: list[Any]) -> None:
    """Do this to the log; what it has promised by each call of the disk are its synced entries."""
    for kind, *args in steps:
        if kind == "splice":
            prev = max(log.base_index, log.last_index - args[0])
            terms = [(log.term_at(prev) or 0) + sum(args[1][: count + 1]) for count in range(len(args[1]))]
            tape.promised = synced(log, prev)
            log.splice(prev, [[term, ["write", "k", next(VALUES), None, None]] for term in terms])
        elif kind == "sync":
            log.sync()
        else:
            log.compact(min(log.last_index, log.base_index + args[0]))
        tape.promised = synced(log)


def synced(log: Log, upto: int | None = None) -> dict[int, list[Any]]:
    """Index to entry, of the entries that are durable; of those up to an index, which are not about to be replaced."""
    last = log.synced_index if upto is None else min(upto, log.synced_index)
    return {index: log.entries[index - log.base_index - 1] for index in range(log.base_index + 1, last + 1)}


@settings(deadline=None)
@given(WORK, WORK, st.data())
def test_a_crash_at_any_moment_is_no_damage_and_takes_nothing_that_was_synced(
    steps: list[Any], more: list[Any], draw: st.DataObject
) -> None:
    """Also between a write and its sync, and whichever of the unsynced writes the disk kept: a real machine may die there."""
    disk = Tape()
    for work in (steps, more):
        worked(opened(disk), disk, work)
        crashes = list(disk.crashes())
        for left, promised in crashes:
            log = opened(left)
            found = {log.base_index + 1 + place: entry for place, entry in enumerate(log.entries)}
            still = {index: entry for index, entry in (promised or {}).items() if index > log.base_index}
            assert still == {index: found.get(index) for index in still}
        disk = Tape(draw.draw(st.sampled_from(crashes))[0].content)


@settings(deadline=None)
@given(WORK, WORK, st.data())
def test_a_bit_that_flips_after_any_crash_is_damage_or_takes_nothing_that_was_synced(
    steps: list[Any], more: list[Any], draw: st.DataObject
) -> None:
    tape = Tape()
    worked(opened(tape), tape, steps)
    disk, _ = draw.draw(st.sampled_from(list(tape.crashes())))
    log = opened(disk)
    worked(log, disk, more)
    log.sync()
    data = bytearray(disk.read(FILE))
    if not data:
        return
    place = draw.draw(st.integers(0, 8 * len(data) - 1))
    data[place // 8] ^= 1 << place % 8
    disk.replace(FILE, bytes(data))
    with suppress(Damaged):
        assert opened(disk).entries == log.entries
