"""What a history says about logs: which messages stand at which offsets, who sent and who polled them. Facts; ``check`` judges. Pure.

Operations are Jepsen's: ``send``, ``poll`` and ``txn`` are lists of micro-operations ["send", key, message] (completed with
[offset, message] in the message's place; the offset may be null) and ["poll"] (completed with
["poll", {key: [[offset, message], ...]}]); ``assign`` and ``subscribe`` change what a client polls. Each message is sent once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.finals import is_final
from checkers.wording import text
from harness.history import FAIL, OK, Calls, History
from harness.interning import identity

SEND, POLL = "send", "poll"
MOPS = frozenset({"send", "poll", "txn"})
SUBSCRIBE = "subscribe"
SEEKS = frozenset({"assign", SUBSCRIBE})


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no operation of a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One send: ``row`` among the calls, the message, and its offset (None: unknown, or not sent)."""

    row: int
    message: Any
    offset: int | None
    ok: bool
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one successful operation did to one key: offsets in the order in which it polled, or sent, messages there."""

    row: int
    process: int
    polled: tuple[int, ...] = ()
    sent: tuple[int, ...] = ()


@dataclass(slots=True, kw_only=True)
class Log:
    """One log. ``at``: offset → the messages known to stand there, by identity, with a call that shows it; ``sends`` and ``polled`` by
    the message's identity; ``steps`` in the order of completions.
    """

    key: Any
    at: dict[int, dict[Hashable, tuple[Any, int]]] = field(default_factory=dict)
    sends: dict[Hashable, Sent] = field(default_factory=dict)
    polled: dict[Hashable, int] = field(default_factory=dict)  # → a call that polled it
    offsets: dict[Hashable, set[int]] = field(default_factory=dict)
    sights: list[tuple[int, Hashable]] = field(default_factory=list)  # (call, message): every one that was polled
    highest: int = -1  # offset that was polled
    steps: list[Step | int] = field(default_factory=list)  # a number: this process was assigned anew
    known: list[int] = field(default_factory=list)  # the offsets that hold messages, ascending
    keys: int = 0  # if it is compacted: so many keys have messages, whole numbers, in turn
    last: dict[int, int] = field(
        default_factory=dict
    )  # such a key → the last offset at which a message of it is known to stand

    def is_superseded(self, offset: int, message: Any) -> bool:
        """Whether compaction may have taken the message at ``offset``, since a later one of its key stands behind it."""
        return self.keys > 0 and type(message) is int and offset < self.last.get(message % self.keys, -1)


@dataclass(slots=True, kw_only=True)
class Logs:
    """All logs of a history, by the identity of their keys. ``ended``: the keys that some client, assigned to them in the end, polled until
    it got nothing more.
    """

    calls: Calls
    logs: dict[Hashable, Log] = field(default_factory=dict)
    ended: set[Hashable] = field(default_factory=set)

    def of(self, key: Any) -> Log:
        return self.logs.setdefault(identity(key), Log(key=key))


def logs_of(history: History, keys: int = 0) -> Logs:
    """The facts; ``keys`` as in Log. Raises Unjudgeable."""
    calls = history.calls()
    logs = Logs(calls=calls)
    final = is_final(calls)
    assigned: dict[int, list[Hashable]] = {}  # process → what it was assigned in the end
    names = [history.fs[code] for code in calls.f.tolist()]
    # By completion, for the steps; what never completed comes last.
    for row in np.argsort(calls.ret, kind="stable").tolist():
        process, ok = int(calls.process[row]), bool(calls.outcome[row] == OK)
        if names[row] in MOPS:
            mops = _mops(history, calls, row, ok=ok)
            _take(logs, row, mops, ok=ok, failed=bool(calls.outcome[row] == FAIL))
            nothing = not any(pairs for mop in mops for pairs in _polled(mop).values())
            if ok and final[row] and names[row] == POLL and nothing:
                logs.ended.update(assigned.get(process, ()))
        elif names[row] in SEEKS:
            for log in logs.logs.values():
                log.steps.append(process)
            if ok and final[row]:
                assigned[process] = [identity(key) for key in history.values[calls.result[row]] or ()]
    for log in logs.logs.values():
        log.known, log.keys = sorted(log.at), keys
        for offset in log.known if keys else ():
            log.last |= {message % keys: offset for message, _ in log.at[offset].values() if type(message) is int}
    return logs


def _mops(history: History, calls: Calls, row: int, *, ok: bool) -> Sequence[Any]:
    value = history.values[(calls.result if ok else calls.argument)[row]]
    if not isinstance(value, list | tuple) or not all(isinstance(mop, list | tuple) and mop for mop in value):
        index = history.index[calls.call[row]]
        raise Unjudgeable(
            f"the operation of index {index} has the value {text(value)}, which is no list of sends and polls"
        )
    return value


def _take(logs: Logs, row: int, mops: Sequence[Any], *, ok: bool, failed: bool) -> None:
    polled: dict[Hashable, list[int]] = {}
    sent: dict[Hashable, list[int]] = {}
    for mop in mops:
        if str(mop[0]).removeprefix(":") == SEND:
            _send(logs, row, mop, sent, ok=ok, failed=failed)
        elif ok:
            for key, pairs in _polled(mop).items():
                log = logs.of(key)
                for offset, message in pairs:
                    polled.setdefault(identity(key), []).append(offset)
                    _stands(log, offset, message, row)
                    seen = identity(message)
                    log.polled.setdefault(seen, row)
                    log.sights.append((row, seen))
                    log.highest = max(log.highest, offset)
    process = int(logs.calls.process[row])
    for key in dict.fromkeys((*polled, *sent)):
        step = Step(row=row, process=process, polled=tuple(polled.get(key, ())), sent=tuple(sent.get(key, ())))
        logs.logs[key].steps.append(step)


def _send(logs: Logs, row: int, mop: Sequence[Any], sent: dict[Hashable, list[int]], *, ok: bool, failed: bool) -> None:
    log, message, offset = logs.of(mop[1]), mop[2], None
    if ok:
        offset, message = message
    name = identity(message)
    if name in log.sends:
        raise Unjudgeable(
            f"{text(message)} is sent to {text(log.key)} more than once, so nobody knows which send a poll of it saw"
        )
    log.sends[name] = Sent(row=row, message=message, offset=offset, ok=ok, failed=failed)
    if offset is not None:
        sent.setdefault(identity(log.key), []).append(offset)
        _stands(log, offset, message, row)


def _stands(log: Log, offset: int, message: Any, row: int) -> None:
    name = identity(message)
    log.at.setdefault(offset, {}).setdefault(name, (message, row))
    log.offsets.setdefault(name, set()).add(offset)


def _polled(mop: Sequence[Any]) -> Mapping[Any, Sequence[Any]]:
    """What a completed poll returned; nothing for a send."""
    if str(mop[0]).removeprefix(":") != POLL or len(mop) < 2 or mop[1] is None:
        return {}
    if not isinstance(mop[1], Mapping):
        raise Unjudgeable(f"a poll returned {text(mop[1])}, which is no map of keys to lists of [offset, message]")
    return mop[1]


def neighbours(log: Log) -> Iterator[tuple[Step, Step]]:
    """Each two operations in a row by which one process polled, with no assignment in between."""
    last: dict[int, Step] = {}
    for step in log.steps:
        if isinstance(step, int):
            last.pop(step, None)
        elif step.polled:
            if step.process in last:
                yield last[step.process], step
            last[step.process] = step


def senders(log: Log) -> Iterator[tuple[Step, Step]]:
    """Each two operations in a row by which one process sent."""
    last: dict[int, Step] = {}
    for step in log.steps:
        if isinstance(step, Step) and step.sent:
            if step.process in last:
                yield last[step.process], step
            last[step.process] = step
