"""The checkers of transactions: what they refuse to judge, their words, and small random histories against all orders."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.transactions import list_append, rw_register
from checkers.transactions.graph import Level, Time
from checkers.transactions.models import ALIASES, ANOMALIES, CYCLES, MODELS, forbids, implied, refuted, weakest
from harness.errors import PlanError
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict
from tests.checkers.engines import compiled, plain
from tests.checkers.transactions import brute
from tests.checkers.transactions.loose import loose_run
from tests.checkers.transactions.texts import at_once, drawn, in_turn
from tests.examples import examples

MAKE: dict[str, Any] = {"append": list_append.make, "w": rw_register.make}


def check(write: str, lines: History, model: str = "strict-serializable", **options: Any) -> Verdict:
    verdict: Verdict = MAKE[write](model=model, **options).check(lines, Budget())
    return verdict


def of_values(*values: Any) -> History:
    """Transactions with these values, all at once."""
    calls = [Op(process=process, f="txn", value=value) for process, value in enumerate(values)]
    lines = [*calls, *(call.ok(call.value) for call in calls)]
    return History.of(op.stamped(index, index, None) for index, op in enumerate(lines))


SKEW = at_once("rx_ ay1", "ry_ ax1", "rx1 ry1")
STALE = in_turn("ax1", "rx_", "rx1")
ABORTED = at_once("ax1!", "rx1", "ay1", "ry1")


@pytest.mark.parametrize(
    ("lines", "not_"),
    [
        (SKEW, ["repeatable-read"]),
        (STALE, ["strong-snapshot-isolation"]),
        (ABORTED, ["read-committed"]),
        (at_once("rx_ ax1", "rx_ ax2"), ["cursor-stability", "update-atomic"]),
    ],
)
def test_the_weakest_refuted_models_are_told_and_all_that_imply_them(lines: History, not_: list[str]) -> None:
    stats = check("append", lines).stats
    assert stats["not"] == not_
    stronger = [model for model in MODELS if implied(model) & set(not_)]
    assert sorted([*stats["not"], *stats["also_not"]]) == sorted(stronger)
    for model in MODELS:
        wanted = Validity.INVALID if model in stats["refuted"] else Validity.VALID
        assert check("append", lines, model).validity is wanted, model


def test_models_that_imply_one_another_forbid_accordingly() -> None:
    for model in MODELS:
        for weaker in implied(model):
            assert {anomaly for anomaly in ANOMALIES if forbids(weaker, anomaly)} <= {
                anomaly for anomaly in ANOMALIES if forbids(model, anomaly)
            }
    assert weakest(refuted(ANOMALIES)) == ("read-uncommitted",)
    assert set(refuted(ANOMALIES)) == set(MODELS)


def test_every_cycle_refutes_strict_serializability_and_reads_uncommitted_allow_all_but_the_worst() -> None:
    assert all(forbids("strict-serializable", anomaly) for anomaly in ANOMALIES)
    assert [anomaly for anomaly in ANOMALIES if forbids("read-uncommitted", anomaly)] == [
        "G0",
        "garbage-read",
        "duplicate-elements",
        "cyclic-versions",
    ]


def test_an_unknown_model_is_refused_with_a_suggestion_and_aliases_are_known() -> None:
    with pytest.raises(PlanError, match="unknown consistency model 'serialisable': did you mean 'serializable'"):
        list_append.make(model="serialisable")
    for alias, model in ALIASES.items():
        assert check("append", STALE, alias).stats["model"] == model


def test_a_cycle_is_told_edge_by_edge() -> None:
    verdict = check("append", SKEW)
    assert verdict.reason == (
        "not strict-serializable: T0 must come before T1, because T0 read key x as empty and did not see T1's append of 1; "
        "T1 must come before T0, because T1 read key y as empty and did not see T0's append of 1: a contradiction "
        "(T0: process 0, 0.003 s – 0.016 s; T1: process 1, 0.003 s – 0.016 s)"
    )
    [anomaly] = verdict.anomalies
    assert anomaly.ops == (0, 1, 3, 4)


def test_braces_in_values_do_no_harm() -> None:
    lines = of_values([["r", "{x}", [{"a": 1}]]], [["append", "{x}", 1]], [["append", "y", 1]], [["r", "y", [1]]])
    [anomaly] = check("append", lines).anomalies
    assert 'read [{"a": 1}] from key {x}, but nobody wrote {"a": 1} there' in anomaly.reason


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (at_once("ax1", "ax1"), "1 is written to key x more than once"),
        (of_values([["inc", "x", 1]]), 'has the micro-operation "inc"'),
        (of_values([["r", "x", 3]]), "returned 3, which is no list"),
        (of_values(7), "is 7, which is no list of micro-operations"),
        (of_values([7]), "has 7, which is no micro-operation [f, key, value]"),
        (at_once("ax1"), "no transaction of 1 transaction depends on another"),
        (of_values(), "no transaction of 0 transactions depends on another"),
    ],
)
def test_what_cannot_be_judged_is_unknown(lines: History, words: str) -> None:
    verdict = check("append", lines)
    assert verdict.validity is Validity.UNKNOWN
    assert words in verdict.reason


def test_a_register_to_which_null_is_written_cannot_be_judged() -> None:
    verdict = check("w", of_values([["w", "x", None]], [["r", "x", None]]))
    assert verdict.validity is Validity.UNKNOWN
    assert "null is written to a register" in verdict.reason


def test_a_search_without_budget_is_unknown_and_says_what_it_covered() -> None:
    verdict = list_append.make(model="serializable").check(SKEW, Budget(steps_max=1))
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason == (
        "the search for G0, G1c, G-single-item, G-nonadjacent-item and G2-item ran out of its budget of steps; "
        "it found none of these"
    )
    assert verdict.stats["searched_for"] == []


def test_versions_in_an_order_that_is_given() -> None:
    """By reads alone nobody knows which of the two writes was the later one."""
    ops = [*drawn("p0 |wx1|\np1 |wx2 wy1|\np2 |ry1 rx1|")]
    assert check("w", History.of(ops)).validity is Validity.VALID

    def ranked(first: int, second: int) -> History:
        ranks = {0: first, 1: second}
        return History.of(
            Op(**{**{name: getattr(op, name) for name in _FIELDS}, "extra": {"commit": ranks[int(op.process)]}})
            if op.process in ranks and op.type != "invoke"
            else op
            for op in ops
        )

    assert check("w", ranked(2, 1), order="commit").validity is Validity.VALID
    assert [anomaly.name for anomaly in check("w", ranked(1, 2), order="commit").anomalies] == ["G-single-item"]
    assert "no completion has the field 'ts'" in check("w", ranked(1, 2), order="ts").reason


_FIELDS = ("index", "time_ns", "type", "process", "f", "key", "value", "node", "error")


def test_keys_that_are_sequential_tell_an_order_under_every_model() -> None:
    lines = drawn("p0 |wx1|\np1 |wx2|\np2      |rx1| |rx2 ry_|\np3  |rx2 wy1   |\np4     |ry1 rx1|")
    assert check("w", lines, "snapshot-isolation").validity is Validity.VALID
    verdict = check("w", lines, "snapshot-isolation", sequential_keys=True)
    assert verdict.validity is Validity.INVALID


TRUTHS = {
    "strict-serializable": lambda lines: brute.serializable(lines, strict=True),
    "serializable": lambda lines: brute.serializable(lines, strict=False),
    "snapshot-isolation": lambda lines: brute.snapshot_isolated(lines, strong=False),
    "strong-snapshot-isolation": lambda lines: brute.snapshot_isolated(lines, strong=True),
}


@examples(150)
@given(st.integers(0, 10**9), st.sampled_from(["append", "w"]), st.sampled_from(sorted(TRUTHS)))
def test_invalid_means_that_no_order_explains_it(seed: int, write: str, model: str) -> None:
    lines = loose_run(seed, write, txns=4, keys=1 + seed % 2)
    if check(write, lines, model).validity is Validity.INVALID:
        assert not TRUTHS[model](lines)


@examples(150)
@given(st.integers(0, 10**9), st.sampled_from(["strict-serializable", "serializable"]))
def test_of_lists_also_valid_means_that_some_order_does(seed: int, model: str) -> None:
    lines = loose_run(seed, "append", txns=4, keys=1 + seed % 2)
    if check("append", lines, model).validity is Validity.VALID:
        assert TRUTHS[model](lines)


@examples(150)
@given(st.integers(0, 10**9), st.sampled_from(sorted(CYCLES)))
def test_of_registers_invalid_means_that_no_order_of_versions_helps(seed: int, model: str) -> None:
    lines = loose_run(seed, "w", txns=5, keys=1 + seed % 2)
    verdict = check("w", lines, model)
    if any(anomaly.name != "lost-update" for anomaly in verdict.anomalies):
        assert not brute.adya(lines, model)


@examples(60)
@given(st.integers(0, 10**9), st.sampled_from(["append", "w"]))
def test_what_refutes_a_model_refutes_every_stronger_one(seed: int, write: str) -> None:
    lines = loose_run(seed, write, txns=12, keys=2)
    verdicts = {model: check(write, lines, model).validity is Validity.INVALID for model in MODELS}
    for model in MODELS:
        assert verdicts[model] == (model in check(write, lines).stats["refuted"])
        assert not any(verdicts[weaker] for weaker in implied(model)) or verdicts[model]


@given(st.integers(0, 10**9), st.sampled_from(["append", "w"]))
def test_a_serial_store_is_valid(seed: int, write: str) -> None:
    verdict = check(write, loose_run(seed, write, txns=80, keys=3, store="serial"))
    assert verdict.validity is Validity.VALID
    assert verdict.stats["refuted"] == []


@pytest.mark.parametrize("write", ["append", "w"])
@pytest.mark.parametrize("seed", range(4))
def test_compiled_and_plain_kernels_say_the_same(seed: int, write: str) -> None:
    lines = loose_run(seed, write, txns=150, keys=3)
    with plain():
        wanted = check(write, lines)
    with compiled():
        assert check(write, lines) == wanted


def test_times_of_levels_are_those_of_the_models() -> None:
    assert CYCLES["strict-serializable"] == (Level.ALL, Time.REAL)
    assert CYCLES["snapshot-isolation"] == (Level.NONADJACENT, Time.NONE)
