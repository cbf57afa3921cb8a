"""``set``: everybody adds elements to one set, each element once; what is not there at the end was lost.

The oldest question to a replicated store, and the one with the simplest answer: of what it has acknowledged, how much is gone? Now and then
the set is read, so that it shows how long an element stays invisible. Reads are few: each returns the whole set.

``linearizable-set`` does the same with a store that promises that nothing stays invisible.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op
from harness.workloads.final import reads_of
from harness.workloads.workload import Workload, WorkloadOptions

KEYS = 1
READ_SHARE = 0.05


def _generator(options: WorkloadOptions) -> Generator:
    return Adds(options.keys_or(KEYS), 0)


def _final(options: WorkloadOptions) -> Generator:
    return reads_of(range(options.keys_or(KEYS)))


@node
class Adds:
    """Endless adds of 0, 1, 2, ... (never one twice, whatever became of it) to the keys 0 to ``keys`` - 1, and reads of these keys."""

    keys: int
    fresh: int
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        key = int(self.keys * random())
        reads = random() < READ_SHARE
        op = invocation(ctx, "read", key) if reads else invocation(ctx, "add", key, self.fresh)
        if op is PENDING:
            return PENDING
        return op, (self if reads else Adds(self.keys, self.fresh + 1))

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


SET = Workload(
    name="set",
    summary="adds of ever new elements to a set, few reads, and what is left of it at the end",
    fs=("add", "read"),
    generator=_generator,
    final=_final,
    checkers=(
        ("set", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
LINEARIZABLE_SET = replace(
    SET,
    name="linearizable-set",
    summary=f"{SET.summary}; every read must be up to date",
    checkers=(("set", {"linearizable": True}), *SET.checkers[1:]),
)
