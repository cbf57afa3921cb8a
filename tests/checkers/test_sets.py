"""The checker of sets: its words by text, its rules against their definitions, its option against linearizability itself.

``python -m tests.checkers.test_sets`` writes the present words into the golden file, for reading the difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers import sets
from checkers.linearizable.models import SET
from checkers.linearizable.wgl import Call
from harness.history import FAIL, FOREVER, OK, History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict
from tests.builders import history, timeline
from tests.checkers.brute import linearizable

FILE = Path(__file__).parent / "golden" / "sets.txt"
KINDS = {"set": False, "linearizable set": True}


def judged(ops: History, *, strict: bool = False) -> Verdict:
    return sets.make(linearizable=strict).check(ops, Budget())


# The words


def cases() -> list[tuple[str, str, str, str]]:
    """(comment, kind, drawing, wanted), from the paragraphs that hold ----."""
    found = []
    for paragraph in FILE.read_text().split("\n\n"):
        head, bar, wanted = paragraph.partition("\n----")
        if bar:
            comment, kind, *drawing = head.strip().split("\n")
            found.append((comment.removeprefix("# "), kind, "\n".join(drawing), wanted.strip()))
    return found


def told(kind: str, drawing: str) -> str:
    verdict = judged(timeline(drawing), strict=KINDS[kind])
    lines = [str(verdict.validity), verdict.reason]
    lines += [f"{a.name} {' '.join(map(str, a.ops))}: {a.reason}" for a in verdict.anomalies]
    return "\n".join(lines)


@pytest.mark.parametrize(("comment", "kind", "drawing", "wanted"), cases(), ids=lambda text: text[:40])
def test_golden(comment: str, kind: str, drawing: str, wanted: str) -> None:
    assert told(kind, drawing) == wanted, comment


def test_every_near_miss_is_legal_and_every_other_is_not() -> None:
    for comment, _, _, wanted in cases():
        assert wanted.startswith("valid") == comment.startswith("Near miss"), comment


# The rules


@dataclass(slots=True)
class _World:
    """A set in the hands of a few processes: what is under way, and what has been recorded. ``lie`` may falsify what a read returns."""

    held: list[int] = field(default_factory=list)
    open: dict[int, tuple[Op, list[int] | None]] = field(default_factory=dict)  # slot → op, and what its effect saw
    process: dict[int, int] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)

    def record(self, op: Op) -> None:
        self.ops.append(op.stamped(len(self.ops), len(self.ops) * 1000, None))

    def step(self, slot: int, roll: int, lie: int) -> None:
        if slot not in self.open:
            process = self.process.setdefault(slot, slot)
            op = (
                Op(process=process, f="add", key="x", value=roll % ELEMENTS)
                if roll % 3
                else Op(process=process, f="read", key="x")
            )
            self.open[slot] = (op, None)
            self.record(op)
            return
        op, seen = self.open[slot]
        if seen is None and roll % 4:  # it takes effect, or it ends without
            if op.f == "add" and op.value not in self.held:
                self.held.append(op.value)
            self.open[slot] = (op, list(self.held))
            return
        del self.open[slot]
        if seen is None or roll % 11 == 0:
            crashed = seen is not None or roll % 8 == 0
            self.record(op.info("crashed") if crashed else op.fail("refused"))
            self.process[slot] += PROCESSES if crashed else 0
        else:
            self.record(op.ok(op.value if op.f == "add" else _falsified(seen, lie)))


PROCESSES, ELEMENTS = 3, 4
STEPS = st.lists(st.tuples(st.integers(0, PROCESSES - 1), st.integers(0, 99), st.integers(0, 99)), max_size=30)


def _falsified(seen: list[int], lie: int) -> list[int]:
    """Now and then an element too few or too many."""
    element = lie % (ELEMENTS + 1)
    if lie < 70:
        return seen
    return [e for e in seen if e != element] if element in seen and lie % 3 else [*seen, element]


def ran(steps: Iterable[tuple[int, int, int]]) -> History:
    world = _World()
    for slot, roll, lie in steps:
        world.step(slot, roll, lie)
    return History.of(world.ops)


@dataclass(frozen=True, slots=True)
class _Brute:
    """The definitions of the module, one by one, over plain lists: adds and reads as (call, ret, outcome, value)."""

    adds: list[tuple[int, int, int, Any]]
    reads: list[tuple[int, int, list[Any]]]

    @classmethod
    def of(cls, ops: History) -> _Brute:
        adds, reads = [], []
        for call in range(len(ops)):
            if ops[call].type != "invoke":
                continue
            other = int(ops.pair[call])
            type_ = "info" if other < 0 else str(ops[other].type)
            outcome = {"ok": OK, "fail": FAIL, "info": -1}[type_]
            ret = other if type_ in ("ok", "fail") else FOREVER
            if ops[call].f == "add":
                adds.append((call, ret, outcome, ops[call].value))
            elif type_ == "ok":
                reads.append((call, ret, ops[other].value))
        return cls(adds, reads)

    def elements(self) -> list[Any]:
        return sorted({value for *_, value in self.adds} | {e for *_, values in self.reads for e in values})

    def began(self, element: Any) -> int:
        return min(
            (call for call, _, outcome, value in self.adds if value == element and outcome != FAIL), default=FOREVER
        )

    def acked(self, element: Any) -> int:
        return min((ret for _, ret, outcome, value in self.adds if value == element and outcome == OK), default=FOREVER)

    def returning(self, element: Any) -> list[tuple[int, int]]:
        return [(call, ret) for call, ret, values in self.reads if element in values and ret > self.began(element)]

    def known(self, element: Any) -> int:
        return min([self.acked(element), *(ret for _, ret in self.returning(element))])

    def missing(self, element: Any) -> Iterator[int]:
        """The beginnings of reads that should have returned it."""
        return (call for call, _, values in self.reads if element not in values and call > self.known(element))

    def lost(self, element: Any) -> bool:
        return any(all(ret < call for _, ret in self.returning(element)) for call in self.missing(element))

    def stale(self, element: Any) -> bool:
        return any(True for _ in self.missing(element)) and not self.lost(element)

    def unexpected(self, element: Any) -> bool:
        return any(element in values and self.began(element) > ret for _, ret, values in self.reads)

    def duplicated(self, element: Any) -> bool:
        return any(values.count(element) > 1 for *_, values in self.reads)

    def fork(self) -> bool:
        known = {value for *_, value in self.adds}
        returned = [set(values) & known for *_, values in self.reads]
        return any(one - other and other - one for one in returned for other in returned)

    def reordered(self, element: Any) -> bool:
        return any(
            element not in values
            and self.known(element) >= call
            and any(self.acked(element) < self.began(other) < ret for other in values)
            for call, ret, values in self.reads
        )

    def unjudged(self, element: Any) -> bool:
        acked = self.acked(element)
        return acked < FOREVER and not any(call > acked for call, *_ in self.reads)


@given(STEPS)
def test_the_rules_are_their_definitions(steps: list[tuple[int, int, int]]) -> None:
    ops = ran(steps)
    brute, verdict = _Brute.of(ops), judged(ops, strict=True)
    found = Counter(anomaly.name for anomaly in verdict.anomalies)
    for name in ("lost", "stale", "reordered"):
        wanted = sum(getattr(brute, name)(element) for element in brute.elements())
        assert found[name] == min(wanted, sets.SHOWN_MAX), name
    for name in ("unexpected", "duplicated"):
        wanted = {element for element in brute.elements() if getattr(brute, name)(element)}
        assert bool(found[name]) == bool(wanted), name
    assert bool(found["fork"]) == brute.fork()
    assert verdict.stats["unjudged"] == sum(map(brute.unjudged, brute.elements()))


@given(STEPS)
def test_a_set_that_need_not_be_linearizable_is_judged_by_three_rules_alone(steps: list[tuple[int, int, int]]) -> None:
    ops = ran(steps)
    brute, verdict = _Brute.of(ops), judged(ops)
    broken = any(brute.lost(e) or brute.unexpected(e) or brute.duplicated(e) for e in brute.elements())
    unjudged = any(map(brute.unjudged, brute.elements()))
    nothing = not brute.reads or all(outcome == FAIL for _, _, outcome, _ in brute.adds)
    assert verdict.validity is (
        Validity.INVALID if broken else Validity.UNKNOWN if unjudged or nothing else Validity.VALID
    )


@given(STEPS)
def test_the_option_linearizable_is_linearizability(steps: list[tuple[int, int, int]]) -> None:
    ops = ran(steps)
    brute = _Brute.of(ops)
    twice = any(brute.duplicated(element) for element in brute.elements())
    calls = [
        Call(call=call, ret=ret, f="add", argument=value, result=value)
        for call, ret, outcome, value in brute.adds
        if outcome != FAIL
    ] + [Call(call=call, ret=ret, f="read", argument=None, result=tuple(values)) for call, ret, values in brute.reads]
    legal = linearizable(SET, calls) and not twice
    assert (judged(ops, strict=True).validity is not Validity.INVALID) == legal


@given(STEPS)
def test_every_anomaly_names_lines_of_the_history(steps: list[tuple[int, int, int]]) -> None:
    ops = ran(steps)
    for anomaly in judged(ops, strict=True).anomalies:
        assert anomaly.reason
        assert anomaly.ops == tuple(sorted(set(anomaly.ops)))
        ops.rows_of(anomaly.ops)


# The figures


def adds(elements: Iterable[Any]) -> str:
    return "".join(f"p0 invoke add x {e}\np0 ok add x {e}\n" for e in elements)


def test_the_verdict_says_how_much_of_what_was_acknowledged_is_lost() -> None:
    verdict = judged(history(adds(range(60)) + "p1 invoke read x _\np1 ok read x [0,1,2]\n"))
    assert verdict.reason.startswith(
        "lost 57 of 60 acknowledged adds (95 %): for example, process 0's add of 3 to key x succeeded at "
    )
    assert len(verdict.anomalies) == sets.SHOWN_MAX
    assert (verdict.stats["lost_acknowledged"], verdict.stats["lost_share"]) == (57, 0.95)


def test_recovered_adds_are_counted() -> None:
    text = adds([1]) + "p2 invoke add x 2\np2 info add x 2\np3 invoke add x 3\np3 info add x 3\n"
    verdict = judged(history(text + "p1 invoke read x _\np1 ok read x [1,2]\n"))
    assert verdict.validity is Validity.VALID
    assert (verdict.stats["recovered"], verdict.stats["unknown"]) == (1, 2)
    assert (
        verdict.reason == "nothing was lost of 1 acknowledged add (1 read; 1 of 2 adds of unknown outcome took effect)"
    )


def test_staleness_is_measured() -> None:
    text = """
        p0 invoke add x 1 time=1s
        p0 ok add x 1 time=2s
        p0 invoke add x 2 time=2100ms
        p0 ok add x 2 time=2200ms
        p1 invoke read x _ time=3s
        p1 ok read x [2] time=4s
        p1 invoke read x _ time=5s
        p1 ok read x [2,1] time=6s
    """
    verdict = judged(history(text))
    assert verdict.validity is Validity.VALID
    assert verdict.stats["stale"] == 1
    assert verdict.stats["staleness_ms"] == {"0.5": 0.0, "0.95": 1000.0, "0.99": 1000.0, "1": 1000.0}


def test_a_history_without_times_is_judged_all_the_same() -> None:
    ops = [op.stamped(op.index, -1, None) for op in timeline("p0   |-- add x 1 --|  |-- read x [] --|")]
    verdict = judged(History.of(ops))
    assert verdict.stats["staleness_ms"] == {}
    assert verdict.reason.endswith(
        "process 0's add of 1 to key x succeeded at index 1, but process 0's read that began at index 2 does not return it"
    )


def test_sets_of_edn_histories_are_lists_in_any_order() -> None:
    ops = [*timeline("p0   |-- add x 1 --|  |-- add x [2,3] --|  |-- read x [] --|")]
    ops[-1] = ops[-1].ok(frozenset({1, (2, 3)}))
    assert judged(History.of(ops), strict=True).validity is Validity.VALID


def rewrite() -> None:
    paragraphs = []
    for paragraph in FILE.read_text().strip().split("\n\n"):
        head, bar, _ = paragraph.partition("\n----")
        if bar:
            _, kind, *drawing = head.strip().split("\n")
            paragraphs.append(f"{head}\n----\n{told(kind, chr(10).join(drawing))}")
        else:
            paragraphs.append(paragraph)
    FILE.write_text("\n\n".join(paragraphs) + "\n")


if __name__ == "__main__":
    rewrite()


def test_who_saw_a_lost_element_is_told_also_if_that_is_the_first_operation() -> None:
    run = timeline("""
        p1 |----- read x [1] -----|
        p0    |- add x 1 -|
        p2                           |- read x [] -|
    """)
    [lost] = sets.make().check(run, Budget()).anomalies
    assert lost.name == "lost"
    assert "process 1's read returned it" in lost.reason
