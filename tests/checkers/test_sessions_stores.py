"""A store after Terry et al. that keeps some of the guarantees is never accused of breaking these; one that does not, is caught.

The store is the paper's: servers hold sets of writes, one order of all writes (WriteOrder), a read returns the last write of its key
that its server holds. A session keeps its guarantees by letting its server learn what it must hold. Writes of unknown outcome arrive
later or never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.sessions.chains import GUARANTEES, MR, MW, RYW, WFR
from checkers.sessions.check import make
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Validity
from tests.checkers.loose import Step, rolled, stamped, steps

Write = int  # its value


@dataclass
class Store:
    """``order`` is WriteOrder, ``held`` what each server holds; ``wrote`` and ``read`` are the sets of each session."""

    kept: Sequence[str]
    order: list[Write] = field(default_factory=list)
    keys: dict[Write, str] = field(default_factory=dict)
    held: list[set[Write]] = field(default_factory=lambda: [set(), set(), set()])
    wrote: dict[int, set[Write]] = field(default_factory=dict)
    read: dict[int, set[Write]] = field(default_factory=dict)
    before: dict[Write, set[Write]] = field(default_factory=dict)  # what must be held wherever a write is held
    busy: dict[int, tuple[Op, Any]] = field(default_factory=dict)
    late: list[Write] = field(default_factory=list)
    numbers: list[int] = field(default_factory=lambda: list(range(4)))
    ops: list[Op] = field(default_factory=list)

    def learn(self, server: int, writes: set[Write]) -> None:
        for write in writes - self.held[server]:
            self.held[server].add(write)
            self.learn(server, self.before[write])

    def required(self, process: int, *pairs: tuple[str, dict[int, set[Write]]]) -> set[Write]:
        return {write for rule, sets in pairs if rule in self.kept for write in sets.get(process, set())}

    def arrange(self, write: Write, after: set[Write], roll: int) -> None:
        """Somewhere in WriteOrder, behind those that must come before."""
        least = max((self.order.index(other) + 1 for other in after if other in self.order), default=0)
        self.order.insert(least + roll % (len(self.order) - least + 1), write)

    def step(self, seat: int, roll: int) -> None:
        if self.late and roll % 5 == 0:
            self.learn(roll // 5 % 3, {self.late.pop(0)})
        if seat not in self.busy:
            self.invoke(seat, roll)
            return
        op, result = self.busy.pop(seat)
        process = self.numbers[seat]
        if result is None:  # of unknown outcome; perhaps it arrives some day
            self.numbers[seat] += 4
            self.ops.append(op.info("timeout"))
            return
        if op.f == "write":
            self.wrote.setdefault(process, set()).add(op.value)
            self.ops.append(op.ok(op.value))
        else:
            (value,) = result
            self.read.setdefault(process, set()).update(() if value is None else (value,))
            self.ops.append(op.ok(value))

    def invoke(self, seat: int, roll: int) -> None:
        """The operation takes effect at once; it completes later."""
        process, server, key = self.numbers[seat], roll // 7 % 3, "xy"[roll // 3 % 2]
        if roll % 2:
            self.learn(server, self.required(process, (RYW, self.wrote), (MR, self.read)))
            mine = [write for write in self.order if write in self.held[server] and self.keys[write] == key]
            op = Op(process=process, f="read", key=key, node=f"n{server}")
            self.busy[seat] = op, (mine[-1] if mine else None,)
        else:
            write = len(self.keys) + 1
            after = self.required(process, (MW, self.wrote), (WFR, self.read))
            self.keys[write], self.before[write] = key, after
            self.arrange(write, after, roll // 11)
            op = Op(process=process, f="write", key=key, value=write, node=f"n{server}")
            if roll % 9 == 0:
                self.late.append(write)
                self.busy[seat] = op, None
            else:
                self.learn(server, {write})
                self.busy[seat] = op, ()
        self.ops.append(op)


def run_of(drawn: Sequence[Step], kept: Sequence[str]) -> History:
    store = Store(kept=kept)
    for seat, roll in drawn:
        store.step(seat, roll)
    return stamped(store.ops)


@given(drawn=steps(60), kept=st.lists(st.sampled_from(GUARANTEES), min_size=1, unique=True))
def test_a_store_that_keeps_guarantees_is_not_accused_of_breaking_them(drawn: list[Step], kept: list[str]) -> None:
    verdict = make(guarantees=kept).check(run_of(drawn, kept), Budget())
    assert verdict.validity is not Validity.INVALID, verdict.reason


@pytest.mark.parametrize("broken", [RYW, MR])
def test_a_store_that_breaks_a_guarantee_of_reads_is_caught(broken: str) -> None:
    kept = [guarantee for guarantee in GUARANTEES if guarantee != broken]
    found = [make().check(run_of(rolled(factor, 300), kept), Budget()) for factor in range(1, 11)]
    caught = [verdict for verdict in found if verdict.validity is Validity.INVALID]
    assert len(caught) >= 8
    # Whatever is said of any of them names the guarantee that the store really breaks.
    assert all(broken in anomaly.reason for verdict in caught for anomaly in verdict.anomalies)


@pytest.mark.parametrize("broken", [MW, WFR])
def test_a_store_that_breaks_a_guarantee_of_writes_is_caught(broken: str) -> None:
    kept = [guarantee for guarantee in GUARANTEES if guarantee != broken]
    found = [make().check(run_of(rolled(factor, 300), kept), Budget()) for factor in range(1, 11)]
    caught = [verdict for verdict in found if verdict.validity is Validity.INVALID]
    assert len(caught) >= 3
    assert all(broken in anomaly.reason for verdict in caught for anomaly in verdict.anomalies)


def test_the_store_that_keeps_everything_is_judged_at_all() -> None:
    found = [make().check(run_of(rolled(factor, 300), GUARANTEES), Budget()) for factor in range(1, 11)]
    assert {verdict.validity for verdict in found} == {Validity.VALID}


def test_a_copy_of_a_session_under_another_name_keeps_the_verdict() -> None:
    run = run_of(rolled(3, 120), GUARANTEES)
    moved = stamped(replace(op, process=op.process + 40) for op in run)  # type: ignore[operator]
    assert make().check(moved, Budget()).stats == make().check(run, Budget()).stats
