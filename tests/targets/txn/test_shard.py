"""A participant: against a dumb twin, over snapshots, and rule by rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.txn.store.bugs import Bugs
from targets.txn.store.shard import OUTCOMES_MAX, VERSIONS_MAX, Shard

SLOTS, TXNS = ("x", "y", "z"), ("t0", "t1", "t2", "t3", "t4")
TAKERS = st.sampled_from(["", "a", "b"])
KEYS = st.lists(st.sampled_from(SLOTS), max_size=2, unique=True)
COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("prepare"), st.sampled_from(TXNS), KEYS, KEYS, st.integers(0, 6)),
        st.tuples(st.just("precommit"), st.sampled_from(TXNS), TAKERS),
        st.tuples(st.just("decide"), st.sampled_from(TXNS), st.sampled_from(["commit", "abort"]), TAKERS),
        st.tuples(st.just("inquire"), st.sampled_from(TXNS), TAKERS),
        st.tuples(st.just("read"), KEYS, st.integers(0, 8)),
    ),
    max_size=30,
)


def fields(reads: list[str], writes: list[str], start: int, value: Any = 1) -> dict[str, Any]:
    named = {"coordinator": "n1", "shards": ["s0", "s1"]}
    return {**named, "start": start, "reads": reads, "writes": dict.fromkeys(writes, value)}


def shard(bug: str | None = None, *, validates: bool = True) -> Shard:
    return Shard(Bugs.named(bug), validates_reads=validates)


class Dumb:
    """The whole past of a shard, looked through anew for every command."""

    def __init__(self, validates: bool) -> None:
        self.validates = validates
        self.past: list[
            tuple[Any, ...]
        ] = []  # ("yes", txn, fields), ("all", txn, stamp), ("taken", txn, by), ("end", txn, outcome, stamp)

    def end(self, txn: str) -> tuple[str, int | None] | None:
        return next(((one[2], one[3]) for one in self.past if one[:2] == ("end", txn)), None)

    def of(self, word: str, txn: str) -> Any:
        found = [one[-1] for one in self.past if one[:2] == (word, txn)]
        return found[-1] if found else None

    def waiting(self) -> dict[str, Any]:
        return {one[1]: one[2] for one in self.past if one[0] == "yes" and not self.end(one[1])}

    def versions(self, slot: str) -> list[tuple[int, Any]]:
        ends = [(one[1], one[3]) for one in self.past if one[0] == "end" and one[2] == "commit"]
        return [
            (stamp, self.of("yes", txn)["writes"][slot]) for txn, stamp in ends if slot in self.of("yes", txn)["writes"]
        ]

    def locked(self, reads: list[str], writes: list[str]) -> bool:
        for other in self.waiting().values():
            if set(other["writes"]) & {*reads, *writes} or (self.validates and set(other["reads"]) & set(writes)):
                return True
        return False

    def apply(self, command: tuple[Any, ...]) -> Any:
        word, *rest = command
        return getattr(self, word)(*rest)

    def prepare(self, txn: str, asked: dict[str, Any]) -> str:
        if self.end(txn):
            return "no" if self.end(txn)[0] == "abort" else "yes"  # type: ignore[index]  # it has ended
        if txn in self.waiting():
            return "yes"
        reads, writes = asked["reads"] if self.validates else [], list(asked["writes"])
        late = any(stamp > asked["start"] for slot in [*reads, *writes] for stamp, _ in self.versions(slot)[-1:])
        if late or self.locked(reads, writes):
            self.past.append(("end", txn, "abort", None))
            return "no"
        self.past.append(("yes", txn, asked))
        return "yes"

    def precommit(self, txn: str, stamp: int, by: str) -> Any:
        if txn in self.waiting() and by == (self.of("taken", txn) or ""):
            self.past.append(("all", txn, stamp))
        return self.state(txn)

    def decide(self, txn: str, outcome: str, stamp: int, by: str) -> Any:
        overtaken = by and txn in self.waiting() and self.of("taken", txn) != by
        if not self.end(txn) and not overtaken:
            commits = outcome == "commit" and txn in self.waiting()
            self.past.append(("end", txn, "commit", stamp) if commits else ("end", txn, "abort", None))
        return self.state(txn)

    def inquire(self, txn: str, by: str) -> Any:
        if txn in self.waiting():
            self.past += [("taken", txn, by)] if by else []
        elif not self.end(txn):
            self.past.append(("end", txn, "abort", None))
        return self.state(txn)

    def read(self, slots: list[str], stamp: int) -> Any:
        if self.locked(slots, []):
            return "locked"
        return {slot: ([value for at, value in self.versions(slot) if at <= stamp] or [None])[-1] for slot in slots}

    def state(self, txn: str) -> Any:
        if self.end(txn):
            return self.end(txn)
        if txn not in self.waiting():
            return (None, None)
        stamp = self.of("all", txn)
        return ("prepared" if stamp is None else "precommitted", stamp)


def plain(result: dict[str, Any]) -> Any:
    if "vote" in result:
        return result["vote"]
    if "state" in result:
        return (result["state"], result["stamp"])
    return "locked" if "locked" in result else {slot: value for slot, (value,) in result["values"].items()}


@given(COMMANDS, st.booleans(), st.integers(0, 30))
def test_a_shard_does_what_its_whole_past_says_and_a_snapshot_changes_nothing(
    commands: list[tuple[Any, ...]], validates: bool, at: int
) -> None:
    machine, dumb = shard(validates=validates), Dumb(validates)
    for place, drawn in enumerate(commands):
        if place == at:
            saved = json.loads(json.dumps(machine.dump()))
            machine = shard(validates=validates)
            machine.load(saved)
        command = drawn
        if drawn[0] == "prepare":
            _, txn, reads, writes, start = drawn
            command = ("prepare", txn, fields(reads, writes, start, value=place))
        elif drawn[0] in ("precommit", "decide"):
            command = (*drawn[:-1], place + 1, drawn[-1])  # stamps only grow
        assert plain(machine.apply(json.loads(json.dumps(command)))) == dumb.apply(command)


def prepared(machine: Shard, txn: str, reads: list[str], writes: list[str], start: int = 0) -> bool:
    return bool(machine.apply(["prepare", txn, fields(reads, writes, start)])["vote"] == "yes")


@pytest.mark.parametrize(
    ("first", "second", "serializable", "snapshot"),
    [
        (([], ["x"]), ([], ["x"]), False, False),
        ((["x"], ["y"]), (["y"], ["x"]), False, True),
        ((["x"], []), ([], ["x"]), False, True),
        ((["x"], ["y"]), (["x"], ["z"]), True, True),
        (([], ["x"]), ([], ["y"]), True, True),
    ],
)
def test_what_is_prepared_is_locked(first: Any, second: Any, serializable: bool, snapshot: bool) -> None:
    for validates, wanted in ((True, serializable), (False, snapshot)):
        machine = shard(validates=validates)
        assert prepared(machine, "t0", *first)
        assert prepared(machine, "t1", *second) == wanted


def test_what_was_written_since_the_snapshot_may_not_be_written_and_under_serializability_not_read() -> None:
    for validates in (True, False):
        machine = shard(validates=validates)
        assert prepared(machine, "t0", [], ["x"])
        machine.apply(["decide", "t0", "commit", 5, ""])
        assert not prepared(machine, "t1", [], ["x"], start=4)
        assert prepared(machine, "t2", ["x"], ["y"], start=4) == (not validates)
        assert prepared(machine, "t3", ["x"], ["x"], start=5)


@pytest.mark.parametrize(
    ("bug", "start", "first", "second"),
    [
        ("locks-released-at-vote", 0, ([], ["x"]), ([], ["x"])),
        ("reads-not-validated", 0, (["x"], ["y"]), (["y"], ["x"])),
    ],
)
def test_a_bug_lets_a_second_one_in(bug: str, start: int, first: Any, second: Any) -> None:
    found = []
    for name in (None, bug):
        machine = shard(name)
        assert prepared(machine, "t0", *first, start)
        found.append(prepared(machine, "t1", *second, start))
    assert found == [False, True]


def test_who_was_asked_before_it_voted_never_will() -> None:
    machine = shard()
    assert machine.apply(["inquire", "t0", ""])["state"] == "abort"
    assert not prepared(machine, "t0", [], ["x"])
    assert machine.apply(["decide", "t0", "commit", 3, ""])["state"] == "abort"


def test_who_was_overtaken_is_refused() -> None:
    machine = shard()
    assert prepared(machine, "t0", [], ["x"])
    for by, command in (
        ("", ["precommit", "t0", 3, ""]),
        ("a", ["precommit", "t0", 3, "a"]),
        ("a", ["decide", "t0", "abort", None, "a"]),
    ):
        assert machine.apply(["inquire", "t0", by])["state"] == "prepared"
        assert machine.apply(["inquire", "t0", "b"])["state"] == "prepared"
        assert machine.apply(command) == {"state": "prepared", "stamp": None}
    assert machine.apply(["precommit", "t0", 3, "b"]) == {"state": "precommitted", "stamp": 3}
    assert machine.apply(["decide", "t0", "commit", 3, "b"]) == {"state": "commit", "stamp": 3}


def test_acts_are_told_once_and_what_a_snapshot_decides_is_told_too() -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    machine, other = shard(), shard()
    for one in (machine, other):
        assert prepared(one, "t0", [], ["x"])
    machine.tell = lambda event, **said: told.append((event, said))
    assert prepared(machine, "t0", [], ["x"])
    other.apply(["decide", "t0", "commit", 1, ""])
    assert not prepared(other, "t1", [], ["x"])
    machine.load(json.loads(json.dumps(other.dump())))
    machine.load(json.loads(json.dumps(other.dump())))
    assert told == [
        ("decide", {"txn": "t0", "outcome": "commit"}),
        ("decide", {"txn": "t1", "outcome": "abort"}),
    ]


def test_a_snapshot_that_is_too_old_is_refused() -> None:
    machine = shard()
    for number in range(1, VERSIONS_MAX + 1):
        assert prepared(machine, f"t{number}", [], ["x"], start=number)
        machine.apply(["decide", f"t{number}", "commit", number, ""])
    assert machine.apply(["read", ["x"], 0]) == {"forgotten": True}
    assert machine.apply(["read", ["x"], 1]) == {"values": {"x": [1]}}


def test_old_outcomes_are_forgotten() -> None:
    machine = shard()
    for number in range(OUTCOMES_MAX + 2):
        machine.apply(["decide", f"t{number}", "abort", None, ""])
    assert len(machine.dump()["outcomes"]) == OUTCOMES_MAX
