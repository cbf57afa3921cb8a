"""``broadcast``: everybody sends ever new values, and every node must have all of them in the end; ``g-set``: the same, called a set.

Both are Maelstrom's: ``broadcast`` (a value) and ``read`` (a list), ``add`` (an element) and ``read``. Nobody promises that a value is
everywhere at once, so what counts is the final reads, and these begin after a quiet time in which gossip reaches whom it can reach.
Reads before are few, for each returns all that there is; they show how long a value stays invisible somewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op
from harness.workloads.final import reads_of
from harness.workloads.workload import Workload, WorkloadOptions

READ_SHARE = 0.05
# Time for the last values to reach every node: Maelstrom waits 10 s, of which our clients spend the recovery phase.
QUIET_S = 5.0


@node
class Fresh:
    """Endless ops ``send`` with the values 0, 1, 2, ... (never one twice, whatever became of it), and reads. With ``keys``: of these."""

    send: str
    keys: int | None
    fresh: int
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        key = None if self.keys is None else int(self.keys * random())
        reads = random() < READ_SHARE
        op = invocation(ctx, "read", key) if reads else invocation(ctx, self.send, key, self.fresh)
        if op is PENDING:
            return PENDING
        return op, (self if reads else Fresh(self.send, self.keys, self.fresh + 1))

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


def _generator(send: str) -> Callable[[WorkloadOptions], Generator]:
    return lambda options: Fresh(send, options.keys, 0)


def _final(options: WorkloadOptions) -> Generator:
    return reads_of([None] if options.keys is None else range(options.keys))


def growing(*, name: str, summary: str, send: str, checker: str) -> Workload:
    """A workload of values that are sent by ``send`` and must be everywhere in the end, judged by ``checker``.

    Without the option ``keys`` there is one collection and ops have no key; with it, collections 0, 1, 2, ... are used equally.
    """
    checkers: tuple[tuple[str, dict[str, Any]], ...] = (
        (checker, {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    )
    return Workload(
        name=name,
        summary=summary,
        fs=(send, "read"),
        generator=_generator(send),
        final=_final,
        checkers=checkers,
        quiet_s=QUIET_S,
    )


BROADCAST = growing(
    name="broadcast",
    summary="values sent to some node (Maelstrom's broadcast); in the end every node must have all that were acknowledged",
    send="broadcast",
    checker="broadcast",
)
G_SET = growing(
    name="g-set",
    summary="elements added to an eventually consistent set (Maelstrom's g-set); in the end they must be on every node",
    send="add",
    checker="g-set",
)
