"""The checker ``clock-condition``: do logical clocks know what happened before what (Lamport 1978; Fidge, Mattern 1988)?

Nodes write their events into their logs, each with the clock's reading: ``clock`` lines with ``kind`` ("local", "send" or "receive"),
``message`` (of a send and of its receives, unique in the run) and ``clock``, a number or a map of nodes to numbers (a missing node is 0).
One event *happened before* another one if it stands earlier in the same log, or sent what the other one received, or by a chain of these.

* ``clock-condition``: a happened before b, but the reading of a is not less than that of b. (Vectors compare in every entry.)
* ``false-order``: the reading of a is less than that of b, although a did not happen before b. Vector clocks promise that this never is;
  for numbers it cannot be promised, and such pairs are counted: they are why a Lamport clock tells no causality. With ``converse`` numbers
  are judged as if they had promised it.

Messages that are received but that no log shows as sent leave an order unknown: then nothing is said of false orders. With many events not
all pairs are looked at: the first of each pair is then one of every so many, and the share is a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.findings import SHOWN_MAX, Findings, unknown
from checkers.wording import Narrator, count, text
from harness.history import History
from harness.interning import identity
from harness.verdict import Budget, Checker, Verdict

NAME = "clock-condition"
CONDITION, FALSE_ORDER = "clock-condition", "false-order"
EVENT, LOCAL, SEND, RECEIVE = "clock", "local", "send", "receive"
Logs = Mapping[str, Sequence[Mapping[str, Any]]]
Matrix = npt.NDArray[np.int64]


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The logs hold what is no event with a clock."""


def make(*, converse: bool = False) -> Checker:
    """Do logical clocks know what happened before what, and (vectors) nothing else? Option converse: numbers know nothing else, either."""
    return ClockCondition(converse=converse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event: the node, its place among the node's events, and what it logged."""

    node: str
    place: int
    kind: str
    message: Any
    clock: Any

    @property
    def title(self) -> str:
        what = self.kind if self.message is None else f"{self.kind} of {text(self.message)}"
        return f"event {self.place + 1} of {self.node} ({what}, clock {text(self.clock)})"


@dataclass(slots=True, kw_only=True)
class ClockCondition:
    """See the module. Satisfies ``harness.verdict.ReadsNodeLogs``."""

    logs: Logs | None = None
    converse: bool = False
    name: str = field(default=NAME, init=False)

    def with_logs(self, logs: Logs) -> Checker:
        return replace(self, logs=logs)

    def check(self, history: History, budget: Budget) -> Verdict:
        if self.logs is None:
            return unknown(NAME, "what happened before what stands in the nodes' logs, and a history alone has none")
        try:
            nodes = sorted(self.logs)
            events = [event for node in nodes for event in _events(node, self.logs[node])]
            readings, vectors = _readings(events, nodes)
            edges, unmatched = _edges(events)
        except Unjudgeable as problem:
            return unknown(NAME, f"not a record of clocks: {problem}")
        found = Findings(NAME, Narrator(history.calls()), () if vectors or self.converse else (FALSE_ORDER,))
        for before, after in edges:
            if not _less(readings[before], readings[after]):
                found.add(
                    CONDITION,
                    [],
                    f"{events[before].title} happened before {events[after].title}, but its reading is not less",
                )
        true_order = _true_order(events, nodes, edges)
        if true_order is None:
            return unknown(
                NAME, "an event happened before itself: messages have the same names, or logs are out of order"
            )
        looked = (
            0 if unmatched else _false_orders(events, nodes, readings, true_order, found=found, steps=budget.steps_max)
        )
        stats = {
            "events": len(events),
            "messages": len({identity(event.message) for event in events if event.kind == SEND}),
            "receives_unmatched": unmatched,
            "vectors": vectors,
            "pairs_looked_at": looked,
        }
        doubt = (
            ""
            if any(events[a].node != events[b].node for a, b in edges)
            else "no message was sent and received, so no order was to be known"
        )
        if not doubt and vectors and unmatched:
            doubt = f"{count(unmatched, 'receive')} of messages that no log shows as sent: what did not happen before is not known"
        return found.verdict(doubt=doubt, fine=_fine(found, stats, edges), stats=stats)


def _fine(found: Findings, stats: Mapping[str, Any], edges: Sequence[tuple[int, int]]) -> str:
    kept = f"the clock condition holds on {count(len(edges), 'step')} between {count(stats['events'], 'event')}"
    looked = count(stats["pairs_looked_at"], "ordered pair")
    if stats["vectors"]:
        return f"{kept}, and none of {looked} of readings is false"
    return f"{kept}; of {looked} of readings {found.counts[FALSE_ORDER]:,} tell an order that was not, as Lamport clocks may"


def _events(node: str, lines: Sequence[Mapping[str, Any]]) -> list[Event]:
    events: list[Event] = []
    for line in lines:
        if line.get("event") != EVENT:
            continue
        kind, message, clock = line.get("kind"), line.get("message"), line.get("clock")
        if kind not in (LOCAL, SEND, RECEIVE) or (kind != LOCAL and message is None):
            raise Unjudgeable(f"{node} logged an event of kind {text(kind)} with the message {text(message)}")
        events.append(Event(node=node, place=len(events), kind=str(kind), message=message, clock=clock))
    return events


def _readings(events: Sequence[Event], nodes: Sequence[str]) -> tuple[Matrix, bool]:
    """One row per event, and whether they are vectors. Raises Unjudgeable."""
    rows: list[list[int]] = []
    for event in events:
        clock = event.clock
        row = [clock.get(node, 0) for node in nodes] if isinstance(clock, Mapping) else [clock]
        strangers = set(clock) - set(nodes) if isinstance(clock, Mapping) else set()
        if strangers or not all(type(entry) is int for entry in row):
            raise Unjudgeable(
                f"the clock of {event.node} reads {text(clock)}, which is no number and no map of nodes to numbers"
            )
        rows.append(row)
    if len({len(row) for row in rows}) > 1:
        raise Unjudgeable("some clocks are numbers and some are vectors")
    width = len(rows[0]) if rows else 1
    return np.array(rows, dtype=np.int64).reshape(len(rows), width), bool(events) and isinstance(
        events[0].clock, Mapping
    )


def _edges(events: Sequence[Event]) -> tuple[list[tuple[int, int]], int]:
    """Each event and the next of its node; each send and its receives; how many receives have no send. Raises Unjudgeable."""
    sends: dict[Any, int] = {}
    edges = []
    unmatched = 0
    for number, event in enumerate(events):
        if event.place:
            edges.append((number - 1, number))
        if event.kind == SEND and sends.setdefault(identity(event.message), number) != number:
            raise Unjudgeable(f"two events sent the message {text(event.message)}")
    for number, event in enumerate(events):
        if event.kind == RECEIVE:
            sender = sends.get(identity(event.message))
            if sender is None:
                unmatched += 1
            else:
                edges.append((sender, number))
    return edges, unmatched


def _true_order(events: Sequence[Event], nodes: Sequence[str], edges: Sequence[tuple[int, int]]) -> Matrix | None:
    """For each event how many events of each node happened before it or are it: the vector clock that is right by construction.

    None if the order has a circle.
    """
    before: list[list[int]] = [[] for _ in events]
    after: list[list[int]] = [[] for _ in events]
    for one, other in edges:
        before[other].append(one)
        after[one].append(other)
    place = {node: at for at, node in enumerate(nodes)}
    known = np.zeros((len(events), len(nodes)), dtype=np.int64)
    missing = [len(each) for each in before]
    ready = [number for number, many in enumerate(missing) if not many]
    done = 0
    while ready:
        number = ready.pop()
        done += 1
        if before[number]:
            known[number] = known[before[number]].max(axis=0)
        known[number, place[events[number].node]] = events[number].place + 1
        for other in after[number]:
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return known if done == len(events) else None


def _false_orders(
    events: Sequence[Event], nodes: Sequence[str], readings: Matrix, known: Matrix, *, found: Findings, steps: int
) -> int:
    """Add the pairs whose readings tell an order that was not; how many pairs were ordered by their readings, of those looked at."""
    size, looked = len(events), 0
    every = max(1, -(-size * size // max(1, steps)))
    for a in range(0, size, every):
        less = _less(readings[a], readings)
        happened = known[:, nodes.index(events[a].node)] > events[a].place
        looked += int(less.sum())
        wrong = np.flatnonzero(less & ~happened).tolist()
        told = wrong[: max(0, SHOWN_MAX - found.counts[FALSE_ORDER])]
        for b in told:
            found.add(
                FALSE_ORDER, [], f"{events[a].title} reads less than {events[b].title}, but did not happen before it"
            )
        if len(wrong) > len(told):
            found.counts[FALSE_ORDER] += len(wrong) - len(told)
    return looked


def _less(one: Matrix, other: Matrix) -> Any:
    """Whether ``one`` is less: in no entry greater, and in some entry less. ``other`` may be many rows."""
    return (one <= other).all(axis=-1) & (one < other).any(axis=-1)
