"""``predicates``: who finds nothing and then inserts must be alone with that (phantoms; Elle's closed predicates, Adya's G2).

A group is a few keys, of which each is inserted once, by a transaction that first asks for all that is there of the group. Readers ask for
the same. Under serializability, of two inserts one saw the other; snapshots permit that neither did: an anti-dependency on what was *not*
there, which no read of a single key shows.

A transaction (``txn``) is a list of ["rp", predicate, null → {key: value, ...}] and ["insert", key, value], as the checker
``closed-predicate`` knows them. Values tell the group (``MODULUS``), so ["mod", MODULUS, group] finds what is in the group and nothing
else, whatever other groups there are.
"""

from __future__ import annotations

from typing import Any, ClassVar

from harness.generator import PENDING, Answer, Context, Generator, invocation, node
from harness.op import Op
from harness.workloads.groups import opened, used
from harness.workloads.workload import Workload, WorkloadOptions

FIND, INSERT = "rp", "insert"
# Groups per run at most; keys of each. Groups in use at a time, and how many of the transactions insert.
MODULUS, SIZE = 1_000_000, 4
GROUPS, INSERT_SHARE = 2, 0.7


def keys_of(predicate: list[Any]) -> list[str]:
    """All keys that a predicate of this workload may find. Raises ValueError for another predicate."""
    match predicate:
        case ["mod", divisor, int(group)] if divisor == MODULUS:
            return [f"g{group}.{place}" for place in range(SIZE)]
    raise ValueError(f"this workload finds groups, by ['mod', {MODULUS}, group], not {predicate!r}")


@node
class Predicates:
    """Endless transactions on groups. ``left``: the keys that are inserted next; ``fresh``: the first one after them (see ``groups``)."""

    left: tuple[int, ...]
    fresh: int
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        if random() >= INSERT_SHARE:
            # Groups that are being filled, and as many that were: what is in them must be found.
            group = max(0, self.fresh // SIZE - 1 - int(2 * GROUPS * random()))
            op = invocation(ctx, "txn", None, [[FIND, ["mod", MODULUS, group], None]])
            return PENDING if op is PENDING else (op, self)
        chosen = int(len(self.left) * random())
        group, place = divmod(self.left[chosen], SIZE)
        insert = [INSERT, f"g{group}.{place}", group + MODULUS * place]
        op = invocation(ctx, "txn", None, [[FIND, ["mod", MODULUS, group], None], insert])
        if op is PENDING:
            return PENDING
        return op, Predicates(*used(self.left, self.fresh, chosen, groups=GROUPS, size=SIZE))

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


def _predicates(_options: WorkloadOptions) -> Generator:
    return Predicates(opened(GROUPS, SIZE), GROUPS * SIZE)


PREDICATES = Workload(
    name="predicates",
    summary="transactions that ask for all that is in a group before they insert: of two, one must have seen the other",
    fs=("txn",),
    generator=_predicates,
    final=lambda _: None,
    checkers=(("closed-predicate", {}), ("availability", {}), ("sanity", {}), ("stats", {})),
)
