"""Keys whose values are strings that grow: read, write, append and delete, searched exactly and compiled.

A string of which no read returned a longer one, or itself, can be told from others by nothing until the next
write. So the states that matter are the beginnings of what was read: a tree, whose edges are the appended
tokens. It is built from the strings themselves, so nothing rests on a hash; all other strings are one state,
DEAD. The search is that of ``register_search``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkers.kernels.engine import Engine
from checkers.linearizable import generic, register_search
from checkers.linearizable.encode import APPEND, NOTHING, READ, WRITE, RegisterOps, Unjudgeable
from checkers.linearizable.layout import Prepared
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import Model
from checkers.linearizable.register_search import DEAD
from checkers.linearizable.wgl import Call
from checkers.wording import Narrator, text
from harness.history import FOREVER, Calls
from harness.verdict import Anomaly

SEARCH = "append-search"
_READS, _WRITES, _APPENDS, _DELETES = ({"read", "get"}, {"write", "put"}, {"append"}, {"delete"})
# What was read and is no state at all: DEAD is a state, in which no read is legal.
_NEVER = -3
# The greatest character: behind all strings with the same beginning.
_LAST = chr(0x10FFFF)


@dataclass(slots=True, kw_only=True)
class AppendCase:
    """One key. ``plain`` is the same key for the search in plain Python, which tells what is wrong."""

    key: int
    size: int
    plain: generic.GenericCase
    prepared: Prepared
    algorithm: str = SEARCH
    found: Found | None = None

    def attempt(self, limits: Limits, run: Engine) -> None:
        self.found = register_search.search(self.prepared, limits, run)

    def may_go_apart(self) -> bool:
        """See ``apart.Task``."""
        return True

    def progress(self) -> Found | None:
        """See ``apart.Task``."""
        return self.found

    def resume(self, progress: Found) -> None:
        """See ``apart.Task``."""
        self.found = progress

    def anomaly(self, say: Narrator) -> Anomaly:
        self.plain.found = self.found
        return self.plain.anomaly(say)


def cases(calls: Calls, model: Model) -> Sequence[AppendCase]:
    """Every key of ``calls``, undecided. Raises Unjudgeable for a value that is no string."""
    found = []
    for plain in generic.cases(calls, model):
        plain.prepare = lambda chosen: prepared(chosen, model.init)
        found.append(
            AppendCase(key=plain.key, size=plain.size, plain=plain, prepared=prepared(plain.calls, model.init))
        )
    return found


def prepared(calls: Sequence[Call], initial: Any) -> Prepared:
    """The calls of one key, in invocation order, ready to be searched."""
    tree = _Tree(calls, initial)
    n = len(calls)
    kind, seen, made = (np.full(n, NOTHING, dtype=np.int64) for _ in range(3))
    for i, call in enumerate(calls):
        if call.f in _READS:
            kind[i], seen[i] = READ, tree.states.get(call.result, _NEVER)
        elif call.f in _APPENDS:
            kind[i], made[i] = APPEND, tree.tokens[_string(call.argument)]
        else:
            kind[i], made[i] = WRITE, tree.state(None if call.f in _DELETES else call.argument)
    ops = RegisterOps(
        kind=kind,
        seen=seen,
        made=made,
        call=np.array([call.call for call in calls], dtype=np.int64),
        ret=np.array([call.ret for call in calls], dtype=np.int64),
        key=np.zeros(n, dtype=np.int64),
        row=np.arange(n),
        keys=1,
        codes=len(tree.states),
        initial=tree.state(initial),
    )
    certain = np.flatnonzero(ops.ret != FOREVER)
    order = certain[np.argsort(ops.ret[certain])]
    return Prepared(ops=ops, position=np.arange(n), order=order, edges=tree.edges())


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise Unjudgeable(f"{text(value)} is no string; what can be appended to is a string, or null")
    return value


class _Tree:
    """The beginnings of what was read that can be reached, numbered; null is a state of its own."""

    def __init__(self, calls: Sequence[Call], initial: Any) -> None:
        self._reads = sorted({_string(c.result) for c in calls if c.f in _READS and c.result is not None})
        self.tokens = {
            token: code for code, token in enumerate(sorted({_string(c.argument) for c in calls if c.f in _APPENDS}))
        }
        self._lengths = sorted({len(token) for token in self.tokens})
        starts = [initial, None, *(c.argument for c in calls if c.f in _WRITES)]
        self.states: dict[str | None, int] = {}
        self._edges: list[list[tuple[int, int]]] = []
        waiting = [self._number(value) for value in starts if value is None or self._is_beginning(_string(value))]
        strings = list(self.states)
        for at in dict.fromkeys(waiting):
            self._grow(strings[at] or "", at)

    def state(self, value: Any) -> int:
        return DEAD if value is not None and value not in self.states else self.states[value]

    def edges(self) -> tuple[Any, Any, Any]:
        """Per state where its entries begin; their tokens; the states to which these lead."""
        counts = [len(edges) for edges in self._edges]
        flat = [edge for edges in self._edges for edge in edges]
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        tokens, targets = (np.array([edge[n] for edge in flat], dtype=np.int64) for n in range(2))
        return starts, tokens, targets

    def _number(self, value: str | None) -> int:
        code = self.states.setdefault(value, len(self.states))
        if code == len(self._edges):
            self._edges.append([])
        return code

    def _is_beginning(self, text: str) -> bool:
        at = bisect_left(self._reads, text)
        return at < len(self._reads) and self._reads[at].startswith(text)

    def _grow(self, text: str, state: int) -> None:
        """Number all that appends can make of ``text``, and note how."""
        reads, tokens = self._reads, self.tokens
        # With each beginning the range of reads that have it.
        todo = [(text, state, bisect_left(reads, text), bisect_left(reads, text + _LAST))]
        while todo:
            text, state, low, high = todo.pop()
            if self._edges[state]:
                continue
            for length in self._lengths:
                at, wanted = low, len(text) + length
                while at < high:
                    longer = reads[at][:wanted]
                    if len(longer) < wanted:
                        at += 1
                        continue
                    end = high if reads[high - 1].startswith(longer) else bisect_left(reads, longer + _LAST, at, high)
                    token = tokens.get(longer[len(text) :])
                    if token is not None:
                        target = self._number(longer)
                        self._edges[state].append((token, target))
                        todo.append((longer, target, at, end))
                    at = end
