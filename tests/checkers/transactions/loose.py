"""Histories of transactions by stores of several degrees of looseness: for comparing the checkers with their definition.

Deterministic in a seed.
"""

from __future__ import annotations

import random
from typing import Any

from harness.history import History
from harness.op import Op

STORES = ("serial", "snapshot", "stale", "chaos")


def loose_run(seed: int, write: str, *, txns: int = 5, keys: int = 2, store: str = "") -> History:
    """A history of at most so many transactions of three processes that read lists (``append``) or registers (``w``)."""
    dice = random.Random(seed)
    store = store or dice.choice(STORES)
    world = _World(dice, write, store)
    ops: list[Op] = []
    busy: dict[int, tuple[Op, Any]] = {}
    seats = [0, 1, 2]
    fresh = dict.fromkeys(range(keys), 0)
    left = txns
    while left or busy:
        place = dice.randrange(3)
        process = seats[place]
        if process in busy:
            op, context = busy.pop(process)
            throw = dice.random()
            if throw < 0.1:
                ops.append(op.fail("no"))
                if store == "chaos" and dice.random() < 0.5:
                    world.commit(op.value, context)
            elif throw < 0.25:
                if dice.random() < 0.6:
                    world.commit(op.value, context)
                ops.append(op.info("timeout"))
                seats[place] += 3
            else:
                ops.append(op.ok(world.commit(op.value, context)))
        elif left:
            left -= 1
            mops: list[list[Any]] = []
            for _ in range(dice.randint(1, 3)):
                key = dice.randrange(keys)
                if dice.random() < 0.5:
                    mops.append(["r", key, None])
                else:
                    fresh[key] += 1
                    mops.append([write, key, fresh[key]])
            op = Op(process=process, f="txn", value=mops)
            ops.append(op)
            busy[process] = op, world.begin()
    return History.of(op.stamped(index, index, None) for index, op in enumerate(ops))


class _World:
    def __init__(self, dice: random.Random, write: str, store: str) -> None:
        self._dice, self._write, self._store = dice, write, store
        self._states: list[dict[Any, Any]] = [{}]

    def begin(self) -> dict[Any, Any]:
        return self._states[-1]

    def commit(self, mops: list[list[Any]], began: dict[Any, Any]) -> list[list[Any]]:
        latest = self._states[-1]
        view = {
            "serial": latest,
            "snapshot": began,
            "stale": self._dice.choice(self._states[-3:]),
            "chaos": latest,
        }[self._store]
        state, done, own = dict(latest), [], dict(view)
        for f, key, value in mops:
            if self._store == "chaos":
                own = {**self._dice.choice(self._states), **(own if self._dice.random() < 0.5 else {})}
            if f == "r":
                done.append(["r", key, own.get(key)])
                continue
            own[key] = [*own.get(key, []), value] if f == "append" else value
            state[key] = [*state.get(key, []), value] if f == "append" else value
            if self._store == "chaos" and self._dice.random() < 0.3:
                state[key] = own[key]
            done.append([f, key, value])
        self._states.append(state)
        return done
