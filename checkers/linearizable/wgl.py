"""Linearizability by search, exact, for any model: plain Python to read first and to trust most.

Source: Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of configurations
of Lowe, "Testing for Linearizability" (2017).

Operations are put in order one after the other. The next one may be any that was invoked before the first
completion that is still missing. A configuration is all that matters for the rest: how many completions are
passed, which of the still open operations are placed, and the state; one that was seen before need not be
seen again. Two rules cut the search without losing an answer:

* a read that is legal now is placed now, and nothing else is tried: it changes nothing, so sooner never
  hurts;
* an operation that never completed is not placed where it changes nothing: it might as well not have
  happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import Model, successors
from harness.history import FOREVER
from harness.verdict import Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An operation that happened or may have: positions of invocation and completion (FOREVER if unknown),
    frozen argument and result.
    """

    call: int
    ret: int
    f: str
    argument: Any
    result: Any


# (completions passed, bits of the placed operations whose completion is not passed, state)
_Config = tuple[int, int, Any]


# What a remembered configuration takes, about, and each item of its state.
CONFIG_BYTES, ITEM_BYTES = 400, 8
# How each configuration was reached: from which one, by placing which call.
Trail = dict[_Config, tuple[_Config, int]]


def find_order(model: Model, calls: Sequence[Call], limits: Limits) -> list[int] | None:
    """The calls that happened, in an order that explains all their results; None if none was found in the limits."""
    trail: Trail = {}
    if search(model, calls, limits, trail).validity is not Validity.VALID:
        return None
    completed = sum(call.ret != FOREVER for call in calls)
    at: _Config | None = next((config for config in reversed(trail) if config[0] == completed), None)
    order = []
    while at in trail:
        at, i = trail[at]
        order.append(i)
    return order[::-1]


def search(model: Model, calls: Sequence[Call], limits: Limits, trail: Trail | None = None) -> Found:
    """Whether ``calls``, in invocation order, are linearizable. What ``model.step`` raises comes through.

    With a ``trail``, every configuration is noted there, too.
    """
    order = sorted((i for i, c in enumerate(calls) if c.ret != FOREVER), key=lambda i: calls[i].ret)
    window = _Window(calls, order)
    start: _Config = (0, 0, model.init)
    seen, stack = {start}, [start]
    steps = explained = memory = 0
    while stack:
        passed, placed, state = stack.pop()
        explained = max(explained, passed)
        if passed == len(order):
            return Found(validity=Validity.VALID, steps=steps, explained=passed, completed=passed)
        following, placed_by = [], []
        for i in window.open(passed):
            if placed >> window.bit[i] & 1:
                continue
            steps += 1
            call = calls[i]
            afters = successors(model, state, call.f, call.argument, call.result)
            if afters and call.f in model.reads:
                following, placed_by = [window.place(i, passed, placed, state)], [i]
                break
            possible = [window.place(i, passed, placed, s) for s in afters if call.ret != FOREVER or s != state]
            following += possible
            placed_by += [i] * len(possible)
        fresh = [config for config in following if config not in seen]
        if trail is not None:
            for config, i in zip(following, placed_by, strict=True):
                if config not in seen:
                    trail.setdefault(config, ((passed, placed, state), i))
        size = len(state) if isinstance(state, tuple | str | frozenset) else 1
        memory += len(fresh) * (CONFIG_BYTES + ITEM_BYTES * size)
        if steps >= limits.steps or len(seen) + len(fresh) > limits.configs or memory > limits.bytes:
            return Found(validity=Validity.UNKNOWN, steps=steps, explained=explained, completed=len(order))
        seen.update(fresh)
        stack.extend(reversed(fresh))  # so that the operation invoked first is tried first
    return Found(
        validity=Validity.INVALID,
        steps=steps,
        explained=explained,
        completed=len(order),
        stuck=order[explained],
    )


class _Window:
    """Which operations are open while the first missing completion is that of ``order[passed]``."""

    def __init__(self, calls: Sequence[Call], order: Sequence[int]) -> None:
        self._order = order
        self.bit = [0] * len(calls)
        self._completing: list[tuple[int, ...]] = []
        self._endless = [i for i, c in enumerate(calls) if c.ret == FOREVER]
        self._endless_count: list[int] = []
        free: list[int] = []
        used = at = endless = 0
        live: dict[int, None] = {}
        for passed, deadline in enumerate(order):
            while at < len(calls) and calls[at].call < calls[deadline].ret:
                # Bits are used again, so that configurations stay as small as the concurrency.
                if free:
                    self.bit[at] = free.pop()
                else:
                    self.bit[at], used = used, used + 1
                if calls[at].ret == FOREVER:
                    endless += 1
                else:
                    live[at] = None
                at += 1
            self._completing.append(tuple(live))
            self._endless_count.append(endless)
            del live[order[passed]]
            free.append(self.bit[deadline])

    def open(self, passed: int) -> Iterator[int]:
        yield from self._completing[passed]
        yield from self._endless[: self._endless_count[passed]]

    def place(self, i: int, passed: int, placed: int, after: Any) -> _Config:
        placed |= 1 << self.bit[i]
        while passed < len(self._order) and placed >> self.bit[self._order[passed]] & 1:
            placed &= ~(1 << self.bit[self._order[passed]])
            passed += 1
        return passed, placed, after
