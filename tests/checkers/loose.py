"""Histories of registers in which anything may be read: for comparing a checker with its definition. Deterministic in their steps.

A step is a process and a roll. An idle process begins a read, a write of a fresh value (or, with ``domain``, of one of a few) or a cas;
a busy one completes. Reads return null, a value that was asked to be written, or, rarely, one that never was.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from harness.history import FOREVER, History
from harness.op import NEMESIS, Op, OpType, Process

PROCESSES, ROLLS, STEP_NS = 4, 1_000, 1_000_000
Step = tuple[int, int]


def steps(most: int) -> st.SearchStrategy[list[Step]]:
    """Few steps, which Hypothesis makes ever simpler, or ``most`` of them, as dice throw them: these reach what few do not."""
    few = st.lists(st.tuples(st.integers(0, PROCESSES - 1), st.integers(0, ROLLS - 1)), max_size=most)
    return few | st.integers(0, 1_000_000).map(lambda seed: rolled(seed, most))


def rolled(seed: int, count: int) -> list[Step]:
    dice = random.Random(seed)
    return [(dice.randrange(PROCESSES), dice.randrange(ROLLS)) for _ in range(count)]


def loose_run(
    drawn: Sequence[Step],
    *,
    keys: int = 1,
    domain: int = 0,
    cas: bool = True,
    nodes: int = 2,
    final_from: int | None = None,
) -> History:
    """The history of these steps. From line ``final_from`` on all operations are final reads, after a heal."""
    ops: list[Op] = []
    numbers = list(range(PROCESSES))
    busy: dict[int, Op] = {}
    values: dict[Any, list[Any]] = {}
    fresh = 0
    for seat, roll in drawn:
        node = f"n{seat % nodes + 1}"
        final = final_from is not None and len(ops) >= final_from
        if final and not any(op.is_nemesis for op in ops):
            ops += [Op(process=NEMESIS, f="heal", type=OpType.INFO, value=value) for value in (None, {"healed": True})]
        if seat in busy:
            call = busy.pop(seat)
            known = values.setdefault(call.key, [None])
            kind = roll % 10
            if kind == 0:
                op = call.info("timeout")
                numbers[seat] += PROCESSES
            elif kind == 1:
                op = call.fail("refused")
            else:
                choices = [*known, 999] if roll > 980 else known
                op = call.ok(choices[roll // 10 % len(choices)] if call.f == "read" else call.value)
        else:
            key = "xyz"[roll // 10 % keys]
            known = values.setdefault(key, [None])
            kind = 0 if final else roll % 10
            if kind < 5:
                op = Op(process=numbers[seat], f="read", key=key, node=node, extra={"final": True} if final else {})
            else:
                fresh += 1
                value = roll % domain if domain else fresh
                swaps = kind == 9 and cas
                op = Op(
                    process=numbers[seat],
                    f="cas" if swaps else "write",
                    key=key,
                    value=[known[roll // 10 % len(known)], value] if swaps else value,
                    node=node,
                )
                known.append(value)
            busy[seat] = op
        ops.append(op)
    return stamped(ops)


def stamped(ops: Iterable[Op]) -> History:
    """These ops, stamped by their order."""
    return History.of(replace(op, index=i, time_ns=i * STEP_NS) for i, op in enumerate(ops))


@dataclass(frozen=True)
class Call:
    """One operation that happened or may have: what it saw and what it wrote (NOTHING: no sight, no write)."""

    session: Any
    key: Any
    saw: Any
    wrote: Any
    call: int
    ret: int
    f: str
    process: Process
    node: Any
    final: bool

    @property
    def certain(self) -> bool:
        return self.ret != FOREVER


NOTHING = "nothing"


def calls_of(history: History) -> list[Call]:
    """Reads that returned, writes and cas that did not fail, one after the other; by the plain Ops."""
    found = []
    for row, op in enumerate(history):
        if op.is_nemesis or op.type != "invoke":
            continue
        other = int(history.pair[row])
        done = history[other] if other >= 0 else op.info("no completion")
        outcome = done.type
        if outcome == "fail" or (op.f == "read" and outcome != "ok"):
            continue
        saw = wrote = NOTHING
        if op.f == "read":
            saw = done.value
        elif op.f == "write":
            wrote = op.value
        else:
            wrote = op.value[1]
            if op.value[0] == wrote:  # it is a read
                saw, wrote = wrote if outcome == "ok" else NOTHING, NOTHING
            elif outcome == "ok":
                saw = op.value[0]
        found.append(
            Call(
                session=op.process,
                key=op.key,
                saw=saw,
                wrote=wrote,
                call=row,
                ret=other if outcome == "ok" else FOREVER,
                f=op.f,
                process=op.process,
                node=op.node,
                final=op.extra.get("final") is True,
            )
        )
    return found


def explained(calls: Sequence[Call]) -> bool:
    """Whether for everything seen there is a write that began before."""
    return all(
        call.saw in (NOTHING, None)
        or any(w.key == call.key and w.wrote == call.saw and w.call < call.ret for w in calls)
        for call in calls
    )


def since(calls: Sequence[Call], key: Any, value: Any) -> int:
    """The row by which a value of a key had certainly taken effect, by the definition (see checkers/versions.py)."""
    writers = [call for call in calls if call.key == key and call.wrote == value and call.wrote != NOTHING]
    if not writers:
        return -1 if value is None else FOREVER
    last = max(call.ret for call in writers)
    if len(writers) > 1 or value is None:
        return last
    sights = [
        call.ret for call in calls if call.key == key and call.saw == value and call.saw != NOTHING and call.certain
    ]
    return min([last, *sights])


def replaced(calls: Sequence[Call], key: Any, since_row: int, before: int) -> list[Call]:
    """The writes that began after ``since_row`` and had completed by ``before``."""
    return [w for w in calls if w.key == key and w.wrote != NOTHING and since_row < w.call and w.ret < before]
