"""Cells of siblings: dotted version vectors.

A write gets a *dot*: (coordinator, how many writes of this key it has numbered). A cell is a version vector, and the siblings with
their dots. The vector {n1: 3, n2: 1} knows the first three dots of n1 and the first of n2: each of them is a sibling here, or was
replaced by a write that had seen it. So in a merge a dot survives that both have, or that only one has and the other does not know.

A client's context is the vector of what it read: its write replaces all of that, and nothing else. That is why a dot is more than an
entry of the vector: two clients who have read the same and write through the same node get (n1, 4) and (n1, 5), neither of which has
seen the other, though n1 has seen both. (Preguiça, Baquero, Almeida, Fonte, Gonçalves, "Dotted Version Vectors", 2012; this form, with
one vector for all siblings, is Riak's dvvset.)

A vector may be compressed to one number per node only because no cell ever knows a dot without all earlier ones of that node. So nodes
always send whole cells, and a coordinator must never forget its own (Riak's issue kv679: one that did gave out the same dots again, and
the new writes were taken for old ones).
"""

from __future__ import annotations

from typing import Any

from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo.cells import Cell, Context

Vector = dict[str, int]
Sibling = list[Any]  # [node, number, value, whether it is a tombstone]; a list, as it comes out of a message
NODE, NUMBER, VALUE, DEAD = range(4)
PRUNED_TO = 4  # with the bug


class Siblings:
    """Satisfies ``cells.Kind``. A cell is {"vv": vector, "sib": siblings in the order of their dots}."""

    def __init__(self, me: str, bugs: Bugs) -> None:
        self._me, self._bugs = me, bugs

    def write(self, cell: Cell | None, context: Context, value: Any, *, dead: bool) -> Cell:
        known: Vector = cell["vv"] if cell else {}
        seen: Vector = known if self._bugs.plain_vector else context or {}
        number = known.get(self._me, 0) + 1
        vector = _joined(_joined(known, seen), {self._me: number})
        unseen = [one for one in (cell["sib"] if cell else ()) if one[NUMBER] > seen.get(one[NODE], 0)]
        if self._bugs.vector_pruned and len(vector) > PRUNED_TO:
            vector = dict(sorted(vector.items(), key=lambda entry: entry[NUMBER])[-PRUNED_TO:])
        return self._cell(vector, [*unseen, [self._me, number, value, dead]])

    def merge(self, one: Cell, other: Cell) -> Cell:
        mine, theirs = one["vv"], other["vv"]
        dots = {(sibling[NODE], sibling[NUMBER]) for sibling in one["sib"]}
        both = {(sibling[NODE], sibling[NUMBER]) for sibling in other["sib"]} & dots
        kept = [s for s in one["sib"] if (s[NODE], s[NUMBER]) in both or s[NUMBER] > theirs.get(s[NODE], 0)]
        new = [s for s in other["sib"] if s[NUMBER] > mine.get(s[NODE], 0) and (s[NODE], s[NUMBER]) not in both]
        if (
            not new
            and len(kept) == len(one["sib"])
            and all(mine.get(node, 0) >= number for node, number in theirs.items())
        ):
            return one
        found = [*kept, *new]
        if self._bugs.first_sibling_wins and kept and new:
            found = [min(found)]
        return self._cell(_joined(mine, theirs), found)

    def values(self, cell: Cell) -> list[Any]:
        living = [sibling[VALUE] for sibling in cell["sib"] if not sibling[DEAD]]
        # A deletion that did not know of a value does not remove it, but must be seen beside it, or it would seem to be lost.
        return [*living, None] if living and len(living) < len(cell["sib"]) else living

    def context(self, cell: Cell) -> Context:
        return cell["vv"]

    def covers(self, cell: Cell | None, context: Context) -> bool:
        known: Vector = cell["vv"] if cell else {}
        return all(known.get(node, 0) >= number for node, number in (context or {}).items())

    def seen(self, cell: Cell | None, context: Context) -> None:
        """Nothing to learn: numbers are counted per key."""

    def must_stay(self, cell: Cell) -> bool:
        return self._me in cell["vv"]

    def _cell(self, vector: Vector, siblings: list[Sibling]) -> Cell:
        return {"vv": vector, "sib": sorted(siblings, key=lambda sibling: sibling[:VALUE])}


def _joined(one: Vector, other: Vector) -> Vector:
    found = dict(one)
    for node, number in other.items():
        if number > found.get(node, 0):
            found[node] = number
    return found
