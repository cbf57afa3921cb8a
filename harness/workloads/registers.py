"""Registers whose every written value is fresh: so a read says which write it saw, and histories are checked in near-linear time.

Values of one key are 1, 2, 3, ... in the order of their invocation, and never used twice, whatever became of them. A compare-and-set goes
from the last value that anybody is known to have seen of its key, learnt from completions, to a fresh one.
Theory: with distinct writes linearizability of a register is decided in O(n log n) (Gibbons and Korach 1997).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from harness.errors import PluginError
from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op, OpType

# Operation → (fresh value, last seen value) → its value; and what a success of it shows to be the key's value.
_VALUES: Mapping[str, Callable[[int, Any], Any]] = {
    "read": lambda _fresh, _seen: None,
    "write": lambda fresh, _seen: fresh,
    "cas": lambda fresh, seen: [seen, fresh],
}
_SEEN: Mapping[str, Callable[[Any], Any]] = {
    "read": lambda value: value,
    "write": lambda value: value,
    "cas": lambda value: value[1],
}


def registers(key_weights: Sequence[float], shares: Mapping[str, float]) -> Generator:
    """Endless ops on the keys 0, 1, 2, ..., chosen in proportion to ``key_weights``; ``shares`` are those of "read", "write", "cas".

    While no value of a key was seen there is nothing to compare with, and a write takes the place of a cas.
    """
    unknown = [f for f in shares if f not in _VALUES]
    if unknown or not key_weights or min([*key_weights, *shares.values()]) < 0 or not sum(shares.values()) > 0:
        raise PluginError(f"registers need key weights and shares of read, write, cas, not {key_weights} and {shares}")
    keys = len(key_weights)
    fs = tuple(shares)
    return Registers(
        tuple(accumulate(key_weights)), fs, tuple(accumulate(shares.values())), (1,) * keys, (None,) * keys
    )


@node
class Registers:
    """``key_ends`` and ``f_ends`` are running sums of weights. Per key: ``fresh``, the next value, and ``seen``, the last known one."""

    key_ends: tuple[float, ...]
    fs: tuple[str, ...]
    f_ends: tuple[float, ...]
    fresh: tuple[int, ...]
    seen: tuple[Any, ...]

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        key = _drawn(self.key_ends, random())
        f = self.fs[_drawn(self.f_ends, random())]
        if f == "cas" and self.seen[key] is None:
            f = "write"
        op = invocation(ctx, f, key, _VALUES[f](self.fresh[key], self.seen[key]))
        if op is PENDING:
            return PENDING
        if f == "read":
            return op, self
        fresh = (*self.fresh[:key], self.fresh[key] + 1, *self.fresh[key + 1 :])
        return op, Registers(self.key_ends, self.fs, self.f_ends, fresh, self.seen)

    def update(self, ctx: Context, event: Op) -> Generator:
        learn = _SEEN.get(event.f)
        if event.type is not OpType.OK or learn is None or not self._owns(event.key):
            return self
        value = learn(event.value)
        if value is None or value == self.seen[event.key]:
            return self
        seen = (*self.seen[: event.key], value, *self.seen[event.key + 1 :])
        return Registers(self.key_ends, self.fs, self.f_ends, self.fresh, seen)

    def _owns(self, key: Any) -> bool:
        return key.__class__ is int and 0 <= key < len(self.seen)


def _drawn(ends: tuple[float, ...], throw: float) -> int:
    """The place in running sums of weights that ``throw`` (0 ≤ throw < 1) falls on. Never the end: the product may round up to it."""
    return bisect_right(ends, throw * ends[-1], 0, len(ends) - 1)
