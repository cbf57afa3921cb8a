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
    heads = s.starts[:-1].tolist()
    ends = s.starts[1:].tolist()
    now = dict[int, int]()  # key → the last write
    order: list[int] = []
    trail: list[tuple[int, int]] = []  # operation placed, what its key held before (NONE for reads)
    choices: list[tuple[int, list[int]]] = []  # length of the trail, writes still to try
    seen = set[tuple[tuple[int, ...], tuple[int, ...]]]()
    steps = 0

    def able(i: int) -> bool:
        return all(heads[s.session[a]] > a for a in whole.before.get(i, ()))

    def place(i: int) -> None:
        trail.append((i, now.get(int(s.key[i]), NONE)))
        if s.source[i] == NONE:
            now[int(s.key[i])] = i
        heads[s.session[i]] += 1
        order.append(i)

    def undo_to(length: int) -> None:
        while len(trail) > length:
            i, held = trail.pop()
            heads[s.session[i]] -= 1
            order.pop()
            if s.source[i] == NONE:
                now[int(s.key[i])] = held

    while len(order) < len(s):
        if steps >= steps_max:
            return None, False
        moved = True
        while moved:
            moved = False
            for t in range(s.sessions):
                steps += 1
                while heads[t] < ends[t] and s.source[heads[t]] != NONE and now.get(int(s.key[heads[t]])) == s.source[heads[t]]:
                    place(heads[t])
                    moved = True
        if len(order) == len(s):
            return order, True
        config = (tuple(heads), tuple(sorted(now.values())))
        options: list[int] = []
        if config not in seen:
            seen.add(config)
            nexts = [heads[t] for t in range(s.sessions) if heads[t] < ends[t]]
            options = [i for i in nexts if s.source[i] == NONE and able(i)]
        choices.append((len(trail), options[::-1]))
        while choices and not choices[-1][1]:
            choices.pop()
            if choices:
                undo_to(choices[-1][0])
        if not choices:
            return None, True
        place(choices[-1][1].pop())
    return order, True
