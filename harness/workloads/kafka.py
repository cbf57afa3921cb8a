"""``kafka``: messages sent to a few logs, and consumers that read them from their own offsets (Maelstrom's and Jepsen's kafka).

Operations are Jepsen's: ``send`` [["send", key, message]], ``poll`` [["poll"]], ``assign`` (the keys to poll from now on). Messages are
1, 2, 3, ... per key, never one twice. In the end every client goes back to the beginning of every log and polls until it gets nothing
more: what was acknowledged must be among that.

``kafka-pipelined`` sends several messages to one log at once, so that a producer has more than one in flight.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from harness.generator import PENDING, Answer, Context, Generator, concat, each_thread, gen, invocation, node
from harness.op import Op
from harness.workloads.draining import until_dry
from harness.workloads.workload import Workload, WorkloadOptions

KEYS = 4
# Of ten operations one assigns, and the others send and poll alike.
ASSIGN_SHARE, SEND_SHARE = 0.1, 0.45
# So many messages a pipelined producer has in flight: as many as Kafka's may (max.in.flight.requests.per.connection).
IN_FLIGHT = 5


def names(options: WorkloadOptions) -> tuple[str, ...]:
    return tuple(f"k{number}" for number in range(KEYS if options.keys is None else options.keys))


@node
class Messages:
    """Endless sends of 1 to ``burst`` messages, polls and assignments. ``fresh``: the next message of each key."""

    keys: tuple[str, ...]
    fresh: tuple[int, ...]
    burst: int = 1
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        throw, place = random(), int(random() * len(self.keys))
        f, fresh = "poll", self.fresh
        value: list[Any] = [["poll"]]
        if throw < ASSIGN_SHARE:
            f, value = "assign", [key for key in self.keys if random() < 0.5] or [self.keys[place]]
        elif throw < ASSIGN_SHARE + SEND_SHARE:
            first, count = fresh[place], 1 + int(random() * self.burst) if self.burst > 1 else 1
            f, value = "send", [["send", self.keys[place], message] for message in range(first, first + count)]
            fresh = (*fresh[:place], first + count, *fresh[place + 1 :])
        op = invocation(ctx, f, None, value)
        if op is PENDING:
            return PENDING
        return op, Messages(self.keys, fresh, self.burst)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


def gave(event: Op) -> bool:
    return any(pairs for pairs in event.value[0][1].values())


def _messages(options: WorkloadOptions, burst: int = 1) -> Generator:
    return Messages(names(options), (1,) * len(names(options)), burst)


def _final(options: WorkloadOptions) -> Generator:
    rewind = Op(f="assign", value=list(names(options)), extra={"final": True, "seek_to_beginning": True})
    return each_thread(concat(gen(rewind), until_dry(Op(f="poll", value=[["poll"]]), gave)))


KAFKA = Workload(
    name="kafka",
    summary="messages sent to logs and polled by consumers with offsets of their own (Maelstrom's kafka)",
    fs=("send", "poll", "assign"),
    generator=_messages,
    final=_final,
    checkers=(
        ("kafka", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
PIPELINED = replace(
    KAFKA,
    name="kafka-pipelined",
    summary=f"{KAFKA.summary}, several at once by each producer",
    generator=lambda options: _messages(options, IN_FLIGHT),
)
