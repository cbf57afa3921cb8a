"""Litmus tests: what models allow against the literature and against other definitions, histograms, and what is no litmus test."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.memory.litmus import make
from checkers.memory.models import MODELS
from harness.errors import PlanError
from harness.history import History
from harness.litmus import FENCE, LITMUS, LOCK, READ, UNLOCK, WRITE, Litmus
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict

# The outcome by which each test is known, and the models that allow it. Sewell et al., "x86-TSO" (CACM 2010); Alglave et al. (2014).
KNOWN: dict[str, tuple[tuple[int, ...], set[str]]] = {
    "SB": ((0, 0), {"tso", "rc"}),
    "SB+fences": ((0, 0), set()),
    "MP": ((1, 0), {"rc"}),
    "MP+sync": ((1, 0), set()),
    "LB": ((1, 1), {"rc"}),
    "IRIW": ((1, 0, 1, 0), {"rc"}),
    "CoRR": ((1, 0), set()),
    "2+2W": ((1, 1), {"rc"}),
    "SB+locks": ((0, 0), set()),
    "MP+locks": ((0, 1), set()),
    "MP+barrier": ((0,), set()),
}


@pytest.mark.parametrize("name", LITMUS)
def test_each_model_allows_what_the_literature_says(name: str) -> None:
    outcome, allowing = KNOWN[name]
    assert {model for model, allowed in MODELS.items() if outcome in allowed(LITMUS[name])} == allowing
    assert len(outcome) == len(LITMUS[name].registers)
    assert len(LITMUS[name].locations) <= 2


def interleaved(test: Litmus) -> set[tuple[int, ...]]:
    """Sequential consistency by its definition: every order of all steps that keeps those of each thread."""
    steps = [(thread, place) for thread, program in enumerate(test.threads) for place in range(len(program))]
    found = set()
    for order in permutations(steps):
        if any(
            sorted(mine) != mine
            for t in range(len(test.threads))
            for mine in [[p for thread, p in order if thread == t]]
        ):
            continue
        memory: dict[str, int] = {}
        registers: dict[str, int] = {}
        held: set[str] = set()
        waits = False
        for thread, place in order:
            step = test.threads[thread][place]
            if step[0] == WRITE:
                memory[step[1]] = step[2]
            elif step[0] == READ:
                registers[step[2]] = memory.get(step[1], 0)
            elif step[0] == LOCK:
                waits |= step[1] in held
                held.add(step[1])
            elif step[0] == UNLOCK:
                held.discard(step[1])
        if waits:
            continue
        for step in test.end:
            registers[step[2]] = memory.get(step[1], 0)
        found.add(tuple(registers[register] for register in test.registers))
    return found


STEP = st.tuples(st.sampled_from(["w", "r", "r", "fence"]), st.sampled_from("xy"))
PROGRAMS = st.lists(st.lists(STEP, min_size=1, max_size=3), min_size=1, max_size=3)


def program(drawn: list[list[tuple[str, str]]], *, fenced: bool = False) -> Litmus:
    threads: list[tuple[Any, ...]] = []
    count = 0
    for thread in drawn:
        steps: list[Any] = []
        for kind, location in thread:
            count += 1
            steps.append({"w": (WRITE, location, count), "r": (READ, location, f"r{count}"), "fence": (FENCE,)}[kind])
            if fenced:
                steps.append((FENCE,))
        threads.append(tuple(steps))
    return Litmus(name="any", threads=tuple(threads), end=((READ, "x", "x"), (READ, "y", "y")))


@given(PROGRAMS)
def test_models_are_what_they_are_by_definition(drawn: list[list[tuple[str, str]]]) -> None:
    if sum(map(len, drawn)) > 6:
        return
    test = program(drawn)
    sc, tso, rc = (MODELS[model](test) for model in ("sc", "tso", "rc"))
    assert sc == interleaved(test)
    assert sc <= tso
    assert sc <= rc
    fenced = program(drawn, fenced=True)  # with a fence everywhere all models are one
    assert MODELS["tso"](fenced) == MODELS["rc"](fenced) == sc


@pytest.mark.parametrize(
    "name", [name for name in LITMUS if "barrier" not in name and sum(map(len, LITMUS[name].threads)) < 9]
)
def test_each_test_has_the_outcomes_that_its_interleavings_give(name: str) -> None:
    assert MODELS["sc"](LITMUS[name]) == interleaved(LITMUS[name])


def test_behind_a_barrier_all_that_was_before_it_is_seen() -> None:
    both = (
        ((WRITE, "x", 1), ("barrier", "b", 2), (READ, "y", "a")),
        ((WRITE, "y", 1), ("barrier", "b", 2), (READ, "x", "b")),
    )
    assert {model: set(allowed(Litmus(name="SB+barrier", threads=both))) for model, allowed in MODELS.items()} == {
        model: {(1, 1)} for model in MODELS
    }


def run(outcomes: list[tuple[str, tuple[int, ...]]], missing: set[tuple[int, Any]] = frozenset()) -> History:  # type: ignore[assignment]
    """Instances with these outcomes; of those in ``missing`` (instance, thread) nothing is known."""
    ops: list[Op] = []
    process = 0
    for number, (name, outcome) in enumerate(outcomes):
        test, values = LITMUS[name], dict(zip(LITMUS[name].registers, outcome, strict=True))
        for thread, steps in [*enumerate(test.threads), *([("end", test.end)] if test.end else [])]:
            asked = [[*step[:2], None] if step[0] == READ else list(step) for step in steps]
            read = [[*step[:2], values[step[2]]] if step[0] == READ else list(step) for step in steps]
            process += 1
            call = Op(process=process, f="program", key=number, value={"test": name, "thread": thread, "steps": asked})
            done = call.ok({"test": name, "thread": thread, "steps": read})
            ops += [call, call.info("?") if (number, thread) in missing else done]
    return History.of(ops)


def judged(history: History, model: str = "sc") -> Verdict:
    return make(model=model).check(history, Budget())


@pytest.mark.parametrize("name", LITMUS)
@pytest.mark.parametrize("model", MODELS)
def test_the_outcome_that_tells_models_apart_is_judged_by_them(name: str, model: str) -> None:
    outcome, allowing = KNOWN[name]
    legal = next(iter(MODELS["sc"](LITMUS[name])))
    assert judged(run([(name, legal)]), model).validity is Validity.VALID
    verdict = judged(run([(name, legal), (name, outcome)]), model)
    assert (verdict.validity is Validity.INVALID) == (model not in allowing)


def test_the_histogram_and_the_words() -> None:
    verdict = judged(run([("SB", (0, 0)), ("SB", (0, 1)), ("SB", (0, 0)), ("MP", (1, 1))]))
    (anomaly,) = verdict.anomalies
    assert anomaly.reason == "SB ended with a=0 b=0 in 2 of 3 runs, which no execution under sc does"
    assert anomaly.ops == (0, 1, 2, 3)
    assert verdict.stats["anomalies"] == {"forbidden-outcome": 2}
    assert verdict.stats["outcomes"] == {
        "MP": {"a=1 b=1": {"times": 1, "allowed_by": ["sc", "tso", "rc"]}},
        "SB": {
            "a=0 b=0": {"times": 2, "allowed_by": ["tso", "rc"]},
            "a=0 b=1": {"times": 1, "allowed_by": ["sc", "tso", "rc"]},
        },
    }


def test_other_operations_are_passed_over() -> None:
    write = Op(process=99, f="write", key=0, value=1)
    ops = [write, write.ok(1), *run([("SB", (0, 1))])]
    verdict = judged(History.of(op.stamped(index, index, None) for index, op in enumerate(ops)))
    assert (verdict.validity, verdict.stats["outcomes"]["SB"]["a=0 b=1"]["times"]) == (Validity.VALID, 1)


def test_an_instance_of_which_a_thread_is_unknown_has_no_outcome() -> None:
    history = run([("SB", (0, 0)), ("2+2W", (1, 1))], missing={(0, 1), (1, "end")})
    verdict = judged(history)
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason == "of 2 instances of litmus tests none was completed"


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"test": "XY", "thread": 0, "steps": []},
        {"test": "SB", "thread": 2, "steps": []},
        {"test": "SB", "thread": 0, "steps": [["w", "x", 1]]},
        {"test": "SB", "thread": 0, "steps": [["w", "x", 1], ["r", "y", "1"]]},
    ],
)
def test_what_is_no_litmus_test_is_unknown(value: Any) -> None:
    call = Op(process=0, f="program", key=0, value=value)
    verdict = judged(History.of([call, call.ok(value)]))
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason.startswith("not a history of litmus tests: ")


def test_a_thread_that_ran_twice_is_unknown() -> None:
    call = Op(process=0, f="program", key=0, value={"test": "SB", "thread": 0, "steps": [["w", "x", 1], ["r", "y", 0]]})
    assert judged(History.of([call, call.ok(call.value), call, call.ok(call.value)])).validity is Validity.UNKNOWN


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(PlanError, match="unknown memory model 'pso'"):
        make(model="pso")
