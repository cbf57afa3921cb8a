"""``kafka-groups``: messages sent to a few logs, and consumers that read them as one group.

Operations are those of ``kafka``, with ``subscribe`` (the keys to read with the others; completed with those that this member got) for
``assign``. A member that the group has rebalanced fails its polls until it subscribes again, which the generator sees to. Nobody goes back
to the beginning: what was acknowledged must have been given to somebody of the group, at the latest in the end, when everybody polls until
nothing more comes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from harness.generator import PENDING, Answer, Context, Generator, each_thread, gen, invocation, node
from harness.op import NEMESIS, Op, OpType
from harness.workloads.draining import DRY_MAX, OPS_MAX, PAUSE_NS
from harness.workloads.kafka import KAFKA, gave, names
from harness.workloads.workload import WorkloadOptions

SEND_SHARE = 0.5


def _polls(keys: tuple[str, ...], *, joined: bool) -> tuple[str, list[Any]]:
    """The next operation of a member, or of one that has to join."""
    return ("poll", [["poll"]]) if joined else ("subscribe", list(keys))


@node
class Members:
    """Endless sends and polls; ``joined``: the processes whose last poll or subscription succeeded. ``fresh``: each key's next message."""

    keys: tuple[str, ...]
    fresh: tuple[int, ...]
    joined: frozenset[Any] = frozenset()
    deaf: ClassVar[bool] = False

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        fresh, place = self.fresh, int(random() * len(self.keys))
        if random() < SEND_SHARE:
            op = invocation(ctx, "send", None, [["send", self.keys[place], fresh[place]]])
            fresh = (*fresh[:place], fresh[place] + 1, *fresh[place + 1 :])
        else:
            op = invocation(ctx, "poll", None, [["poll"]])
            if op is not PENDING and op.process not in self.joined:
                op = replace(op, f="subscribe", value=list(self.keys))
        if op is PENDING:
            return PENDING
        return op, Members(self.keys, fresh, self.joined)

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.process == NEMESIS or event.type is OpType.INVOKE or event.f == "send":
            return self
        joined = self.joined | {event.process} if event.type is OpType.OK else self.joined - {event.process}
        return self if joined == self.joined else Members(self.keys, self.fresh, joined)


@node
class Draining:
    """One thread's part in the end: it joins, and polls until ``DRY_MAX`` in a row gave nothing; joins again whenever a poll fails."""

    keys: tuple[str, ...]
    joined: bool = False
    dry: int = 0
    ops: int = 0
    waiting: bool = False
    next_ns: int = 0

    def op(self, ctx: Context) -> Answer:
        if self.dry >= DRY_MAX or self.ops >= OPS_MAX:
            return None
        if self.waiting:
            return PENDING
        f, value = _polls(self.keys, joined=self.joined)
        asked = gen(Op(f=f, value=value, time_ns=self.next_ns, extra={"final": True})).op(ctx)
        if asked is None or asked is PENDING:
            return PENDING
        return asked[0], Draining(self.keys, self.joined, self.dry, self.ops + 1, True)

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.type is OpType.INVOKE or event.f not in ("poll", "subscribe"):
            return self
        ok = event.type is OpType.OK
        more = ok and event.f == "poll" and gave(event)
        dry = 0 if more else self.dry + (event.f == "poll")
        return Draining(self.keys, ok, dry, self.ops, False, event.time_ns + (0 if more else PAUSE_NS))


def _generator(options: WorkloadOptions) -> Generator:
    return Members(names(options), (1,) * len(names(options)))


def _final(options: WorkloadOptions) -> Generator:
    return each_thread(Draining(names(options)))


KAFKA_GROUPS = replace(
    KAFKA,
    name="kafka-groups",
    summary="messages sent to logs and read by consumers as a group, which commits how far it has come",
    fs=("send", "poll", "subscribe"),
    generator=_generator,
    final=_final,
)
