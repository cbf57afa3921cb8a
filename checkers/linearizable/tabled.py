"""Any model on the compiled search of ``register_search``: states are numbered as they come up, calls by what they are.

What a call does to a state is asked of the model once and then looked up (``moves``): the search stops where it wants to know
more, the model is asked for every open call, and it goes on from there. So a model in plain Python costs a step per state and
kind of call instead of one per place where the search tries it. Objects whose state is one integer (``models.IntForm``) need
no table.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.kernels.engine import Engine
from checkers.kernels.variants import variant
from checkers.linearizable import register_search, steps
from checkers.linearizable.encode import LOOK, NOTHING, STEP, RegisterOps
from checkers.linearizable.layout import MOVE, Prepared, mix
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import UNKNOWN, Model
from checkers.linearizable.register_search import STATE, STEPS_PER_OP, UNTIL, WANTING, Search
from checkers.linearizable.wgl import CONFIG_BYTES, ITEM_BYTES, Call
from harness.history import FOREVER
from harness.verdict import Validity

# What asking the model once counts as, in compiled steps.
ASK_COST = 16
# Where kinds of calls hardly repeat there is nothing to look up.
REPEATS_MIN = 4
_FACTS_MAX = 1 << 61


def is_worth_it(model: Model, calls: Sequence[Call]) -> bool:
    """Whether the compiled search is the better one for these calls; depends on nothing else."""
    if model.lost is not None:
        return False
    if model.ints is not None:
        return True
    return len({(call.f, call.argument, call.result) for call in calls}) * REPEATS_MIN <= len(calls)


@dataclass(slots=True)
class Tabled:
    """The calls of one key, in invocation order. What ``model`` raises comes through."""

    model: Model
    calls: Sequence[Call]
    asked: int = 0
    _kinds: dict[Hashable, int] = field(default_factory=dict)
    _states: dict[Hashable, int] = field(default_factory=dict)
    _table: list[Any] = field(default_factory=list)
    _moves: dict[tuple[int, int], int] = field(default_factory=dict)
    _bytes: int = 0

    def search(self, limits: Limits, run: Engine) -> Found:
        kinds = [self._kinds.setdefault((c.f, c.argument, c.result), len(self._kinds)) for c in self.calls]
        form, facts = self._facts()
        initial = (
            self._number(self.model.init) if self.model.ints is None or form == steps.TABLED else self.model.ints.init
        )
        prepared = self._prepared(kinds, form, facts, initial)
        explore: Callable[[Search, int, int], int] = register_search.explore
        if form == steps.CUSTOM:
            assert self.model.ints is not None
            run, explore = variant(
                explore, steps.custom, self.model.ints.step, min(limits.steps, len(kinds) * STEPS_PER_OP)
            )
        else:
            explore = run.kernel(explore)
        world, configs = register_search.begin(run, prepared, limits)
        asked_before, size = self.asked, 0
        while True:
            left = limits.steps - ASK_COST * (self.asked - asked_before)
            answer = int(explore(world, min(left, FOREVER - 1), configs))
            if answer != WANTING:
                break
            if self._bytes > limits.bytes:
                answer = int(Validity.UNKNOWN)
                break
            fresh = self._ask(world, kinds)
            if 2 * len(self._moves) >= size:
                size = 4 * len(self._moves) + 64
                world = world._replace(moves=run.full(size * MOVE, 0))
                fresh = list(self._moves)
            for state, kind in fresh:
                _enter(world, state, kind, self._moves[state, kind])
        found = register_search.told(world, prepared, Validity(answer))
        return Found(
            validity=found.validity,
            steps=found.steps + ASK_COST * (self.asked - asked_before),
            explained=found.explained,
            completed=found.completed,
            stuck=found.stuck,
        )

    def _prepared(self, kinds: list[int], form: int, facts: list[int], initial: int) -> Prepared:
        n = len(self.calls)
        reads = np.array([call.f in self.model.reads for call in self.calls], dtype=np.bool_)
        ops = RegisterOps(
            kind=np.where(reads, LOOK, STEP).astype(np.int64),
            seen=np.full(n, NOTHING, dtype=np.int64),
            made=np.array(kinds, dtype=np.int64),
            call=np.array([call.call for call in self.calls], dtype=np.int64),
            ret=np.array([call.ret for call in self.calls], dtype=np.int64),
            key=np.zeros(n, dtype=np.int64),
            row=np.arange(n),
            keys=1,
            codes=len(self._kinds),
            initial=initial,
        )
        certain = np.flatnonzero(ops.certain)
        return Prepared(
            ops=ops,
            position=np.arange(n),
            order=certain[np.argsort(ops.ret[certain])],
            form=form,
            facts=np.array(facts, dtype=np.int64),
        )

    def _facts(self) -> tuple[int, list[int]]:
        """How moves are found, and four numbers per call: f, argument, result, known."""
        form = self.model.ints
        if form is None:
            return steps.TABLED, []
        facts, total = list[int](), abs(form.init)
        numbers: dict[Hashable, int] = {}

        def number(value: Any) -> int:
            return numbers.setdefault(value, len(numbers) + 1)

        for call in self.calls:
            coded = form.code(call.f, call.argument, call.result, number)
            if coded is None:
                return steps.TABLED, []
            total += max(map(abs, coded))
            facts += [*coded, int(call.result is not UNKNOWN)]
        return (form.form, facts) if total < _FACTS_MAX else (steps.TABLED, [])

    def _ask(self, world: Search, kinds: list[int]) -> list[tuple[int, int]]:
        """The moves of all open calls in the present state, which are now known."""
        state = int(world.regs[STATE])
        before, fresh = self._table[state], []
        data, after = world.data, world.unplaced.after
        i = int(after[len(kinds)])
        while i != len(kinds) and data.call[i] < world.regs[UNTIL]:
            if (state, kinds[i]) not in self._moves:
                call = self.calls[i]
                legal, then = self.model.step(before, call.f, call.argument, call.result)
                self.asked += 1
                self._moves[state, kinds[i]] = self._number(then) if legal else steps.ILLEGAL
                fresh.append((state, kinds[i]))
            i = int(after[i])
        return fresh

    def _number(self, state: Any) -> int:
        code = self._states.setdefault(state, len(self._table))
        if code == len(self._table):
            self._table.append(state)
            size = len(state) if isinstance(state, tuple | str | frozenset) else 1
            self._bytes += CONFIG_BYTES + ITEM_BYTES * size
        return code


def _enter(world: Search, state: int, kind: int, after: int) -> None:
    """Note a move where ``register_search.look_up`` finds it."""
    moves = world.moves
    capacity = len(moves) // MOVE
    row = mix(mix(1, state), kind) % capacity
    while moves[row * MOVE] != 0:
        row = (row + 1) % capacity
    at = row * MOVE
    moves[at], moves[at + 1], moves[at + 2] = state + 1, kind, after
