"""Convergence: words by goldens, verdicts against the definition, and a store that converges is never accused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.convergence import make
from harness.errors import PlanError
from harness.history import History
from harness.op import NEMESIS, Op
from harness.verdict import Budget, Validity, Verdict
from tests.builders import history
from tests.checkers import loose
from tests.checkers.loose import STEP_NS, Call, Step, loose_run, stamped, steps
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("convergence")


def check(run: History, **options: Any) -> Verdict:
    return make(**{"settle_s": 0.0, **options}).check(run, Budget())


def names(verdict: Verdict) -> list[str]:
    return [anomaly.name for anomaly in verdict.anomalies]


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("convergence", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def healed_row(run: History) -> int:
    return max((row for row, op in enumerate(run) if op.f == "heal"), default=-1)


def judged(run: History, calls: Sequence[Call], settle: int) -> list[Call]:
    """The final reads that began ``settle`` lines after the heal and the last write of their key."""
    reads = []
    for read in calls:
        ends = [w.ret for w in calls if w.key == read.key and w.wrote != loose.NOTHING and w.certain]
        quiet = max([healed_row(run), *ends])
        if read.final and read.f == "read" and quiet + max(settle, 1) <= read.call:
            reads.append(read)
    return reads


def should(calls: Sequence[Call], one: Call, other: Call, settle: int) -> bool:
    """Whether two final reads of a key must agree: what they returned was there ``settle`` lines before the earlier one."""
    there = max(loose.since(calls, read.key, read.saw) for read in (one, other))
    return there + max(settle, 1) <= min(one.call, other.call)


@given(drawn=steps(44), final_from=st.integers(4, 24), settle=st.integers(0, 4))
def test_verdicts_are_those_of_the_definition(drawn: list[Step], final_from: int, settle: int) -> None:
    run = loose_run(drawn, keys=2, final_from=final_from)
    verdict, calls = check(run, settle_s=settle * STEP_NS / 1e9), loose.calls_of(run)
    if not loose.explained(calls):
        assert verdict.validity is Validity.INVALID
        return
    reads = judged(run, calls, settle)
    diverged, unsettled, lost = set(), set(), set()
    for key in {read.key for read in reads}:
        mine = [read for read in reads if read.key == key]
        differ = [(a, b) for a, b in combinations(mine, 2) if a.saw != b.saw]
        if any(should(calls, a, b, settle) for a, b in differ):
            diverged.add(key)
        elif differ:
            unsettled.add(key)
        stale = [r for r in mine if loose.replaced(calls, key, loose.since(calls, key, r.saw), r.call)]
        if stale and (key not in diverged or stale == mine):
            lost.add(key)
    stats = verdict.stats
    assert stats["judged_reads"] == len(reads)
    assert stats["diverged_keys"] == len(diverged)
    assert stats["unsettled_keys"] == len(unsettled)
    assert stats["lost_update_keys"] == len(lost)
    assert names(verdict) == ["diverged"] * len(diverged) + ["lost-update"] * len(lost)
    if diverged or lost:
        assert verdict.validity is Validity.INVALID
        return
    written = {call.key for call in calls if call.wrote != loose.NOTHING}
    compared = {key for key in written if len({r.node for r in reads if r.key == key}) > 1}
    proven = bool(written) and compared == written and not unsettled
    assert verdict.validity is (Validity.VALID if proven else Validity.UNKNOWN)


@dataclass
class Store:
    """A store that keeps its promise: nodes keep the newest write by its stamp, and ``settle`` lines after anything changed
    anywhere, all know of it. Writes of unknown outcome reach a node at once, later (also during the final reads), or never.
    """

    settle: int
    honest_stamps: bool  # by the beginning of the write; otherwise as wrong clocks would have it
    nodes: list[dict[str, tuple[int, int]]] = field(default_factory=lambda: [{}, {}, {}])  # key → stamp, value
    late: list[tuple[str, int, int]] = field(default_factory=list)
    busy: dict[int, tuple[Op, int]] = field(default_factory=dict)  # seat → op, stamp
    numbers: list[int] = field(default_factory=lambda: list(range(4)))
    ops: list[Op] = field(default_factory=list)
    due: int | None = None
    fresh: int = 0

    def put(self, node: int, key: str, stamp: int, value: int) -> None:
        self.nodes[node][key] = max(self.nodes[node].get(key, (-1, 0)), (stamp, value))
        self.due = len(self.ops) + self.settle if self.due is None else self.due

    def exchange(self, one: int, other: int) -> None:
        for key, entry in self.nodes[one].items():
            self.nodes[other][key] = max(self.nodes[other].get(key, (-1, 0)), entry)

    def step(self, seat: int, roll: int, *, final: bool) -> None:
        if self.late and roll % 5 == 0:
            self.put(roll // 5 % 3, *self.late.pop(0))
        if self.due is not None and len(self.ops) >= self.due:
            self.due = None
            for one, other in [(one, other) for _ in range(2) for one in range(3) for other in range(3)]:
                self.exchange(one, other)
        elif roll % 6 == 0:
            self.exchange(roll // 6 % 3, roll // 18 % 3)
        if seat in self.busy:
            self.complete(seat, roll)
            return
        self.fresh += 1
        extra = {"final": True} if final else {}
        f = "read" if final or roll % 2 else "write"
        op = Op(process=self.numbers[seat], f=f, key="xy"[roll // 10 % 2], node=f"n{seat % 3}", extra=extra)
        op = op if f == "read" else replace(op, value=self.fresh)
        self.busy[seat] = op, len(self.ops) if self.honest_stamps else roll * 7919 % 1000
        self.ops.append(op)

    def complete(self, seat: int, roll: int) -> None:
        op, stamp = self.busy.pop(seat)
        if op.f == "read":
            self.ops.append(op.ok(self.nodes[seat % 3].get(op.key, (0, None))[1]))
        elif roll % 3 == 0:
            self.numbers[seat] += 4
            self.late.append((op.key, stamp, op.value))
            self.ops.append(op.info("timeout"))
        else:
            self.put(seat % 3, op.key, stamp, op.value)
            self.ops.append(op.ok(op.value))


@pytest.mark.parametrize("honest_stamps", [True, False])
@given(drawn=steps(30), finals=steps(60), settle=st.integers(1, 6))
def test_a_store_that_converges_is_never_accused(
    honest_stamps: bool, drawn: list[Step], finals: list[Step], settle: int
) -> None:
    store = Store(settle=settle, honest_stamps=honest_stamps)
    for seat, roll in drawn:
        store.step(seat, roll, final=False)
    for seat, roll in [*((seat, 1) for seat in tuple(store.busy)), *finals]:
        store.step(seat, roll, final=True)
    verdict = check(stamped(store.ops), lost_updates=honest_stamps, settle_s=settle * STEP_NS / 1e9)
    assert verdict.anomalies == ()


TWO = """
p0 invoke write {key} 7 node=n1                 time={t0}s
p0 ok     write {key} 7 node=n1                 time={t1}s
nemesis info heal - _                           time={heal}s
nemesis info heal - {{"healed": true}}          time={heal}s
p1 invoke read {key} _ node=n2                  time=5.5s
p1 ok     read {key} {early} node=n2            time=6s
p0 invoke read {key} _ node=n1 final=true       time=8s
p0 ok     read {key} 7 node=n1 final=true       time=8.1s
p1 invoke read {key} _ node=n2 final=true       time=8s
p1 ok     read {key} 7 node=n2 final=true       time=8.1s
"""


@pytest.mark.parametrize(
    ("fields", "converge_s", "stale_s"),
    [
        ({"early": "_"}, 1.0, 1.0),  # healed at 5 s, still stale in a read that ended at 6 s
        ({"early": "7"}, 0.0, None),
    ],
)
def test_the_time_to_converge(fields: dict[str, Any], converge_s: float, stale_s: float | None) -> None:
    stats = check(history(TWO.format(key="x", t0=1, t1=2, heal=5, **fields))).stats
    assert stats["time_to_converge_s"]["1"] == converge_s
    assert stats["time_to_converge_s"]["worst_key"] == "x"
    assert stats["stale_after_heal_s"].get("1") == stale_s


def test_the_clock_starts_at_the_last_write_if_that_is_later() -> None:
    lines = TWO.format(key="x", t0=1, t1=2, heal=2, early="_").strip().split("\n")
    more = ["p0 invoke write x 9 node=n1 time=3s", "p0 ok write x 9 node=n1 time=4s"]
    text = "\n".join([*lines[:4], *more, *lines[4:]]).replace("read x 7", "read x 9")
    verdict = check(history(text))
    assert verdict.validity is Validity.VALID
    assert verdict.stats["time_to_converge_s"]["1"] == 2.0
    assert verdict.stats["stale_after_heal_s"]["1"] == 4.0


def test_a_run_with_faults_that_nobody_healed_is_unknown() -> None:
    fault = '\nnemesis info start-kill - {"id": 1, "kind": "kill"}\nnemesis info start-kill - {"id": 1, "kind": "kill", "bit": true}'
    text = TWO.format(key="x", t0=1, t1=2, heal=5, early="7")
    assert check(history(text + fault)).validity is Validity.VALID
    unhealed = "\n".join(line for line in (fault + text).split("\n") if "heal" not in line)
    verdict = check(history(unhealed))
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason == "the run had faults but no healing phase"


def test_times_are_needed_only_to_wait() -> None:
    run = History.of(replace(op, time_ns=-1) for op in history(TWO.format(key="x", t0=1, t1=2, heal=5, early="7")))
    assert check(run).validity is Validity.VALID
    assert check(run).stats["time_to_converge_s"] == {}
    assert check(run, settle_s=1).validity is Validity.UNKNOWN


@given(drawn=steps(44), final_from=st.integers(4, 24))
def test_names_of_keys_processes_and_values_do_not_matter(drawn: list[Step], final_from: int) -> None:
    run = loose_run(drawn, keys=2, cas=False, final_from=final_from)
    renamed = stamped(
        op
        if op.process == NEMESIS
        else replace(
            op,
            process=op.process * 3 + 1,  # type: ignore[operator]  # of clients
            key=f"key {op.key}",
            value=None if op.value is None else [op.value],
            node=f"node {op.node}",
        )
        for op in run
    )
    one, other = check(run), check(renamed)
    assert (one.validity, names(one)) == (other.validity, names(other))
    assert [anomaly.ops for anomaly in one.anomalies] == [anomaly.ops for anomaly in other.anomalies]


@given(drawn=steps(44), final_from=st.integers(4, 24))
def test_siblings_of_one_are_plain_values(drawn: list[Step], final_from: int) -> None:
    run = loose_run(drawn, keys=2, cas=False, final_from=final_from)
    alone = stamped(
        replace(op, value=[op.value] if op.type == "ok" and op.f == "read" and op.value is not None else op.value)
        for op in run
    )
    one, other = check(run), check(alone, siblings=True)
    stats = dict(other.stats)
    assert set(stats.pop("siblings_per_read", {}).values()) <= {1.0}
    assert (one.validity, one.stats, names(one)) == (other.validity, stats, names(other))


@pytest.mark.parametrize("settle_s", [-1.0, float("nan")])
def test_a_time_below_zero_is_refused(settle_s: float) -> None:
    with pytest.raises(PlanError, match="settle_s is"):
        make(settle_s=settle_s)


def test_how_many_stood_side_by_side_is_counted() -> None:
    run = history(
        """
        p0 invoke write x 1
        p0 ok     write x 1
        p1 invoke write x 2
        p1 ok     write x 2
        p0 invoke read x _ node=n1
        p0 ok     read x [1,2] node=n1
        p1 invoke read x _ node=n2
        p1 ok     read x [2] node=n2
        p1 invoke read y _ node=n2
        p1 ok     read y [] node=n2
        """
    )
    stats = check(run, siblings=True).stats
    assert stats["siblings_per_read"] == {"0.5": 1.0, "0.9": 2.0, "0.99": 2.0, "1": 2.0}
    assert "siblings_per_read" not in check(history("p0 invoke write x 1\np0 ok write x 1")).stats
