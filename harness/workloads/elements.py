"""Elements that go into something, each once, mixed with one other op: what sets and queues are asked (shared by ``set`` and ``queue``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Two kinds of ops, by their ``f``: a ``share`` (0 to 1) of them is ``first``. Those called ``puts`` carry an element."""

    first: str
    second: str
    share: float
    puts: str


@node
class Elements:
    """Endless ops of the mix on the keys 0 to ``keys`` - 1. Elements are 0, 1, 2, ..., never one twice, whatever became of it."""

    mix: Mix
    keys: int
    fresh: int = 0
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random, mix = ctx.rng.random, self.mix
        key = int(self.keys * random())
        f = mix.first if random() < mix.share else mix.second
        puts = f == mix.puts
        op = invocation(ctx, f, key, self.fresh) if puts else invocation(ctx, f, key)
        if op is PENDING:
            return PENDING
        return op, (Elements(mix, self.keys, self.fresh + 1) if puts else self)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self
