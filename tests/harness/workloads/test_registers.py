"""Registers whose every written value is fresh."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import PluginError
from harness.generator import NEMESIS_THREAD, PENDING, clients, limit
from harness.op import Op, OpType
from harness.workloads.registers import _drawn, registers
from tests.harness.workloads.stores import store
from tests.virtual_time import context, invocations, quick, simulate, told

SHARES = {"read": 0.5, "write": 0.3, "cas": 0.2}


def written(op: Op) -> object:
    return op.value if op.f == "write" else op.value[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(0, 10**6))
def test_written_values_are_fresh_and_counted_up(keys: int, seed: int) -> None:
    tree = clients(limit(200, registers([1.0] * keys, SHARES)))
    ops = invocations(simulate(tree, store(seed, trouble=0.2), concurrency=4, seed=seed))
    values = defaultdict(list)
    for op in ops:
        if op.f != "read":
            values[op.key].append(written(op))
    assert all(found == list(range(1, len(found) + 1)) for found in values.values())


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(0, 10**6))
def test_a_cas_goes_from_the_last_value_that_anybody_saw(keys: int, seed: int) -> None:
    tree = clients(limit(200, registers([1.0] * keys, SHARES)))
    seen: dict[object, object] = {}
    for op in simulate(tree, store(seed, trouble=0.2), concurrency=4, seed=seed):
        if op.type is OpType.INVOKE and op.f == "cas":
            assert op.value[0] == seen[op.key]
        elif op.type is OpType.OK:
            value = op.value if op.f == "read" else written(op)
            if value is not None:
                seen[op.key] = value


def test_shares_of_functions_and_keys() -> None:
    tree = clients(limit(4000, registers([4, 2, 1, 1], SHARES)))
    ops = invocations(simulate(tree, store(), concurrency=4))
    fs, keys = Counter(told(ops, "f")), Counter(told(ops, "key"))
    assert all(abs(fs[f] / 4000 - share) < 0.03 for f, share in SHARES.items())
    assert all(abs(keys[key] / 4000 - weight / 8) < 0.03 for key, weight in enumerate([4, 2, 1, 1]))


def test_while_nothing_was_seen_a_write_takes_the_place_of_a_cas() -> None:
    (first,) = quick(clients(limit(1, registers([1.0], {"cas": 1.0}))))
    assert (first.f, first.value) == ("write", 1)
    ops = quick(clients(limit(3, registers([1.0], {"cas": 1.0}))), concurrency=1)
    assert told(ops, "f", "value") == [("write", 1), ("cas", [1, 2]), ("cas", [2, 3])]


def test_an_answer_that_is_thrown_away_uses_no_value() -> None:
    generator, ctx = registers([1.0], {"write": 1.0}), context()
    for _ in range(3):
        answer = generator.op(ctx)
        assert isinstance(answer, tuple)
        assert answer[0].value == 1


def test_while_nobody_is_free_it_is_pending() -> None:
    ctx = context(1).busy(0, 0).busy(NEMESIS_THREAD, 0)
    assert registers([1.0], SHARES).op(ctx) is PENDING


@pytest.mark.parametrize(
    "event",
    [
        Op(f="read", key=0, value=None, type=OpType.OK, process=0),
        Op(f="read", key=0, value=5, type=OpType.INVOKE, process=0),
        Op(f="write", key=0, value=5, type=OpType.INFO, process=0),
        Op(f="write", key=0, value=5, type=OpType.FAIL, process=0),
        Op(f="write", key=7, value=5, type=OpType.OK, process=0),
        Op(f="write", key=True, value=5, type=OpType.OK, process=0),
        Op(f="write", key="0", value=5, type=OpType.OK, process=0),
        Op(f="append", key=0, value=5, type=OpType.OK, process=0),
    ],
)
def test_events_that_show_no_value_teach_nothing(event: Op) -> None:
    generator = registers([1.0], SHARES)
    assert generator.update(context(), event) is generator


@pytest.mark.parametrize(
    ("weights", "shares"),
    [([], SHARES), ([1.0], {}), ([1.0], {"append": 1.0}), ([-1.0], SHARES), ([1.0], {"read": 0.0})],
)
def test_bad_weights_are_refused(weights: list[float], shares: dict[str, float]) -> None:
    with pytest.raises(PluginError, match="registers need key weights and shares of read, write, cas"):
        registers(weights, shares)


def test_a_throw_never_falls_behind_the_last_place() -> None:
    # 0.1 + 0.2 + ...: the product of the greatest throw and the sum may round up to the sum.
    greatest = 1 - 2**-53
    assert _drawn((0.1, 0.3, 0.6), greatest) == 2
    assert _drawn((0.5, 1.0), 0.0) == 0
    assert [_drawn((1.0, 2.0, 4.0), throw) for throw in (0.24, 0.25, 0.5, 0.75)] == [0, 1, 2, 2]
