"""Every algorithm for linearizability against the definition, and against every other: the test on which all verdicts rest.

Goal: no algorithm may ever differ from the definition on any history. Method: histories of a real register whose answers were tampered with
now and then; small ones against ``brute`` (all orders), longer ones kernel against kernel, since a wrong rule can need length to show.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given

from checkers.kernels.engine import Plain
from checkers.linearizable import generic, layers, register_search, registers, unique, wgl
from checkers.linearizable.encode import READ, RegisterOps, encode
from checkers.linearizable.layout import prepare
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import CAS_REGISTER
from checkers.linearizable.sources import Sources
from harness.history import FOREVER, INVOKE, History
from harness.verdict import Validity
from tests.builders import timeline
from tests.checkers.brute import linearizable
from tests.checkers.engines import compiled, plain
from tests.checkers.runs import STEPS, Step, register_run, rolls, without
from tests.examples import examples, seeds

AMPLE = Limits(steps=10**9, configs=20_000)
SMALL = examples(30)
FORM = CAS_REGISTER.register
assert FORM is not None


def by_definition(history: History) -> list[bool]:
    return [linearizable(CAS_REGISTER, case.calls) for case in generic.cases(history.calls(), CAS_REGISTER)]


def keys_of(history: History) -> list[RegisterOps]:
    assert FORM is not None
    return [case.ops() for case in registers.cases(history.calls(), FORM)]


def by_unique(history: History) -> list[bool | None]:
    """Per key; None where a value is written twice."""
    assert FORM is not None
    ops = encode(history.calls(), FORM)
    status = unique.examine(ops).registers.status
    numbers = [case.key + 1 for case in registers.cases(history.calls(), FORM)]
    return [None if status[k] == unique.NOT_UNIQUE else status[k] == unique.OPEN for k in numbers]


def by_search(history: History) -> list[Found]:
    return [register_search.search(prepare(ops), AMPLE) for ops in keys_of(history)]


def by_layers(history: History) -> list[Found]:
    return [layers.search(prepare(ops), AMPLE) for ops in keys_of(history)]


def by_wgl(history: History) -> list[Found]:
    return [wgl.search(CAS_REGISTER, case.calls, AMPLE) for case in generic.cases(history.calls(), CAS_REGISTER)]


def verdicts(found: list[Found]) -> list[bool]:
    assert all(one.validity is not Validity.UNKNOWN for one in found)
    return [one.validity is Validity.VALID for one in found]


@SMALL
@given(STEPS)
def test_unique_is_the_definition_where_values_are_written_once(steps: list[Step]) -> None:
    for keys in (1, 3):
        history = register_run(steps, keys=keys)
        assert by_unique(history) == by_definition(history)


@SMALL
@given(STEPS)
def test_the_searches_are_the_definition(steps: list[Step]) -> None:
    for domain in (2, 3):
        history = register_run(steps, domain=domain)
        wanted = by_definition(history)
        assert verdicts(by_wgl(history)) == wanted
        assert verdicts(by_search(history)) == wanted
        assert verdicts(by_layers(history)) == wanted


def agree(seed: int) -> list[bool]:
    """Every algorithm on one small history; what the definition says of its keys."""
    domain = (0, 0, 2, 3)[seed % 4]
    history = register_run(
        rolls(8 + seed % 22, seed), domain=domain, keys=1 + seed % 5 // 4, crashes=seed % 3 > 0, nulls=seed % 8 == 1
    )
    wanted = by_definition(history)
    assert verdicts(by_wgl(history)) == wanted, seed
    assert verdicts(by_search(history)) == wanted, seed
    assert verdicts(by_layers(history)) == wanted, seed
    assert all(one in (None, want) for one, want in zip(by_unique(history), wanted, strict=True)), seed
    return wanted


def test_every_algorithm_is_the_definition() -> None:
    seen = Counter(good for seed in range(600) for good in agree(seed))
    assert min(seen[True], seen[False]) >= 60


@pytest.mark.sweep
def test_every_algorithm_is_the_definition_on_many_histories() -> None:
    last = seeds(6_000, 20_000)
    seen = Counter(good for seed in range(600, last) for good in agree(seed))
    assert min(seen[True], seen[False]) >= last // 10


@examples(15)
@given(STEPS)
def test_compiled_kernels_are_the_definition(steps: list[Step]) -> None:
    with compiled():
        for domain in (0, 3):
            history = register_run(steps, domain=domain, keys=2)
            wanted = by_definition(history)
            assert verdicts(by_search(history)) == wanted
            assert verdicts(by_layers(history)) == wanted
            if not domain:
                assert by_unique(history) == wanted


@pytest.mark.parametrize("domain", [0, 3, 5])
def test_kernels_agree_on_longer_histories(domain: int) -> None:
    seen: Counter[bool] = Counter()
    for seed in range(40):
        history = register_run(rolls(80 + 12 * seed, seed), domain=domain, lies=seed % 2 == 0, crashes=seed % 3 > 0)
        with plain():
            searched, layered, once = by_search(history), by_layers(history), by_unique(history)
        with compiled():
            # The same answer, and the same way to it: a budget means the same on every machine.
            assert by_search(history) == searched
            assert by_layers(history) == layered
            assert by_unique(history) == once
        wanted = verdicts(searched)
        if seed % 2:
            assert all(wanted)
        assert verdicts(by_wgl(history)) == wanted
        assert [(one.validity, one.stuck) for one in layered] == [(one.validity, one.stuck) for one in searched]
        assert all(one in (None, want) for one, want in zip(once, wanted, strict=True))
        seen.update(wanted)
    assert seen[True] >= 20
    assert seen[False] >= 10


@SMALL
@given(STEPS)
@example([(0, 50), (0, 1), (0, 1), (1, 50), (1, 1), (1, 1), (2, 3), (2, 1), (2, 21)])
def test_a_read_without_a_source_is_a_proof(steps: list[Step]) -> None:
    for domain in (0, 3):
        history = register_run(steps, domain=domain)
        for ops, good in zip(keys_of(history), by_definition(history), strict=True):
            assert not (good and len(Sources(ops).orphans()))


@SMALL
@given(STEPS)
def test_orphans_are_the_operations_with_no_source_each(steps: list[Step]) -> None:
    for ops in keys_of(register_run(steps, domain=3)):
        sources = Sources(ops)
        wanted = [
            i
            for i in range(len(ops))
            if ops.seen[i] >= 0 and ops.certain[i] and not sources.of(i) and not sources.may_be_initial(i)
        ]
        assert sources.orphans().tolist() == wanted


@SMALL
@given(STEPS)
def test_a_source_is_a_write_with_no_write_certainly_between(steps: list[Step]) -> None:
    for ops in keys_of(register_run(steps, domain=2)):
        sources = Sources(ops)
        for read in range(len(ops)):
            if ops.seen[read] < 0:
                continue
            wanted = [
                write
                for write in range(len(ops))
                if ops.made[write] == ops.seen[read]
                and ops.call[write] < ops.ret[read]
                and not any(
                    ops.made[other] >= 0 and ops.ret[write] < ops.call[other] and ops.ret[other] < ops.call[read]
                    for other in range(len(ops))
                )
            ]
            assert sources.of(read) == wanted


@SMALL
@given(STEPS)
def test_a_legal_history_without_a_read_or_an_unseen_write_stays_legal(steps: list[Step]) -> None:
    """Metamorphic: taking away what nobody depends on cannot break anything."""
    history = register_run(steps, lies=False)
    calls = history.calls()
    seen = set(calls.result.tolist())
    for row in range(len(calls)):
        f = history.fs[calls.f[row]]
        if f == "read" or (f == "write" and int(calls.argument[row]) not in seen and "cas" not in history.fs):
            assert by_unique(without(history, [int(calls.call[row])])) in ([True], [])


@pytest.mark.parametrize(("domain", "seed"), [(3, 37), (4, 14), (5, 17)])
def test_layers_refute_what_depth_cannot(domain: int, seed: int) -> None:
    """Few values, many crashed operations, and a lie that no single read shows."""
    (ops,) = keys_of(register_run(rolls(1500, seed, processes=6), domain=domain))
    prepared, limits = prepare(ops), Limits(steps=300_000, configs=100_000)
    assert register_search.search(prepared, limits).validity is Validity.UNKNOWN
    found = layers.search(prepared, limits)
    assert found.validity is Validity.INVALID
    end = int(ops.ret[found.stuck])
    assert register_search.search(prepare(begun(ops, end - 1)), limits).validity is Validity.VALID


def test_only_where_operations_crashed_the_search_goes_layer_by_layer() -> None:
    """Of valid histories with many at once layers are far too many; depth needs all of the budget."""
    for crashes in (False, True):
        history = register_run(rolls(900, 6, processes=8), domain=4, lies=False, crashes=crashes)
        if not crashes:  # nor open at the end
            history = without(history, np.flatnonzero((history.pair == -1) & (history.type == INVOKE)).tolist())
        (case,) = registers.cases(history.calls(), FORM)
        for _ in range(registers.DEEP_ATTEMPTS):
            case.attempt(Limits(steps=10, configs=10), Plain())
        with patch.object(layers, "search", wraps=layers.search) as wide:
            case.attempt(Limits(steps=10**7, configs=10**6), Plain())
        assert case.found is not None
        assert case.found.validity is not Validity.UNKNOWN
        assert wide.called == crashes


def test_layers_that_find_no_place_are_unknown() -> None:
    (ops,) = keys_of(register_run(rolls(600, 1, processes=12), domain=4, lies=False))
    found = layers.search(prepare(ops), Limits(steps=10**7, configs=10**5, bytes=4096))
    assert found.validity is Validity.UNKNOWN
    assert 0 < found.explained < found.completed


def test_configurations_that_share_a_place_in_the_table_are_told_apart() -> None:
    """A hash spreads them so well that no small history would show a careless comparison: so all go to one place."""
    with plain(), patch.object(register_search, "mix", lambda _hash, _x: 1):
        for seed in range(300):
            history = register_run(rolls(40, seed), domain=2 + seed % 2, crashes=seed % 2 == 0)
            assert verdicts(by_search(history)) == verdicts(by_wgl(history)), seed
        # Here two ways to one state differ only in what a later write can hide; the first way leads nowhere.
        assert verdicts(
            by_search(
                timeline("""
                    p0   |- write x 5 -|
                    p1                   |- write x 5 -----------------------------------------------------------------------|
                    p2                    |- cas x [5,8] ---------------------------------------------------------------------|
                    p3                      |- cas x [5,6] -|  |- cas x [6,5] -|  |- write x 7 ----------|
                    p4                                                                |- read x 8 -|           |- read x 8 -|
                """)
            )
        ) == [True]


def test_the_rules_cut_the_search() -> None:
    """Twelve at once, few values: without the rules about twins, absorption and seen writes these take a hundred times as long."""
    taken = []
    for seed in range(10):
        history = register_run(rolls(1500, seed, processes=12), domain=4, lies=False, crashes=False)
        (ops,), (found,) = keys_of(history), by_search(history)
        assert found.validity is Validity.VALID
        taken.append(found.steps / len(ops))
    assert max(taken) < 100


def test_explained_is_the_longest_legal_beginning_that_was_found() -> None:
    invalid = 0
    for seed in range(20):
        history = register_run(rolls(200, seed), domain=3)
        (ops,), (found,) = keys_of(history), by_search(history)
        if found.validity is Validity.VALID:
            continue
        invalid += 1
        assert found.stuck is not None
        assert found.explained < found.completed
        order = sorted((i for i in range(len(ops)) if ops.certain[i]), key=lambda i: int(ops.ret[i]))
        assert order[found.explained] == found.stuck
        # The beginning before it is legal by itself, and with its completion it is not.
        ends = [int(ops.ret[order[found.explained - 1]]) if found.explained else 0, int(ops.ret[found.stuck])]
        answers = [register_search.search(prepare(begun(ops, end)), AMPLE).validity for end in ends]
        assert answers == [Validity.VALID, Validity.INVALID]
    assert invalid >= 5


def begun(ops: RegisterOps, end: int) -> RegisterOps:
    """The operations as they were known at position ``end``: what had not ended by then is of unknown outcome."""
    part = ops.take(ops.call < end)
    part = replace(part, ret=np.where(part.ret <= end, part.ret, FOREVER))
    return part.take(part.certain | (part.kind != READ))


def test_out_of_budget_is_unknown_and_says_how_far() -> None:
    history = register_run(rolls(600, 1), domain=5, lies=False)
    (ops,) = keys_of(history)
    for limits in (Limits(steps=200, configs=10_000), Limits(steps=10**6, configs=30)):
        found = register_search.search(prepare(ops), limits)
        assert found.validity is Validity.UNKNOWN
        assert 0 < found.explained < found.completed
        calls = generic.cases(history.calls(), CAS_REGISTER)[0].calls
        found = wgl.search(CAS_REGISTER, calls, limits)
        assert found.validity is Validity.UNKNOWN
        assert 0 < found.explained < found.completed
