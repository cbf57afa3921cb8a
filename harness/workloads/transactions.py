"""``txn-list-append`` and ``txn-rw-register``: small transactions over a few keys (Maelstrom's, Jepsen's and Elle's).

A transaction is a list of micro-operations [f, key, value]: ``r`` reads (null → the value), ``append`` adds an element to the end of a
list, ``w`` overwrites a register. Elements and values are 1, 2, 3, ... per key, never one twice: so a read says which writes it saw.

Few keys make transactions conflict. Each key is written a bounded number of times and then gives its place to a fresh one, so that
lists stay short and a checker's work local. Popular keys (each next one half as likely, as Jepsen's exponential distribution) are
contended more than all others.
"""

from __future__ import annotations

from typing import Any, ClassVar

from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op
from harness.workloads.workload import Workload, WorkloadOptions

# Elle's defaults (elle.txn/wr-txns): so many keys at a time, micro-operations per transaction, and writes per key.
KEYS, LENGTH_MAX, WRITES_MAX = 10, 4, 32
READ_SHARE = 0.5


@node
class Transactions:
    """Endless transactions that write with ``write``. Active keys with the next value of each; ``fresh`` is the next key."""

    write: str
    keys: tuple[int, ...]
    values: tuple[int, ...]
    fresh: int
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        keys, values, fresh = list(self.keys), list(self.values), self.fresh
        mops: list[list[Any]] = []
        for _ in range(1 + int(random() * LENGTH_MAX)):
            place = popular(random(), len(keys))
            if random() < READ_SHARE:
                mops.append(["r", keys[place], None])
                continue
            mops.append([self.write, keys[place], values[place]])
            values[place] += 1
            if values[place] > WRITES_MAX:
                keys[place], values[place], fresh = fresh, 1, fresh + 1
        op = invocation(ctx, "txn", None, mops)
        if op is PENDING:
            return PENDING
        return op, Transactions(self.write, tuple(keys), tuple(values), fresh)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


def popular(throw: float, size: int) -> int:
    """A place of ``size``: the first half of the time, the second a quarter, and so on; what is left falls on all alike."""
    place = 0
    while throw >= 0.5 and place < size:
        throw, place = 2 * throw - 1, place + 1
    return place if place < size else int(throw * size)


def _workload(*, name: str, summary: str, write: str, checker: str) -> Workload:
    def generator(options: WorkloadOptions) -> Generator:
        count = KEYS if options.keys is None else options.keys
        return Transactions(write, tuple(range(count)), (1,) * count, count)

    return Workload(
        name=name,
        summary=summary,
        fs=("txn",),
        generator=generator,
        final=lambda _: None,
        checkers=(
            (checker, {}),
            ("availability", {}),
            ("sanity", {}),
            ("stats", {}),
        ),
    )


LIST_APPEND = _workload(
    name="txn-list-append",
    summary="transactions that read lists and append to them; the strongest test of isolation that there is",
    write="append",
    checker="list-append",
)
RW_REGISTER = _workload(
    name="txn-rw-register",
    summary="transactions that read and overwrite registers",
    write="w",
    checker="rw-register",
)
