"""Histories of queues, stacks, priority queues and bags, made by running one; and their definition, for all orders."""

from __future__ import annotations

import random
from typing import Any

from harness.history import History
from harness.op import Op

NAMES = {
    "fifo-queue": ("enqueue", "dequeue"),
    "stack": ("push", "pop"),
    "priority-queue": ("insert", "delete-min"),
    "unordered-queue": ("enqueue", "dequeue"),
}


def take(model: str, content: list[int], roll: int) -> int | None:
    """Remove what this kind of container gives next."""
    if not content:
        return None
    at = {"fifo-queue": 0, "stack": -1}.get(model, 0)
    if model == "priority-queue":
        at = content.index(min(content))
    elif model == "unordered-queue":
        at = roll % len(content)
    return content.pop(at)


def container_run(
    model: str,
    steps: int,
    seed: int,
    *,
    processes: int = 4,
    lies: bool = True,
    crashes: bool = False,
    duplicates: bool = False,
) -> History:
    """A history of ``steps`` events of one container; with ``lies``, a removal sometimes tells another value."""
    dice = random.Random(f"{model} {steps} {seed}")
    insert, remove = NAMES[model]
    content: list[int] = []
    names = list(range(processes))
    open_ops: dict[int, list[Any]] = {}
    ops: list[Op] = []
    fresh = list(range(1, steps + 2))
    dice.shuffle(fresh)
    used: list[int] = []
    inserting = dice.choice((0.4, 0.5, 0.6))
    while len(ops) < steps:
        thread = dice.randrange(processes)
        if thread not in open_ops:
            value = None
            if dice.random() < inserting:
                value = dice.choice(used) if duplicates and used and dice.random() < 0.3 else fresh.pop()
                used.append(value)
            op = Op(process=names[thread], f=remove if value is None else insert, value=value)
            open_ops[thread] = [op, False, None]
            ops.append(op)
            continue
        call = open_ops[thread]
        op, done, _ = call
        if crashes and dice.random() < 0.05:
            if not done and dice.random() < 0.5:
                effect(model, op, content, dice)
            ops.append(op.info("timeout"))
            names[thread] += processes
            del open_ops[thread]
        elif not done:
            call[1], call[2] = True, effect(model, op, content, dice)
        else:
            result = call[2]
            if lies and op.f == remove and dice.random() < min(0.5, 4 / steps):
                result = dice.choice([*used, None]) if used else None
            ops.append(op.ok(op.value if op.f == insert else result))
            del open_ops[thread]
    return History.of(ops)


def effect(model: str, op: Op, content: list[int], dice: random.Random) -> int | None:
    if op.f == NAMES[model][0]:
        content.append(op.value)
        return None
    return take(model, content, dice.randrange(1 << 20))
