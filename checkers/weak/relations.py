"""Orders that follow from others: how far back every operation can see, and the cycle that refutes a model.

An order is given by edges between operations besides the order of each session. ``reach[i, s]`` is how many
operations of session s come before operation i, itself included.

The rule of *hiding*: if a write w' of the key of a read r comes before r, and r saw w, then w' comes before w. In
one session of reads it is complete (Bouajjani and others, for causal memory); for sequential consistency the rule
of *overtaking* is true as well: if w comes before w', then r comes before w'.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from checkers.weak.reads_from import NONE, Sessions
from harness.history import Ints

Edge = tuple[int, int]


@dataclass(slots=True, kw_only=True, eq=False)
class Relation:
    """An order over the operations in ``present``; ``before`` are the edges into each of them."""

    sessions: Sessions
    present: np.ndarray[tuple[int], np.dtype[np.bool_]]
    before: dict[int, set[int]]
    reach: Ints = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    steps: int = 0

    def add(self, edges: Iterable[Edge]) -> int:
        """Add edges between operations that are present; returns how many are new."""
        new = 0
        for a, b in edges:
            if a != b and self.present[a] and self.present[b] and a not in self.before.setdefault(b, set()):
                self.before[b].add(a)
                new += 1
        return new

    def close(self) -> list[int] | None:
        """Compute ``reach``. A cycle, if there is one: every operation comes before the next one, and the last before
        the first.
        """
        s = self.sessions
        chain = np.flatnonzero(self.present)
        previous = _previous(s, chain)
        waits = {i: len(self.before.get(i, ())) + (previous[i] != NONE) for i in chain.tolist()}
        after: dict[int, list[int]] = {}
        for b, many in self.before.items():
            for a in many:
                after.setdefault(a, []).append(b)
        following = {previous[i]: i for i in chain.tolist() if previous[i] != NONE}
        self.reach = np.zeros((len(s), s.sessions), dtype=np.int32)
        ready = deque(i for i in chain.tolist() if not waits[i])
        done = 0
        while ready:
            i = ready.popleft()
            done += 1
            mine = self.reach[i]
            if previous[i] != NONE:
                np.maximum(mine, self.reach[previous[i]], out=mine)
            for a in self.before.get(i, ()):
                np.maximum(mine, self.reach[a], out=mine)
            mine[s.session[i]] = s.place[i] + 1
            for b in [*after.get(i, ()), *([following[i]] if i in following else [])]:
                waits[b] -= 1
                if not waits[b]:
                    ready.append(b)
        self.steps += done * s.sessions
        if done == len(chain):
            return None
        return self._cycle({i for i, count in waits.items() if count > 0}, previous)

    def precedes(self, a: int, b: int) -> bool:
        """Whether ``a`` comes before ``b``, or is it."""
        s = self.sessions
        return bool(self.reach[b, s.session[a]] > s.place[a])

    def hidden(self, read: int) -> list[int]:
        """Of every session the last write of the key of ``read`` that comes before it, unless it is what the read saw."""
        s = self.sessions
        found = []
        for t in range(s.sessions):
            writes = s.by_key[t][int(s.key[read])]
            at = int(np.searchsorted(s.place[writes], self.reach[read, t])) - 1
            if t == s.session[read]:
                at = int(np.searchsorted(writes, read)) - 1
            while at >= 0 and not self.present[writes[at]]:
                at -= 1
            if at >= 0 and writes[at] != s.source[read]:
                found.append(int(writes[at]))
        return found

    def overtaken(self, read: int) -> list[int]:
        """Of every session the first write of the key of ``read`` that comes after what the read saw."""
        s, source = self.sessions, int(self.sessions.source[read])
        found = []
        for t in range(s.sessions):
            writes = s.by_key[t][int(s.key[read])]
            if len(writes):
                later = self.reach[writes, s.session[source]] > s.place[source]
                later &= writes != source
                at = int(np.argmax(later))
                if later[at]:
                    found.append(int(writes[at]))
        return found

    def _cycle(self, stuck: set[int], previous: dict[int, int]) -> list[int]:
        """Follow what each stuck operation waits for until one comes again."""
        at, path, seen = min(stuck), list[int](), dict[int, int]()
        while at not in seen:
            seen[at] = len(path)
            path.append(at)
            waiting = [a for a in sorted(self.before.get(at, ())) if a in stuck]
            at = waiting[0] if waiting else previous[at]
        return path[seen[at] :][::-1]


def _previous(s: Sessions, chain: Ints) -> dict[int, int]:
    """Of every operation the one before it in its session, of those in ``chain``."""
    found = {}
    last = dict[int, int]()
    for i, session in zip(chain.tolist(), s.session[chain].tolist(), strict=True):
        found[i] = last.get(session, NONE)
        last[session] = i
    return found


def relation(s: Sessions, present: np.ndarray[tuple[int], np.dtype[np.bool_]], *, seen_by: Ints) -> Relation:
    """The order of sessions, and what the reads in ``seen_by`` saw; the initial values come before all."""
    whole = Relation(sessions=s, present=present, before={})
    last = int(s.starts[1]) - 1
    firsts = [np.flatnonzero(present[s.starts[t] : s.starts[t + 1]]) for t in range(s.sessions)]
    whole.add((last, int(s.starts[t] + first[0])) for t, first in enumerate(firsts) if t and len(first))
    whole.add((int(s.source[read]), read) for read in seen_by.tolist())
    return whole


def saturate(whole: Relation, reads: Ints, *, overtaking: bool, steps_max: int) -> list[int] | None:
    """Apply the rules until nothing new follows; a cycle, if one comes of it. Stops early after ``steps_max`` steps."""
    cycle = whole.close()
    while cycle is None and whole.steps < steps_max:
        new = 0
        for read in reads.tolist():
            source = int(whole.sessions.source[read])
            new += whole.add([(other, source) for other in whole.hidden(read)])
            if overtaking:
                new += whole.add([(read, other) for other in whole.overtaken(read)])
        if not new:
            return None
        cycle = whole.close()
    return cycle
