"""Every model by the definition: what the checker says of a run of the object itself, with lies and crashes.

The object that runs is the model's own step, so a model is right by reading it; what is tested is that the portfolio
that decides (near-linear, compiled search, plain search) says what the definition says.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from checkers import MODELS
from checkers.linearizable import appends, generic, register_search, wgl
from checkers.linearizable.check import make
from checkers.linearizable.limits import Limits
from checkers.linearizable.models import Model, frozen
from harness.formats.edn import Keyword
from harness.history import History
from harness.op import Op
from harness.registry import Registry
from harness.verdict import Budget, Validity
from tests.checkers.brute import defined
from tests.checkers.engines import compiled
from tests.checkers.test_models import Steps, last_is_legal

AMPLE = Limits(steps=10**7, configs=10**5)


def string_op(dice: random.Random, _process: int) -> tuple[str, Any]:
    f = dice.choice(["get", "get", "get", "put", "append", "append", "append", "delete"])
    return f, dice.choice(["a", "b", "ab", ""]) if f in ("put", "append") else None


def add_op(dice: random.Random, _process: int) -> tuple[str, Any]:
    f = dice.choice(["add", "add", "read"])
    return f, dice.choice([1, 2, -1]) if f == "add" else None


def counter_op(dice: random.Random, _process: int) -> tuple[str, Any]:
    f = dice.choice(["add", "read", "read", "read"])  # an add alone tells nothing that could be a lie
    return f, dice.choice([1, 2, -1]) if f == "add" else None


def lock_op(dice: random.Random, process: int) -> tuple[str, Any]:
    return dice.choice(["acquire", "release"]), f"c{process % 3}"


def txn_op(dice: random.Random, _process: int) -> tuple[str, Any]:
    steps = [[dice.choice("rw"), dice.choice("xy"), None] for _ in range(dice.randrange(1, 3))]
    return "txn", [[f, k, dice.randrange(3) if f == "w" else None] for f, k, _ in steps]


def answers(name: str, model: Model, state: Any, f: str, argument: Any) -> Any:
    """What the object returns; the argument where that is nothing; ... where it refuses."""
    if name == "multi-register":
        now, told = dict(state), []
        for step, key, value in argument:
            if step == "w":
                now[key] = value
            told.append([step, key, now.get(key)])
        return told
    if name == "string-kv":
        return state if f == "get" else argument
    if name in ("fetch-and-add", "counter"):
        return state if f == "read" or name == "fetch-and-add" else argument
    return argument if model.step(state, f, frozen(argument), argument)[0] else ...


OBJECTS = {
    "string-kv": string_op,
    "fetch-and-add": add_op,
    "counter": counter_op,
    "reentrant-lock": lock_op,
    "multi-register": txn_op,
}


def run(name: str, steps: int, seed: int, *, processes: int = 3, lies: bool = True, crashes: bool = True) -> History:
    """The object itself, used by a few processes."""
    model: Model = Registry("model", MODELS).get(name)
    dice, state = random.Random(f"{name} {seed}"), model.init
    names, open_ops = list(range(processes)), dict[int, list[Any]]()
    ops: list[Op] = []
    told: list[Any] = []
    for _ in range(steps):
        thread = dice.randrange(processes)
        if thread not in open_ops:
            f, argument = OBJECTS[name](dice, names[thread])
            open_ops[thread] = [Op(process=names[thread], f=f, value=argument), None, False]
            ops.append(open_ops[thread][0])
            continue
        op, result, done = open_ops[thread]
        if crashes and dice.random() < 0.06:
            ops.append(op.info("timeout"))
            names[thread] += processes
            del open_ops[thread]
        elif not done:
            result = answers(name, model, state, op.f, op.value)
            if result is not ...:
                state = model.step(state, op.f, frozen(op.value), frozen(result))[1]
                if op.f in ("get", "read") or name not in ("string-kv", "counter"):
                    told.append(result)
            open_ops[thread][1:] = [result, True]
        else:
            del open_ops[thread]
            if lies and dice.random() < 0.35 and told:
                others = {"string-kv": ["a", "ab"], "counter": [1, 3, 5]}.get(name, [])
                result = dice.choice([*told, *others])
            ops.append(op.fail("refused") if result is ... else op.ok(result))
    return History.of(ops)


def wanted(name: str, history: History) -> Validity:
    model: Model = Registry("model", MODELS).get(name)
    return defined(model, history)


@pytest.mark.parametrize("name", OBJECTS)
def test_the_portfolio_is_the_definition(name: str) -> None:
    checker, seen = make(model=name), Counter[Validity]()
    for seed in range(100):
        # An operation on a counter tells little: only in longer histories a lie is often one that cannot be true.
        steps = 10 + seed % 14 + (20 if name == "counter" else 0)
        history = run(name, steps, seed, crashes=seed % 3 == 0)
        verdict, right = checker.check(history, Budget()), wanted(name, history)
        assert verdict.validity is right, seed
        seen[right] += 1
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 8


@pytest.mark.parametrize("name", OBJECTS)
def test_what_really_ran_is_valid(name: str) -> None:
    checker = make(model=name)
    for seed in range(4):
        assert (
            checker.check(run(name, 120, seed, lies=False, crashes=seed % 3 == 0), Budget()).validity is Validity.VALID
        )


def test_the_compiled_search_for_strings_is_the_plain_one_on_longer_histories() -> None:
    model: Model = Registry("model", MODELS).get("string-kv")
    seen = Counter[Validity]()
    with compiled():
        for seed in range(30):
            history = run(
                "string-kv", 40 + seed, seed, processes=2 + seed % 5, crashes=seed % 3 == 0, lies=seed % 4 > 0
            )
            (case,) = generic.cases(history.calls(), model)
            found = register_search.search(appends.prepared(case.calls, ""), AMPLE).validity
            plain = wgl.search(model, case.calls, AMPLE).validity
            if plain is not Validity.UNKNOWN:
                assert found == plain, seed
                seen[found] += 1
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 4


def test_values_that_are_no_strings_are_unknown() -> None:
    history = History.of([Op(process=0, f="append", value=3), Op(process=0, f="append", value=3).ok(3)])
    verdict = make(model="string-kv").check(history, Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert "no string" in verdict.reason


@pytest.mark.parametrize(("read", "wanted"), [(1, Validity.VALID), (2, Validity.INVALID)])
@pytest.mark.parametrize("names", ["w r", "write read"])
def test_steps_that_edn_names_by_keywords_are_what_they_are_called(names: str, read: int, wanted: Validity) -> None:
    write, told = map(Keyword, names.split())
    op = Op(process=0, f="txn", value=[[write, Keyword("x"), 1], [told, Keyword("x"), None]])
    history = History.of([op, op.ok([[write, Keyword("x"), 1], [told, Keyword("x"), read]])])
    assert make(model="multi-register").check(history, Budget()).validity is wanted


@pytest.mark.parametrize(
    ("model", "steps", "wrong"),
    [
        ("priority-queue", [("insert", 2, 2), ("insert", 1, 1), ("delete-min", None, 1)], 2),
        (
            "priority-queue",
            [*(("insert", n, n) for n in (3, 2, 1)), ("delete-min", None, 1), ("delete-min", None, 2)],
            3,
        ),
        ("priority-queue", [("insert", 2, 2), ("insert", 1.5, 1.5), ("delete-min", None, 1.5)], None),
        ("priority-queue", [("insert", 1, 1), ("delete-min", None, 1), ("delete-min", None, None)], 1),
        ("unordered-queue", [("enqueue", 2, 2), ("enqueue", 1, 1), ("dequeue", None, 1)], None),
        ("unordered-queue", [("enqueue", 1, 1), ("dequeue", None, 1), ("dequeue", None, None)], 1),
    ],
)
def test_a_container_gives_what_it_holds(model: str, steps: Steps, wrong: Any) -> None:
    assert last_is_legal(model, steps)
    assert not last_is_legal(model, [*steps[:-1], (*steps[-1][:2], wrong)])
