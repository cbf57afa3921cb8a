"""Observed-remove sets: words by goldens, verdicts against the definition, and a set that works is never accused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.or_sets import make
from harness.errors import PlanError
from harness.history import FAIL, FOREVER, OK, History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict
from tests.builders import history
from tests.checkers.loose import STEP_NS, Step, stamped, steps
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("or_set")
NODES = ("n1", "n2", "n3")


def check(run: History, settle: int = 0) -> Verdict:
    return make(settle_s=settle * STEP_NS / 1e9).check(run, Budget())


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("or_set", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def test_every_anomaly_has_a_golden() -> None:
    shown = {name for *_, wanted in CASES for name in wanted.split("\n")[0].split()[1:]}
    assert shown == {"lost", "resurrected", "diverged", "phantom", "duplicated"}


# Against a set that works, and one that lies


@dataclass
class Replicas:
    """Three replicas of a set, by the book: adds have tags, a remove takes the tags that its replica knows, and gossip is a union."""

    final_from: int
    lies: bool
    added: list[set[Any]] = field(default_factory=lambda: [set(), set(), set()])  # (element, tag)
    gone: list[set[Any]] = field(default_factory=lambda: [set(), set(), set()])
    late: list[tuple[int, Op]] = field(default_factory=list)
    busy: dict[int, tuple[Op, list[int] | None]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=lambda: list(range(4)))
    ops: list[Op] = field(default_factory=list)
    tags: int = 0

    def take(self, at: int, op: Op) -> None:
        if op.f == "add":
            self.tags += 1
            self.added[at].add((op.value, self.tags))
        else:
            self.gone[at] |= {add for add in self.added[at] if add[0] == op.value}

    def tell(self, one: int, other: int) -> None:
        self.added[other] |= self.added[one]
        self.gone[other] |= self.gone[one]

    def step(self, seat: int, roll: int) -> None:
        final = len(self.ops) >= self.final_from
        if self.late and roll % 5 == 0:
            self.take(*self.late.pop())
        if final:  # in the end everybody knows everything at once
            for one, other in [(one, other) for _ in range(2) for one in range(3) for other in range(3)]:
                self.tell(one, other)
        elif roll % 4 == 0:
            self.tell(roll % 3, roll // 3 % 3)
        if seat in self.busy:
            self.proceed(seat, roll)
            return
        f = "read" if final or roll % 4 == 1 else "remove" if roll % 2 else "add"
        value = None if f == "read" else roll // 10 % 4
        extra = {"final": True} if final else {}
        op = Op(process=self.numbers[seat], f=f, value=value, node=NODES[seat % 3], extra=extra)
        self.busy[seat] = op, None
        self.ops.append(op)

    def proceed(self, seat: int, roll: int) -> None:
        op, seen = self.busy.pop(seat)
        at = seat % 3
        if op.f == "read" and seen is None:
            seen = sorted({element for element, _ in self.added[at] - self.gone[at]})
            if self.lies and roll % 10 == 1:
                seen = [*seen, roll % 5] if roll > 40 else seen[1:]
            self.busy[seat] = op, seen
        elif op.f == "read":
            self.ops.append(op.ok(seen))
        elif roll % 10 > 2:
            self.take(at, op)
            self.ops.append(op.ok(op.value))
        elif roll % 10:
            self.numbers[seat] += 4
            if roll % 10 == 1:
                self.late.append((at, op))
            self.ops.append(op.info("timeout"))
        else:
            self.ops.append(op.fail("refused"))


def replicated(drawn: list[Step], *, final_from: int, lies: bool) -> History:
    world = Replicas(final_from=final_from, lies=lies)
    for seat, roll in drawn:
        world.step(seat, roll)
    return stamped(world.ops)


def expected(run: History, settle: int) -> dict[str, int]:
    """How many elements are wrong in which way, by the definition."""
    calls, late = run.calls(), max(settle, 1)
    every = [
        (calls.op(row), int(calls.call[row]), int(calls.ret[row]), int(calls.outcome[row])) for row in range(len(calls))
    ]
    reads = [(op, call, ret, run[ret].value) for op, call, ret, outcome in every if op.f == "read" and outcome == OK]
    finals = [read for read in reads if read[0].extra]
    changes = [change for change in every if change[0].f != "read" and change[3] != FAIL]
    found = dict.fromkeys(("lost", "resurrected", "diverged", "phantom"), 0)

    def sees(remove: Any, add: Any, before: int) -> bool:
        r_op, r_call, r_ret, _ = remove
        return bool(r_op.node == add[0].node and add[2] < r_call and r_ret < FOREVER and r_ret + late <= before)

    for element in range(5):
        adds = [change for change in changes if change[0].f == "add" and change[0].value == element]
        removes = [change for change in changes if change[0].f == "remove" and change[0].value == element]
        began = min((call for _, call, _, _ in adds), default=FOREVER)
        early = [read for read in reads if element in read[3] and read[2] < began]
        tried = any(op.f == "add" and op.value == element for op, *_ in every)
        found["phantom"] += min(len(early), 1) if tried else len(early)
        if not tried:
            continue  # a stranger, of which nothing else is asked
        lost = any(
            element not in seen
            and any(
                a_ret + late <= call and all(r_ret < a_call for _, r_call, r_ret, _ in removes if r_call < ret)
                for _, a_call, a_ret, _ in adds
                if a_ret < FOREVER
            )
            for _, call, ret, seen in finals
        )
        back = any(
            element in seen
            and any(a_call < ret for _, a_call, _, _ in adds)
            and all(any(sees(remove, add, call) for remove in removes) for add in adds if add[1] < ret)
            for _, call, ret, seen in finals
        )
        having, lacking = ([read for read in finals if (element in read[3]) == there] for there in (True, False))
        differ = bool(having and lacking) and all(
            ret < FOREVER and ret + late <= min(having[0][1], lacking[0][1]) for _, _, ret, _ in (*adds, *removes)
        )
        found["lost"] += lost
        found["resurrected"] += back
        found["diverged"] += differ and not lost and not back
    return found


@given(drawn=steps(50), final_from=st.integers(2, 30), settle=st.integers(0, 4))
def test_verdicts_are_those_of_the_definition(drawn: list[Step], final_from: int, settle: int) -> None:
    run = replicated(drawn, final_from=final_from, lies=True)
    verdict, wanted = check(run, settle), expected(run, settle)
    assert {name: verdict.stats[name] for name in wanted} == wanted
    assert (verdict.validity is Validity.INVALID) == bool(sum(wanted.values()) or verdict.stats["duplicated"])


@given(drawn=steps(60), final_from=st.integers(2, 40))
def test_a_set_that_works_is_never_accused(drawn: list[Step], final_from: int) -> None:
    verdict = check(replicated(drawn, final_from=final_from, lies=False))
    assert verdict.validity is not Validity.INVALID, verdict.reason


def test_figures() -> None:
    run = history("""
        p0 invoke add - 1 node=n1
        p0 ok     add - 1 node=n1
        p1 invoke read - _ node=n2
        p1 ok     read - [] node=n2
        p0 invoke add - 2 node=n1
        p0 ok     add - 2 node=n1
        p0 invoke remove - 2 node=n1
        p0 ok     remove - 2 node=n1
        p0 invoke add - 3 node=n1
        p0 ok     add - 3 node=n1
        p0 invoke read - _ node=n1 time=9s final=true
        p0 ok     read - [1,3] node=n1 time=9s
        p1 invoke read - _ node=n2 time=9s final=true
        p1 ok     read - [1,3] node=n2 time=9s
    """)
    verdict = make().check(run, Budget())
    assert verdict.validity is Validity.VALID
    assert verdict.stats == {
        "nodes": 2,
        "elements": 3,
        "adds_ok": 3,
        "removes_ok": 1,
        "reads": 3,
        "final_reads": 2,
        "decided": 3,
        "unsettled": 0,
        "never_read": 1,
        "stale": 1,
        "lost": 0,
        "resurrected": 0,
        "diverged": 0,
        "phantom": 0,
        "duplicated": 0,
    }


def test_a_time_to_settle_is_not_negative() -> None:
    with pytest.raises(PlanError, match="settle_s is -1"):
        make(settle_s=-1)
