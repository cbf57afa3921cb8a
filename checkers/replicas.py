"""What the final reads of a growing collection show, replica by replica: which values each of them had to have, and which it lacks.

Facts; ``broadcast`` judges. A replica is a node, or a process where the history names no nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.set_facts import Facts, Mask, Read
from checkers.settling import SECOND_NS, first_settled
from checkers.windows import Windows
from harness.history import NO_KEY, Calls, History


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ending:
    """The end of one collection. ``finals`` are the final reads that are judged, ``there`` their replicas; ``places`` are the replicas
    that had to be read. Row by row of ``finals``, column by column of values: ``due`` is whether that read had to have that value, ``has``
    whether it does.
    """

    finals: tuple[Read, ...]
    there: tuple[Any, ...]
    places: tuple[Any, ...]
    due: Mask
    has: Mask
    acknowledged: Mask

    @property
    def lost(self) -> Mask:
        """The values that a read lacks which had to have it, and that no other has."""
        return self._lacked & ~self.has.any(axis=0)

    @property
    def undelivered(self) -> Mask:
        """The values that a read lacks which had to have it, while another has it."""
        return self._lacked & self.has.any(axis=0)

    @property
    def undecided(self) -> Mask:
        """Acknowledged values of which some replica that was read was not asked late enough."""
        if not self.finals:
            return self.acknowledged
        found = np.zeros_like(self.acknowledged)
        for place in dict.fromkeys(self.there):
            asked: Mask = np.logical_or.reduce(self.due[[at == place for at in self.there]], axis=0)
            found |= self.acknowledged & ~asked
        return found

    def lacking(self, value: int) -> list[int]:
        """The rows of the reads that lack the value and had to have it."""
        return [self.finals[at].row for at in np.flatnonzero(self.due[:, value] & ~self.has[:, value]).tolist()]

    def having(self, value: int) -> int:
        """The row of a read that has the value."""
        return self.finals[int(np.argmax(self.has[:, value]))].row

    def unread(self) -> list[Any]:
        """The replicas of which no final read is judged."""
        read = set(self.there)
        return [place for place in self.places if place not in read]

    def unjudged(self) -> Ending:
        """The same, as long as nothing had to be anywhere."""
        return replace(self, due=np.zeros_like(self.due))

    @property
    def _lacked(self) -> Mask:
        found: Mask = np.logical_or.reduce(self.due & ~self.has, axis=0)
        return found


def ending_of(facts: Facts, calls: Calls, finals: npt.NDArray[np.intp], windows: Windows, settle_s: float) -> Ending:
    """The end of the collection of ``facts``; ``finals`` are the rows of final reads among all ``calls``.

    A final read is judged if it began ``settle_s`` after the heal, and had to have what was known ``settle_s`` before it began.
    """
    history, settle_ns = calls.history, round(settle_s * SECOND_NS)
    marked, first = set(finals.tolist()), first_settled(history, windows, settle_ns)
    reads = tuple(read for read in facts.reads if read.row in marked and read.call >= first)
    shape = (len(reads), len(facts.elements))
    due, has = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    last = max(len(history) - 1, 0)
    for at, read in enumerate(reads):
        has[at, read.ids] = True
        due[at] = facts.known < read.call
        if settle_ns:
            due[at] &= history.time_ns[np.minimum(facts.known, last)] + settle_ns <= history.time_ns[read.call]
    # Who answered, which need not be whom the client asked first.
    nodes = history.node[history.clients]
    named = bool((nodes != NO_KEY).any())
    answered = history.node[[read.ret for read in reads]] if named else calls.process[[read.row for read in reads]]
    there = [_place(history, code, named=named) for code in answered.tolist()]
    places = [_place(history, code, named=True) for code in np.unique(nodes).tolist() if code != NO_KEY]
    return Ending(
        finals=reads,
        there=tuple(there),
        places=tuple(places if named else dict.fromkeys(there)),
        due=due,
        has=has,
        acknowledged=facts.acknowledged,
    )


def _place(history: History, code: int, *, named: bool) -> Any:
    return (history.nodes[code] if code != NO_KEY else None) if named else code
