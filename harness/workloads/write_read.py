"""Pairs of a write and the read that follows it: of each key there is one op at a time, so nothing is concurrent.

A key is written with a fresh value; once that is acknowledged it is read, at once or a moment later, by whoever is free; then it is
written again. What is read other than that value is stale, for every store and whatever the order of concurrent writes, for there are
none. (After a write of unknown outcome the key goes on with its next write: that one may be concurrent with it.)

The pause between write and read is 0 or spread over decades, as staleness falls off with it (Bailis et al., PBS, VLDB 2012).
"""

from __future__ import annotations

from harness.errors import PluginError
from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op, OpType

# The pauses between the acknowledgement of a write and its read, each as likely.
PAUSES_NS = (0, 0, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000)

# What a key waits for: its next write, the end of an op, or (from that time on) a read.
WRITE, BUSY = -1, -2


def write_read(keys: int) -> Generator:
    """Endless pairs on the keys 0 to ``keys`` - 1. Raises PluginError for no key."""
    if keys < 1:
        raise PluginError(f"write_read needs at least one key, not {keys}")
    return WriteRead((WRITE,) * keys, (1,) * keys)


@node
class WriteRead:
    """Per key: ``due``, when it may be read, or WRITE or BUSY; and ``fresh``, its next value."""

    due: tuple[int, ...]
    fresh: tuple[int, ...]

    def op(self, ctx: Context) -> Answer:
        ready = [key for key, due in enumerate(self.due) if due == WRITE or 0 <= due <= ctx.time_ns]
        if not ready or not ctx.free:
            return PENDING
        # A read that is due goes first: it shows most while the write is young.
        reads = [key for key in ready if self.due[key] != WRITE]
        key = (reads or ready)[int(ctx.rng.random() * len(reads or ready))]
        op = invocation(ctx, "read", key) if reads else invocation(ctx, "write", key, self.fresh[key])
        if op is PENDING:
            return PENDING
        fresh = self.fresh if reads else _set(self.fresh, key, self.fresh[key] + 1)
        return op, WriteRead(_set(self.due, key, BUSY), fresh)

    def update(self, ctx: Context, event: Op) -> Generator:
        if event.type is OpType.INVOKE or event.is_nemesis or event.f not in {"read", "write"}:
            return self
        acknowledged = event.f == "write" and event.type is OpType.OK
        pause_ns = PAUSES_NS[int(ctx.rng.random() * len(PAUSES_NS))]
        return WriteRead(_set(self.due, event.key, ctx.time_ns + pause_ns if acknowledged else WRITE), self.fresh)


def _set(values: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    return (*values[:place], value, *values[place + 1 :])
