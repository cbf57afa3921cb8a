"""Broadcast and g-set: words by goldens, verdicts against the definition, and a gossip that delivers is never accused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.broadcast import make, make_g_set
from harness.errors import PlanError
from harness.history import FAIL, OK, History
from harness.op import NEMESIS, Op, OpType
from harness.verdict import Budget, Validity, Verdict
from tests.builders import history
from tests.checkers.loose import STEP_NS, Step, stamped, steps
from tests.checkers.weak_goldens import cases, kind, told

GOLDEN = [("broadcast", *case) for case in cases("broadcast")] + [("g_set", *case) for case in cases("g_set")]
NODES = ("n1", "n2", "n3")


def check(run: History, settle: int = 0) -> Verdict:
    return make(settle_s=settle * STEP_NS / 1e9).check(run, Budget())


@pytest.mark.parametrize(("file", "comment", "options", "drawing", "wanted"), GOLDEN, ids=lambda text: text[:40])
def test_golden(file: str, comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told(file, options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def test_every_anomaly_has_a_golden() -> None:
    shown = {name for *_, wanted in GOLDEN for name in wanted.split("\n")[0].split()[1:]}
    assert shown == {"lost", "undelivered", "phantom", "duplicated"}


# Against the definition


@dataclass
class Gossip:
    """Three nodes that hold values and tell each other now and then; ``lies`` let a read show what is not there, or hide what is."""

    final_from: int
    lies: bool
    held: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in NODES})
    late: list[tuple[str, int]] = field(default_factory=list)
    busy: dict[int, tuple[Op, list[int] | None]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=lambda: list(range(4)))
    ops: list[Op] = field(default_factory=list)
    fresh: int = 0

    def put(self, node: str, value: int) -> None:
        if value not in self.held[node]:
            self.held[node].append(value)

    def step(self, seat: int, roll: int) -> None:
        if self.late and roll % 5 == 0:
            self.put(*self.late.pop())
        if roll % 3 == 0:
            one, other = NODES[roll % 3], NODES[roll // 3 % 3]
            for value in list(self.held[one]):
                self.put(other, value)
        if seat not in self.busy:
            self.invoke(seat, roll)
        else:
            self.proceed(seat, roll)

    def invoke(self, seat: int, roll: int) -> None:
        final = len(self.ops) >= self.final_from
        reads = final or roll % 2 == 0
        self.fresh += 1
        op = Op(
            process=self.numbers[seat],
            f="read" if reads else "broadcast",
            value=None if reads else self.fresh % 9,
            node=NODES[seat % 3],
            extra={"final": True} if final else {},
        )
        self.busy[seat] = op, None
        self.ops.append(op)

    def proceed(self, seat: int, roll: int) -> None:
        op, seen = self.busy.pop(seat)
        node = op.node
        assert node is not None
        if seen is None and op.f == "read":
            seen = list(self.held[node])
            if self.lies and roll % 10 == 1:
                seen = [*seen, roll % 4] if roll > 40 else seen[1:]
            self.busy[seat] = op, seen
        elif op.f == "read":
            self.ops.append(op.ok(seen))
        elif roll % 10 > 2:
            self.put(node, op.value)
            self.ops.append(op.ok(op.value))
        else:
            self.numbers[seat] += 4 if roll % 10 else 0
            if roll % 10 == 1:
                self.late.append((node, op.value))
            self.ops.append(op.info("timeout") if roll % 10 else op.fail("refused"))


def gossiped(drawn: list[Step], *, final_from: int, lies: bool, healed: int | None = None) -> History:
    world = Gossip(final_from=final_from, lies=lies)
    for at, (seat, roll) in enumerate(drawn):
        if at == healed:
            mark = Op(process=NEMESIS, f="heal", type=OpType.INFO)
            world.ops += [mark, replace(mark, value={"healed": True})]
        world.step(seat, roll)
    return stamped(world.ops)


def expected(run: History, settle: int) -> dict[str, Any]:
    """The figures and the verdict by the definition, value by value and read by read."""
    calls = run.calls()
    every = [
        (calls.op(row), int(calls.call[row]), int(calls.ret[row]), int(calls.outcome[row])) for row in range(len(calls))
    ]
    sends = [call for call in every if call[0].f == "broadcast"]
    reads = [(op, call, ret, run[ret].value) for op, call, ret, outcome in every if op.f == "read" and outcome == OK]
    heal = max((row for row, op in enumerate(run) if op.f == "heal"), default=-10_000)
    late = max(settle, 1)
    finals = [read for read in reads if read[0].extra and heal + late <= read[1]]
    lost, undelivered, phantom, unjudged, acked_any = set(), set(), set(), set(), False
    twice = sum(
        1
        for *_, shown in reads
        for value in set(shown)
        if shown.count(value) > 1 and sum(op.value == value for op, *_ in sends) < 2
    )
    strangers = 0
    for value in range(9):
        mine = [send for send in sends if send[0].value == value]
        began = min((call for _, call, _, outcome in mine if outcome != FAIL), default=10**9)
        acked = min((ret for *_, ret, outcome in mine if outcome == OK), default=10**9)
        shown = [ret for _, _, ret, seen in reads if value in seen]
        early = [ret for ret in shown if ret < began]
        if early and mine:
            phantom.add(value)
        strangers += len(early) if not mine else 0
        known = min([acked, *(ret for ret in shown if ret > began)])
        due = [read for read in finals if known + late <= read[1]]
        acked_any |= acked < 10**9
        if any(value not in seen for *_, seen in due):
            (undelivered if any(value in seen for *_, seen in finals) else lost).add(value)
        asked = {op.node for op, *_ in due}
        if acked < 10**9 and not {op.node for op, *_ in finals} <= asked:
            unjudged.add(value)
    spoken, read = {op.node for op, *_ in every}, {op.node for op, *_ in finals}
    figures = {
        "lost": len(lost),
        "undelivered": len(undelivered),
        "phantom": len(phantom) + strangers,
        "duplicated": twice,
    }
    proven = acked_any and finals and spoken == read and not unjudged
    return figures | {"verdict": "invalid" if any(figures.values()) else "valid" if proven else "unknown"}


@given(drawn=steps(44), final_from=st.integers(2, 24), settle=st.integers(0, 4), healed=st.none() | st.integers(0, 40))
def test_verdicts_are_those_of_the_definition(
    drawn: list[Step], final_from: int, settle: int, healed: int | None
) -> None:
    run = gossiped(drawn, final_from=final_from, lies=True, healed=healed)
    verdict = check(run, settle)
    wanted = expected(run, settle)
    assert str(verdict.validity) == wanted.pop("verdict")
    assert {name: verdict.stats[name] for name in wanted} == wanted


@given(drawn=steps(40))
def test_a_set_is_judged_as_a_broadcast_is(drawn: list[Step]) -> None:
    run = gossiped(drawn, final_from=12, lies=False)
    adds = History.of(replace(op, f="add" if op.f == "broadcast" else op.f) for op in run)
    one, other = check(run), make_g_set(settle_s=0).check(adds, Budget())
    assert one.validity is other.validity
    assert one.stats == other.stats


@given(drawn=steps(60))
def test_reads_before_the_end_may_lack_anything_that_is_there_in_the_end(drawn: list[Step]) -> None:
    run = list(gossiped(drawn, final_from=10**6, lies=False))
    done = {op.value for op in run if op.f == "broadcast" and op.type is OpType.OK}
    seen = {value for op in run if op.f == "read" and op.type is OpType.OK for value in op.value}
    for number, node in enumerate(NODES):
        read = Op(process=100 + number, f="read", node=node, extra={"final": True})
        run += [read, read.ok(sorted(done | seen))]
    assert check(stamped(run)).validity is (Validity.VALID if done else Validity.UNKNOWN)


# What is told


def test_figures() -> None:
    run = history("""
        p0 invoke broadcast - 1 node=n1 time=0s
        p0 ok     broadcast - 1 node=n1 time=1s
        p0 invoke broadcast - 2 node=n1 time=2s
        p0 info   broadcast - 2 node=n1 time=3s
        p1 invoke read - _ node=n2 time=4s
        p1 ok     read - [] node=n2 time=5s
        p1 invoke broadcast - 3 node=n2 time=5s
        p1 ok     broadcast - 3 node=n2 time=5s
        p2 invoke read - _ node=n1 time=9s final=true
        p2 ok     read - [1] node=n1 time=9s
        p1 invoke read - _ node=n2 time=9s final=true
        p1 ok     read - [1,3] node=n2 time=9s
    """)
    stats = make().check(run, Budget()).stats
    assert stats == {
        "nodes": 2,
        "values": 3,
        "reads": 3,
        "final_reads": 2,
        "acknowledged": 2,
        "unknown": 1,
        "recovered": 0,
        "lost": 0,
        "undelivered": 1,
        "missing_share": 0.5,
        "never_read": 0,
        "unjudged": 0,
        "stale": 1,
        "phantom": 0,
        "duplicated": 0,
        "stable_latency_ms": {"0.5": 3000.0, "0.9": 3000.0, "0.99": 3000.0, "1": 3000.0},
    }


def test_many_are_told_briefly_and_counted_all() -> None:
    ops = []
    for value in range(20):
        send = Op(process=0, f="broadcast", value=value, node="n0")
        ops += [send, send.ok(value)]
    for number in range(9):
        read = Op(process=number, f="read", node=f"n{number}", extra={"final": True})
        ops += [read, read.ok([])]
    verdict = make(settle_s=0).check(stamped(ops), Budget())
    assert len(verdict.anomalies) == 8
    assert verdict.stats["lost"] == 20
    assert verdict.anomalies[0].reason.endswith("and those of 4 more")
    assert verdict.reason.startswith("20 values lost (100 % of those acknowledged): process 0 on n0's"[:45])


def test_a_history_without_times_is_judged_by_its_order_if_nothing_has_to_settle() -> None:
    send, read = Op(process=0, f="broadcast", value=1), Op(process=0, f="read", extra={"final": True})
    run = History.of([send, send.ok(1), read, read.ok([])])
    assert make().check(run, Budget()).validity is Validity.UNKNOWN
    assert make(settle_s=0).check(run, Budget()).validity is Validity.INVALID


def test_a_time_to_settle_is_not_negative() -> None:
    with pytest.raises(PlanError, match="settle_s is -1"):
        make(settle_s=-1)
