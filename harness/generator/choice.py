"""One of several: whichever comes soonest, or a random mixture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.errors import PluginError
from harness.generator.context import Context, nth_bit
from harness.generator.core import EMPTY, PENDING, Answer, Generator, is_deaf, node
from harness.generator.sequence import update_all
from harness.generator.values import gen
from harness.op import Op


def any_of(*values: Any, weights: Sequence[int] | None = None) -> Generator:
    """The op of any of them that comes soonest; ties are broken by the dice, in proportion to ``weights`` (default: equal).

    All of them hear of every event. It ends when all have ended. Raises PluginError if the weights do not fit.
    """
    return _any_of(tuple(map(gen, values)), _weighing(values, weights))


def shortest_any(*values: Any, weights: Sequence[int] | None = None) -> Generator:
    """As ``any_of``, but it ends as soon as one of them has ended: a workload for as long as the nemesis has something to do."""
    gens, weighing = tuple(map(gen, values)), _weighing(values, weights)
    return EMPTY if not gens or EMPTY in gens else AnyOf(gens, weighing, True)


def _weighing(values: Sequence[Any], weights: Sequence[int] | None) -> tuple[int, ...]:
    weighing = (1,) * len(values) if weights is None else tuple(weights)
    if len(weighing) != len(values) or any(weight <= 0 for weight in weighing):
        raise PluginError(f"{len(values)} generators need as many positive weights, not {weights!r}")
    return weighing


def _any_of(gens: tuple[Generator, ...], weights: tuple[int, ...]) -> Generator:
    """AnyOf of those that are not known to be empty; one that is left alone needs no choice."""
    if EMPTY in gens:
        alive = [i for i, inner in enumerate(gens) if inner is not EMPTY]
        gens, weights = tuple(gens[i] for i in alive), tuple(weights[i] for i in alive)
    if len(gens) < 2:
        return gens[0] if gens else EMPTY
    return AnyOf(gens, weights, False)


@node
class AnyOf:
    """See ``any_of`` and, if ``shortest``, ``shortest_any``."""

    gens: tuple[Generator, ...]
    weights: tuple[int, ...]
    shortest: bool

    def op(self, ctx: Context) -> Answer:
        gens, weights = self.gens, self.weights
        best: tuple[Op, Generator] | None = None
        best_ns = chosen = tied = exhausted = 0
        pending = False
        for i, inner in enumerate(gens):
            answer = inner.op(ctx)
            if answer is PENDING:
                pending = True
            elif answer is None:
                if self.shortest:
                    return None
                exhausted |= 1 << i
            else:
                time_ns = answer[0].time_ns
                if best is None or time_ns < best_ns:
                    best, best_ns, chosen, tied = answer, time_ns, i, weights[i]
                elif time_ns == best_ns:
                    # Each of those tied so far is the best with its share of their weight; so is this one, after the throw.
                    tied += weights[i]
                    if ctx.rng.random() * tied < weights[i]:
                        best, chosen = answer, i
        if best is None:
            return PENDING if pending else None
        op, rest = best
        changed = (*gens[:chosen], rest, *gens[chosen + 1 :])
        if rest is EMPTY or exhausted:
            if exhausted:
                changed = tuple(EMPTY if exhausted >> i & 1 else inner for i, inner in enumerate(changed))
            return op, (EMPTY if self.shortest else _any_of(changed, weights))
        return op, AnyOf(changed, weights, self.shortest)

    def update(self, ctx: Context, event: Op) -> Generator:
        gens = update_all(self.gens, ctx, event)
        if gens is self.gens:
            return self
        if EMPTY in gens:
            return EMPTY if self.shortest else _any_of(gens, self.weights)
        return AnyOf(gens, self.weights, self.shortest)


def mix(values: Sequence[Any]) -> Generator:
    """A random mixture: each op comes from one of ``values``, chosen uniformly, until all have ended.

    The choice is made before it is asked, so that a generator which happens to come sooner is not favoured; one that is pending gives
    way to another, so that it cannot block those whose ops it may be waiting for. (Jepsen's mix waits, and ignores updates; for
    hundreds of generators of which none listens, wrap it in ``ignore_updates``.)
    """
    gens = tuple(inner for inner in map(gen, values) if inner is not EMPTY)
    return Mix(gens, None, all(map(is_deaf, gens))) if gens else EMPTY


@node
class Mix:
    """``choice`` is whose turn it is; None: not thrown yet. It stays while answers are thrown away. ``deaf``: nobody listens."""

    gens: tuple[Generator, ...]
    choice: int | None
    deaf: bool

    def op(self, ctx: Context) -> Answer:
        gens, choice = self.gens, self.choice
        if choice is None:
            choice = int(ctx.rng.random() * len(gens))
        answer = gens[choice].op(ctx)
        if answer is PENDING or answer is None:
            return self._others(choice, answer, ctx)
        op, rest = answer
        if rest is gens[choice]:  # of what only repeats itself nothing changes
            return op, Mix(gens, int(ctx.rng.random() * len(gens)), self.deaf)
        return op, self._of((*gens[:choice], rest, *gens[choice + 1 :]), ctx)

    def _of(self, gens: Iterable[Generator], ctx: Context) -> Generator:
        """The mixture of those that are not known to be empty, with a choice thrown."""
        alive = tuple(inner for inner in gens if inner is not EMPTY)
        return Mix(alive, int(ctx.rng.random() * len(alive)), self.deaf) if alive else EMPTY

    def _others(self, choice: int, answer: Answer, ctx: Context) -> Answer:
        """What the others say when the one that was chosen has no op: in random order, the first that has one."""
        gens, pending = self.gens, False
        left = (1 << len(gens)) - 1
        exhausted = 0
        while True:
            left &= ~(1 << choice)
            if answer is PENDING:
                pending = True
                if not ctx.free:  # then nobody has an op
                    return PENDING
            elif answer is None:
                exhausted |= 1 << choice
            else:
                op, rest = answer
                alive = (rest if i == choice else inner for i, inner in enumerate(gens) if not exhausted >> i & 1)
                return op, self._of(alive, ctx)
            if not left:
                return PENDING if pending else None
            choice = nth_bit(left, int(ctx.rng.random() * left.bit_count()))
            answer = gens[choice].op(ctx)

    def update(self, ctx: Context, event: Op) -> Generator:
        if self.deaf:
            return self
        gens = update_all(self.gens, ctx, event)
        if gens is self.gens:
            return self
        if EMPTY not in gens:
            return Mix(gens, self.choice, False)
        alive = tuple(inner for inner in gens if inner is not EMPTY)
        return Mix(alive, None, False) if alive else EMPTY
