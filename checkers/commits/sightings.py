"""What is known of transactions that several participants commit or abort: by the history, and by the nodes' own logs. Facts. Pure.

In a history, the key of an operation is the transaction's name:

* ``commit`` asks for it. It succeeds with "commit" or "abort" (null is "commit"), or fails: it is aborted. Its argument may tell the
  votes that participants are to cast: {"votes": {participant: "yes" or "no"}};
* ``outcome`` asks what became of it: {participant: "commit", "abort", "prepared" (it has voted yes and waits) or null (it knows nothing)}.

In a node's log, lines with the transaction's name in ``txn``: ``vote`` with ``vote`` "yes" or "no", and ``decide`` with ``outcome``
"commit" or "abort". They are the node's own acts, so they are worth more than a question: ``outcome`` is for what has no such log.
A node that is several participants in one, such as one with several shards, says in ``participant`` which of them it speaks for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.wording import SECOND_NS, text
from harness.history import FAIL, OK, Calls
from harness.interning import identity

COMMIT, ABORT, PREPARED = "commit", "abort", "prepared"
YES, NO = "yes", "no"
ASK, OUTCOME = "commit", "outcome"
VOTE, DECIDE = "vote", "decide"
Logs = Mapping[str, Sequence[Mapping[str, Any]]]


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history or a log says of a transaction what makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One participant seen in one state. It was in that state at some time from ``since_s`` to ``until_s``; ``row``: the call that saw
    it, None for the participant's own log.
    """

    who: str
    state: str
    since_s: float
    until_s: float
    row: int | None = None


@dataclass(slots=True, kw_only=True)
class Txn:
    """One transaction. ``told``: (row of the call, "commit" or "abort"); ``votes``: who voted (or was to vote) what."""

    name: Any
    sights: list[Sight] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)
    votes: dict[str, str] = field(default_factory=dict)

    def decided(self, state: str) -> list[Sight]:
        return [sight for sight in self.sights if sight.state == state]

    def blocked(self, end_s: float) -> Iterator[tuple[str, float, float]]:
        """(participant, from, to): how long each was certainly prepared without a decision, in seconds; to ``end_s`` without an end."""
        for who in dict.fromkeys(sight.who for sight in self.sights):
            mine = [sight for sight in self.sights if sight.who == who]
            waits = [sight for sight in mine if sight.state == PREPARED]
            over = [sight for sight in mine if sight.state != PREPARED]
            if waits:
                since_s = min(sight.until_s for sight in waits)
                # Whoever asks learns of the end of waiting late: all that is certain is that it lasted to the last look that found it.
                until_s = max(sight.since_s for sight in waits)
                if not over:
                    until_s = end_s
                elif any(sight.row is None for sight in over):
                    until_s = min(sight.since_s for sight in over if sight.row is None)
                if until_s > since_s:
                    yield who, since_s, until_s


def txns_of(calls: Calls, logs: Logs) -> list[Txn]:
    """All transactions, in the order in which they are first heard of. Raises Unjudgeable."""
    txns: dict[Hashable, Txn] = {}

    def of(name: Any) -> Txn:
        return txns.setdefault(identity(name), Txn(name=name))

    names = [calls.history.fs[code] for code in calls.f.tolist()]
    for row in range(len(calls)):
        op, done = calls.op(row), calls.completion(row)
        if names[row] == ASK and op.key is not None:
            _ask(of(op.key), calls, row)
        elif names[row] == OUTCOME and done is not None and calls.outcome[row] == OK:
            of(op.key).sights += _seen(calls, row, done.value)
    for node, lines in sorted(logs.items()):
        for line in lines:
            who = f"{line['participant']} at {node}" if "participant" in line else node
            if line.get("event") == VOTE and "txn" in line:
                _vote(of(line["txn"]), who, line)
            elif line.get("event") == DECIDE and "txn" in line:
                state = _one_of(line.get("outcome"), (COMMIT, ABORT), f"{who}'s decision on {text(line['txn'])}")
                of(line["txn"]).sights.append(_own(who, state, line))
    return list(txns.values())


def _ask(txn: Txn, calls: Calls, row: int) -> None:
    argument = calls.history.values[calls.argument[row]]
    if isinstance(argument, Mapping) and isinstance(argument.get("votes"), Mapping):
        for who, vote in argument["votes"].items():
            txn.votes[str(who)] = _one_of(vote, (YES, NO), f"{who}'s vote on {text(txn.name)}")
    if calls.outcome[row] == FAIL:
        txn.told.append((row, ABORT))
    elif calls.outcome[row] == OK:
        told = calls.history.values[calls.result[row]]
        txn.told.append((row, ABORT if told == ABORT else COMMIT))


def _seen(calls: Calls, row: int, value: Any) -> Iterator[Sight]:
    if not isinstance(value, Mapping):
        raise Unjudgeable(f"an outcome is {text(value)}, which is no map of participants to what they know")
    times = calls.history.time_ns / SECOND_NS
    for who, state in value.items():
        if state is not None:
            yield Sight(
                who=str(who),
                state=_one_of(state, (COMMIT, ABORT, PREPARED), f"what {who} knows"),
                since_s=float(times[calls.call[row]]),
                until_s=float(times[calls.ret[row]]),
                row=row,
            )


def _vote(txn: Txn, node: str, line: Mapping[str, Any]) -> None:
    vote = _one_of(line.get("vote"), (YES, NO), f"{node}'s vote on {text(txn.name)}")
    if txn.votes.get(node) != NO:  # one no is enough; a second vote, after a crash, does not take it back
        txn.votes[node] = vote
    if vote == YES:
        txn.sights.append(_own(node, PREPARED, line))


def _own(node: str, state: str, line: Mapping[str, Any]) -> Sight:
    when = line.get("t")
    time_s = float(when) if isinstance(when, int | float) else 0.0
    return Sight(who=node, state=state, since_s=time_s, until_s=time_s)


def _one_of(value: Any, known: tuple[str, ...], what: str) -> str:
    if value not in known:
        raise Unjudgeable(f"{what} is {text(value)}; it must be one of {', '.join(known)}")
    return str(value)


def end_s(calls: Calls) -> float:
    """The time of the last line of the history, in seconds."""
    return float(np.max(calls.history.time_ns, initial=0)) / SECOND_NS
