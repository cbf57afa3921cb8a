"""The small parts of the store: options, placement, stamps, requests, a coordinator's log."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.clusters.sim_disk import Disk
from targets.node import codes
from targets.node.env import Refusal
from targets.node.records import Damaged
from targets.txn.store.config import Config
from targets.txn.store.decisions import FILE, Decision, Decisions
from targets.txn.store.placement import CLOCK, Placement, slot_of
from targets.txn.store.requests import request_of
from targets.txn.store.stamps import Stamps
from tests.crashes import Tape

FIVE, SEVEN = ("n1", "n2", "n3", "n4", "n5"), ("n1", "n2", "n3", "n4", "n5", "n6", "n7")


# Options and placement


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": "1pc"},
        {"isolation": "none"},
        {"shards": 0},
        {"replicas": "many"},
        {"coordinators": -1},
        {"patience_s": 0},
        {"decide_s": -0.1},
        {"protocol": "3pc", "dead_s": 1.6},
        {"protocol": "3pc", "dead_s": 2.5, "replicas": 9},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=list(options)[min(1, len(options) - 1)]):
        Config.of(options)


def test_three_phases_refuse_leaders_that_stay_for_longer_than_it_takes_to_be_taken_for_dead() -> None:
    slow = {"election_max_s": 1.5}
    assert Config.of(slow).protocol == "2pc"
    with pytest.raises(ValueError, match="dead_s must be above 2.5"):
        Config.of({"protocol": "3pc", **slow})
    assert Config.of({"protocol": "3pc", **slow, "dead_s": 2.6}).dead_s == 2.6


def test_shards_lie_around_the_nodes_and_meet_where_they_must() -> None:
    groups = Placement(FIVE, Config()).groups
    assert groups == {"s0": ("n1", "n2", "n3"), "s1": ("n3", "n4", "n5"), CLOCK: ("n2", "n3", "n4")}
    apart = Placement(SEVEN, Config(coordinators=1))
    assert apart.groups["s0"] + apart.groups["s1"] == SEVEN[:6]
    assert apart.coordinators == ("n7",)
    assert {apart.coordinator_for(node) for node in SEVEN} == {"n7"}
    assert [Placement(FIVE, Config()).coordinator_for(node) for node in FIVE] == list(FIVE)


def test_both_shards_hold_keys_and_a_key_is_always_in_the_same_one() -> None:
    placement = Placement(FIVE, Config())
    found = [placement.shard_of(slot_of(key)) for key in range(20)]
    assert set(found) == {"s0", "s1"}
    assert found == [Placement(FIVE, Config()).shard_of(slot_of(key)) for key in range(20)]
    assert slot_of(1) != slot_of("1")


def test_too_few_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        Placement(("n1", "n2", "n3"), Config(coordinators=1))


def test_stamps_only_grow_also_over_a_snapshot() -> None:
    stamps, other = Stamps(), Stamps()
    assert [stamps.apply(["stamp"])["stamp"] for _ in range(3)] == [1, 2, 3]
    other.load(json.loads(json.dumps(stamps.dump())))
    assert other.apply(["stamp"])["stamp"] == 4


# Requests


def worked(body: dict[str, Any], **values: Any) -> Any:
    request = request_of(body)
    stored = {slot_of(json.loads(name)): value for name, value in values.items()}
    return request.work({slot: stored.get(slot) for slot in request.slots})


def test_a_transaction_sees_its_own_writes() -> None:
    mops = [["r", 1, None], ["append", 1, 7], ["r", 1, None], ["w", 2, 5], ["r", 2, None], ["append", 1, 8]]
    writes, reply = worked({"type": "txn", "txn": mops}, **{"1": [6]})
    assert writes == {"1": [6, 7, 8], "2": 5}
    assert [value for _, _, value in reply["txn"]] == [[6], 7, [6, 7], 5, 5, 8]


def test_what_was_never_written_is_null() -> None:
    assert worked({"type": "txn", "txn": [["r", 1, None]]}) == ({}, {"type": "txn_ok", "txn": [["r", 1, None]]})


def test_money_moves_and_is_not_overdrawn() -> None:
    transfer = {"type": "transfer", "from": "a", "to": "b", "amount": 4, "opening": 10}
    assert worked(transfer)[0] == {'"a"': 6, '"b"': 14}
    with pytest.raises(Refusal) as refused:
        worked(transfer, **{'"a"': 3})
    assert refused.value.code == codes.PRECONDITION
    balances = worked({"type": "balances", "accounts": ["a", "b"], "opening": 10}, **{'"a"': 0})
    assert balances == ({}, {"type": "balances_ok", "balances": {"a": 0, "b": 10}})


def test_an_insert_looks_at_all_tables() -> None:
    insert = {"type": "insert", "tables": ["a", "b"], "key": 3, "table": "a", "id": 6}
    assert request_of(insert).slots == ('["a", 3]', '["b", 3]')
    assert worked(insert)[0] == {'["a", 3]': 6}
    with pytest.raises(Refusal):
        worked(insert, **{'["b", 3]': 7})


def test_an_unknown_micro_operation_is_refused() -> None:
    with pytest.raises(Refusal):
        worked({"type": "txn", "txn": [["cas", 1, 2]]})


# Decisions


def test_what_was_decided_outlives_a_crash_until_all_know_it() -> None:
    disk = Disk()
    first = Decisions(disk)
    one, two = Decision("n1-1-1", 3, ["s0"]), Decision("n1-1-2", 4, ["s0", "s1"])
    first.commit(one)
    first.end(one.txn)
    first.commit(two)
    disk.crash(random.Random(1))
    second = Decisions(disk)
    assert (first.life, second.life) == (1, 2)
    assert second.open == {two.txn: two}
    assert Decisions(disk).life == 3


@pytest.mark.parametrize("seed", range(8))
def test_an_end_that_is_lost_means_that_all_are_told_again(seed: int) -> None:
    disk = Disk()
    decisions = Decisions(disk)
    one = Decision("n1-1-1", 3, ["s0"])
    decisions.commit(one)
    decisions.end(one.txn)
    disk.crash(random.Random(seed))
    assert Decisions(disk).open in ({}, {one.txn: one})


def test_damage_is_not_taken_for_a_torn_tail() -> None:
    disk = Disk()
    Decisions(disk).commit(Decision("n1-1-1", 3, ["s0"]))
    data = bytearray(disk.read(FILE))
    data[10] ^= 1
    disk.replace(FILE, bytes(data))
    with pytest.raises(Damaged):
        Decisions(disk)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["commit", "end"]), max_size=6))
def test_a_crash_at_any_moment_is_no_damage_and_takes_no_decision(steps: list[str]) -> None:
    tape = Tape()
    decisions = Decisions(tape)
    for number, step in enumerate(steps):
        if step == "commit":
            decisions.commit(Decision(f"n1-1-{number}", number, ["s0"]))
        elif decisions.open:
            tape.promised = list(decisions.open)[1:]  # perhaps all know it, and it may be forgotten
            decisions.end(next(iter(decisions.open)))
        tape.promised = list(decisions.open)
    for disk, promised in tape.crashes():
        assert set(promised or ()) <= set(Decisions(disk).open)
