"""The checkers of transactions: each anomaly by its name, models, words; and small random histories against all orders."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.transactions import list_append, rw_register
from checkers.transactions.models import MODELS, Model
from harness.errors import PlanError
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict
from tests.checkers.transactions import brute
from tests.checkers.transactions.loose import loose_run

MAKE: dict[str, Any] = {"append": list_append.make, "w": rw_register.make}
Bar = tuple[int, int, str, list[list[Any]]]


def history(bars: list[Bar]) -> History:
    """Transactions, each by a process of its own: (begin, end, outcome, micro-operations as they completed)."""
    events = []
    for process, (begin, end, outcome, mops) in enumerate(bars):
        asked = [[f, key, None if f == "r" else value] for f, key, value in mops]
        call = Op(process=process, f="txn", value=asked)
        events.append((begin, 0, process, call))
        done = {"ok": call.ok(mops), "fail": call.fail("no"), "info": call.info("timeout")}[outcome]
        events.append((end, 1, process, done))
    return History.of(
        op.stamped(index, at * 1_000_000, None)
        for index, (at, _, _, op) in enumerate(sorted(events, key=lambda event: event[:3]))
    )


def at_once(*txns: list[list[Any]] | tuple[str, list[list[Any]]]) -> History:
    """Transactions that all overlap: only their values say anything about their order."""
    bars = [(0, 9, *(txn if isinstance(txn, tuple) else ("ok", txn))) for txn in txns]
    return history(bars)  # type: ignore[arg-type]


def in_turn(*txns: list[list[Any]]) -> History:
    """Transactions one after the other."""
    return history([(2 * place, 2 * place + 1, "ok", txn) for place, txn in enumerate(txns)])


def check(write: str, lines: History, model: str = "strict-serializable") -> Verdict:
    verdict: Verdict = MAKE[write](model=model).check(lines, Budget())
    return verdict


def names(write: str, lines: History, model: str = "strict-serializable") -> set[str]:
    return {anomaly.name for anomaly in check(write, lines, model).anomalies}


def r(key: Any, value: Any) -> list[Any]:
    return ["r", key, value]


def a(key: Any, value: Any) -> list[Any]:
    return ["append", key, value]


def w(key: Any, value: Any) -> list[Any]:
    return ["w", key, value]


# name, write, history: anomalies that must be found under strict serializability
APPENDS: list[tuple[set[str], History]] = [
    (set(), at_once([a("x", 1)], [r("x", [1]), a("x", 2)], [r("x", [1, 2])])),
    ({"G0"}, at_once([a("x", 1), a("y", 2)], [a("x", 2), a("y", 1)], [r("x", [1, 2])], [r("y", [1, 2])])),
    ({"G1c"}, at_once([a("x", 1), r("y", [1])], [a("y", 1), r("x", [1])])),
    ({"G-single"}, at_once([r("x", []), r("y", [1])], [a("x", 1), a("y", 1)], [r("x", [1])])),
    ({"G2-item"}, at_once([r("x", None), a("y", 1)], [r("y", None), a("x", 1)], [r("x", [1]), r("y", [1])])),
    ({"G-single-realtime"}, in_turn([a("x", 1)], [r("x", [])], [r("x", [1])])),
    ({"G1a"}, at_once(("fail", [a("x", 1)]), [r("x", [1])], [a("y", 1)], [r("y", [1])])),
    ({"G1b", "G-single"}, at_once([a("x", 1), a("x", 2)], [r("x", [1])])),
    ({"internal"}, at_once([r("x", [1]), a("x", 2), r("x", [1])], [a("x", 1)])),
    ({"internal"}, at_once([a("x", 1), r("x", [])], [a("y", 1)], [r("y", [1])])),
    ({"internal"}, at_once([r("x", [1]), a("x", 1)])),
    ({"duplicate-elements"}, at_once([a("x", 1)], [r("x", [1, 1])])),
    ({"incompatible-order"}, at_once([a("x", 1)], [a("x", 2)], [r("x", [1, 2])], [r("x", [2, 1])])),
    ({"dirty-update", "G1a"}, at_once(("fail", [a("x", 1)]), [a("x", 2)], [r("x", [1, 2])])),
    ({"phantom"}, at_once([r("x", [7])], [a("x", 1)], [r("y", [1])], [a("y", 1)])),
    ({"lost-update", "G2-item"}, at_once([r("x", []), a("x", 1)], [r("x", []), a("x", 2)])),
    (set(), at_once(("info", [a("x", 1)]), [r("x", [1])])),
    (set(), in_turn([a("x", 1)], [a("x", 2)], [r("x", [1, 2])])),
]
WRITES: list[tuple[set[str], History]] = [
    (set(), at_once([w("x", 1)], [r("x", 1), w("x", 2)], [r("x", 2)])),
    ({"G1c"}, at_once([w("x", 1), r("y", 1)], [w("y", 1), r("x", 1)])),
    ({"G-single"}, at_once([r("x", None), r("y", 1)], [w("x", 1), w("y", 1)])),
    ({"G2-item"}, at_once([r("x", None), w("y", 1)], [r("y", None), w("x", 1)])),
    ({"G-single-realtime"}, in_turn([w("x", 1)], [r("x", None)])),
    ({"G-single-realtime"}, in_turn([w("x", 1)], [w("x", 2)], [r("x", 1)])),
    ({"G1a"}, at_once(("fail", [w("x", 1)]), [r("x", 1)], [w("y", 1)], [r("y", 1)])),
    ({"G1b"}, at_once([w("x", 1), w("x", 2)], [r("x", 1)], [r("x", 2)])),
    ({"internal"}, at_once([w("x", 1), r("x", 2)], [w("x", 2)], [r("x", 1)])),
    ({"internal"}, at_once([r("x", 1), w("x", 1)], [r("x", 1)])),
    ({"phantom"}, at_once([r("x", 7)], [w("y", 1)], [r("y", 1)])),
    ({"lost-update", "G2-item", "G-single"}, at_once([r("x", 0), w("x", 1)], [r("x", 0), w("x", 2)], [w("x", 0)])),
    (set(), at_once(("info", [w("x", 1)]), [r("x", 1)])),
    (set(), in_turn([w("x", 1)], [w("x", 2)], [r("x", 2)])),
]


@pytest.mark.parametrize(
    ("anomalies", "lines"), APPENDS, ids=lambda item: ",".join(sorted(item)) if isinstance(item, set) else ""
)
def test_anomalies_of_lists_have_their_names(anomalies: set[str], lines: History) -> None:
    found = names("append", lines)
    assert found == anomalies if "lost-update" not in anomalies else found <= anomalies and "lost-update" in found
    assert check("append", lines).validity is (Validity.INVALID if anomalies else Validity.VALID)


@pytest.mark.parametrize(
    ("anomalies", "lines"), WRITES, ids=lambda item: ",".join(sorted(item)) if isinstance(item, set) else ""
)
def test_anomalies_of_registers_have_their_names(anomalies: set[str], lines: History) -> None:
    found = names("w", lines)
    assert found == anomalies if "lost-update" not in anomalies else found <= anomalies and "lost-update" in found
    assert check("w", lines).validity is (Validity.INVALID if anomalies else Validity.VALID)


SKEW = at_once([r("x", None), a("y", 1)], [r("y", None), a("x", 1)], [r("x", [1]), r("y", [1])])
STALE = in_turn([a("x", 1)], [r("x", [])], [r("x", [1])])
ABORTED = at_once(("fail", [a("x", 1)]), [r("x", [1])], [a("y", 1)], [r("y", [1])])


@pytest.mark.parametrize(
    ("lines", "weakest"),
    [
        (SKEW, {"repeatable-read", "serializable", "strong-session-serializable", "strict-serializable"}),
        (STALE, {"strong-snapshot-isolation", "strict-serializable"}),
        (ABORTED, set(MODELS) - {"read-uncommitted"}),
    ],
)
def test_a_model_is_refuted_by_what_it_forbids_alone(lines: History, weakest: set[str]) -> None:
    invalid = {model for model in MODELS if check("append", lines, model).validity is Validity.INVALID}
    assert invalid == weakest
    assert set(check("append", lines).stats["refuted"]) == weakest


def test_an_unknown_model_is_refused_with_a_suggestion() -> None:
    with pytest.raises(PlanError, match="unknown consistency model 'serialisable': did you mean 'serializable'"):
        list_append.make(model="serialisable")


def test_a_cycle_is_told_edge_by_edge() -> None:
    verdict = check("append", SKEW)
    assert verdict.reason == (
        "not strict-serializable: T1 must come before T2, since T1 read key x as empty and did not see T2's append of 1; "
        "T2 must come before T1, since T2 read key y as empty and did not see T1's append of 1: so each must come before itself "
        "(T1 is the transaction of process 0 (0.0000 s – 0.0090 s), T2 is the transaction of process 1 (0.0000 s – 0.0090 s))"
    )
    [anomaly] = verdict.anomalies
    assert anomaly.ops == (0, 1, 3, 4)


def test_an_edge_of_real_time_tells_both_times() -> None:
    [anomaly] = check("append", STALE).anomalies
    assert "T2 must come before T1, since T2 had ended at 0.0010 s when T1 began at 0.0020 s" in anomaly.reason


def test_what_was_not_seen_is_named_also_where_its_transaction_wrote_more() -> None:
    [_, anomaly] = check("append", APPENDS[7][1]).anomalies
    assert "T1 read key x up to 1 and did not see T2's append of 2" in anomaly.reason


def test_braces_in_values_do_no_harm() -> None:
    lines = at_once([r("{x}", [{"a": 1}])], [a("{x}", 1)], [a("y", 1)], [r("y", [1])])
    [anomaly] = check("append", lines).anomalies
    assert 'read [{"a": 1}] from key {x}, but nobody wrote {"a": 1} there' in anomaly.reason


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (at_once([a("x", 1)], [a("x", 1)]), "1 is written to key x more than once"),
        (at_once([["inc", "x", 1]]), 'has the micro-operation "inc"'),
        (at_once([["r", "x", 3]]), "returned 3, which is no list"),
        (at_once([a("x", 1)]), "no transaction of 1 transaction depends on another"),
    ],
)
def test_what_cannot_be_judged_is_unknown(lines: History, words: str) -> None:
    verdict = check("append", lines)
    assert verdict.validity is Validity.UNKNOWN
    assert words in verdict.reason


def test_a_register_to_which_null_is_written_cannot_be_judged() -> None:
    verdict = check("w", at_once([w("x", None)], [r("x", None)]))
    assert verdict.validity is Validity.UNKNOWN
    assert "null is written to a register" in verdict.reason


def test_a_search_without_budget_is_unknown() -> None:
    lines = loose_run(1, "append", txns=40, store="serial")
    verdict = list_append.make().check(lines, Budget(steps_max=10))
    assert verdict.validity is Validity.UNKNOWN
    assert "budget" in verdict.reason


TRUTHS = {
    "strict-serializable": lambda lines: brute.serializable(lines, strict=True),
    "serializable": lambda lines: brute.serializable(lines, strict=False),
    "snapshot-isolation": lambda lines: brute.snapshot_isolated(lines, strong=False),
    "strong-snapshot-isolation": lambda lines: brute.snapshot_isolated(lines, strong=True),
}


@settings(max_examples=150)
@given(st.integers(0, 10**9), st.sampled_from(["append", "w"]), st.sampled_from(sorted(TRUTHS)))
def test_invalid_means_that_no_order_explains_it(seed: int, write: str, model: str) -> None:
    lines = loose_run(seed, write, txns=4, keys=1 + seed % 2)
    if check(write, lines, model).validity is Validity.INVALID:
        assert not TRUTHS[model](lines)


@settings(max_examples=150)
@given(st.integers(0, 10**9), st.sampled_from(["strict-serializable", "serializable"]))
def test_of_lists_also_valid_means_that_some_order_does(seed: int, model: str) -> None:
    lines = loose_run(seed, "append", txns=4, keys=1 + seed % 2)
    if check("append", lines, model).validity is Validity.VALID:
        assert TRUTHS[model](lines)


@settings(max_examples=150)
@given(st.integers(0, 10**9), st.sampled_from(sorted(MODELS)))
def test_of_registers_invalid_means_that_no_order_of_versions_helps(seed: int, model: str) -> None:
    lines = loose_run(seed, "w", txns=5, keys=1 + seed % 2)
    if check("w", lines, model).validity is Validity.INVALID:
        assert not brute.adya(lines, MODELS[model])


@settings(max_examples=100)
@given(st.integers(0, 10**9), st.sampled_from(["append", "w"]))
def test_what_refutes_a_model_refutes_every_stronger_one(seed: int, write: str) -> None:
    lines = loose_run(seed, write, txns=12, keys=2)
    verdicts = {name: check(write, lines, name).validity is Validity.INVALID for name in MODELS}

    def stronger(one: Model, other: Model) -> bool:
        return one.level >= other.level and one.time >= other.time and one.internal >= other.internal

    for one in MODELS.values():
        for other in MODELS.values():
            if stronger(one, other) and verdicts[other.name]:
                assert verdicts[one.name], (one.name, other.name)


@given(st.integers(0, 10**9), st.sampled_from(["append", "w"]))
def test_a_serial_store_is_valid_and_names_agree_with_refuted_models(seed: int, write: str) -> None:
    verdict = check(write, loose_run(seed, write, txns=80, keys=3, store="serial"))
    assert verdict.validity is Validity.VALID
    assert verdict.stats["refuted"] == []
