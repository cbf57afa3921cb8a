"""What one node knows and keeps: sums, the additions that it still owes its peers, and which requests it has counted.

Everything is in the journal before anybody is told of it. Additions of this node's own clients are numbered; ``owed`` are those that some
peer has not acknowledged, ``told[peer]`` the number up to which that peer has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from targets.kv.counter.bugs import Bugs
from targets.kv.counter.config import Config, Delivery
from targets.kv.crdt.disk import Disk
from targets.node.env import Env

Addition = list[Any]  # [request id, key, delta]
# The memory of the seeded bug ``ids_window_short``.
SHORT = 10


class Ledger:
    """What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env, config: Config, bugs: Bugs) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self._disk = Disk(env.storage)
        self._ids_max = SHORT if bugs.ids_window_short else config.ids_max
        self._knows_ids = config.delivery != Delivery.AT_LEAST_ONCE.value
        self.sums: dict[str, int] = {}
        self.owed: list[Addition] = []
        self.first = 1  # the number of the first one of ``owed``
        self.told = {name: 0 for name in env.node_ids if name != env.node_id}
        self._ids: dict[str, None] = {}
        self._recover()

    @property
    def last(self) -> int:
        """The number of this node's latest own addition."""
        return self.first + len(self.owed) - 1

    def add(self, request: str, key: str, delta: int) -> None:
        """Count an addition that a client asks for, unless its request has been counted; durable when this returns."""
        if self._knows_ids and request in self._ids:
            return
        self._apply_own([request, key, delta])
        self._disk.append({"own": [request, key, delta]})
        if not self._bugs.ack_before_sync:
            self._disk.sync()
        self._grown()

    def receive(self, additions: Sequence[Addition]) -> None:
        """Count the additions that a peer sends, except what has been counted; durable when this returns."""
        fresh = [addition for addition in additions if self._count(addition, note=not self._bugs.peers_ids_ignored)]
        if fresh:
            self._disk.append({"theirs": fresh})
            if not self._bugs.peer_acks_before_sync:
                self._disk.sync()
            self._grown()

    def owed_to(self, peer: str) -> tuple[int, list[Addition]]:
        """The next additions that ``peer`` has not acknowledged, and the number of the first of them."""
        start = self.told[peer] + 1
        found = self.owed[start - self.first : start - self.first + self._config.batch_max]
        if self._bugs.ids_not_replicated:
            found = [[f"{self._env.node_id}:{start + at}", *rest] for at, (_, *rest) in enumerate(found)]
        return start, found

    def acknowledged(self, peer: str, number: int) -> None:
        """``peer`` need not be told what has a number up to this one. Durable with what comes next, or at once in at-most-once delivery."""
        if self._bugs.cursor_one_too_far:
            number = min(number + 1, self.last)
        if number <= self.told[peer]:
            return
        self._tell(peer, number)
        self._disk.append({"told": [peer, number]})
        if self._config.delivery == Delivery.AT_MOST_ONCE.value:
            self._disk.sync()
        self._grown()

    # Within

    def _apply_own(self, addition: Addition) -> None:
        self._count(addition)
        self.owed.append(addition)

    def _count(self, addition: Addition, *, note: bool = True) -> bool:
        """Whether that addition was new. ``note``: its request is remembered."""
        request, key, delta = addition
        if self._knows_ids:
            if request in self._ids:
                return False
            if note:
                self._ids[request] = None
            if len(self._ids) > self._ids_max:
                del self._ids[next(iter(self._ids))]
        self.sums[key] = self.sums.get(key, 0) + delta
        return True

    def _tell(self, peer: str, number: int) -> None:
        self.told[peer] = number
        everywhere = min(self.told.values())
        if everywhere >= self.first:
            del self.owed[: everywhere - self.first + 1]
            self.first = everywhere + 1

    def _grown(self) -> None:
        if self._disk.records < self._config.checkpoint_records:
            return
        if self._bugs.ids_forgotten_at_checkpoint:
            self._ids.clear()
        if self._bugs.outbox_dropped_at_checkpoint:
            self.told = dict.fromkeys(self.told, self.last)
            self.first, self.owed = self.last + 1, []
        state = {"sums": self.sums, "owed": self.owed, "first": self.first, "told": self.told, "ids": list(self._ids)}
        self._disk.checkpoint(state)

    def _recover(self) -> None:
        saved, records = self._disk.recover()
        if saved is not None:
            self.sums, self.owed, self.first = saved["sums"], saved["owed"], saved["first"]
            self.told |= saved["told"]
            self._ids = dict.fromkeys(saved["ids"])
        for record in records:
            self._replay(record)
        if self._bugs.journal_counted_twice:
            for _, key, delta in (addition for record in records for addition in record.get("theirs", [])):
                self.sums[key] += delta
        if self._bugs.ids_not_durable:
            self._ids.clear()
        if self._bugs.outbox_volatile:
            self.first, self.owed = self.last + 1, []
            self.told = dict.fromkeys(self.told, self.first - 1)

    def _replay(self, record: dict[str, Any]) -> None:
        if "own" in record:
            self._apply_own(record["own"])
        elif "theirs" in record:
            for addition in record["theirs"]:
                self._count(addition)
        else:
            self._tell(*record["told"])
