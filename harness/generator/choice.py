"""One of several: whichever comes soonest, or a random mixture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.errors import PluginError
from harness.generator.context import Context
from harness.generator.core import EMPTY, PENDING, Answer, Generator, node
from harness.generator.sequence import update_all
from harness.generator.values import gen
from harness.op import Op


def any_of(*values: Any, weights: Sequence[int] | None = None) -> Generator:
    """The op of any of them that comes soonest; ties are broken by the dice, in proportion to ``weights`` (default: equal).

    All of them hear of every event. It ends when all have ended.
    """
    gens, weighing = _weighed(values, weights)
    return _any_of(gens, weighing)


def shortest_any(*values: Any, weights: Sequence[int] | None = None) -> Generator:
    """As ``any_of``, but it ends as soon as one of them has ended: a workload for as long as the nemesis has something to do."""
    gens, weighing = _weighed(values, weights)
    return EMPTY if not gens or EMPTY in gens else ShortestAny(gens, weighing)


def _weighed(values: Sequence[Any], weights: Sequence[int] | None) -> tuple[tuple[Generator, ...], tuple[int, ...]]:
    weighing = (1,) * len(values) if weights is None else tuple(weights)
    if len(weighing) != len(values) or any(weight <= 0 for weight in weighing):
        raise PluginError(f"{len(values)} generators need as many positive weights, not {weights!r}")
    return tuple(map(gen, values)), weighing


def _soonest(
    gens: tuple[Generator, ...], weights: tuple[int, ...], ctx: Context
) -> tuple[tuple[Op, Generator] | None, int, int, bool]:
    """The soonest answer and whose it is, a mask of those that are exhausted, and whether one is pending."""
    best: tuple[Op, Generator] | None = None
    best_ns = chosen = exhausted = weight = 0
    pending = False
    for i, inner in enumerate(gens):
        answer = inner.op(ctx)
        if answer is PENDING:
            pending = True
        elif answer is None:
            exhausted |= 1 << i
        else:
            time_ns = answer[0].time_ns
            if best is None or time_ns < best_ns:
                best, best_ns, chosen, weight = answer, time_ns, i, weights[i]
            elif time_ns == best_ns:
                # Each of k tied so far has been kept with its share of their weight; so has the k+1st after this throw.
                weight += weights[i]
                if ctx.rng.random() * weight < weights[i]:
                    best, chosen = answer, i
    return best, chosen, exhausted, pending


def _any_of(gens: tuple[Generator, ...], weights: tuple[int, ...]) -> Generator:
    """AnyOf of those that are not empty; one that is left alone needs no choice."""
    if EMPTY in gens:
        alive = [i for i, inner in enumerate(gens) if inner is not EMPTY]
        gens, weights = tuple(gens[i] for i in alive), tuple(weights[i] for i in alive)
    if len(gens) < 2:
        return gens[0] if gens else EMPTY
    return AnyOf(gens, weights)


@node
class AnyOf:
    """See ``any_of``."""

    gens: tuple[Generator, ...]
    weights: tuple[int, ...]

    def op(self, ctx: Context) -> Answer:
        best, chosen, exhausted, pending = _soonest(self.gens, self.weights, ctx)
        if best is None:
            return PENDING if pending else None
        op, rest = best
        gens = (*self.gens[:chosen], rest, *self.gens[chosen + 1 :])
        if exhausted:
            gens = tuple(EMPTY if exhausted >> i & 1 else inner for i, inner in enumerate(gens))
        elif rest is not EMPTY:
            return op, AnyOf(gens, self.weights)
        return op, _any_of(gens, self.weights)

    def update(self, ctx: Context, event: Op) -> Generator:
        gens = update_all(self.gens, ctx, event)
        return self if gens is self.gens else _any_of(gens, self.weights)


@node
class ShortestAny:
    """See ``shortest_any``."""

    gens: tuple[Generator, ...]
    weights: tuple[int, ...]

    def op(self, ctx: Context) -> Answer:
        best, chosen, exhausted, pending = _soonest(self.gens, self.weights, ctx)
        if exhausted:
            return None
        if best is None:
            return PENDING if pending else None
        op, rest = best
        if rest is EMPTY:
            return op, EMPTY
        return op, ShortestAny((*self.gens[:chosen], rest, *self.gens[chosen + 1 :]), self.weights)

    def update(self, ctx: Context, event: Op) -> Generator:
        gens = update_all(self.gens, ctx, event)
        if gens is self.gens:
            return self
        return EMPTY if EMPTY in gens else ShortestAny(gens, self.weights)


def mix(values: Sequence[Any]) -> Generator:
    """A random mixture: each op comes from one of ``values``, chosen uniformly, until all have ended.

    The choice is made before it is asked, so that a generator which happens to come sooner is not favoured; one that is pending gives
    way to another, so that it cannot block those whose ops it may be waiting for. (Jepsen's mix waits, and ignores updates; for
    hundreds of generators of which none listens, wrap it in ``ignore_updates``.)
    """
    return _mix(tuple(inner for inner in map(gen, values) if inner is not EMPTY), None)


def _mix(gens: tuple[Generator, ...], choice: int | None) -> Generator:
    return Mix(gens, choice) if gens else EMPTY


@node
class Mix:
    """``choice`` is whose turn it is; None: not thrown yet. It stays while answers are thrown away."""

    gens: tuple[Generator, ...]
    choice: int | None

    def op(self, ctx: Context) -> Answer:
        gens = self.gens
        random = ctx.rng.random
        choice = int(random() * len(gens)) if self.choice is None else self.choice
        waiting: list[int] = []
        exhausted = 0
        while True:
            answer = gens[choice].op(ctx)
            if answer is None:
                exhausted |= 1 << choice
            elif answer is PENDING:
                waiting.append(choice)
                if not ctx.free:  # then nobody has an op
                    return PENDING
            else:
                op, rest = answer
                gens = (*gens[:choice], rest, *gens[choice + 1 :])
                if exhausted or rest is EMPTY:
                    gens = tuple(g for i, g in enumerate(gens) if g is not EMPTY and not exhausted >> i & 1)
                return op, (Mix(gens, int(random() * len(gens))) if gens else EMPTY)
            others = [i for i in range(len(gens)) if not exhausted >> i & 1 and i not in waiting]
            if not others:
                return PENDING if waiting else None
            choice = others[int(random() * len(others))]

    def update(self, ctx: Context, event: Op) -> Generator:
        gens = update_all(self.gens, ctx, event)
        if gens is self.gens:
            return self
        if EMPTY not in gens:
            return Mix(gens, self.choice)
        return _mix(tuple(inner for inner in gens if inner is not EMPTY), None)
