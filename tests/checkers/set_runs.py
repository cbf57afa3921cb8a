"""Histories of a set made by running one, with calls that crash and answers that are lies: each value is added and removed once at most."""

from __future__ import annotations

from collections.abc import Sequence

from harness.history import History
from harness.op import Op
from tests.checkers.runs import PROCESSES, Step

ASKED = ("add", "remove", "contains", "contains")
READ = ("add", "remove", "read", "read", "contains")


def set_run(
    steps: Sequence[Step],
    values: int,
    fs: Sequence[str],
    *,
    processes: int = PROCESSES,
    lies: bool = True,
    fresh: bool = False,
) -> History:
    """A set that ran: in ``steps`` a process goes on, and a roll decides what it does, of ``fs`` (the third for what is spent). Calls crash
    before or after their effect, and now and then an answer is another one. ``fresh``: a value that is spent makes room for a new one, so
    that a long run goes on changing.
    """
    content, spent = set[int](), set[tuple[str, int]]()
    names, base = list(range(processes)), [0] * values
    open_ops: dict[int, Op] = {}
    answers: dict[int, object] = {}
    ops: list[Op] = []
    for process, roll in steps:
        if process not in open_ops:
            f, place = fs[roll % len(fs)], roll // len(fs) % values
            value = place + base[place] * values
            if (f, value) in spent:
                f = fs[2]
            if f in ("add", "remove"):
                spent.add((f, value))
                if fresh and {("add", value), ("remove", value)} <= spent:
                    base[place] += 1
            open_ops[process] = Op(process=names[process], f=f, value=None if f == "read" else value)
            ops.append(open_ops[process])
            continue
        op = open_ops[process]
        if process not in answers and roll < 85:
            answers[process] = sorted(content) if op.f == "read" else op.value in content
            (content.add if op.f == "add" else content.discard if op.f == "remove" else bool)(op.value)
            continue
        del open_ops[process]
        answer = answers.pop(process, None)
        if answer is None or roll >= 94:
            names[process] += processes
            ops.append(op.info("timeout"))
            continue
        if lies and roll % 7 == 0 and op.f in ("read", "contains"):
            place = roll // 7 % values
            lie = place + max(base[place] - 1, 0) * values
            answer = not answer if op.f == "contains" else sorted({*answer} ^ {lie})
        ops.append(op.ok(answer if op.f in ("read", "contains") else op.value))
    return History.of(ops)
