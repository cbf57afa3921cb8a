"""The smallest part of an impossible register's history that is impossible by itself: a proof that a person
can check.

Taking operations away can make a history look worse than it was: without the write of 7, a read of 7 is
impossible. A witness must not lie like that, so a part counts only if

* with every read it holds all possible sources of the read (see ``sources``), or, of a read that has none,
  the last write of the value seen;
* a cas whose possible sources are not all there is taken for a plain write, which asks less.

Then, if the whole had a legal order, that order with everything else left out would be legal for the part:
each read still follows its source, and nothing came in between. So an impossible part proves the whole
impossible.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from checkers.linearizable import register_search, unique
from checkers.linearizable.encode import CAS, NOTHING, READ, RegisterOps
from checkers.linearizable.layout import prepare
from checkers.linearizable.limits import Limits
from checkers.linearizable.shrink import shrink
from checkers.linearizable.sources import Sources, with_known_sources
from checkers.linearizable.unique import NONE, Examined
from harness.history import FOREVER
from harness.verdict import Validity

# Operations judged anew while shrinking, in all: about a second of plain Python. What is left then is the
# witness.
WORK_MAX = 200_000
# What one small part may cost; a part that costs more is not taken.
PART_LIMITS = Limits(steps=400_000, configs=20_000)
WINDOW_FIRST = 8


class Part:
    """Finds broken parts of one register (``ops``: all of its operations)."""

    def __init__(self, ops: RegisterOps, sources: Sources) -> None:
        self.ops, self.sources = ops, sources
        self._needs: dict[int, tuple[int, ...]] = {}
        self._work_left = WORK_MAX

    def needs(self, i: int) -> tuple[int, ...]:
        """The writes without which ``i`` may not be shown."""
        if i not in self._needs:
            self._needs[i] = tuple(self._find_needs(i))
        return self._needs[i]

    def _find_needs(self, i: int) -> list[int]:
        if self.ops.seen[i] == NOTHING:
            return []
        found = self.sources.of(i)
        if not found:
            return self.last_written(i)
        return found if self.ops.kind[i] == READ else []

    def close(self, part: Iterable[int]) -> list[int]:
        """``part`` with all that its operations need."""
        whole = set(part)
        whole.update(need for i in list(whole) for need in self.needs(i))
        return sorted(whole)

    def broken(self, part: list[int]) -> list[int] | None:
        """``part`` without the reads that lack what they need, if that is impossible; else None."""
        kept = set(part)
        part = [i for i in part if kept.issuperset(self.needs(i))]
        if not part or len(part) > self._work_left:
            return None
        self._work_left -= len(part)
        return part if impossible(self._weakened(part)) else None

    def smallest(self, start: list[int]) -> tuple[int, ...]:
        """A smallest broken part of ``start``, which must be broken."""
        return tuple(shrink(start, self.broken))

    def _weakened(self, part: list[int]) -> RegisterOps:
        ops, kept = self.ops.take(part), set(part)
        known = [self.ops.kind[i] != CAS or kept.issuperset(self.sources.of(i)) for i in part]
        return with_known_sources(ops, np.array(known, dtype=np.bool_))

    def last_written(self, i: int) -> list[int]:
        """The write of the value that ``i`` saw which began last before ``i`` ended; nothing if there is
        none.
        """
        makers = self.sources.makers_of(int(self.ops.seen[i]))
        return makers[self.ops.call[makers] < self.ops.ret[i]][-1:].tolist()  # type: ignore[no-any-return]  # numpy: Any


def impossible(ops: RegisterOps) -> bool:
    """Whether the operations of this one register are certainly not linearizable; False where that would cost
    too much.
    """
    status = unique.examine(ops).registers.status[0]
    if status != unique.NOT_UNIQUE:
        return status != unique.OPEN
    found = register_search.search(prepare(ops), PART_LIMITS)
    return found.validity is Validity.INVALID


def of_orphan(part: Part, orphan: int) -> tuple[int, ...]:
    """The witness of a read or cas without a source: itself, what it saw being written, and what replaced
    that.
    """
    replacement = part.sources.replacement(orphan)
    written = part.last_written(orphan)
    start = sorted({orphan, *written, *([] if replacement is None else [replacement])})
    return part.smallest(start) if part.broken(start) else tuple(start)


def of_unique(part: Part, found: Examined) -> tuple[int, ...]:
    """The witness of a register that ``unique`` refuted, from the operations and blocks that it named."""
    start = part.close(_evidence(part.ops, found))
    if part.broken(start):
        return part.smallest(start)
    return of_window(part, None)


def of_window(part: Part, stuck: int | None) -> tuple[int, ...]:
    """The witness of a register for which no order reaches the completion of ``stuck`` (None: who knows): the
    last operations before it, as many as it takes.

    Empty if even all of them together cost too much to be judged again.
    """
    ops = part.ops
    end = FOREVER if stuck is None else int(ops.ret[stuck])
    # What happens after that completion cannot matter; reads that end later only add what they saw.
    before = np.flatnonzero((ops.call < end) & ((ops.kind != READ) | (ops.ret <= end))).tolist()
    size = WINDOW_FIRST
    while True:
        start = part.close(before[-size:] if stuck is None else {stuck, *before[-size:]})
        # A cas that was still open then keeps its sources, also later ones: as a plain write it could do more than it did.
        late = [i for i in start if ops.kind[i] == CAS and ops.ret[i] > end]
        start = sorted({*start, *(source for i in late for source in part.sources.of(i))})
        if part.broken(start):
            return part.smallest(start)
        if size >= len(before):
            return ()
        size *= 2


def _evidence(ops: RegisterOps, found: Examined) -> set[int]:
    """The operations that ``unique`` named, with the writes and cas between them."""
    a, b = int(found.registers.a[0]), int(found.registers.b[0])
    if found.registers.status[0] == unique.CONFLICT:
        ends = [int(bound[block]) for block in (a, b) for bound in (found.clusters.first, found.clusters.last)]
        named = {*ends, *_between(found, *ends[:2]), *_between(found, *ends[2:])}
    elif b == NONE:
        named = {a, *_back(found, a)}
    else:
        named = {a, b, *_between(found, a, b)}
    # Of what never completed it takes a witness that it happened at all.
    return named | {seer for i in named for seer in _seers(ops, found, i)}


def _back(found: Examined, i: int) -> list[int]:
    """The writers behind ``i``, from its own cluster back through every cas to a plain write, or once around
    a cycle.
    """
    ops, writer = found.ops, found.clusters.writer
    passed: dict[int, None] = {}
    cluster = ops.made[i] if ops.made[i] != NONE else ops.seen[i]
    while cluster != NONE and writer[cluster] != NONE and int(writer[cluster]) not in passed:
        passed[int(writer[cluster])] = None
        cluster = ops.seen[writer[cluster]]
    return list(passed)


def _between(found: Examined, i: int, k: int) -> list[int]:
    """The writers of the clusters from that of ``i`` to that of ``k``, which one chain of cas connects."""
    longer, shorter = sorted((_back(found, i), _back(found, k)), key=len, reverse=True)
    return longer[: len(longer) - len(shorter) + 1]


def _seers(ops: RegisterOps, found: Examined, i: int) -> list[int]:
    """From a write that never completed to a completed operation that proves it happened."""
    seers: list[int] = []
    while ops.ret[i] == FOREVER and len(seers) < len(ops):
        cluster = found.ops.made[i]
        first = int(found.clusters.first[cluster])
        i = first if first != NONE and ops.ret[first] != FOREVER else int(found.clusters.consumer[cluster])
        if i == NONE:
            break
        seers.append(i)
    return seers
