"""``queue``: elements put into a queue and taken out again, each put in once; in the end everybody takes what is left.

Operations are Jepsen's: ``enqueue`` (the element) and ``dequeue`` (completed with an element, or with null if the queue was empty). An
acknowledged dequeue has consumed its element for good. Slightly more goes in than comes out, so that faults find something inside.

``ordered-queue`` does the same with a queue that promises every consumer the order of each producer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from harness.generator import PENDING, Answer, Context, Generator, concat, each_thread, invocation, node
from harness.op import Op
from harness.workloads.draining import until_dry
from harness.workloads.workload import Workload, WorkloadOptions

KEYS: Final = 1
ENQUEUE_SHARE: Final = 0.55


def _generator(options: WorkloadOptions) -> Generator:
    return Elements(options.keys_or(KEYS), 0)


def _gave(event: Op) -> bool:
    return event.value is not None


def _final(options: WorkloadOptions) -> Generator:
    return each_thread(concat(*(until_dry(Op(f="dequeue", key=key), _gave) for key in range(options.keys_or(KEYS)))))


@node
class Elements:
    """Endless enqueues of 0, 1, 2, ... (never one twice, whatever became of it) on the queues 0 to ``keys`` - 1, and dequeues from them."""

    keys: int
    fresh: int
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        key = int(self.keys * random())
        puts = random() < ENQUEUE_SHARE
        op = invocation(ctx, "enqueue", key, self.fresh) if puts else invocation(ctx, "dequeue", key)
        if op is PENDING:
            return PENDING
        return op, (Elements(self.keys, self.fresh + 1) if puts else self)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


QUEUE = Workload(
    name="queue",
    summary="elements put into a queue and taken out again, and what is left of them at the end",
    fs=("enqueue", "dequeue"),
    generator=_generator,
    final=_final,
    checkers=(
        ("total-queue", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
ORDERED_QUEUE = replace(
    QUEUE,
    name="ordered-queue",
    summary=f"{QUEUE.summary}; in the order of each producer",
    checkers=(*QUEUE.checkers[:1], ("fifo-per-producer", {}), *QUEUE.checkers[1:]),
)
