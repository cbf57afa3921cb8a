"""What a history says about files, operation by operation, in the words of ``harness.files``. Facts; the others judge.

Times are lines of the history, so "before" is the order of lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkers.finals import is_final
from checkers.wording import text
from harness.files import (
    APPEND,
    CONTENT,
    CREATE,
    DELETE,
    LIST,
    NAMESPACE,
    READ,
    RENAME,
    REPLICAS,
    STAT,
    WRITE,
    answer_of,
)
from harness.history import FAIL, FOREVER, INFO, NO_KEY, OK, Calls

Entry = tuple[int, Any]  # offset, record: a whole number, or a string for what cannot be decoded
Content = tuple[Entry, ...]


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no operation on files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call: ``row`` among all calls, from the line ``call`` to ``ret`` (FOREVER: never answered, or nobody knows how).

    ``path`` is the file's name (empty for ``list``). ``argument`` and ``result`` are parsed: of a rename the new name; of an append the
    record, and its offset; of a write (offset, record, length); of a list the paths; of a stat the number of replicas; of a read its
    content; of ``replicas`` a map of contents. ``answer`` is what a failed call learned (see ``answer_of``).
    """

    row: int
    f: str
    path: str
    argument: Any
    result: Any
    outcome: int
    answer: str | None
    call: int
    ret: int
    final: bool

    @property
    def ok(self) -> bool:
        return self.outcome == OK

    @property
    def happened(self) -> bool:
        """Whether it happened, or may have."""
        return self.outcome in (OK, INFO)


def steps_of(calls: Calls) -> list[Step]:
    """Every call, in the order of invocations. Raises Unjudgeable."""
    history = calls.history
    names = [history.fs[code] for code in calls.f.tolist()]
    if strange := sorted(set(names) - NAMESPACE - CONTENT):
        raise Unjudgeable(f"{strange[0]!r} is no operation on files")
    errors = {
        row: history.errors.get(int(history.pair[calls.call[row]]))
        for row in np.flatnonzero(calls.outcome == FAIL).tolist()
    }
    columns = (calls.call, calls.ret, calls.outcome, calls.key, calls.argument, calls.result, is_final(calls))
    found = []
    for row, (call, ret, outcome, key, argument, result, final) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        f = names[row]
        try:
            path = "" if key == NO_KEY and f == LIST else _word(None if key == NO_KEY else history.keys[key])
            asked = _ARGUMENTS.get(f, _nothing)(history.values[argument])
            got = _RESULTS.get(f, _nothing)(history.values[result]) if outcome == OK else None
        except (Unjudgeable, TypeError, ValueError, KeyError) as problem:
            index = int(history.index[call])
            raise Unjudgeable(f"the {f} of index {index} is not understood: {problem}") from problem
        answer = answer_of(errors[row]) if outcome == FAIL else None
        found.append(
            Step(
                row=row,
                f=f,
                path=path,
                argument=asked,
                result=got,
                outcome=outcome,
                answer=answer,
                call=call,
                ret=ret if outcome != INFO else FOREVER,
                final=final,
            )
        )
    return found


def _nothing(_value: Any) -> None:
    return None


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise Unjudgeable(f"{text(value)} is no path")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Unjudgeable(f"{text(value)} is no whole number from 0 on")
    return value


def _written(value: Any) -> tuple[int, int, int]:
    if not (isinstance(value, list | tuple) and len(value) == 3 and value[2]):
        raise Unjudgeable(f"{text(value)} is not [offset, record, length]")
    return _number(value[0]), _number(value[1]), _number(value[2])


def _paths(value: Any) -> frozenset[str]:
    if not isinstance(value, list | tuple):
        raise Unjudgeable(f"{text(value)} is no list of paths")
    return frozenset(map(_word, value))


def _replicas(value: Any) -> int | None:
    if not isinstance(value, Mapping):
        raise Unjudgeable(f"{text(value)} does not say how many replicas there are")
    many = value.get("replicas")
    return None if many is None else _number(many)


def _content(value: Any) -> Content:
    if not isinstance(value, list | tuple):
        raise Unjudgeable(f"{text(value)} is no list of [offset, record]")
    return tuple(map(_entry, value))


def _entry(value: Any) -> Entry:
    if not (isinstance(value, list | tuple) and len(value) == 2):
        raise Unjudgeable(f"{text(value)} is not [offset, record]")
    return _number(value[0]), value[1] if type(value[1]) in (int, str) else text(value[1])


def _contents(value: Any) -> Mapping[str, Content]:
    if not isinstance(value, Mapping):
        raise Unjudgeable(f"{text(value)} does not say what each node holds")
    return {str(node): _content(held) for node, held in value.items()}


_ARGUMENTS = {RENAME: _word, APPEND: _number, WRITE: _written}
_RESULTS = {LIST: _paths, STAT: _replicas, APPEND: _number, READ: _content, REPLICAS: _contents}


def by_path(steps: Sequence[Step], *fs: str) -> dict[str, list[Step]]:
    """Those of these functions, by their paths, in the order of invocations."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        if step.f in fs:
            found.setdefault(step.path, []).append(step)
    return found


def removals(steps: Sequence[Step]) -> dict[str, list[Step]]:
    """For each path what took its name from a file, or may have: deletions, and renames to another name."""
    return by_path([step for step in steps if step.happened], DELETE, RENAME)


def additions(steps: Sequence[Step]) -> dict[str, list[Step]]:
    """For each path what gave its name to a file, or may have: creations, and renames to it."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        if step.happened and step.f in (CREATE, RENAME):
            found.setdefault(step.path if step.f == CREATE else step.argument, []).append(step)
    return found
