"""``health``: instances that are probed come, fall silent, answer again, and go; others ask who is healthy, and watch.

A thread runs instances, one after another: it registers one with a check (``serve``, under one of ``keys`` services), says a few times
that it answers (``answer``, which shows that it still runs), has it fall silent (``mute``) for a moment, mostly too short to be noticed,
and answer again, and at last takes it back (``withdraw``) or leaves it silent, so that it must be found critical, and be deregistered. In
between it asks for all instances of a service (``instances``), for the healthy ones (``healthy``), and hears what has changed (``watch``).
A thread of which an operation ends unknown, or whose instance does not run any more, begins a new one. When all is healed, each thread has
one more instance that it takes back, since faults may have hit the few before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from harness.generator import (
    PENDING,
    Answer,
    Context,
    Generator,
    delay,
    each_thread,
    invocation,
    limit,
    node,
    repeat,
    until_ok,
)
from harness.op import Op, OpType
from harness.workloads.registry import last_life
from harness.workloads.workload import Workload, WorkloadOptions

KEYS: Final = 3
READS: Final = ("healthy", "instances", "watch")
SHARES: Final = (0.3, 0.5, 0.6)  # of the operations: healthy, instances, watch, each with those before it
ANSWERS_MAX: Final = 6
SPELLS_MAX: Final = 2
TRIES: Final = 5  # of the final reads, as of other workloads
PAUSE_S: Final = 0.2
QUIET_S: Final = 12.0  # before the final reads: time for whoever is silent to be found critical, and to be deregistered


def _generator(options: WorkloadOptions) -> Generator:
    return each_thread(Keeper(options.keys_or(KEYS)))


def _final(options: WorkloadOptions) -> Generator:
    life = last_life(
        Op(f="serve", key=0, value="last"), *(Op(f=f, value="last") for f in ("answer", "mute", "withdraw"))
    )
    reads = [Op(f=f, key=key, extra={"final": True}) for f in READS[:2] for key in range(options.keys_or(KEYS))]
    reads.append(Op(f="watch", extra={"final": True}))
    return each_thread([life, *(until_ok(limit(TRIES, delay(PAUSE_S, repeat(read)))) for read in reads)])


@node
class Keeper:
    """One thread's instances, one after another. ``number`` counts them; ``plan``: the operations that are to come on the present one;
    ``waiting``: one has not been answered yet.
    """

    keys: int
    number: int = 0
    plan: tuple[str, ...] = ()
    instance: str | None = None
    waiting: bool = False

    def op(self, ctx: Context) -> Answer:
        if self.waiting or not ctx.free:
            return PENDING
        throw, key = ctx.rng.random(), int(self.keys * ctx.rng.random())
        for f, share in zip(READS, SHARES, strict=True):
            if throw < share:
                op = invocation(ctx, f, None if f == "watch" else key)
                return PENDING if op is PENDING else (op, self._with(waiting=True))
        return self._act(ctx) if self.plan else self._begin(ctx, key)

    def _begin(self, ctx: Context, key: int) -> Answer:
        op = invocation(ctx, "serve", key)
        if op is PENDING:
            return PENDING
        instance = f"{op.process}.{self.number}"
        rest = Keeper(self.keys, self.number + 1, _plan(ctx), instance, True)
        return replace(op, value=instance), rest

    def _act(self, ctx: Context) -> Answer:
        op = invocation(ctx, self.plan[0], None, self.instance)
        return PENDING if op is PENDING else (op, self._with(plan=self.plan[1:], waiting=True))

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.type is OpType.INVOKE:
            return self
        lost = event.type is not OpType.OK and event.f not in READS
        return Keeper(self.keys, self.number) if lost else self._with(waiting=False)

    def _with(self, **changed: object) -> Keeper:
        return replace(self, **changed)  # type: ignore[arg-type]  # ``node`` makes a dataclass


def _plan(ctx: Context) -> tuple[str, ...]:
    """What an instance does in its life."""
    random = ctx.rng.random
    plan: tuple[str, ...] = ()
    for _ in range(int((1 + SPELLS_MAX) * random())):
        plan += (*["answer"] * (1 + int(ANSWERS_MAX * random())), "mute", "answer")
    plan += ("answer",) * (1 + int(ANSWERS_MAX * random()))
    return (*plan, "withdraw" if random() < 1 / 4 else "mute")


HEALTH = Workload(
    name="health",
    summary="instances of services that are probed come, fall silent and answer again, and others who look for the healthy ones",
    fs=("serve", "answer", "mute", "withdraw", "healthy", "instances", "watch"),
    generator=_generator,
    final=_final,
    checkers=(
        ("health", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
    quiet_s=QUIET_S,
)
