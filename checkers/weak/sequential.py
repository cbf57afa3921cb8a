"""The search for one order of all operations: sequential consistency, once no cycle refutes it.

Operations are placed one after the other, each after those that the saturated relation puts before it. A read that
is legal is placed at once; only writes are chosen. A configuration is how far every session is, and the last write of
every key; one that was seen before need not be seen again.
"""

from __future__ import annotations

from checkers.weak.reads_from import NONE, Sessions
from checkers.weak.relations import Relation


def find_order(s: Sessions, whole: Relation, steps_max: int) -> tuple[list[int] | None, bool]:
    """An order of all operations and True; None and True if there is none; None and False if ``steps_max`` were not enough."""
    walk = _Walk(s, whole)
    choices: list[tuple[int, list[int]]] = []  # length of the trail, writes still to try
    seen = set[tuple[tuple[int, ...], tuple[int, ...]]]()
    while True:
        walk.settle()
        if len(walk.trail) == len(s):
            return [i for i, _ in walk.trail], True
        if walk.steps >= steps_max:
            return None, False
        config = walk.config()
        choices.append((len(walk.trail), [] if config in seen else walk.writes()))
        seen.add(config)
        while choices and not choices[-1][1]:
            choices.pop()
        if not choices:
            return None, True
        walk.undo_to(choices[-1][0])
        walk.place(choices[-1][1].pop())


class _Walk:
    """An order that grows and shrinks. ``trail``: the operations placed, and what their keys held before."""

    def __init__(self, s: Sessions, whole: Relation) -> None:
        self._s, self._before = s, whole.before
        self._heads, self._ends = s.starts[:-1].tolist(), s.starts[1:].tolist()
        self._now: dict[int, int] = {}  # key → the last write
        self.trail: list[tuple[int, int]] = []
        self.steps = 0

    def config(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return tuple(self._heads), tuple(sorted(self._now.values()))

    def writes(self) -> list[int]:
        """The writes that may come next, the one to try first last."""
        nexts = [i for i, end in zip(self._heads, self._ends, strict=True) if i < end]
        return [i for i in nexts if self._s.source[i] == NONE and self._able(i)][::-1]

    def _able(self, i: int) -> bool:
        return all(self._heads[self._s.session[a]] > a for a in self._before.get(i, ()))

    def settle(self) -> None:
        """Place every read that is legal now."""
        moved = True
        while moved:
            moved = False
            for t, end in enumerate(self._ends):
                self.steps += 1
                while self._heads[t] < end and self._legal_read(self._heads[t]):
                    self.place(self._heads[t])
                    moved = True

    def _legal_read(self, i: int) -> bool:
        source = int(self._s.source[i])
        return source != NONE and self._now.get(int(self._s.key[i]), NONE) == source

    def place(self, i: int) -> None:
        key = int(self._s.key[i])
        self.trail.append((i, self._now.get(key, NONE)))
        if self._s.source[i] == NONE:
            self._now[key] = i
        self._heads[self._s.session[i]] += 1

    def undo_to(self, length: int) -> None:
        while len(self.trail) > length:
            i, held = self.trail.pop()
            self._heads[self._s.session[i]] -= 1
            if self._s.source[i] == NONE:
                self._now[int(self._s.key[i])] = held
