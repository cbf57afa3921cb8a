"""``lock``: everybody wants the same lock, works on what it protects, and gives it back.

A client acquires the lock (``acquire``; refused while another one holds it), uses the resource behind it once or twice (``use``, with the
fencing token that it was given, or null) and releases it (``release``). A client whose use is refused gives the lock back; one of which an
operation ends unknown comes back as a new process that holds nothing.

``fenced-lock`` does the same with a lock that promises no more than tokens which keep the resource safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from harness.generator import PENDING, Answer, Context, Generator, each_thread, invocation, node
from harness.op import Op, OpType
from harness.workloads.workload import Workload, WorkloadOptions

KEYS: Final = 1
USES_MAX: Final = 2


def _generator(options: WorkloadOptions) -> Generator:
    return each_thread(Visitor(KEYS if options.keys is None else options.keys))


@node
class Visitor:
    """One thread's endless visits to the locks 0 to ``keys`` - 1. ``held``: the lock that it holds (None: none), with its ``token`` and
    so many ``uses`` to come; ``waiting``: an op has not been answered yet.
    """

    keys: int
    held: int | None = None
    token: int | None = None
    uses: int = 0
    waiting: bool = False

    def op(self, ctx: Context) -> Answer:
        if self.waiting or not ctx.free:
            return PENDING
        random = ctx.rng.random
        if self.held is None:
            # How often it will use the lock is thrown now, since updates have no dice.
            uses = 1 + int(USES_MAX * random())
            op, rest = (
                invocation(ctx, "acquire", int(self.keys * random())),
                Visitor(self.keys, uses=uses, waiting=True),
            )
        elif self.uses:
            op = invocation(ctx, "use", self.held, self.token)
            rest = Visitor(self.keys, self.held, self.token, self.uses - 1, True)
        else:
            op, rest = invocation(ctx, "release", self.held), Visitor(self.keys, waiting=True)
        return PENDING if op is PENDING else (op, rest)

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.type is OpType.INVOKE:
            return self
        if event.type is OpType.OK and event.f == "acquire":
            return Visitor(self.keys, event.key, _token(event.value), self.uses)
        if event.type is OpType.INFO or self.held is None:
            return Visitor(self.keys)
        return Visitor(self.keys, self.held, self.token, self.uses if event.type is OpType.OK else 0)


def _token(value: Any) -> int | None:
    token = value.get("token") if isinstance(value, Mapping) else value
    return token if type(token) is int else None


LOCK = Workload(
    name="lock",
    summary="a lock that everybody wants, and work on the resource behind it",
    fs=("acquire", "use", "release"),
    generator=_generator,
    final=lambda _: None,
    checkers=(
        ("locks", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
FENCED_LOCK = replace(
    LOCK,
    name="fenced-lock",
    summary=f"{LOCK.summary}, which looks at fencing tokens",
    checkers=(("locks", {"fenced": True}), *LOCK.checkers[1:]),
)
