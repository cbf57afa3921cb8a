"""Objects that the compiled search knows by an integer or by a table of moves: step by step as their models say; tables, limits, words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest

from checkers import MODELS
from checkers.kernels.engine import Plain
from checkers.linearizable import appends, generic, layers, register_search, steps, wgl
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import FIFO_QUEUE, UNKNOWN, IntForm, Model
from checkers.linearizable.objects import STRING_KV
from checkers.linearizable.tabled import ASK_COST, Tabled, is_worth_it
from checkers.wording import Narrator
from harness.history import FOREVER, History
from harness.op import Op
from harness.registry import Registry
from harness.verdict import Anomaly, Validity
from tests.builders import timeline
from tests.checkers.test_objects import run
from tests.checkers.test_tabled import AMPLE


def model_of(name: str) -> Model:
    model: Model = Registry("model", MODELS).get(name)
    return model


NUMBERS = {"ann": 1, "bob": 2}
# Of each object: its states, each with the integer for it; what it can be asked; what it can answer.
NUMBERED: dict[str, tuple[dict[Any, int], list[tuple[str, Any]], list[Any]]] = {
    "counter": ({n: n for n in range(-2, 3)}, [("add", 2), ("add", -1), ("add", 0), ("read", None)], [-1, 0, 1, 2]),
    "fetch-and-add": ({n: n for n in range(-2, 3)}, [("add", 2), ("add", -1), ("add", 0), ("read", None)], [-1, 0, 1, 2]),
    "reentrant-lock": (
        {(None, 0): 0} | {(who, depth): NUMBERS[who] * steps.DEPTHS + depth for who in NUMBERS for depth in range(1, 4)},
        [("acquire", "ann"), ("release", "ann"), ("acquire", "bob"), ("release", "bob")],
        ["ann", "bob"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERED)
def test_each_step_on_integers_is_that_of_the_model(name: str) -> None:
    model, (states, asked, answers) = model_of(name), NUMBERED[name]
    form = model.ints
    assert form is not None
    compared = set()
    for state, (f, argument), result in product(states, asked, [*answers, UNKNOWN]):
        if result is UNKNOWN and f in model.reads:
            continue  # is dropped before
        coded = form.code(f, argument, result, NUMBERS.__getitem__)
        assert coded is not None
        legal, after = model.step(state, f, argument, result)
        if legal and after not in states and not isinstance(after, int):
            continue  # deeper than the table
        wanted = steps.ILLEGAL if not legal else states.get(after, after)
        assert steps.step_of(form.form, states[state], *coded, int(result is not UNKNOWN)) == wanted
        compared.add((f, legal))
    assert len(compared) >= 3
    assert form.init == states[model.init]


def test_a_read_of_the_counter_that_nobody_knows_is_legal_and_of_a_custom_object_nothing_is() -> None:
    assert steps.step_of(steps.COUNTER, 5, steps.READ, 0, 7, 0) == 5
    assert steps.step_of(steps.FETCH_AND_ADD, 5, steps.READ, 0, 7, 0) == 5
    assert steps.step_of(steps.CUSTOM, 5, 0, 0, 0, 1) == steps.ILLEGAL


# Tables


def dial(step: Callable[..., tuple[bool, Any]] | None = None, ints: IntForm | None = None, size: int = 100) -> Model:
    def turned(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, Any]:
        return (True, (state + argument) % size) if f == "turn" else (result is UNKNOWN or result == state, state)

    fs = frozenset({"turn", "see"})
    return Model(name="dial", summary="", init=0, step=step or turned, fs=fs, reads=frozenset({"see"}), ints=ints)


def turns(count: int, wrong: int | None = None, size: int = 100) -> History:
    ops: list[Op] = []
    for n in range(count):
        turn, see = Op(process=0, f="turn", value=1), Op(process=1, f="see")
        ops += [turn, turn.ok(1), see, see.ok((n + 1 + (n == wrong)) % size)]
    return History.of(ops)


def case_of(model: Model, history: History) -> generic.GenericCase:
    (case,) = generic.cases(history.calls(), model)
    return case


@pytest.mark.parametrize("count", [1, 40, 130])
def test_a_table_that_grows_keeps_what_is_known(count: int) -> None:
    model = dial()
    right = Tabled(model, case_of(model, turns(count)).calls)
    one = right.search(AMPLE, Plain())
    assert (one.validity, one.explained, one.completed, one.stuck) == (Validity.VALID, 2 * count, 2 * count, None)
    wrong = Tabled(model, case_of(model, turns(count, wrong=count - 1)).calls)
    other = wrong.search(AMPLE, Plain())
    assert (other.validity, other.explained, other.stuck) == (Validity.INVALID, 2 * count - 1, 2 * count - 1)


def test_asking_the_model_costs_steps_and_what_was_asked_is_known_at_the_next_attempt() -> None:
    model = dial()
    search = Tabled(model, case_of(model, turns(30)).calls)
    first = search.search(AMPLE, Plain())
    assert search.asked == 60  # each turn, and each look after it
    again = search.search(AMPLE, Plain())
    assert search.asked == 60
    assert (first.steps, again.steps) == (121 + 59 + 60 * ASK_COST, 121)  # and it looks again where it stopped to ask
    assert replace(first, steps=0) == replace(again, steps=0)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_budget_of_steps_counts_what_the_model_was_asked(missing: int) -> None:
    model = dial()
    calls = case_of(model, turns(30)).calls
    needed = Tabled(model, calls).search(AMPLE, Plain()).steps
    one = Tabled(model, calls).search(Limits(steps=needed - 20 * ASK_COST * missing, configs=1000), Plain())
    assert one.validity is (Validity.UNKNOWN if missing else Validity.VALID)
    assert (one.explained < one.completed) == bool(missing)


def test_states_that_take_too_many_bytes_are_unknown() -> None:
    model = dial()
    calls = case_of(model, turns(30)).calls
    one = Tabled(model, calls).search(Limits(steps=10**6, configs=10**4, bytes=5000), Plain())
    assert one.validity is Validity.UNKNOWN
    assert 0 < one.explained < 60


def test_large_states_count_by_their_size() -> None:
    def kept(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, Any]:
        return (True, (*state, argument)) if f == "turn" else (True, state)

    model = replace(dial(kept), init=())
    search = Tabled(model, case_of(model, turns(20)).calls)
    assert search.search(AMPLE, Plain()).validity is Validity.VALID
    wanted = sum(wgl.CONFIG_BYTES + wgl.ITEM_BYTES * size for size in range(21))
    exact = Tabled(model, search.calls)
    assert exact.search(Limits(steps=10**6, configs=10**4, bytes=wanted), Plain()).validity is Validity.VALID
    less = Tabled(model, search.calls)
    assert less.search(Limits(steps=10**6, configs=10**4, bytes=wanted // 2), Plain()).validity is Validity.UNKNOWN


@pytest.mark.parametrize("name", ["counter", "fetch-and-add", "reentrant-lock", "multi-register"])
def test_a_table_says_what_plain_search_says_of_longer_histories(name: str) -> None:
    """And of an object on integers, what its table of states says."""
    model, seen = model_of(name), set[Validity]()
    for seed in range(16):
        calls = case_of(model, run(name, 40, seed, lies=seed % 3 > 0, crashes=seed % 2 == 0)).calls
        wanted = wgl.search(model, calls, AMPLE)
        one = Tabled(model, calls).search(AMPLE, Plain())
        other = Tabled(replace(model, ints=None), calls).search(AMPLE, Plain())
        assert (one.validity, one.explained, one.stuck) == (wanted.validity, wanted.explained, wanted.stuck)
        assert (other.validity, other.explained, other.stuck) == (wanted.validity, wanted.explained, wanted.stuck)
        seen.add(one.validity)
    assert seen == {Validity.VALID, Validity.INVALID}


def test_kinds_of_calls_that_come_often_enough_are_looked_up() -> None:
    model = dial()
    turn = [wgl.Call(call=2 * n, ret=2 * n + 1, f="turn", argument=n % 5, result=1) for n in range(40)]
    assert is_worth_it(model, turn[:20])  # five kinds, four times each
    assert not is_worth_it(model, turn[:19])
    assert is_worth_it(model, [])
    for part in ({"f": "see"}, {"argument": 9}, {"result": 9}):  # six kinds
        assert not is_worth_it(model, [*turn[:20], replace(turn[20], **part)])
    assert not is_worth_it(replace(model, lost=lambda *_: ()), turn)


@pytest.mark.parametrize(("total", "form"), [((1 << 61) - 1, steps.COUNTER), (1 << 61, steps.TABLED)])
def test_from_where_numbers_might_overflow(total: int, form: int) -> None:
    """The sum of all that is added, or returned: whatever the sign."""
    for last in (total - 10, 10 - total):
        add, read = Op(process=0, f="add", value=last), Op(process=0, f="read")
        search = Tabled(
            model_of("counter"), case_of(model_of("counter"), History.of([add, add.ok(last), read, read.ok(-10)])).calls
        )
        assert search._facts()[0] == form


def test_what_has_no_integers_is_looked_up_by_its_model() -> None:
    """A float, say: it must be the model that says whether it is right."""
    add, read = Op(process=0, f="add", value=2), Op(process=0, f="read")
    for told, wanted in ((2, Validity.VALID), (2.5, Validity.INVALID)):
        case = case_of(model_of("counter"), History.of([add, add.ok(2), read, read.ok(told)]))
        assert Tabled(case.model, case.calls).search(AMPLE, Plain()).validity is wanted


def test_a_models_own_step_runs_in_the_search() -> None:
    def code(f: str, argument: Any, result: Any, _number: Any) -> tuple[int, int, int]:
        return int(f == "turn"), argument or 0, 0 if result is UNKNOWN else result

    def step(state: int, f: int, argument: int, result: int, known: int) -> int:
        if f == 1:
            return (state + argument) % 100
        return state if known == 0 or result == state else steps.ILLEGAL

    def never(*_: Any) -> tuple[bool, Any]:
        raise AssertionError("the model was asked")

    model = dial(never, IntForm(init=0, code=code, step=step))
    for wrong, wanted in ((None, Validity.VALID), (29, Validity.INVALID)):
        case = case_of(model, turns(30, wrong))
        assert Tabled(model, case.calls).search(AMPLE, Plain()).validity is wanted


# One key


def test_an_attempt_takes_the_table_where_kinds_repeat_and_goes_on_with_it() -> None:
    case = case_of(dial(size=5), turns(20, size=5))
    case.attempt(Limits(steps=40, configs=1000), Plain())
    assert case.found is not None
    assert (case.algorithm, case.found.validity) == (generic.TABLED, Validity.UNKNOWN)
    before = case.tabled
    case.attempt(AMPLE, Plain())
    assert case.tabled is before
    assert case.found.validity is Validity.VALID


def test_plain_steps_count_as_many_and_a_budget_means_as_much() -> None:
    history = timeline("p0 |- enqueue x 1 -| |- dequeue x 1 -|\np1  |- enqueue x 2 -| |- dequeue x 2 -|")
    case = case_of(FIFO_QUEUE, history)
    plain = wgl.search(FIFO_QUEUE, case.calls, AMPLE)
    case.attempt(AMPLE, Plain())
    assert case.found == replace(plain, steps=plain.steps * generic.STEP_COST)
    assert case.algorithm == generic.WGL
    for most, wanted in ((plain.steps, Validity.UNKNOWN), (plain.steps + 1, Validity.VALID)):
        for steps_max in ((most - 1) * generic.STEP_COST + 1, most * generic.STEP_COST):  # rounded up
            case.attempt(Limits(steps=steps_max, configs=1000), Plain())
            assert case.found.validity is wanted
    case.attempt(Limits(steps=10**6, configs=1), Plain())
    assert case.found.validity is Validity.UNKNOWN
    case.attempt(Limits(steps=10**6, configs=1000, bytes=100), Plain())
    assert case.found.validity is Validity.UNKNOWN


def test_only_a_plain_search_goes_apart() -> None:
    assert case_of(FIFO_QUEUE, timeline("p0 |- enqueue x 1 -| |- enqueue x 2 -|")).may_go_apart()
    table = case_of(dial(size=5), turns(20, size=5))
    assert not table.may_go_apart()
    table.attempt(Limits(steps=40, configs=1000), Plain())
    assert not table.may_go_apart()
    other = case_of(FIFO_QUEUE, timeline("p0 |- enqueue x 1 -|"))
    other.algorithm = "another"
    assert not other.may_go_apart()


def test_what_was_found_elsewhere_is_taken_up() -> None:
    case = case_of(FIFO_QUEUE, timeline("p0 |- enqueue x 1 -|"))
    assert case.progress() is None
    one = Found(validity=Validity.VALID, steps=1, explained=1, completed=1)
    case.resume(one)
    assert case.progress() is one


def test_a_model_that_raises_is_the_one_that_cannot_judge() -> None:
    def broken(state: Any, *_: Any) -> tuple[bool, Any]:
        raise KeyError("nothing")

    for history in (turns(20, size=5), turns(1)):
        with pytest.raises(Unjudgeable, match="the model dial cannot judge this history: KeyError: 'nothing'"):
            case_of(dial(broken), history).attempt(AMPLE, Plain())


def test_calls_are_those_that_happened_or_may_have() -> None:
    history = timeline("""
        p0 |- turn x 1 -| |- see x 1 -| |- turn x 2 -!
        p1   |- turn x [3] ->
        p2     |- see x 1 ->
    """)
    case = case_of(dial(), history)
    assert case.size == 5
    assert [(call.f, call.argument, call.result) for call in case.calls] == [
        ("turn", 1, 1),
        ("turn", (3,), UNKNOWN),
        ("see", 1, 1),
    ]
    assert [call.ret == FOREVER for call in case.calls] == [False, True, False]
    assert list(case.rows) == [0, 1, 3]


# Witnesses


READS = """
    p0 |- turn x 1 -| |- see x 1 -| |- see x 5 -|  |- turn x 2 -|
    p1   |- see x 0 -|   |- see x 1 -|    |- see x 1 ------|
    p2     |- turn x 7 ->
    p3               |- see x 8 -|
"""
OVERLAP = """
    p0 |- enqueue x 1 -| |- dequeue x 1 ---------|    |- enqueue x 4 -|
    p1   |- enqueue x 7 -|                      |- dequeue x 9 -|    |- enqueue x 5 -|
"""


def shown(model: Model, drawing: str) -> tuple[Anomaly, generic.GenericCase]:
    history = timeline(drawing)
    case = case_of(model, history)
    case.attempt(AMPLE, Plain())
    return case.anomaly(Narrator(history.calls())), case


def test_a_witness_is_what_had_begun_without_the_reads_that_do_not_matter() -> None:
    """Of a model that nobody knows all but reads can matter."""
    anomaly, case = shown(dial(), READS)
    assert (anomaly.ops, anomaly.witness) == ((11, 14), (0, 2, 3, 7, 11, 14))
    assert anomaly.reason == (
        "no order that respects real time explains process 0's see of 5 (0.032 s – 0.044 s) "
        "together with 2 earlier operations on key x"
    )
    assert case.found is not None
    assert case.found.stuck is not None
    for most in (0, 1):  # so much work may be done: then they stay
        with patch.object(generic, "WORK_STEPS_MAX", most):
            assert case.witness(case.found.stuck) == [0, 1, 2, 3, 4, 5, 6]
    anomaly, _ = shown(FIFO_QUEUE, OVERLAP)
    assert (anomaly.ops, anomaly.witness) == ((5, 8), (*range(9), 10))
    assert anomaly.reason.endswith(
        "explains process 1's dequeue of 9 (0.044 s – 0.060 s) together with 4 earlier operations on key x"
    )


# Strings


def test_strings_that_grow_are_searched_as_their_model_says() -> None:
    """Deep and layer by layer; a state that no read ever saw is dead, whatever is appended to it."""
    seen = Counter[Validity]()
    for seed in range(40):
        history = run("string-kv", 36, seed, processes=2 + seed % 3, crashes=seed % 2 == 0, lies=seed % 4 > 0)
        case = case_of(STRING_KV, history)
        wanted = wgl.search(STRING_KV, case.calls, AMPLE)
        for search in (register_search.search, layers.search):
            one = search(appends.prepared(case.calls, ""), AMPLE, Plain())
            assert (one.validity, one.explained) == (wanted.validity, wanted.explained), seed
        seen[wanted.validity] += 1
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 5
