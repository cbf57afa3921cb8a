"""Reads by predicates: against all orders of transactions, and what is no such history."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import chain, combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.transactions.closed_predicate import make
from checkers.transactions.cycles import PREDICATE_CLASSES
from checkers.transactions.models import MODELS, forbids
from harness.history import FAIL, OK, History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict
from tests.checkers.transactions.texts import universe

KEYS = "vwxyz"
PREDICATES: list[Any] = ["true", ["=", 1], ["=", 2], ["mod", 2, 0], ["mod", 2, 1]]
State = dict[str, int]


def matching(predicate: Any, state: State) -> State:
    def fits(value: int) -> bool:
        match predicate:
            case ["=", goal]:
                return bool(value == goal)
            case ["mod", divisor, rest]:
                return bool(value % divisor == rest)
        return True

    return {key: value for key, value in state.items() if fits(value)}


def loose(seed: int, lies: float) -> History:
    """A few transactions on keys that are changed once. Each takes effect at one moment, or sees some older state: so often it ``lies``."""
    dice = random.Random(seed)
    keys = list(KEYS[: dice.randrange(2, 6)])
    start = {key: dice.randrange(2) for key in keys if dice.random() < 0.5}
    states = [start]
    ops = [Op(process=9, f="init", value=start), Op(process=9, f="init", value=start).ok(start)]
    left, busy = dice.sample(keys, len(keys)), dict[int, Op]()
    numbers, begun, many = [0, 1, 2], 0, dice.randrange(2, 5)
    while begun < many or busy:
        seat = dice.randrange(3)
        if seat not in busy:
            if begun < many:
                begun += 1
                busy[seat] = Op(process=numbers[seat], f="txn", value=asked(dice, keys, left, start))
                ops.append(busy[seat])
            continue
        call = busy.pop(seat)
        kind = dice.random()
        old = dice.choice(states) if dice.random() < lies else states[-1]
        answer, after = carried_out(call.value, old, states[-1])
        if kind < 0.1:
            ops.append(call.fail("no"))
            continue
        if kind > 0.15 or dice.random() < 0.5:
            states.append(after)
        ops.append(call.info("timeout") if kind < 0.25 else call.ok(answer))
        numbers[seat] += 3 if kind < 0.25 else 0
    return History.of(op.stamped(index, index, None) for index, op in enumerate(ops))


def asked(dice: random.Random, keys: Sequence[str], left: list[str], start: State) -> list[Any]:
    mops: list[Any] = []
    for _ in range(dice.randrange(1, 4)):
        kind = dice.random()
        if kind < 0.4 and left:
            key = left.pop()
            value = dice.randrange(2, 6)
            mops.append(
                ["insert", key, value] if key not in start else dice.choice([["w", key, value], ["delete", key]])
            )
        elif kind < 0.6:
            mops.append(["r", dice.choice(keys), None])
        else:
            mops.append(["rp", dice.choice(PREDICATES), None])
    return mops


def carried_out(mops: Sequence[Any], seen: State, present: State) -> tuple[list[Any], State]:
    """The answers in the state ``seen``, and the state after the changes in the ``present``."""
    seen, present, answers = dict(seen), dict(present), []
    for f, *rest in mops:
        match f:
            case "r":
                answers.append(["r", rest[0], seen.get(rest[0])])
                continue
            case "rp":
                answers.append(["rp", rest[0], matching(rest[0], seen)])
                continue
            case "delete":
                seen.pop(rest[0], None)
                present.pop(rest[0], None)
            case _:
                seen[rest[0]] = present[rest[0]] = rest[1]
        answers.append([f, *rest])
    return answers, present


def serializable(history: History, *, strict: bool) -> bool:
    """Whether some order of the transactions that succeeded, and of some of the others, explains all that was read."""
    calls = history.calls()
    rows = [row for row in range(1, len(calls)) if calls.outcome[row] != FAIL]
    sure, unsure = [r for r in rows if calls.outcome[r] == OK], [r for r in rows if calls.outcome[r] != OK]
    start: State = calls.history.values[calls.result[0]]
    for chosen in chain.from_iterable(combinations(unsure, size) for size in range(len(unsure) + 1)):
        for order in permutations([*sure, *chosen]):
            late = any(calls.ret[b] < calls.call[a] for at, a in enumerate(order) for b in order[at + 1 :])
            if not (strict and late) and explains(calls, order, start):
                return True
    return False


def explains(calls: Any, order: Sequence[int], state: State) -> bool:
    for row in order:
        answer, state_after = carried_out(calls.history.values[calls.argument[row]], state, state)
        if calls.outcome[row] == OK and answer != calls.history.values[calls.result[row]]:
            return False
        state = state_after
    return True


def check(run: History, model: str = "strict-serializable") -> Verdict:
    return make(model=model).check(run, Budget())


@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.3, 1.0]), st.booleans())
def test_it_is_exact_for_serializability(seed: int, lies: float, strict: bool) -> None:
    run = loose(seed, lies)
    verdict = check(run, "strict-serializable" if strict else "serializable")
    assert (verdict.validity is Validity.INVALID) == (not serializable(run, strict=strict)), verdict.reason


@given(st.integers(0, 10**9))
def test_what_refutes_a_model_refutes_every_stronger_one(seed: int) -> None:
    run = loose(seed, 0.7)
    refuted = check(run).stats["refuted"]
    assert all((check(run, model).validity is Validity.INVALID) == (model in refuted) for model in MODELS)


def test_phantoms_alone_do_not_refute_repeatable_read() -> None:
    assert not any(forbids("repeatable-read", name) for name in PREDICATE_CLASSES)
    skew = universe("p0 |init:u5|\np1             |q=1: ix1 |\np2             |q=1: iy1 |")
    assert check(skew, "repeatable-read").validity is Validity.VALID
    assert check(skew, "snapshot-isolation").validity is Validity.VALID
    assert check(skew, "serializable").validity is Validity.INVALID


def test_what_was_found_is_read_as_an_item() -> None:
    skew = universe("p0 |init:u1.v1|\np1                |q=1:u1.v1 wu2 |\np2                |q=1:u1.v1 wv2 |")
    assert {anomaly.name for anomaly in check(skew).anomalies} == {"G2-item"}
    assert check(skew, "repeatable-read").validity is Validity.INVALID


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ("p0 |init:x1|\np1           |wx2|\np2            |dx|", "changed more than once"),
        ("p0 |init:x1|\np1     |q*:x1|", "must come first"),
        ("p1 |q*:x1|\np0          |init:x1|", "must come first"),
        ("p0 |init:x1>\np1           |q*:x1|", "must come first"),
        ("p0 |init:x1|\np1           |wx1|", "changed more than once"),
        ("p0 |init:x1|\np1           |wx2|", "read anything"),
    ],
)
def test_what_cannot_be_judged_is_unknown(run: str, reason: str) -> None:
    verdict = check(universe(run))
    assert verdict.validity is Validity.UNKNOWN
    assert reason in verdict.reason


@pytest.mark.parametrize(
    "value",
    [
        [["x", 1]],
        [["rp", ["<", 3], {}]],
        [["rp", ["mod", 2, "odd"], {}]],
        [["rp", "true", [1]]],
        [["w", "x", "one"]],
        "abc",
        [[]],
        None,
    ],
)
def test_what_is_no_transaction_is_unknown(value: Any) -> None:
    call = Op(process=0, f="txn", value=value)
    run = History.of(op.stamped(index, index, None) for index, op in enumerate([call, call.ok(value)]))
    verdict = check(run)
    assert verdict.validity is Validity.UNKNOWN
    assert "index 0" in verdict.reason or "depends" in verdict.reason


@pytest.mark.parametrize("predicate", [["=", "one"], ["mod", 2, "odd"], ["mod", "two", 1]])
def test_a_predicate_is_of_whole_numbers(predicate: Any) -> None:
    """One that is not would match nothing, and finding nothing would be right."""
    init, find = Op(process=0, f="init", value={"x": 1}), Op(process=0, f="txn", value=[["rp", predicate, None]])
    run = History.of([init, init.ok(init.value), find, find.ok([["rp", predicate, {}]])])
    verdict = check(run)
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason.endswith("which is no whole number")


@pytest.mark.parametrize(
    ("run", "name"),
    [
        ("p0 |init:x1|\np1           |wx2!\np2           |rx2|", "G1a"),
        ("p0 |init:x1|\np1           |wx2!\np2           |q*:x2|", "G1a"),
        ("p0 |init:x1|\np2           |rx7|", "garbage-read"),
        ("p0 |init:x1|\np2           |rx_|", "G-single-item-realtime"),
        ("p0 |init:x1.y2|\np2               |ry2 rx_|", "G-single-item"),
        ("p0 |init:x1|\np2           |wx2 rx1|", "internal"),
        ("p0 |init:x1|\np2           |wx2 q*:|", "internal"),
        ("p0 |init:x1|\np2           |rx2 wx2|", "future-read"),
        ("p0 |init:x1|\np1           |wx2|\np2           |rx1 rx2|", "internal"),
        ("p0 |init:x1.y1|\np1              |wx2 ry2|\np2              |wy2 rx2|", "G1c"),
    ],
)
def test_what_is_no_matter_of_predicates_has_its_usual_name(run: str, name: str) -> None:
    found = {anomaly.name for anomaly in check(universe(run)).anomalies}
    assert found == {name}


def test_keys_that_are_numbers_are_those_of_the_maps_of_json() -> None:
    init = Op(process=0, f="init", value={"1": 1})
    read = Op(process=0, f="txn", value=[["r", 1, None], ["rp", "true", None]])
    ops = [init, init.ok(init.value), read, read.ok([["r", 1, 1], ["rp", "true", [[1, 1]]]])]
    run = History.of(op.stamped(index, index, None) for index, op in enumerate(ops))
    assert check(run).validity is Validity.VALID


def test_an_edge_of_time_counts_where_a_dependency_leads_the_same_way() -> None:
    # Each comes before the other by what it did not find, and the first one also by real time.
    run = universe("p0 |init:x0.y0|\np1                |q=1: wx1|\np2                             |q=1: wy1|")
    assert {anomaly.name for anomaly in check(run).anomalies} == {"G2", "G-single-realtime"}
    assert check(run, "strong-snapshot-isolation").validity is Validity.INVALID
    assert check(run, "snapshot-isolation").validity is Validity.VALID
