"""A coordinator's own log: what it has decided and not every participant knows yet.

Only commits are there: a transaction of which it knows nothing was aborted ("presumed abort"; Mohan, Lindsay, Obermarck, TODS 1986).
It also counts the lives of its node, so that no two transactions have one name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from targets.node.env import Storage
from targets.node.records import SEAL, check, frame, seal, unframe

FILE = "decisions"


@dataclass(frozen=True, slots=True)
class Decision:
    """A commit. ``stamp``: its place in the order of commits; ``shards``: the participants."""

    txn: str
    stamp: int
    shards: list[str]


class Decisions:
    """``life``: how often this node has been started; ``open``: what not all participants have acknowledged. Raises Damaged."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.life = 1
        self.open: dict[str, Decision] = {}
        data = storage.read(FILE)
        payloads, taken = unframe(data)
        check(data, taken)
        for payload in payloads:
            self._take(json.loads(payload))
        records = [["life", self.life], *(_commit(decision) for decision in self.open.values())]
        storage.replace(FILE, b"".join(map(_framed, records)) + SEAL)

    def commit(self, decision: Decision) -> None:
        """From now on it is committed, whatever happens: durable when this returns."""
        self.open[decision.txn] = decision
        self._storage.append(FILE, _framed(_commit(decision)))
        seal(self._storage, FILE)

    def end(self, txn: str) -> None:
        """All participants know. If a crash forgets that, they are told again."""
        self.open.pop(txn, None)
        self._storage.append(FILE, _framed(["end", txn]))

    def _take(self, record: list[Any]) -> None:
        match record:
            case ["life", life]:
                self.life = life + 1
            case ["commit", txn, stamp, shards]:
                self.open[txn] = Decision(txn, stamp, shards)
            case [_, txn]:  # its end
                self.open.pop(txn, None)
            case _:
                raise AssertionError(record)


def _commit(decision: Decision) -> list[Any]:
    return ["commit", decision.txn, decision.stamp, decision.shards]


def _framed(record: list[Any]) -> bytes:
    return frame(json.dumps(record).encode())
