"""``queue``: elements put into a queue and taken out again, each put in once; in the end everybody takes what is left.

Operations are Jepsen's: ``enqueue`` (the element) and ``dequeue`` (completed with an element, or with null if the queue was empty). An
acknowledged dequeue has consumed its element for good. Slightly more goes in than comes out, so that faults find something inside.

``ordered-queue`` does the same with a queue that promises every consumer the order of each producer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from harness.generator import Generator, concat, each_thread
from harness.op import Op
from harness.workloads.draining import until_dry
from harness.workloads.elements import Elements, Mix
from harness.workloads.workload import Workload, WorkloadOptions

KEYS: Final = 1
MIX: Final = Mix(first="enqueue", second="dequeue", share=0.55, puts="enqueue")


def _generator(options: WorkloadOptions) -> Generator:
    return Elements(MIX, options.keys_or(KEYS))


def _gave(event: Op) -> bool:
    return event.value is not None


def _final(options: WorkloadOptions) -> Generator:
    return each_thread(concat(*(until_dry(Op(f="dequeue", key=key), _gave) for key in range(options.keys_or(KEYS)))))


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
