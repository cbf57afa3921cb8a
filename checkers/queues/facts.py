"""What a history says about queues: what was put in, what came out, and where a queue was found empty. Facts; others judge. Pure.

Operations, per key (a queue's name): ``enqueue`` (the element), ``dequeue`` (completed with an element, or with null: the queue was
empty; or failed, with the error "empty" or "exhausted") and ``drain`` (completed with the list of all that came out until the queue was
empty). These are Jepsen's, where a drain that crashes cannot be judged at all; here it may have taken anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.finals import is_final
from checkers.wording import text
from harness.history import FAIL, INFO, OK, Calls
from harness.interning import identity

ENQUEUE, DEQUEUE, DRAIN = "enqueue", "dequeue", "drain"
EMPTY_ERRORS = frozenset({"empty", "exhausted"})


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no operation of a queue."""


@dataclass(slots=True, kw_only=True)
class Element:
    """One element of one queue. ``enqueues`` and ``deliveries`` are rows of the calls, in the order of invocations and of completions."""

    value: Any
    enqueues: list[int] = field(default_factory=list)
    deliveries: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Queue:
    """One queue. ``unknown``: the dequeues of unknown outcome, each of which may have taken one element; ``boundless``: the drains of
    unknown outcome, which may have taken any number. ``empty``: the invocations (history rows) of what found the queue empty.
    ``taken``: (row, element) in the order in which elements came out, by completion, within a drain by its list.
    """

    calls: Calls
    elements: dict[Hashable, Element] = field(default_factory=dict)
    taken: list[tuple[int, Element]] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    boundless: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)

    def of(self, value: Any) -> Element:
        return self.elements.setdefault(identity(value), Element(value=value))


def queues_of(calls: Calls) -> list[Queue]:
    """The facts of every queue. Raises Unjudgeable."""
    strange = sorted({calls.history.fs[code] for code in np.unique(calls.f).tolist()} - {ENQUEUE, DEQUEUE, DRAIN})
    if strange:
        raise Unjudgeable(
            f"a queue has the operations enqueue, dequeue and drain, but the history also has {strange[0]!r}"
        )
    final = is_final(calls)
    queues: dict[int, Queue] = defaultdict(lambda: Queue(calls=calls))
    names = [calls.history.fs[code] for code in calls.f.tolist()]
    for row in range(len(calls)):
        if names[row] == ENQUEUE:
            queues[int(calls.key[row])].of(_argument(calls, row)).enqueues.append(row)
    # By completion; of what never completed, in the order of invocation.
    for row in np.argsort(calls.ret, kind="stable").tolist():
        if names[row] != ENQUEUE:
            queue = queues[int(calls.key[row])]
            _take(queue, row, drains=names[row] == DRAIN)
            # Where a run has final operations, only they tell that a queue stays empty: others may find it empty for a while.
            if _found_empty(calls, row, drains=names[row] == DRAIN) and (final[row] or not final.any()):
                queue.empty.append(int(calls.call[row]))
    return list(queues.values())


def _argument(calls: Calls, row: int) -> Any:
    return calls.history.values[calls.argument[row]]


def _take(queue: Queue, row: int, *, drains: bool) -> None:
    outcome = int(queue.calls.outcome[row])
    for value in _delivered(queue.calls, row, drains=drains):
        element = queue.of(value)
        element.deliveries.append(row)
        queue.taken.append((row, element))
    if outcome == INFO:
        (queue.boundless if drains else queue.unknown).append(row)


def _delivered(calls: Calls, row: int, *, drains: bool) -> Iterator[Any]:
    """What came out, of what is known to have come out."""
    if calls.outcome[row] != OK:
        return
    value = calls.history.values[calls.result[row]]
    if not drains:
        if value is not None:
            yield value
    elif value is not None:
        if not isinstance(value, list | tuple):
            index = calls.history.index[calls.call[row]]
            raise Unjudgeable(f"the drain of index {index} returned {text(value)}, which is no list of elements")
        yield from value


def _found_empty(calls: Calls, row: int, *, drains: bool) -> bool:
    if calls.outcome[row] == OK:
        return drains or calls.history.values[calls.result[row]] is None
    error = calls.history.errors.get(int(calls.history.pair[calls.call[row]]))
    return bool(calls.outcome[row] == FAIL) and str(error).removeprefix(":") in EMPTY_ERRORS
