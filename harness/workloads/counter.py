"""``counter``: everybody adds to one number and reads it; ``g-counter`` and ``pn-counter``: the same, judged when all is over.

An add that was lost, or applied twice by a retry, must show in the sum. So amounts differ widely: with ones alone, a single add of unknown
outcome would excuse either. They stay small enough for the sums of some dozens of adds in doubt to close up to intervals, so that
the check stays exact and quick. The vocabulary is Maelstrom's (g-counter, pn-counter): ``add`` with its amount, ``read``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.generator import Context, Generator, mix
from harness.workloads.final import reads_of
from harness.workloads.workload import Workload, WorkloadOptions

AMOUNT_MAX = 1_000
# As many reads as adds: of a loss that a later read no longer shows, an earlier one does.
OPS = ("add", "read")
# An eventually consistent counter promises nothing at once: final reads begin after QUIET_S, and count for certain what is SETTLE_S old.
QUIET_S, SETTLE_S = 5.0, 1.0


def counter(*, name: str, summary: str, decrements: bool, final_only: bool) -> Workload:
    """A workload of adds (also of negative amounts, with ``decrements``) and reads, all of which are judged, or the final ones alone.

    Without the option ``keys`` there is one counter and ops have no key; with it, counters 0, 1, 2, ... are used equally.
    """

    def generator(options: WorkloadOptions) -> Generator:
        key = _key_of(options.keys)

        def add(ctx: Context) -> dict[str, Any]:
            return {"f": "add", "key": key(ctx), "value": _amount(ctx, decrements=decrements)}

        def read(ctx: Context) -> dict[str, Any]:
            return {"f": "read", "key": key(ctx)}

        return mix([add, read])

    return Workload(
        name=name,
        summary=summary,
        fs=OPS,
        generator=generator,
        final=_final,
        checkers=(
            ("counter", {"final_only": True, "settle_s": SETTLE_S} if final_only else {"final_only": False}),
            ("availability", {}),
            ("sanity", {}),
            ("stats", {}),
        ),
        quiet_s=QUIET_S if final_only else 0.0,
    )


def _key_of(keys: int | None) -> Callable[[Context], int | None]:
    if keys is None:
        return lambda _: None
    return lambda ctx: int(ctx.rng.random() * keys)


def _amount(ctx: Context, *, decrements: bool) -> int:
    """1 to AMOUNT_MAX, or the negative of that: never 0, which would change nothing and prove nothing."""
    throw = ctx.rng.random()
    if not decrements:
        return 1 + int(throw * AMOUNT_MAX)
    place = int(throw * 2 * AMOUNT_MAX) - AMOUNT_MAX
    return place if place < 0 else place + 1


def _final(options: WorkloadOptions) -> Generator:
    return reads_of([None] if options.keys is None else range(options.keys))


COUNTER = counter(
    name="counter",
    summary="adds to a counter and reads of it; every read must be a sum of the adds",
    decrements=False,
    final_only=False,
)
G_COUNTER = counter(
    name="g-counter",
    summary="adds to an eventually consistent counter (Maelstrom's g-counter); the final reads must be sums of the adds",
    decrements=False,
    final_only=True,
)
PN_COUNTER = counter(
    name="pn-counter",
    summary="adds and subtractions on an eventually consistent counter (Maelstrom's pn-counter); the final reads must be sums of them",
    decrements=True,
    final_only=True,
)
