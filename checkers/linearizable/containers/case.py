"""One key of a history of a container: decided by ``judging``, or left to the search where values repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from checkers.kernels.engine import Engine, Plain
from checkers.linearizable import generic
from checkers.linearizable.containers.judging import OTHER_CALL, Container, Judged, Order, judge
from checkers.linearizable.containers.lives import INSERT, NOT_UNIQUE, OPEN, REMOVE
from checkers.linearizable.containers.telling import tell
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import ContainerForm, Model
from checkers.linearizable.shrink import shrink
from checkers.wording import Narrator, count, text
from harness.history import FAIL, FOREVER, NO_KEY, Calls, History, Ints
from harness.verdict import Anomaly, Validity

LIVES = "lives"
# Codes and positions are taken as they are if they are not many more than the calls.
_SPARSE = 6
_NUMBERS = {int, float, type(None)}


@dataclass(slots=True, kw_only=True)
class ContainerCase:
    """One key. ``rows`` are the rows of its calls among all calls."""

    key: int
    size: int
    model: Model
    container: Container
    judged: Judged
    calls: Calls
    rows: Ints
    algorithm: str = LIVES
    found: Found | None = None
    _search: generic.GenericCase | None = None

    def attempt(self, limits: Limits, run: Engine) -> None:
        if self._search is None:
            self.algorithm = generic.WGL
            self._search = generic.case_of(self.key, self.calls.take(self.rows), self.rows.tolist(), self.model)
        self._search.attempt(limits, run)
        self.found = self._search.found
        self.algorithm = self._search.algorithm

    def _fewest(self) -> list[int]:
        """The calls on the fewest values that have no order by themselves, with all removals of unknown result; none if
        that would cost too much. What a value did can be left out of any legal order, whole.
        """
        values, container = self.container.values(), self.container
        lost = (container.kinds[container.f] == REMOVE) & ~container.removes & (container.outcome != FAIL)
        empties = np.flatnonzero((values < 0) & container.removes)
        steps_left = generic.WORK_STEPS_MAX

        def rows_of(items: list[int]) -> list[int]:
            # Negative items are calls that found nothing.
            chosen = np.isin(values, [item for item in items if item >= 0]) | lost
            chosen[[-1 - item for item in items if item < 0]] = True
            return [int(i) for i in np.flatnonzero(chosen)]

        def broken(items: list[int]) -> list[int] | None:
            nonlocal steps_left
            rows = rows_of(items)
            if steps_left <= 0 or not rows:
                return None
            part = generic.case_of(self.key, self.calls.take(self.rows[rows]), rows, self.model)
            part.attempt(generic.PART_LIMITS, Plain())
            assert part.found is not None
            steps_left -= part.found.steps // generic.STEP_COST + len(rows)
            return items if part.found.validity is Validity.INVALID else None

        items = [*np.unique(values[values >= 0]).tolist(), *(-1 - empties).tolist()]
        return rows_of(shrink(items, broken)) if broken(items) is not None else []

    def anomaly(self, say: Narrator) -> Anomaly:
        if self._search is not None:
            found = self._search.anomaly(say)
            shown = [int(self.rows[i]) for i in self._fewest()]
            if not shown:
                return found
            last = max((row for row in shown if say.calls.ret[row] != FOREVER), key=lambda row: int(say.calls.ret[row]))
            reason = (
                f"no order that respects real time explains {say.whose(last)} {say.span(last)} together with "
                f"{count(len(shown) - 1, 'other operation')}{say.key(last, 'on')}"
            )
            return replace(found, ops=say.lines([last]), reason=reason, witness=say.lines(shown))
        told = tell(self.container, self.judged, say, self.rows)
        return Anomaly(
            checker="linearizable",
            name=told.name,
            ops=say.lines(int(self.rows[i]) for i in told.shows),
            reason=told.sentence,
            witness=say.lines(int(self.rows[i]) for i in told.witness),
        )


def cases(calls: Calls, model: Model) -> Sequence[ContainerCase]:
    """Every key of ``calls``, decided where its values are inserted once. Raises Unjudgeable."""
    form = model.container
    assert form is not None
    whole = encode(calls, form)
    sparse = _SPARSE * len(calls) + 64
    dense = whole.codes <= sparse and whole.end <= sparse
    found = []
    for key, rows in _parts(calls):
        container = whole if dense and len(rows) == len(calls) else whole.part(rows)
        judged = judge(container)
        case = ContainerCase(
            key=key, size=len(rows), model=model, container=container, judged=judged, calls=calls, rows=rows
        )
        if judged.status != NOT_UNIQUE:
            good = judged.status == OPEN
            case.found = Found(
                validity=Validity.VALID if good else Validity.INVALID,
                steps=0,
                explained=len(rows) if good else 0,
                completed=len(rows),
            )
        found.append(case)
    return found


def _parts(calls: Calls) -> Iterator[tuple[int, Ints]]:
    """(code of a key, rows of its calls), in the order of their first calls."""
    if not len(calls):
        return
    if int(calls.key.min()) == int(calls.key.max()):
        yield int(calls.key[0]), np.arange(len(calls))
        return
    order = np.argsort(calls.key, kind="stable")
    for rows in sorted(np.split(order, np.flatnonzero(np.diff(calls.key[order])) + 1), key=lambda rows: int(rows[0])):
        yield int(calls.key[rows[0]]), rows


def encode(calls: Calls, form: ContainerForm) -> Container:
    """The calls of all keys as if they were those of one. Raises Unjudgeable for a priority that is no number."""
    history = calls.history
    columns = {name: getattr(calls, name) for name in ("f", "argument", "result", "outcome", "call", "ret")}
    order, kinds = Order(form.order), _kinds(history, form)
    if order is Order.LEAST:
        _as_one_number(columns, history)
    container = Container(
        order=order,
        **columns,
        kinds=kinds,
        null=next((code for code, value in enumerate(history.values) if value is None), -2),
        codes=len(history.values),
        end=len(history),
        priority=None,
    )
    put = (kinds[container.f] == INSERT) & (container.outcome != FAIL)
    if (container.argument[put] == container.null).any():
        raise Unjudgeable("null was put in, and who takes null found nothing: nobody can tell the two apart")
    return _with_priorities(container, history) if order is Order.LEAST else container


def _as_one_number(columns: dict[str, Any], history: History) -> None:
    """A number that is written in two ways, as 1 and 1.0, is one priority: gives it one code."""
    if not {int, float} <= set(map(type, history.values)):
        return
    first: dict[Any, int] = {}
    one = np.array(
        [
            first.setdefault(value, code) if type(value) in (int, float) else code
            for code, value in enumerate(history.values)
        ],
        dtype=np.int64,
    )
    for name in ("argument", "result"):
        column = columns[name]
        columns[name] = np.where(column == NO_KEY, column, one[column])


def _kinds(history: History, form: ContainerForm) -> Ints:
    kinds = {form.insert: INSERT, form.remove: REMOVE}
    return np.array([kinds.get(f, OTHER_CALL) for f in history.fs], dtype=np.int64)


def _with_priorities(container: Container, history: History) -> Container:
    table = list(history.values)
    if set(map(type, table)) <= _NUMBERS:  # the usual case, which must be quick
        priority = np.array([np.nan if value is None else value for value in table], dtype=np.float64)
    else:
        priority = np.array([float(value) if type(value) in (int, float) else np.nan for value in table])
    values = container.values()
    odd = np.flatnonzero((values >= 0) & np.isnan(priority[np.maximum(values, 0)]))
    if len(odd):
        value = history.values[int(values[odd[0]])]
        raise Unjudgeable(f"the priority {text(value)} is no number; a priority queue orders numbers")
    return replace(container, priority=priority)
