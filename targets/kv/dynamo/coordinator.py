"""Reads and writes as their coordinator sees them (4.5), and what a replica answers.

A write makes a cell, brings it to the replicas, and is done when w of them have it on their disks. A read asks the replicas and
answers with the join of the first r cells. Read repair: when all have answered, homes that knew less are sent the join. Write-back
(Attiya, Bar-Noy, Dolev, "Sharing Memory Robustly in Message-Passing Systems", 1995): a read answers only once w homes have the join,
so no later read can find less: with strict quorums, r + w > n, and clocks that never run behind (``hlc``), registers are then
linearizable.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from targets.kv.dynamo.cells import Cell, Context, slot_of
from targets.kv.dynamo.parts import Parts
from targets.kv.dynamo.rounds import Round, Rounds
from targets.kv.dynamo.stamps import Stamped
from targets.node.env import Body, Message

Done = Callable[[Cell | None], None]  # with what was read or written
Failed = Callable[[str], None]  # with a sentence


class Coordinator:
    """``read`` and ``write`` call ``done`` or ``failed`` later, exactly one of them, once."""

    def __init__(self, parts: Parts, rounds: Rounds) -> None:
        self._env, self._config, self._bugs, self._kind = parts.env, parts.config, parts.bugs, parts.kind
        self._store, self._ring, self._members, self._rounds = parts.store, parts.ring, parts.members, rounds
        rounds.local = self._answer

    # The coordinator

    def read(self, key: Any, least: Context, done: Done, failed: Failed) -> None:
        """What r replicas know of ``key`` together; at least what ``least`` knows, if there is one who knows it."""
        round_ = self._round(key, lambda _: {"type": "get", "key": key})

        def enough(round_: Round) -> bool:
            return self._counted(round_) >= self._config.r and self._kind.covers(self._joined(round_), least)

        def ready(round_: Round) -> None:
            cell = self._joined(round_)
            self._kind.seen(cell, None)
            if cell is not None and self._must_write_back(round_, cell):
                self._spread(key, cell, done, failed)
            else:
                done(cell)

        round_.enough, round_.when_ready, round_.when_over = enough, ready, self._repair
        round_.when_failed = lambda r: failed(
            f"{len(r.answers)} of the {self._config.r} answers that a read needs have come"
        )
        self._rounds.begin(round_)

    def write(self, key: Any, context: Context, value: Any, *, dead: bool, done: Done, failed: Failed) -> None:
        """A new version of ``key`` by a client that has seen ``context``, on the disks of w replicas."""
        cell = self._kind.write(self._store.get(key), context, value, dead=dead)
        if self._kind.must_stay(cell):
            cell = self._store.merge(key, cell)
            self._store.sync()
        self._spread(key, cell, done, failed)

    def reachable(self, key: Any) -> int:
        """How many nodes that a write of ``key`` could count are believed to be up."""
        preference = self._ring.preference(slot_of(key))
        return sum(map(self._members.is_up, preference if self._config.sloppy else preference[: self._config.n]))

    def _spread(self, key: Any, cell: Cell, done: Done, failed: Failed) -> None:
        """Bring ``cell`` to the replicas; done when w have it."""
        round_ = self._round(key, lambda home: {"type": "put", "key": key, "cell": cell, "hint": home})
        round_.enough = lambda r: self._counted(r) >= self._config.w
        round_.when_ready = lambda _: done(cell)
        round_.when_failed = lambda r: failed(
            f"{len(r.answers)} of the {self._config.w} answers that a write needs have come"
        )
        self._rounds.begin(round_)

    def _round(self, key: Any, question: Callable[[str | None], Body]) -> Round:
        return Round(self._rounds, key, self._ring.preference(slot_of(key)), question)

    def _counted(self, round_: Round) -> int:
        return round_.copies if self._bugs.acks_counted_twice else len(round_.answers)

    def _joined(self, round_: Round) -> Cell | None:
        cells = [cell for cell in round_.answers.values() if cell is not None]
        return reduce(self._kind.merge, cells) if cells else None

    def _must_write_back(self, round_: Round, cell: Cell) -> bool:
        """Whether a later read could find less than ``cell``: unless w nodes have shown that they have it."""
        if self._bugs.write_back_skipped and round_.answers.get(self._env.node_id) == cell:
            return False
        holders = sum(known == cell for known in round_.answers.values())
        return self._config.write_back and holders < self._config.w

    def _repair(self, round_: Round) -> None:
        """Read repair: a put that wants no answer."""
        cell = self._joined(round_)
        if cell is None or self._bugs.no_read_repair or not self._config.read_repair:
            return
        for node, known in round_.answers.items():
            if node in round_.homes and known != cell:
                body = {"type": "put", "key": round_.key, "cell": cell, "hint": None}
                if node == self._env.node_id:
                    self._answer(body)
                else:
                    self._env.send(node, {**body, "round": 0})

    # The replica

    def on_question(self, message: Message) -> None:
        """A coordinator's get or put."""
        self._members.heard(message["src"])
        body = message["body"]
        answer = {"type": "answer", "round": body["round"], "answer": self._answer(body)}
        self._env.send(message["src"], answer)

    def _answer(self, body: Body) -> Any:
        key = body["key"]
        if body["type"] == "get":
            return self._store.get(key)
        cell = body["cell"]
        if self._bugs.stamped_by_replica and isinstance(self._kind, Stamped):
            cell = self._kind.restamped(cell)
        self._store.merge(key, cell)
        if body["hint"] is not None:
            self._store.hint(body["hint"], key)
        self._store.sync()  # on the disk before the answer leaves
        return True
