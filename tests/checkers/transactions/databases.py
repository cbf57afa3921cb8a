"""Small databases that keep some promise and no stronger one, for whole histories of transactions. Deterministic in a seed.

Clients run their micro-operations one by one, so transactions really interleave. Each database is a handful of rules:

    serial              a transaction is one moment
    serializable-si     a snapshot; commits only if nothing that was read or written has changed since (strict serializable)
    snapshot            a snapshot; commits only if nothing that was written has changed since
    stale               serial, but transactions that only read may see any older state (serializable)
    read-committed      every read sees what is committed just then; locks on what is written
    read-uncommitted    writes are seen at once; locks on what is written; what fails is undone (registers alone)
    torn                read committed, but a commit becomes visible key by key
    last-writer         snapshots, and commits always: what was written in between is lost (registers alone)
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from harness.history import History
from harness.op import Op

State = dict[str, Any]
KEYS, CLIENTS, WRITES_MAX = "uvxyz", 4, 12
ABORTS, CRASHES = 0.05, 0.02


class Conflict(Exception):  # noqa: N818 - an answer
    """The transaction must fail."""


@dataclass
class Session:
    """A transaction under way: the state that it began with, what it read, and what it has written."""

    snapshot: State
    number: int
    read: dict[str, Any] = field(default_factory=dict)
    own: dict[str, list[Any]] = field(default_factory=dict)
    undo: list[tuple[str, Any]] = field(default_factory=list)


@dataclass
class Database:
    """``states`` that were committed, the last one being the present; ``shown`` is what everybody sees of it."""

    kind: str
    lists: bool
    dice: random.Random
    states: list[State] = field(default_factory=lambda: [{}])
    locks: dict[str, int] = field(default_factory=dict)
    late: list[tuple[str, Any]] = field(default_factory=list)  # torn: what is committed and not yet shown
    shown: State = field(default_factory=dict)

    def begin(self, number: int) -> Session:
        return Session(snapshot=self.states[-1], number=number)

    def tick(self) -> None:
        """Something becomes visible."""
        if self.late and self.dice.random() < 0.15:
            key, value = self.late.pop(0)
            self.shown = {**self.shown, key: value}

    def read(self, session: Session, key: str) -> Any:
        current = self.kind in {"read-committed", "torn", "read-uncommitted"}
        base = (self.shown if current else session.snapshot).get(key)
        session.read.setdefault(key, base)
        if self.kind == "read-uncommitted":
            return base
        return self._with_own(base, session.own.get(key, []))

    def write(self, session: Session, key: str, value: Any) -> None:
        if self.kind in {"read-committed", "torn", "read-uncommitted"}:
            if self.locks.setdefault(key, session.number) != session.number:
                raise Conflict
            if any(key == late for late, _ in self.late):
                raise Conflict
        if self.kind == "read-uncommitted":
            session.undo.append((key, self.shown.get(key)))
            self.shown = {**self.shown, key: self._with_own(self.shown.get(key), [value])}
        session.own.setdefault(key, []).append(value)

    def commit(self, session: Session) -> None:
        present, written = self.states[-1], session.own
        changed = [key for key in {*session.read, *written} if present.get(key) != session.snapshot.get(key)]
        if self.kind == "snapshot" and any(key in written for key in changed):
            raise Conflict
        if self.kind == "serializable-si" and changed:
            raise Conflict
        base = session.snapshot if self.kind == "last-writer" else present
        after = {**present, **{key: self._with_own(base.get(key), values) for key, values in written.items()}}
        self.states.append(after)
        if self.kind == "torn":
            self.late += [(key, after[key]) for key in self.dice.sample(sorted(written), len(written))]
        elif self.kind != "read-uncommitted":
            self.shown = after
        self._release(session)

    def abort(self, session: Session) -> None:
        for key, value in reversed(session.undo):
            self.shown = {**self.shown, key: value}
        self._release(session)

    def _release(self, session: Session) -> None:
        self.locks = {key: owner for key, owner in self.locks.items() if owner != session.number}

    def _with_own(self, base: Any, values: list[Any]) -> Any:
        if not values:
            return base
        return [*(base or []), *values] if self.lists else values[-1]


@dataclass
class _Client:
    process: int
    op: Op | None = None
    session: Session | None = None
    done: list[list[Any]] = field(default_factory=list)


def run(kind: str, seed: int, *, lists: bool, txns: int = 80) -> History:
    """A history of so many transactions against a database of that kind."""
    dice = random.Random(f"{kind} {seed} {lists}")
    database = Database(kind="snapshot" if kind == "stale" else kind, lists=lists, dice=dice)
    fresh = dict.fromkeys(KEYS, 0)
    clients, ops, begun = [_Client(process) for process in range(CLIENTS)], list[Op](), 0
    while begun < txns or any(client.op for client in clients):
        database.tick()
        client = dice.choice(clients)
        if client.op is None:
            if begun < txns:
                client.op = Op(process=client.process, f="txn", value=_asked(dice, fresh, "append" if lists else "w"))
                client.session, client.done, begun = None, [], begun + 1
                ops.append(client.op)
            continue
        whole = kind in {"serial", "stale"}
        outcome = _step(database, dice, client, number=begun, whole=whole, old=kind == "stale")
        if outcome:
            ops.append(
                {"ok": client.op.ok(client.done), "fail": client.op.fail("no"), "info": client.op.info("timeout")}[
                    outcome
                ]
            )
            client.op = None
            client.process += CLIENTS if outcome == "info" else 0
    return History.of(op.stamped(index, index, None) for index, op in enumerate(ops))


def _asked(dice: random.Random, fresh: dict[str, int], write: str) -> list[list[Any]]:
    mops: list[list[Any]] = []
    for _ in range(dice.randint(1, 4)):
        key = dice.choice(KEYS)
        if dice.random() < 0.5 or fresh[key] >= 100:
            mops.append(["r", key, None])
        else:
            fresh[key] += 1
            mops.append([write, key, fresh[key]])
    return mops


def _step(database: Database, dice: random.Random, client: _Client, *, number: int, whole: bool, old: bool) -> str:
    """One micro-operation, or the end; ``whole``: all at once. The outcome, if it has ended."""
    assert client.op is not None
    asked = client.op.value
    if client.session is None:
        client.session = database.begin(number * CLIENTS + client.process)
        if old and all(f == "r" for f, _, _ in asked):
            client.session.snapshot = dice.choice(database.states[-12:])
        if not whole:
            return ""
    try:
        while len(client.done) < len(asked):
            f, key, value = asked[len(client.done)]
            if f == "r":
                client.done.append([f, key, database.read(client.session, key)])
            else:
                database.write(client.session, key, value)
                client.done.append([f, key, value])
            if not whole:
                return ""
        crash = dice.random() < CRASHES
        if dice.random() < (0.5 if crash else ABORTS):
            database.abort(client.session)
            return "info" if crash else "fail"
        database.commit(client.session)
    except Conflict:
        database.abort(client.session)
        return "fail"
    return "info" if crash else "ok"
