"""Who is served on which side of a partition: what counts, what does not, and a twin that counts op by op."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.sides import make
from harness.errors import PlanError
from harness.history import History
from harness.op import NEMESIS, Op, OpType
from harness.verdict import Budget, Validity, Verdict

NODES = ("n1", "n2", "n3", "n4", "n5")
MINORITY, MAJORITY = NODES[:2], NODES[2:]
SPLIT = {"shape": "split", "sides": [list(MINORITY), list(MAJORITY)]}
# A partition is asked for at 1.0 s and stands at 1.1 s; its end begins at 9.0 s and is complete at 9.1 s.
ASKED, STANDS, ENDS, ENDED = 1000, 1100, 9000, 9100


@dataclass(frozen=True, kw_only=True)
class Call:
    """One operation of the client of ``node``, answered by ``by``; times in ms, ``end`` None if it never ended."""

    node: str
    by: str
    start: int
    end: int | None
    type: OpType
    f: str = "read"


def call(
    node: str, type_: str = "ok", by: str | None = None, *, start: int = 2000, took: int = 10, f: str = "read"
) -> Call:
    return Call(node=node, by=by or node, start=start, end=start + took, type=OpType(type_), f=f)


def built(calls: Sequence[Call], args: Mapping[str, Any], *, bit: bool = True, targets: Sequence[str] = ()) -> History:
    at: list[tuple[int, Op]] = []
    start = {"id": 1, "kind": "partition", "args": args}
    for ms, f, value in (
        (ASKED, "start-partition", start),
        (STANDS, "start-partition", {**start, "bit": bit, "targets": list(targets)}),
        (ENDS, "stop-partition", {"id": 1}),
        (ENDED, "stop-partition", {"id": 1, "healed": True}),
    ):
        at.append((ms, Op(type=OpType.INFO, process=NEMESIS, f=f, value=value)))
    for process, one in enumerate(calls):
        at.append((one.start, Op(process=process, f=one.f, node=one.node)))
        if one.end is not None:
            at.append((one.end, Op(type=one.type, process=process, f=one.f, node=one.by, value=1)))
    at.sort(key=lambda pair: pair[0])
    return History.of(op.stamped(index, ms * 1_000_000, op.node) for index, (ms, op) in enumerate(at))


def check(
    *calls: Call, args: Mapping[str, Any] = SPLIT, targets: Sequence[str] = (), bit: bool = True, **options: Any
) -> Verdict:
    return make(**options).check(built(calls, args, bit=bit, targets=targets), Budget())


def shares(verdict: Verdict) -> dict[str, tuple[int, int]]:
    """Side → (served, operations)."""
    return {
        side: (verdict.stats[side]["served"], verdict.stats[side]["operations"]) for side in ("majority", "minority")
    }


def test_the_figures_of_a_partition() -> None:
    verdict = check(call("n1", "fail"), call("n2", "info"), call("n3"), call("n4"), call("n5", "fail"))
    assert verdict.validity is Validity.VALID
    assert shares(verdict) == {"majority": (2, 3), "minority": (0, 2)}
    assert verdict.reason == (
        "in 1 partition of two sides succeeded 2 of 3 operations on majority sides and 0 of 2 operations on minority sides"
    )
    (partition,) = verdict.stats["partitions"]
    assert (partition["start_s"], partition["end_s"]) == (1.1, 9.0)
    assert [(side["nodes"], side["side"]) for side in partition["sides"]] == [
        (["n1", "n2"], "minority"),
        (["n3", "n4", "n5"], "majority"),
    ]


def test_a_client_that_turned_to_the_other_side_was_not_served_by_its_own() -> None:
    assert shares(check(call("n1", by="n3"))) == {"majority": (1, 1), "minority": (0, 1)}


def test_a_minority_that_serves_a_client_of_the_majority_serves() -> None:
    verdict = check(call("n4", by="n2"), minority_max=0.0)
    assert shares(verdict) == {"majority": (0, 1), "minority": (1, 1)}
    (anomaly,) = verdict.anomalies
    assert anomaly.name == "minority-served"
    assert anomaly.ops == (2, 3)
    assert anomaly.reason == (
        "while partition 1 held (1.100 s – 9.000 s), 1 of 1 operation succeeded on the minority side (n1 n2): at most 0% may"
    )


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (call("n1", start=STANDS), True),
        (call("n1", start=STANDS - 1), False),  # perhaps before the first link was cut
        (call("n1", start=ENDS - 11), True),
        (call("n1", start=ENDS - 10), False),  # perhaps after the first link was mended
        (Call(node="n1", by="n1", start=2000, end=None, type=OpType.INFO), False),
    ],
)
def test_only_what_happened_within_the_partition_counts(one: Call, counts: bool) -> None:
    assert shares(check(one))["minority"] == ((1, 1) if counts else (0, 0))


def test_the_grace_at_the_beginning_does_not_count() -> None:
    assert shares(check(call("n1", start=2099), call("n1", start=2100), grace_s=1.0))["minority"] == (1, 1)


@pytest.mark.parametrize(
    ("args", "targets", "sides"),
    [
        ({"shape": "isolate-leader", "target": "leader", "else": "n2"}, ["n4"], [["n4"], ["n1", "n2", "n3", "n5"]]),
        ({"shape": "bridge", "sides": [["n1", "n2"], ["n4", "n5"]], "bridge": "n3"}, ["n1"], None),
        ({"shape": "one-way", "nodes": ["n1"], "cannot": "send"}, ["n1"], None),
        ({"shape": "grudge", "grudge": {"n1": ["n2"]}}, ["n1", "n2"], None),
        ({"shape": "one", "sides": [["n1"]]}, ["n1"], None),
    ],
)
def test_which_partitions_have_sides(args: dict[str, Any], targets: list[str], sides: list[list[str]] | None) -> None:
    verdict = check(*[call(node) for node in NODES], args=args, targets=targets)
    assert [[side["nodes"] for side in p["sides"]] for p in verdict.stats["partitions"]] == ([sides] if sides else [])


def test_of_two_equal_halves_both_are_minorities() -> None:
    args = {"shape": "halves", "sides": [["n1", "n2"], ["n3", "n4"]]}
    verdict = check(call("n1"), call("n3", "fail"), args=args)
    assert shares(verdict) == {"majority": (0, 0), "minority": (1, 2)}


def test_a_partition_that_did_not_bite_proves_nothing() -> None:
    assert check(*[call("n1")] * 20, bit=False, minority_max=0.0).validity is Validity.UNKNOWN


MANY_MINORITY, MANY_MAJORITY = [call("n1")] * 10, [call("n3")] * 10
REFUSALS = [call("n1", "fail")] * 10


@pytest.mark.parametrize(
    ("calls", "options", "validity"),
    [
        ([*REFUSALS, *MANY_MAJORITY], {"minority_max": 0.0, "majority_min": 0.9}, Validity.VALID),
        ([*REFUSALS, call("n2"), *MANY_MAJORITY], {"minority_max": 0.0}, Validity.INVALID),
        ([*REFUSALS, call("n2"), *MANY_MAJORITY], {"minority_max": 0.1}, Validity.VALID),
        ([*REFUSALS, *MANY_MAJORITY], {"both_min": 0.1}, Validity.INVALID),
        ([*MANY_MINORITY, *MANY_MAJORITY], {"both_min": 1.0}, Validity.VALID),
        ([*REFUSALS[1:], *MANY_MAJORITY], {"both_min": 0.1}, Validity.UNKNOWN),  # too few to blame anybody for
        ([*REFUSALS[1:], *MANY_MAJORITY], {"minority_max": 0.0}, Validity.UNKNOWN),  # or to praise
        (REFUSALS, {"majority_min": 0.5}, Validity.UNKNOWN),
        ([*REFUSALS, call("n1", f="add")], {"minority_max": 0.0, "fs": "read"}, Validity.VALID),
        ([*REFUSALS, call("n1", f="add")], {"minority_max": 0.0, "fs": ["read", "add"]}, Validity.INVALID),
        ([], {}, Validity.VALID),
    ],
)
def test_promises(calls: list[Call], options: dict[str, Any], validity: Validity) -> None:
    assert check(*calls, **options).validity is validity


def test_the_side_that_is_not_served_is_named() -> None:
    (anomaly,) = check(*REFUSALS, *MANY_MAJORITY, both_min=0.5).anomalies
    assert anomaly.name == "side-not-served"
    assert anomaly.reason.endswith("0 of 10 operations succeeded on the minority side (n1 n2): at least 50% must")


@pytest.mark.parametrize("options", [{"grace_s": -1}, {"minority_max": 2}, {"both_min": -0.1}, {"majority_min": "all"}])
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises((PlanError, TypeError)):
        make(**options)


CALLS = st.builds(
    Call,
    node=st.sampled_from(NODES),
    by=st.sampled_from(NODES),
    start=st.sampled_from([500, ASKED, STANDS - 1, STANDS, 5000, ENDS - 1, ENDS, ENDED, 9500]),
    end=st.none(),
    type=st.sampled_from([OpType.OK, OpType.FAIL, OpType.INFO]),
)
ENDED_CALLS = st.builds(
    lambda one, took: Call(node=one.node, by=one.by, start=one.start, end=one.start + took, type=one.type),
    CALLS,
    st.integers(1, 4500),
)


@given(st.lists(CALLS | ENDED_CALLS, max_size=12))
def test_it_counts_as_one_who_counts_op_by_op(calls: list[Call]) -> None:
    counted = {"majority": [0, 0], "minority": [0, 0]}
    for one in calls:
        if one.end is None or one.start < STANDS or one.end >= ENDS:
            continue
        for name, nodes in (("minority", MINORITY), ("majority", MAJORITY)):
            served = one.type is OpType.OK and one.by in nodes
            counted[name][0] += served
            counted[name][1] += served or one.node in nodes
    assert {side: list(found) for side, found in shares(check(*calls)).items()} == counted
