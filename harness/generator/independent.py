"""One generator per key: a long run as many short, independent ones, which checkers can judge one by one.

Linearizability, above all, is cheap to check for short histories of few processes and costly for long ones. Here every key gets a
generator of its own, whose ops carry ``key``; when it has ended, a new key takes its place. After Jepsen's jepsen.independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from harness.errors import PluginError
from harness.generator.context import Context, lowest_bits, nth_bit
from harness.generator.core import EMPTY, PENDING, Answer, Generator, node
from harness.generator.values import EMPTY_IN_A_ROW_MAX, Lazy, gen
from harness.op import Op

ForKey = Callable[[Any], Any]  # key → what ``gen`` takes; pure: it may be called more than once for a key


def keyed(key: Any, value: Any) -> Generator:
    """``value``, its ops on ``key``; it hears of events of that key alone."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else Keyed(key, inner)


@node
class Keyed:
    """See ``keyed``."""

    key: Any
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        # Written out, since dataclasses.replace takes twice as long.
        op = Op(
            time_ns=op.time_ns,
            type=op.type,
            process=op.process,
            f=op.f,
            key=self.key,
            value=op.value,
            node=op.node,
            extra=op.extra,
        )
        return op, (EMPTY if rest is EMPTY else Keyed(self.key, rest))

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.key != self.key:
            return self
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else Keyed(self.key, inner)


def sequential_keys(keys: Iterable[Any], for_key: ForKey) -> Generator:
    """All of ``for_key(k1)``, then all of ``for_key(k2)``, and so on; ``keys`` may be endless."""
    return gen(keyed(key, for_key(key)) for key in keys)


def concurrent_keys(threads_per_key: int, keys: Iterable[Any], for_key: ForKey) -> Generator:
    """The client threads in groups of at most ``threads_per_key``, each group on a key of its own.

    When the generator of a key has ended, its group takes the next of ``keys`` (which may be endless), and so on until there is none.
    The groups are of the same size, as far as possible, and contiguous, so that each reaches several nodes. The generator of a key sees
    only the threads of its group, and hears of events of its key. The nemesis takes no part.
    """
    if threads_per_key < 1:
        raise PluginError(f"concurrent_keys needs at least one thread per key, not {threads_per_key}")
    return ConcurrentKeys(threads_per_key, for_key, Lazy(keys), ())


@node
class _Group:
    """The threads of ``mask``, at work on ``keyed`` (EMPTY: they take the next key when asked)."""

    mask: int
    keyed: Generator


@node
class ConcurrentKeys:
    """``groups`` is empty before it has begun; ``keys`` are those that nobody has taken yet."""

    threads_per_key: int
    for_key: ForKey
    keys: Lazy
    groups: tuple[_Group, ...]

    def op(self, ctx: Context) -> Answer:
        groups = self.groups or _grouped(ctx, self.threads_per_key)
        best: tuple[int, tuple[Op, Generator], Lazy] | None = None
        waiting = ctx.free & (ctx.nemesis_bit - 1)
        running = False
        while (
            waiting
        ):  # the group of a random free thread first: the chance of a group is its share of the free threads
            bit = 1 << nth_bit(waiting, int(ctx.rng.random() * waiting.bit_count()))
            index = next(i for i, group in enumerate(groups) if group.mask & bit)
            waiting &= ~groups[index].mask
            answer, keys = self._ask(groups[index], ctx)
            if answer is PENDING:
                running = True
            elif answer is not None and (best is None or answer[0].time_ns < best[1][0].time_ns):
                best = (index, answer, keys)
                if answer[0].time_ns <= ctx.time_ns:
                    break
        if best is not None:
            index, (op, rest), keys = best
            changed = (*groups[:index], _Group(groups[index].mask, rest), *groups[index + 1 :])
            return op, ConcurrentKeys(self.threads_per_key, self.for_key, keys, changed)
        if running or self._may_go_on(groups, ctx):
            return PENDING
        return None

    def _ask(self, group: _Group, ctx: Context) -> tuple[Answer, Lazy]:
        """The answer of a group, which goes on to the next key if it is through with its own, and the keys that are left then."""
        ctx = ctx.restrict(group.mask)
        answer, keys = group.keyed.op(ctx), self.keys
        for _ in range(EMPTY_IN_A_ROW_MAX):
            if answer is not None:
                return answer, keys
            drawn = keys.draw()
            if drawn is None:
                return None, keys
            key, keys = drawn
            answer = keyed(key, self.for_key(key)).op(ctx)
        raise PluginError(f"{self.for_key!r} gave no op for {EMPTY_IN_A_ROW_MAX} keys in a row")

    def _may_go_on(self, groups: tuple[_Group, ...], ctx: Context) -> bool:
        """Whether a group that is wholly busy, and so was not asked, may yet have an op."""
        busy = [group for group in groups if not group.mask & ctx.free]
        return bool(busy) and (self.keys.draw() is not None or any(group.keyed is not EMPTY for group in busy))

    def update(self, ctx: Context, event: Op) -> Generator:
        bit = ctx.bit_of(event.process)
        for i, group in enumerate(self.groups):
            if group.mask & bit:
                inner = group.keyed.update(ctx.restrict(group.mask), event)
                if inner is group.keyed:
                    return self
                changed = (*self.groups[:i], _Group(group.mask, inner), *self.groups[i + 1 :])
                return ConcurrentKeys(self.threads_per_key, self.for_key, self.keys, changed)
        return self


def _grouped(ctx: Context, threads_per_key: int) -> tuple[_Group, ...]:
    """The client threads of ``ctx`` in as few groups as may be, whose sizes differ by at most one."""
    left = ctx.threads & (ctx.nemesis_bit - 1)
    total = left.bit_count()
    if not total:
        raise PluginError("concurrent_keys needs client threads, but here are none")
    count = -(-total // threads_per_key)
    groups = []
    for i in range(count):
        mask = lowest_bits(left, total // count + (i < total % count))
        left ^= mask
        groups.append(_Group(mask, EMPTY))
    return tuple(groups)
