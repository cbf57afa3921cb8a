"""The partitions of a history that have two sides, and which operations belong to a side: what checkers and pages count alike.

Only partitions of which neither side hears the other are meant (those that say their ``sides``, and the shape "isolate-leader"); of a
bridge, a ring, or a partition in one direction nobody can say who is on which side. A side with more than half of the nodes is the
*majority*, every other side a *minority*: of two equal halves both are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.columns import NO_KEY, OK
from harness.history import Calls, History
from harness.op import Op

START, STOP, HEAL = "start-", "stop-", "heal"
MAJORITY, MINORITY = "majority", "minority"

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A partition of two sides while it certainly held, in ns since the run began; ``nodes`` is how many there are in all."""

    id: Any
    start_ns: int
    end_ns: int
    sides: tuple[tuple[str, ...], ...]
    nodes: int

    def rank(self, side: Sequence[str]) -> str:
        return MAJORITY if 2 * len(side) > self.nodes else MINORITY


def splits_of(history: History, grace_ns: int = 0) -> Iterator[Split]:
    """The partitions of ``history`` that have two sides, each from the completion of its start (and ``grace_ns`` later) to the beginning of
    its end; those that did not bite, or not for so long, are left out.
    """
    pairs = [(op, done) for op, done in history.nemesis() if done is not None]
    over_ns = min([op.time_ns for op, _ in pairs if op.f == HEAL], default=int(history.time_ns.max(initial=0)))
    ends = {_said(op, done).get("id"): op.time_ns for op, done in pairs if op.f.startswith(STOP)}
    for op, done in pairs:
        said = _said(op, done) if op.f.startswith(START) else {}
        sides = _parts(said, history.nodes)
        start_ns, end_ns = done.time_ns + grace_ns, ends.get(said.get("id"), over_ns)
        if sides and said.get("bit") is True and start_ns < end_ns:
            yield Split(
                id=said.get("id"), start_ns=start_ns, end_ns=end_ns, sides=sides, nodes=len({*sides[0], *sides[1]})
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clients:
    """The operations of one side while its split held, as masks over ``Calls``: those that were decided, which of them were ``served``,
    and those that were still ``open`` when it ended.
    """

    decided: Bools
    served: Bools
    open: Bools


def clients_of(calls: Calls, split: Split, side: Sequence[str]) -> Clients:
    """An operation counts where it is certain that the partition held all the time: it was invoked after the split's start and decided
    before its end. It belongs to the side of the node that its invocation names, the client's own; and that side served it if it
    succeeded and its completion names a node of that side: a client may have turned to the other one. A side that served a client of
    the other one has that operation, too.
    """
    history = calls.history
    times = history.time_ns
    done = history.pair[calls.call]
    ended_ns = np.where(done == NO_KEY, np.iinfo(np.int64).max, times[np.maximum(done, 0)])
    begun = (times[calls.call] >= split.start_ns) & (times[calls.call] < split.end_ns)
    inside = begun & (ended_ns < split.end_ns)
    answer = np.where(calls.outcome == OK, history.node[np.maximum(done, 0)], NO_KEY)
    codes = [code for code, node in enumerate(history.nodes) if node in side]
    served, mine = np.isin(answer, codes), np.isin(calls.node, codes)
    return Clients(decided=inside & (served | mine), served=inside & served, open=begun & ~inside & mine)


def _said(op: Op, done: Op) -> dict[str, Any]:
    """What the two lines of a nemesis op say together; the id is made fit for a table."""
    both = {key: value for line in (op, done) if isinstance(line.value, Mapping) for key, value in line.value.items()}
    named = both.get("id")
    return {**both, "id": named if isinstance(named, str | int) else repr(named)}


def _parts(said: Mapping[str, Any], nodes: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The two sides that a partition says it has; None if it has none that are clear."""
    args, targets = said.get("args"), said.get("targets")
    if not isinstance(args, Mapping) or "bridge" in args:
        return None
    sides = args.get("sides")
    if args.get("shape") == "isolate-leader" and isinstance(targets, list | tuple):
        sides = [targets, [node for node in nodes if node not in targets]]
    if not isinstance(sides, list | tuple) or len(sides) != 2:
        return None
    one, other = sides
    if not (isinstance(one, list | tuple) and isinstance(other, list | tuple) and one and other):
        return None
    return tuple(map(str, one)), tuple(map(str, other))
