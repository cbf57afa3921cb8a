"""Histories of a register made by running one: valid by construction, until a lie is told. Deterministic in its steps.

``register_run`` turns a list of small numbers into a history: which process goes on, and a roll that decides what it does. Hypothesis
draws (and shrinks) such lists; ``rolls`` makes long ones from a seed. Calls overlap, crash before and after their effect, and take effect
late.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from harness.history import History
from harness.op import Op, OpType

PROCESSES = 4
ROLLS = 100
Step = tuple[int, int]  # process, roll

STEPS = st.lists(st.tuples(st.integers(0, PROCESSES - 1), st.integers(0, ROLLS - 1)), max_size=26)


def rolls(count: int, seed: int, processes: int = PROCESSES) -> list[Step]:
    dice = random.Random(seed)
    return [(dice.randrange(processes), dice.randrange(ROLLS)) for _ in range(count)]


@dataclass
class _World:
    """The register behind every key, and what its processes are doing."""

    domain: int  # how many values there are; 0: every write is of a new one
    keys: int
    crashes: bool
    nulls: bool
    state: dict[Any, Any] = field(default_factory=dict)
    open: dict[int, tuple[Op, str]] = field(default_factory=dict)  # process → op, "invoked" or what its effect returned
    results: dict[int, Op] = field(default_factory=dict)
    late: list[Op] = field(default_factory=list)
    number: dict[int, int] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    fresh: int = 0

    def value(self, roll: int) -> int | None:
        """A value to write: fresh, or one of the domain, whose first is null. Now and then null is written among fresh ones, too."""
        self.fresh += 1
        if self.domain:
            return roll % self.domain or None
        return None if self.nulls and self.fresh % 7 == 0 else self.fresh

    def effect(self, op: Op) -> Op:
        """The op as it completes if nothing goes wrong."""
        now = self.state.get(op.key)
        if op.f == "read":
            return op.ok(now)
        if op.f == "write":
            self.state[op.key] = op.value
            return op.ok(op.value)
        if op.value[0] != now:
            return op.fail("precondition")
        self.state[op.key] = op.value[1]
        return op.ok(op.value)

    def invoke(self, process: int, roll: int) -> None:
        key = "xyz"[roll % self.keys]
        value: Any = None
        if roll < 45:
            f = "read"
        elif roll < 75:
            f, value = "write", self.value(roll)
        else:  # often of what is there now, so that many succeed
            expected = self.state.get(key) if roll % 4 else self.value(roll // 2)
            f, value = "cas", [expected, self.value(roll)]
        op = Op(process=self.number.setdefault(process, process), f=f, key=key, value=value)
        self.open[process] = op, "invoked"
        self.record(op)

    def step(self, process: int, roll: int, lies: bool) -> None:
        if self.late and roll % 7 == 0:
            self.effect(self.late.pop(0))
        if process not in self.open:
            self.invoke(process, roll)
            return
        op, phase = self.open[process]
        if phase == "invoked":
            if self.crashes and roll % 10 == 0:
                self.late.append(op)
                self.crash(process, op)
            else:
                self.results[process] = self.effect(op)
                self.open[process] = op, "done"
        elif self.crashes and roll % 10 == 0:
            self.crash(process, op)
        else:
            done = self.results[process]
            if lies and done.f == "read" and roll % 10 == 1:
                done = op.ok(roll % (self.domain or self.fresh + 2) or None)
            elif lies and done.type is OpType.FAIL and roll % 2:
                done = op.ok(op.value)  # a cas that is said to have succeeded
            del self.open[process]
            self.record(done)

    def crash(self, process: int, op: Op) -> None:
        del self.open[process]
        self.number[process] = op.process + PROCESSES * 100  # type: ignore[operator]  # clients have numbers
        self.record(op.info("timeout"))

    def record(self, op: Op) -> None:
        self.ops.append(op)


def register_run(
    steps: Sequence[Step],
    *,
    domain: int = 0,
    keys: int = 1,
    crashes: bool = True,
    lies: bool = True,
    nulls: bool = False,
) -> History:
    """The history of running ``steps``; without ``lies`` it is linearizable. Values are fresh, or of a small ``domain``."""
    world = _World(domain=domain, keys=keys, crashes=crashes, nulls=nulls)
    for process, roll in steps:
        world.step(process, roll, lies)
    return history_of(world.ops)


def history_of(ops: Iterable[Op]) -> History:
    """These ops, stamped by their order."""
    return History.of(
        Op(
            index=i,
            time_ns=i * 1_000_000,
            type=op.type,
            process=op.process,
            f=op.f,
            key=op.key,
            value=op.value,
            error=op.error,
        )
        for i, op in enumerate(ops)
    )


def could_be_wrong(run: History) -> bool:
    """Of a register: something that tells of it succeeded, and something that changes it may have happened."""
    failed = {int(run.pair[row]) for row, op in enumerate(run) if op.type is OpType.FAIL}
    tells = any(op.type is OpType.OK and op.f in ("read", "cas") for op in run)
    asked = (op.f for row, op in enumerate(run) if op.type is OpType.INVOKE and row not in failed)
    return tells and any(f in ("write", "cas") for f in asked)


def without(history: History, call_rows: Iterable[int]) -> History:
    """The history without the calls invoked in these rows."""
    gone = set(call_rows)
    gone |= {int(history.pair[row]) for row in gone} - {-1}
    return history.select([row for row in range(len(history)) if row not in gone])
