"""The searches of one register, in what small histories do not show: masks of several words, places that all share, and what they cost.

A budget is counted in steps. So a rule that no longer cuts anything off is seen here and by nobody else: the verdict is the same, until a
history is so long that there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.kernels.engine import Plain
from checkers.linearizable import generic, layers, layout, register_search, wgl
from checkers.linearizable.encode import READ, WRITE, RegisterOps
from checkers.linearizable.layout import assign_slots, data_of, mix, prepare
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import CAS_REGISTER, UNKNOWN
from harness.history import FOREVER, History
from harness.verdict import Validity
from tests.builders import timeline
from tests.checkers.engines import plain
from tests.checkers.runs import register_run, rolls
from tests.checkers.test_algorithms import AMPLE, by_layers, by_search, by_wgl, keys_of

SEARCHES = {"depth": by_search, "layers": by_layers, "wgl": by_wgl}


def run_of(seed: int, length: int = 150, **options: bool) -> History:
    return register_run(rolls(length, seed), domain=3, crashes=seed % 2 == 0, **options)


def found(name: str, history: History) -> Found:
    with plain():
        (one,) = SEARCHES[name](history)
    return one


# Change a figure only if you know why a search takes another way, and that it is no longer one.
COSTS: dict[str, dict[int, tuple[int, int, int, int | None]]] = {
    "depth": {
        2: (778, 41, 41, None),
        3: (382, 24, 48, 25),
        14: (849, 29, 36, 33),
        16: (2163, 30, 36, 37),
        18: (298, 40, 40, None),
    },
    "layers": {
        2: (4686, 41, 41, None),
        3: (448, 24, 48, 25),
        6: (438, 24, 40, 28),
        16: (1376, 30, 36, 37),
        18: (1699, 40, 40, None),
    },
    "wgl": {2: (715, 41, 41, None), 6: (287, 24, 40, 28), 16: (3426, 30, 36, 37), 20: (122, 17, 38, 16)},
}


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name, rows in COSTS.items() for seed in rows])
def test_what_a_search_costs(name: str, seed: int) -> None:
    one = found(name, run_of(seed))
    assert (one.steps, one.explained, one.completed, one.stuck) == COSTS[name][seed]
    assert one.validity is (Validity.VALID if one.stuck is None else Validity.INVALID)


@pytest.mark.parametrize("word", [1, 2, 5])
@pytest.mark.parametrize("name", ["depth", "layers"])
def test_masks_may_have_many_words(word: int, name: str) -> None:
    """As in a history where more than 62 operations are open at once."""
    for seed in range(12):
        history = run_of(seed, 90)
        one = found(name, history)
        with ExitStack() as stack:
            for module in (layout, register_search, layers):
                stack.enter_context(patch.object(module, "WORD", word))
            other = found(name, history)
        assert (other.validity, other.explained, other.stuck) == (one.validity, one.explained, one.stuck)
        assert name == "layers" or other == one  # there, also whoever has the same place costs a step


@pytest.mark.parametrize("name", ["depth", "layers"])
def test_where_all_share_one_place_the_answer_is_the_same(name: str) -> None:
    """Then what tells two configurations apart is their comparison alone."""
    modules = {"depth": register_search, "layers": layers}
    for seed in range(16):
        history = run_of(seed, 90)
        one = found(name, history)
        with patch.object(modules[name], "mix", lambda _hash, _x: 1):
            other = found(name, history)
        assert (other.validity, other.explained, other.stuck) == (one.validity, one.explained, one.stuck)
        assert name == "layers" or other == one


@pytest.mark.parametrize("name", ["depth", "layers"])
def test_more_at_once_than_a_word_has_bits(name: str) -> None:
    """Writes that all end after the reads that see them in turn; then one that sees what was overwritten."""
    count = 63
    ops = RegisterOps(
        kind=np.array([WRITE] * count + [READ] * count),
        seen=np.array([-1] * count + [*range(count)]),
        made=np.array([*range(count), *[-1] * count]),
        call=np.array([*range(count), *(count + 2 * n for n in range(count))]),
        ret=np.array([*(3 * count + n for n in range(count)), *(count + 2 * n + 1 for n in range(count))]),
        key=np.zeros(2 * count, dtype=np.int64),
        row=np.arange(2 * count),
        keys=1,
        codes=count + 1,
        initial=count,
    )
    search = {"depth": register_search.search, "layers": layers.search}[name]
    assert search(prepare(ops), AMPLE, Plain()).validity is Validity.VALID
    ops.seen[-1] = 3
    wrong = search(prepare(ops), AMPLE, Plain())
    assert (wrong.validity, wrong.stuck, wrong.explained) == (Validity.INVALID, 2 * count - 1, count - 1)


# Layout


def spans_of(positions: list[int], last: list[bool]) -> tuple[list[int], list[int], list[int]]:
    """Calls, returns and the order of completions, from a shuffle of 2 n positions; ``last``: which never completed."""
    pairs = sorted((min(pair), max(pair)) for pair in zip(positions[::2], positions[1::2], strict=True))
    call = [pair[0] for pair in pairs]
    ret = [FOREVER if never else pair[1] for pair, never in zip(pairs, last, strict=True)]
    order = sorted((i for i in range(len(ret)) if ret[i] != FOREVER), key=lambda i: ret[i])
    return call, ret, order


@given(
    st.integers(1, 9).flatmap(
        lambda n: st.tuples(st.permutations(range(2 * n)), st.lists(st.booleans(), min_size=n, max_size=n))
    )
)
def test_no_two_operations_share_a_bit_while_both_are_open(drawn: tuple[list[int], list[bool]]) -> None:
    call, ret, order = spans_of(*drawn)
    count = len(call)
    slot = [0] * count
    used = assign_slots(call, ret, order, slot, [0] * count)
    assert set(slot) == set(range(used))
    for i in range(count):
        for j in range(i):
            if slot[i] == slot[j]:
                assert ret[j] < call[i]  # those that never completed keep theirs for themselves, too
                assert ret[i] != FOREVER
    finite = max(sum(call[i] <= at < ret[i] != FOREVER for i in range(count)) for at in range(2 * count))
    assert used <= finite + sum(end == FOREVER for end in ret)


def test_a_mask_has_as_many_words_as_it_takes_and_knows_who_never_completed() -> None:
    for count in (1, 61, 62, 63, 124, 125):
        ops = RegisterOps(
            kind=np.full(count, WRITE),
            seen=np.full(count, -1),
            made=np.zeros(count, dtype=np.int64),
            call=np.arange(count),
            ret=np.array([FOREVER if n % 3 == 0 else count + n for n in range(count)]),
            key=np.zeros(count, dtype=np.int64),
            row=np.arange(count),
            keys=1,
            codes=2,
            initial=1,
        )
        certain = np.flatnonzero(ops.certain)
        data, words, lasting = data_of(
            Plain(), layout.Prepared(ops=ops, position=np.arange(count), order=certain[np.argsort(ops.ret[certain])])
        )
        assert words == -(-count // layout.WORD)
        bits = sum(int(word) << (layout.WORD * n) for n, word in enumerate(lasting))
        assert [n for n in range(count) if bits >> n & 1] == list(range(0, count, 3))
        assert [data.rank[data.order[n]] for n in range(len(data.order))] == list(range(len(data.order)))
        assert all(data.rank[n] == len(data.order) for n in range(0, count, 3))


def test_what_nobody_saw_and_nobody_knows_of_is_left_out_and_what_only_that_saw() -> None:
    (ops,) = keys_of(
        timeline("""
            p0 |- write x 1 ->
            p1      |- cas x [1,2] ->
            p2           |- cas x [2,3] ->
            p3               |- write x 4 ->
            p4                   |- write x 5 ---|
            p5                                      |- cas x [5,6] ->
            p6                                              |- read x 6 -|
        """)
    )
    prepared = prepare(ops)
    assert prepared.position.tolist() == [4, 5, 6]
    assert prepared.order.tolist() == [0, 2]
    assert len(prepared.ops) == 3


@given(st.integers(0, layout.HASH_PRIME), st.integers(-4, 1 << 62))
def test_a_hash_needs_no_more_than_62_bits(h: int, x: int) -> None:
    assert 0 <= mix(h, x) < layout.HASH_PRIME
    assert ((h ^ (x & layout.LOW_BITS)) * layout.HASH_FACTOR + 12345) < 1 << 62


# Plain Python


def calls_of(drawing: str) -> list[wgl.Call]:
    (case,) = generic.cases(timeline(drawing).calls(), CAS_REGISTER)
    return list(case.calls)


def test_an_order_that_was_found_explains_all_that_happened() -> None:
    """Each once, in an order that respects real time; of calls that never completed those that it needs."""
    seen = 0
    for seed in range(60):
        history = register_run(rolls(40, seed), domain=3, crashes=seed % 2 == 0)
        (case,) = generic.cases(history.calls(), CAS_REGISTER)
        order = wgl.find_order(CAS_REGISTER, case.calls, AMPLE)
        (one,) = by_wgl(history)
        assert (order is None) == (one.validity is Validity.INVALID)
        if order is None:
            continue
        seen += 1
        assert len(set(order)) == len(order)
        assert {i for i, call in enumerate(case.calls) if call.ret != FOREVER} <= set(order)
        state = CAS_REGISTER.init
        for place, i in enumerate(order):
            assert all(case.calls[later].ret > case.calls[i].call for later in order[place:])
            call = case.calls[i]
            legal, state = CAS_REGISTER.step(state, call.f, call.argument, call.result)
            assert legal
    assert seen >= 20


def test_an_order_of_nothing_is_empty_and_without_budget_there_is_none() -> None:
    assert wgl.find_order(CAS_REGISTER, [], AMPLE) == []
    unknown = [wgl.Call(call=0, ret=FOREVER, f="write", argument=1, result=UNKNOWN)]
    assert wgl.find_order(CAS_REGISTER, unknown, AMPLE) == []
    calls = calls_of("p0 |- write x 1 -| |- read x 1 -|")
    assert wgl.find_order(CAS_REGISTER, calls, AMPLE) == [0, 1]
    assert wgl.find_order(CAS_REGISTER, calls, Limits(steps=1, configs=10)) is None


def least(search: Callable[[Limits], Found], limits: Callable[[int], Limits]) -> int:
    """The least number with which the search is decided."""
    low, high = 1, 1 << 16
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if search(limits(middle)).validity is Validity.UNKNOWN else (low, middle)
    return low


LIMITS: list[Callable[[int], Limits]] = [
    lambda most: Limits(steps=most, configs=1 << 14),
    lambda most: Limits(steps=1 << 14, configs=most),
    lambda most: Limits(steps=1 << 14, configs=1 << 14, bytes=most),
]


@pytest.mark.parametrize(
    ("name", "seed", "wanted"),
    [
        ("depth", 16, [2151, 91, 10240]),  # tables double; steps are looked at between two choices
        ("depth", 18, [295, 36, 5120]),
        ("layers", 16, [1377, 33, 33 * 64]),
        ("layers", 18, [1700, 31, 31 * 64]),
    ],
)
def test_where_exactly_a_budget_ends(name: str, seed: int, wanted: list[int]) -> None:
    """Of steps, of configurations and of bytes. As with the cost: change a figure only if you know why it is another."""
    (ops,) = keys_of(run_of(seed))
    search = {"depth": register_search.search, "layers": layers.search}[name]
    assert [least(lambda limits: search(prepare(ops), limits, Plain()), one) for one in LIMITS] == wanted


def test_a_plain_search_needs_as_much_as_it_says() -> None:
    (case,) = generic.cases(run_of(14).calls(), CAS_REGISTER)
    steps, configs, size = (least(lambda limits: wgl.search(CAS_REGISTER, case.calls, limits), one) for one in LIMITS)
    assert steps == wgl.search(CAS_REGISTER, case.calls, AMPLE).steps + 1
    assert 1 < configs < steps
    assert size == (configs - 1) * (wgl.CONFIG_BYTES + wgl.ITEM_BYTES)
