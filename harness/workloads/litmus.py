"""``litmus``: litmus tests of a shared memory, one instance after the other, each on locations of its own, each thread by another client.

One op is one thread of one instance (``program``; see ``harness.litmus`` and ``checkers.memory.litmus``): the client carries out its steps
one after the other. The threads of an instance are handed out as fast as clients are free, so that they run side by side: a high rate
makes them do so. Tests with an ``end`` have it read when all their threads are done. Needs as many clients as a test has threads (four).

``litmus-tso`` and ``litmus-rc`` ask for less: what memories with store buffers and with release consistency promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from harness.errors import PlanError
from harness.generator import PENDING, Answer, Context, Generator, node
from harness.litmus import FENCE, LITMUS, READ, Instruction
from harness.op import Op, OpType, Process
from harness.workloads.workload import Workload, WorkloadOptions

END: Final = "end"
NAMES: Final = tuple(LITMUS)
THREADS_MAX: Final = max(len(test.threads) for test in LITMUS.values())


def _generator(options: WorkloadOptions) -> Generator:
    if options.concurrency < THREADS_MAX:
        raise PlanError(f"litmus tests need at least {THREADS_MAX} clients, not {options.concurrency}")
    return Instances(0, (), frozenset())


@node
class Instances:
    """Endless instances. ``instance`` counts them; the processes ``used`` run its first threads, and those of ``running`` are not done."""

    instance: int
    used: tuple[Process, ...]
    running: frozenset[Process]

    def op(self, ctx: Context) -> Answer:
        test, given = LITMUS[NAMES[self.instance % len(NAMES)]], len(self.used)
        ends = given == len(test.threads)
        free = [process for process in ctx.free_processes() if ends or process not in self.used]
        if not free or (ends and self.running):
            return PENDING
        process = free[int(len(free) * ctx.rng.random())]
        steps = test.end if ends else test.threads[given]
        value = {"test": test.name, "thread": END if ends else given, "steps": list(_placed(steps, self.instance))}
        op = Op(time_ns=ctx.time_ns, process=process, f="program", key=self.instance, value=value)
        if ends or (given + 1 == len(test.threads) and not test.end):
            return op, Instances(self.instance + 1, (), frozenset())
        return op, Instances(self.instance, (*self.used, process), self.running | {process})

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.type is OpType.INVOKE or event.process not in self.running:
            return self
        return Instances(self.instance, self.used, self.running - {event.process})


def _placed(steps: tuple[Instruction, ...], instance: int) -> Iterator[list[Any]]:
    """The steps on the locations of this instance; a read has null for its value."""
    for step in steps:
        if step[0] == FENCE:
            yield [FENCE]
        elif step[0] == READ:
            yield [READ, f"{step[1]}{instance}", None, *step[3:]]
        else:
            yield [step[0], f"{step[1]}{instance}", *step[2:]]


LITMUS_SC = Workload(
    name="litmus",
    summary="litmus tests of a shared memory: SB, MP, LB, IRIW, CoRR, 2+2W, with and without fences, locks and barriers",
    fs=("program",),
    generator=_generator,
    final=lambda _: None,
    checkers=(
        ("litmus", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
LITMUS_TSO, LITMUS_RC = (
    replace(
        LITMUS_SC,
        name=f"litmus-{model}",
        summary=f"{LITMUS_SC.summary}; outcomes that {model} allows may be",
        checkers=(("litmus", {"model": model}), *LITMUS_SC.checkers[1:]),
    )
    for model in ("tso", "rc")
)
