"""Small tests of isolation, each for one anomaly (Jepsen's long-fork, adya, monotonic and causal-reverse).

    long-fork        writes to keys that are written once, and reads of their whole groups: do all readers see writes in one order?
    write-skew       pairs of inserts, each of which looks first whether the other is there: at most one may succeed
    monotonic        counters that only grow, and reads of them: does one ever go back?
    causal-reverse   lists that only grow, and reads of them: is a later element there without an earlier one?

``long-fork`` speaks in transactions (``txn``, lists of ["w", key, value] and ["r", key, null]), as ``txn-rw-register`` does. An ``insert``
of key k and value [table, id] is one transaction: it reads row k of the tables "a" and "b", fails if there is any, and else adds ``id`` to
``table``. ``increment`` completes with the new number, ``write`` adds its value to a list, ``read`` gives number or list.
"""

from __future__ import annotations

from typing import Any, ClassVar

from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op
from harness.workloads.final import reads_of
from harness.workloads.groups import opened, used
from harness.workloads.workload import Workload, WorkloadOptions

# Keys of a group, groups that are written and read at a time, and how many of the transactions write.
GROUP, GROUPS, WRITE_SHARE = 2, 3, 0.3
TABLES = ("a", "b")
KEYS, GROW_SHARE = 5, 0.5


@node
class Forks:
    """Endless transactions on groups of ``size`` keys. ``left``: the keys that are written next; ``fresh``: the first key after them."""

    size: int
    left: tuple[int, ...]
    fresh: int
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        if random() >= WRITE_SHARE:
            # Groups that are being written, and as many that were: a fork shows while its writes are on their way.
            group = max(0, self.fresh // self.size - 1 - int(2 * GROUPS * random()))
            keys = range(group * self.size, (group + 1) * self.size)
            mops = [["r", key, None] for key in (keys if random() < 0.5 else reversed(keys))]
            op = invocation(ctx, "txn", None, mops)
            return PENDING if op is PENDING else (op, self)
        place = int(len(self.left) * random())
        op = invocation(ctx, "txn", None, [["w", self.left[place], 1]])
        if op is PENDING:
            return PENDING
        return op, Forks(self.size, *used(self.left, self.fresh, place, groups=GROUPS, size=self.size))

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


@node
class Inserts:
    """Endless pairs of inserts, 0, 1, 2, ... Of pair ``pair`` the inserts ``placed`` are asked for."""

    pair: int = 0
    placed: int = 0
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        op = invocation(ctx, "insert", self.pair, [TABLES[self.placed], len(TABLES) * self.pair + self.placed])
        if op is PENDING:
            return PENDING
        more = self.placed + 1 < len(TABLES)
        return op, Inserts(self.pair if more else self.pair + 1, self.placed + 1 if more else 0)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


@node
class Growth:
    """Endless reads of ``keys`` things, and ops ``grow`` that make them longer: with 0, 1, 2, ... if they are ``numbered``."""

    keys: int
    grow: str
    numbered: bool
    fresh: int = 0
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        key = int(self.keys * random())
        if random() >= GROW_SHARE:
            op = invocation(ctx, "read", key)
            return PENDING if op is PENDING else (op, self)
        op = invocation(ctx, self.grow, key, self.fresh if self.numbered else None)
        return PENDING if op is PENDING else (op, Growth(self.keys, self.grow, self.numbered, self.fresh + 1))

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


_ALWAYS: tuple[tuple[str, dict[str, Any]], ...] = (("availability", {}), ("sanity", {}), ("stats", {}))


def _forks(options: WorkloadOptions) -> Generator:
    size = max(2, options.keys_or(GROUP))
    return Forks(size, opened(GROUPS, size), GROUPS * size)


LONG_FORK = Workload(
    name="long-fork",
    summary="writes of keys that are written once and reads of groups of them: all readers must see one order",
    fs=("txn",),
    generator=_forks,
    final=lambda _: None,
    checkers=(("long-fork", {}), *_ALWAYS),
)
WRITE_SKEW = Workload(
    name="write-skew",
    summary="pairs of inserts that each look whether the other is there: at most one of a pair may succeed",
    fs=("insert",),
    generator=lambda _: Inserts(),
    final=lambda _: None,
    checkers=(("g2", {}), *_ALWAYS),
)
MONOTONIC = Workload(
    name="monotonic",
    summary="increments and reads of counters that only grow: none may ever go back",
    fs=("increment", "read"),
    generator=lambda options: Growth(options.keys_or(KEYS), "increment", False),
    final=lambda options: reads_of(range(options.keys_or(KEYS))),
    checkers=(("monotonic", {}), *_ALWAYS),
)
CAUSAL_REVERSE = Workload(
    name="causal-reverse",
    summary="lists that only grow, and reads of them: nobody may see a later element without an earlier one",
    fs=("write", "read"),
    generator=lambda options: Growth(options.keys_or(KEYS), "write", True),
    final=lambda options: reads_of(range(options.keys_or(KEYS))),
    checkers=(("causal-reverse", {}), *_ALWAYS),
)
