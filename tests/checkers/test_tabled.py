"""Any model on the compiled search: against the definition, on either engine; models of one's own, compiled or not."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from types import FunctionType
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers import MODELS
from checkers.kernels import variants
from checkers.kernels.engine import Compiled, Plain
from checkers.kernels.variants import substituted, variant
from checkers.linearizable import generic, register_search, steps
from checkers.linearizable.check import make
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import Model
from checkers.linearizable.tabled import Tabled, is_worth_it
from harness.history import History
from harness.op import Op
from harness.registry import Registry
from harness.verdict import Budget, Validity
from tests.checkers.brute import linearizable
from tests.checkers.engines import NEVER, compiled_image, from_steps
from tests.checkers.test_objects import run
from tests.examples import examples

ROOT = Path(__file__).parents[2]
AMPLE = Limits(steps=10**7, configs=10**5)
NAMES = ["counter", "fetch-and-add", "reentrant-lock", "multi-register"]


def found(model: Model, history: History, engine: Plain | Compiled) -> Found:
    (case,) = generic.cases(history.calls(), model)
    return Tabled(model, case.calls).search(AMPLE, engine)


@pytest.mark.parametrize("name", NAMES)
@examples(25)
@given(seed=st.integers(0, 10**9), length=st.integers(1, 18), crashes=st.booleans())
def test_a_tabled_search_is_the_definition(name: str, seed: int, length: int, crashes: bool) -> None:
    model: Model = Registry("model", MODELS).get(name)
    history = run(name, length, seed, crashes=crashes)
    for case in generic.cases(history.calls(), model):
        right = linearizable(model, case.calls)
        answers = {Tabled(model, case.calls).search(AMPLE, engine) for engine in (Plain(), Compiled(compiled_image()))}
        assert [answer.validity is Validity.VALID for answer in answers] == [right]


@pytest.mark.parametrize("name", NAMES)
def test_engines_take_the_same_way_through_longer_histories(name: str) -> None:
    model: Model = Registry("model", MODELS).get(name)
    seen = Counter[Validity]()
    for seed in range(12):
        history = run(name, 60 + 10 * seed, seed, processes=4, lies=seed % 3 > 0, crashes=seed % 2 > 0)
        answer = found(model, history, Plain())
        assert found(model, history, Compiled(compiled_image())) == answer
        seen[answer.validity] += 1
    assert seen[Validity.VALID] >= 3
    assert seen[Validity.INVALID] >= 3


def test_the_model_is_asked_once_for_each_state_and_kind_of_call() -> None:
    asked = Counter[Any]()

    def step(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, Any]:
        asked[state, f, argument, result] += 1
        return (True, argument) if f == "turn" else (result == state, state)

    model = Model(name="dial", summary="", init=0, step=step, fs=frozenset({"turn", "see"}), reads=frozenset({"see"}))
    ops: list[Op] = []
    for n in range(400):
        turn, see = Op(process=0, f="turn", value=n % 5), Op(process=1, f="see")
        ops += [turn, see, turn.ok(n % 5), see.ok(n % 5)]
    verdict = make(model=model).check(History.of(ops), Budget())
    assert verdict.validity is Validity.VALID
    assert verdict.stats["algorithms"] == {"tabled": 1}
    assert max(asked.values()) == 1


def test_which_search_decides_depends_on_the_calls_alone() -> None:
    counter: Model = Registry("model", MODELS).get("counter")
    bag: Model = Registry("model", MODELS).get("unordered-queue")
    registers: Model = Registry("model", MODELS).get("multi-register")
    ops = [Op(process=0, f="txn", value=[["w", "x", n]]) for n in range(8)]
    history = History.of([op for one in ops for op in (one, one.ok(one.value))])
    (case,) = generic.cases(history.calls(), registers)
    assert not is_worth_it(registers, case.calls)  # nothing comes twice
    assert is_worth_it(registers, case.calls[:1] * 8)
    assert is_worth_it(counter, [])
    assert not is_worth_it(bag, [])


def test_numbers_that_might_overflow_are_looked_up_instead() -> None:
    counter: Model = Registry("model", MODELS).get("counter")
    adds = [Op(process=n, f="add", value=1 << 60) for n in range(4)]
    read = Op(process=9, f="read")
    for right, total in ((True, 4 << 60), (False, 0)):
        history = History.of([*adds, *(op.ok(op.value) for op in adds), read, read.ok(total)])
        assert (found(counter, history, Compiled(compiled_image())).validity is Validity.VALID) == right


def readme_model() -> dict[str, Any]:
    """The example of README.md, as a reader would paste it."""
    (text,) = re.findall(r"```python\n(# turnstile\.py\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "turnstile"}
    exec(compile(text, "turnstile.py", "exec"), names)
    return names


def turnstile_history(entered: list[int]) -> History:
    ops: list[Op] = []
    for n, people in enumerate(entered):
        come, look = Op(process=0, f="enter", value=n % 3), Op(process=1, f="count")
        ops += [come, come.ok(n % 3), look, look.ok(people)]
    return History.of(ops)


def test_the_example_of_the_readme_judges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model: Model = readme_model()["TURNSTILE"]
    assert model.ints is not None
    right = [sum(k % 3 for k in range(n + 1)) % 100 for n in range(300)]
    wrong = [*right[:250], right[250] + 1, *right[251:]]
    checker = make(model=model)
    with from_steps(NEVER):
        assert checker.check(turnstile_history(right), Budget()).validity is Validity.VALID
        plain = checker.check(turnstile_history(wrong), Budget())
    assert plain.validity is Validity.INVALID
    with patch.object(variants, "LOADED_FROM_STEPS", 0), patch.object(variants, "COMPILE_FROM_STEPS", 0):
        assert checker.check(turnstile_history(right), Budget()).validity is Validity.VALID
        assert checker.check(turnstile_history(wrong), Budget()) == plain
    assert [path.suffix for path in (tmp_path / "splitbrain").glob("variant-*")] == [".bin"]
    # A function that says the same in integers and by itself is what makes it exact.
    for state in (0, 5, 99):
        for f, argument, result in (("enter", 2, None), ("count", None, 5)):
            legal, after = model.step(state, f, argument, result)
            coded = model.ints.code(f, argument, result, hash)
            assert coded is not None
            assert model.ints.step(state, *coded, 1) == (after if legal else steps.ILLEGAL)


def test_a_step_that_cannot_be_compiled_runs_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def step(state: int, f: int, argument: int, result: int, known: int) -> int:
        return int(str(state)) + argument

    with patch.object(variants, "LOADED_FROM_STEPS", 0), patch.object(variants, "COMPILE_FROM_STEPS", 0):
        engine, explore = variant(register_search.explore, steps.custom, step, 1)
    assert isinstance(engine, Plain)
    assert isinstance(explore, FunctionType)
    assert "cannot be compiled and runs as it is" in caplog.text


def test_a_function_stands_in_for_the_one_that_it_replaces_alone() -> None:
    twin = substituted(register_search.explore, steps.custom, len)
    assert twin is not register_search.explore
    assert substituted(register_search.look_up, steps.custom, len) is register_search.look_up
