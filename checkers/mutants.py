"""Copies of a history with one lie each, of the kinds that broken systems tell. Pure, and the same for the same history.

* ``lost``: an acknowledged update was never asked for, though its effect may have been seen;
* ``failed``: an update that was acknowledged is said to have failed;
* ``swapped``: two operations of one kind on one key have each other's results;
* ``stale``: an operation has the result of an earlier one of its kind on its key, a fresh result seen once more;
* ``fractured``: an operation that returned a map has one entry of it from such an earlier result, and all others as they were.

What an operation returned is its result where that is not its argument; in a transaction, the result of each micro-operation of a key.
Half of the lies about results are about final reads, where there are any, and tell what was seen first of all: these reads are few, some
checkers judge nothing else, and a node that lags then has seen nothing of what is new. Not every mutant is illegal: two reads side by side
may well have been the other way around.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkers.finals import is_final
from harness.history import FAIL, NO_KEY, OK, Calls, History
from harness.interning import identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one call returned: the row of its completion in the history, the micro-operation (None: the whole result), and the value."""

    line: int
    mop: int | None
    value: Any
    code: int  # of the whole result


Groups = Mapping[Hashable, Sequence[Sight]]  # what can stand in each other's place, in the order of completions


def mutants(history: History, each: int) -> Iterator[tuple[str, History]]:
    """(kind, mutant): of every kind at most ``each``, from all over the history."""
    calls = history.calls()
    groups = [group for group in _sights(calls).values() if len({identity(sight.value) for sight in group}) > 1]
    updates = np.flatnonzero((calls.outcome == OK) & _tells(calls))
    for row in _spread(updates.tolist(), each):
        kept = np.ones(len(history), dtype=np.bool_)
        kept[[calls.call[row], calls.ret[row]]] = False
        yield "lost", history.select(kept)
    for row in _spread(updates.tolist(), each):
        type_ = history.type.copy()
        type_[calls.ret[row]] = FAIL
        yield "failed", _changed(history, type=type_)
    final = set(calls.ret[is_final(calls)].tolist())
    pairs = [pair for group in groups for pair in _pairs(group)]
    late = _spread([pair for group in groups for pair in _from_first(group, final)], (each + 1) // 2)
    chosen = [*_spread([pair for pair in pairs if pair[1].line not in final], each - len(late)), *late]
    for one, other in chosen:
        yield "swapped", _with_results(history, ((one, other.value), (other, one.value)))
    for one, other in chosen:
        yield "stale", _with_results(history, ((other, one.value),))
    for one, other in chosen:
        if isinstance(one.value, Mapping) and isinstance(other.value, Mapping):
            for name in (name for name, value in other.value.items() if one.value.get(name, value) != value):
                yield "fractured", _with_results(history, ((other, {**other.value, name: one.value[name]}),))
                break


def _tells(calls: Calls) -> Any:
    """Which calls have an argument."""
    told = np.array([value is not None for value in calls.history.values], dtype=np.bool_)
    return told[calls.argument]


def _sights(calls: Calls) -> Groups:
    history = calls.history
    groups: dict[Hashable, list[Sight]] = defaultdict(list)
    informative = (calls.outcome == OK) & (calls.result != calls.argument) & (calls.result != NO_KEY)
    rows = np.flatnonzero(informative)
    for row in rows[np.argsort(calls.ret[rows], kind="stable")].tolist():
        line, code = int(calls.ret[row]), int(calls.result[row])
        asked, got = history.values[calls.argument[row]], history.values[code]
        name = (int(calls.f[row]), int(calls.key[row]))
        if not _are_mops(asked) or not _are_mops(got) or len(asked) != len(got):
            groups[name].append(Sight(line=line, mop=None, value=got, code=code))
            continue
        for place, (before, after) in enumerate(zip(asked, got, strict=True)):
            if identity(before) != identity(after):
                where = identity(before[1]) if len(before) > 1 and before[1] == after[1] else None
                groups[(*name, identity(before[0]), where)].append(Sight(line=line, mop=place, value=after, code=code))
    return groups


def _are_mops(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(mop, list | tuple) and mop for mop in value)


def _pairs(group: Sequence[Sight]) -> Iterator[tuple[Sight, Sight]]:
    """Each sight with the last one before it that is another value, if that is of another call."""
    before: Sight | None = None
    last = group[0]
    for sight in group[1:]:
        if identity(sight.value) != identity(last.value):
            before = last
        if before is not None and before.line != sight.line:
            yield before, sight
        last = sight


def _from_first(group: Sequence[Sight], lines: Collection[int]) -> Iterator[tuple[Sight, Sight]]:
    """Each sight of one of these lines with the first one of all, where that is another value of another call."""
    first = group[0]
    for sight in group[1:]:
        if sight.line in lines and sight.line != first.line and identity(sight.value) != identity(first.value):
            yield first, sight


def _spread(items: Sequence[Any], most: int) -> Sequence[Any]:
    """At most ``most`` of ``items``, evenly spread, without the first and the last."""
    return [items[(2 * place + 1) * len(items) // (2 * most)] for place in range(most)] if len(items) > most else items


def _with_results(history: History, values: Sequence[tuple[Sight, Any]]) -> History:
    table, column = list(history.values), history.value.copy()
    codes: dict[Hashable, int] = {}
    for sight, value in values:
        whole = value
        if sight.mop is not None:
            whole = list(history.values[sight.code])
            whole[sight.mop] = value
        name = identity(whole)
        if name not in codes:
            codes[name] = _code_of(history, whole, len(table))
            if codes[name] == len(table):
                table.append(whole)
        column[sight.line] = codes[name]
    return _changed(history, value=column, values=table)


def _code_of(history: History, value: Any, fresh: int) -> int:
    """The code of a value that the history knows, else ``fresh``."""
    name = identity(value)
    return next(
        (code for code, known in enumerate(history.values) if type(known) is type(value) and identity(known) == name),
        fresh,
    )


def _changed(history: History, **columns: Any) -> History:
    names = (
        "type",
        "process",
        "f",
        "fs",
        "value",
        "values",
        "key",
        "keys",
        "node",
        "nodes",
        "index",
        "time_ns",
        "errors",
        "extras",
    )
    return History.from_columns(**{**{name: getattr(history, name) for name in names}, **columns}, interned=True)
