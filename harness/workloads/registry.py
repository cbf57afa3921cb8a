"""``registry``: instances of services come, say that they live, and go; others look for them, and watch.

A thread is an instance: it opens a session with an entry (``register``, of a session nobody had before, under one of ``keys`` services),
perhaps a second one, says a few times that it lives (``beat``), and then leaves (``leave``), takes an entry back (``deregister``) or falls
silent, so that its session must end by itself. In between it looks up who offers a service (``lookup``) and hears what has changed
(``watch``). A thread that hears that its session has ended, or of which an operation ends unknown, begins a new one.

Faults may have hit whatever left or was taken back, which is rare: so each thread does both once more when all is healed.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    map_ops,
    node,
    repeat,
    until_ok,
)
from harness.op import Op, OpType
from harness.workloads.workload import Workload, WorkloadOptions

KEYS: Final = 3
LOOKUPS: Final = 0.3  # share of the operations
WATCHES: Final = 0.1
BEATS_MAX: Final = 8
TRIES: Final = 5  # of the final reads, as of other workloads
PAUSE_S: Final = 0.2
QUIET_S: Final = 10.0  # before the final reads: time for every session to end


def _generator(options: WorkloadOptions) -> Generator:
    return each_thread(Instance(options.keys_or(KEYS)))


def last_life(*acts: Op) -> Generator:
    """These operations, one after another, on something of the thread's own: its process's number is put before their values."""
    own = map_ops(lambda op: replace(op, value=f"{op.process}.{op.value}"), list(acts))
    return delay(PAUSE_S, own)


def _final(options: WorkloadOptions) -> Generator:
    leaves = last_life(Op(f="register", key=0, value="leaves"), Op(f="leave", value="leaves"))
    gives_back = last_life(Op(f="register", key=0, value="gives"), Op(f="deregister", key=0, value="gives"))
    reads = [Op(f="lookup", key=key, extra={"final": True}) for key in range(options.keys_or(KEYS))]
    reads.append(Op(f="watch", extra={"final": True}))
    known = [until_ok(limit(TRIES, delay(PAUSE_S, repeat(read)))) for read in reads]
    return each_thread([leaves, gives_back, *known])


@node
class Instance:
    """One thread's endless lives. ``number`` counts them; ``session``: the one that it is in (None: none), with entries under ``services``
    and so many ``beats`` to come; ``waiting``: an operation has not been answered yet.
    """

    keys: int
    number: int = 0
    session: str | None = None
    services: tuple[int, ...] = ()
    beats: int = 0
    waiting: bool = False

    def op(self, ctx: Context) -> Answer:
        if self.waiting or not ctx.free:
            return PENDING
        throw, key = ctx.rng.random(), int(self.keys * ctx.rng.random())
        if throw < LOOKUPS:
            op = invocation(ctx, "lookup", key)
        elif throw < LOOKUPS + WATCHES:
            op = invocation(ctx, "watch")
        elif self.session is None:
            return self._begin(ctx, key)
        elif self.beats > 0:
            return self._live(ctx, key)
        else:
            return self._end(ctx)
        return PENDING if op is PENDING else (op, self._with(waiting=True))

    def _begin(self, ctx: Context, key: int) -> Answer:
        op = invocation(ctx, "register", key)
        if op is PENDING:
            return PENDING
        session = f"{op.process}.{self.number}"
        beats = 1 + int(BEATS_MAX * ctx.rng.random())
        return replace(op, value=session), Instance(self.keys, self.number + 1, session, (), beats, True)

    def _live(self, ctx: Context, key: int) -> Answer:
        again = len(self.services) == 1 and key not in self.services and ctx.rng.random() < 1 / 4
        op = invocation(ctx, "register", key, self.session) if again else invocation(ctx, "beat", None, self.session)
        return PENDING if op is PENDING else (op, self._with(beats=self.beats - 1, waiting=True))

    def _end(self, ctx: Context) -> Answer:
        throw = ctx.rng.random()
        if throw < 1 / 2:  # silence: what comes next belongs to the next life
            return Instance(self.keys, self.number).op(ctx)
        if throw < 3 / 4 and self.services:
            op = invocation(ctx, "deregister", self.services[0], self.session)
        else:
            op = invocation(ctx, "leave", None, self.session)
        return PENDING if op is PENDING else (op, Instance(self.keys, self.number, waiting=True))

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.type is OpType.INVOKE:
            return self
        ended = isinstance(event.value, Mapping) and event.value.get("alive") is False
        failed = event.f == "register" and event.type is not OpType.OK and not self.services
        if event.type is OpType.INFO or ended or failed:
            return Instance(self.keys, self.number)
        if event.f == "register" and event.type is OpType.OK:
            return self._with(services=(*self.services, int(event.key)), waiting=False)
        return self._with(waiting=False)

    def _with(self, **changed: object) -> Instance:
        return replace(self, **changed)  # type: ignore[arg-type]  # ``node`` makes a dataclass


REGISTRY = Workload(
    name="registry",
    summary="instances of services that come, live and go, and others who look for them",
    fs=("register", "deregister", "beat", "leave", "lookup", "watch"),
    generator=_generator,
    final=_final,
    checkers=(
        ("registry", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
    quiet_s=QUIET_S,
)
