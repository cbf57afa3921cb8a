"""One partition on one node: its log, whom it follows or who follows it, and how far it is committed.

The leader's high watermark is the offset up to which every in-sync replica has the log; what stands below is committed: it is given to
consumers and, with acks=all, acknowledged. A replica that the leader has asked the controller to add or to keep counts as in sync until
the answer is known (KIP-497), and as long as fewer than ``min_isr`` are in sync, nothing is committed (KIP-966).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from targets.node import codes
from targets.node.env import Env, Refusal
from targets.queue.log.bugs import Bugs
from targets.queue.log.config import Config
from targets.queue.log.metadata import Partition
from targets.queue.log.partition_log import PartitionLog, Record
from targets.queue.log.producers import Producers


@dataclass(slots=True, kw_only=True)
class Follower:
    """What a leader knows of a replica. ``caught_s``: when it last had all that there was; ``asked_s`` and ``asked_end``: when it last
    fetched, and the end of the log at that time.
    """

    end: int = -1
    caught_s: float
    asked_s: float
    asked_end: int
    incarnation: int | None = None


class Replica:
    """A leader or a follower, as the metadata have it."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, name: str) -> None:
        self._env, self._config, self._bugs, self.name = env, config, bugs, name
        self.log = PartitionLog(env.storage, name)
        self.producers = Producers()
        self.producers.replay(self.log.records)
        self.high = self.log.start
        self.info: Partition | None = None
        self.leader: str | None = None
        self.epoch = self._version = 0
        self.leads = False
        self.first_of_epoch = 0  # the end of the log when this node became leader
        self.followers: dict[str, Follower] = {}
        self.pending: frozenset[str] = frozenset()  # who may be in sync, beside those of whom it is known
        self.asking = False  # whether a wish for the in-sync set is under way
        self.in_doubt = False  # whether one of this version may yet be granted, although nobody said so
        self._local_isr: list[str] | None = None  # a seeded bug's
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []  # (offset that must be committed, who waits)
        self._appended = 0  # since the log was cleaned

    # The metadata

    def adopt(self, info: Partition, *, serving: bool) -> None:
        """The metadata say ``info``. ``serving``: whether this node may lead: they know of its present life."""
        self.info = info
        if info.version != self._version:
            self._version, self.pending, self.in_doubt = info.version, frozenset(), False
        if info.epoch > self.epoch and serving:
            self.epoch, self.leader = info.epoch, info.leader
            self._lead() if info.leader == self._env.node_id else self._follow()
        if self.leads:
            self.advance()

    @property
    def isr(self) -> list[str]:
        """Who is in sync, as far as this node has heard."""
        if self._local_isr is not None:
            return self._local_isr
        return self.info.isr if self.info is not None else []

    def _lead(self) -> None:
        env, now_s = self._env, self._env.monotonic()
        self._abandon("another epoch began before the message was committed")
        self.leads, self._local_isr = True, None
        self.first_of_epoch = self.log.end
        assert self.info is not None
        self.followers = {
            name: Follower(caught_s=now_s, asked_s=now_s, asked_end=self.log.end)
            for name in self.info.replicas
            if name != env.node_id
        }
        if self._bugs.sequence_reset:
            self.producers = Producers()
        env.log("leads", partition=self.name, epoch=self.epoch, end=self.log.end, high=self.high)

    def _follow(self) -> None:
        self._abandon("the leadership ended before the message was committed")
        self.leads, self._local_isr = False, None
        if self._bugs.truncate_to_high_watermark:
            self.truncate(self.high)

    def _abandon(self, why: str) -> None:
        waiting, self._waiting = self._waiting, []
        for _, waiter in waiting:
            if not waiter.done():
                waiter.set_exception(Refusal(codes.TIMEOUT, why))

    # The log

    def store(self, records: list[Record]) -> None:
        """Append ``records``, and make them durable as the options have it."""
        self.log.append(records)
        for record in records:
            self.producers.took(record)
        if self._config.fsync_s == 0 and not self._bugs.no_fsync:
            self.log.sync()
        self._appended += len(records)

    def truncate(self, end: int) -> None:
        """Forget what stands from ``end`` on."""
        if end < self.log.end:
            self._env.log("truncated", partition=self.name, epoch=self.epoch, end=end, had=self.log.end, high=self.high)
            self.log.truncate(end)
            self.producers.replay(self.log.records)
            self.high = min(self.high, self.log.end)

    def clean(self, *, compacts: bool) -> None:
        """Retention and compaction, once enough has come."""
        if self._appended < self._config.clean_every:
            return
        self._appended = 0
        if compacts:
            self.log.compact(self.high)
        elif self._config.retention:
            self.log.retain(self._config.retention, self.high)

    # The high watermark

    @property
    def too_few(self) -> bool:
        """Whether fewer replicas are in sync than the options ask for."""
        return len(self.isr) < self._config.min_isr and self._local_isr is None

    def advance(self) -> bool:
        """Commit what every in-sync replica has. Returns whether that was anything."""
        if self.too_few:
            return False
        counted = dict.fromkeys((*self.isr, *self.pending))
        ends = [self.followers[name].end for name in counted if name in self.followers]
        high = min([self.log.end, *ends])
        if high <= self.high:
            return False
        self.high = high
        waiting, self._waiting = self._waiting, []
        for offset, waiter in waiting:
            if offset >= high:
                self._waiting.append((offset, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        return True

    async def committed(self, offset: int) -> None:
        """Return once the message at ``offset`` is committed. Raises Refusal if the leadership ends before that."""
        if offset >= self.high:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((offset, waiter))
            await waiter

    # Who is in sync

    def fetched(self, name: str, offset: int, incarnation: int) -> None:
        """The replica ``name`` has all before ``offset``, and this node leads."""
        follower, now_s = self.followers[name], self._env.monotonic()
        follower.incarnation = incarnation
        follower.end = max(follower.end, offset)
        if offset >= self.log.end:
            follower.caught_s = now_s
        elif offset >= follower.asked_end:
            follower.caught_s = max(follower.caught_s, follower.asked_s)
        follower.asked_s, follower.asked_end = now_s, self.log.end

    def wanted_isr(self) -> list[str] | None:
        """The in-sync set that the controller should be asked for; None if the present one is right."""
        assert self.info is not None
        now_s = self._env.monotonic()
        wanted = [name for name in self.info.replicas if name == self._env.node_id or self._in_sync(name, now_s)]
        if sorted(wanted) == sorted(self.isr):
            return None
        if self._bugs.isr_shrinks_alone and set(wanted) < set(self.isr):
            self._local_isr = wanted
            return None
        return wanted

    def _in_sync(self, name: str, now_s: float) -> bool:
        follower = self.followers[name]
        if name in self.isr:
            return now_s - follower.caught_s <= self._config.lag_s
        # Kafka, Partition.isFollowerInSync: it has what is committed, and what this epoch began with.
        caught_up = follower.end >= max(self.high, self.first_of_epoch)
        return caught_up and now_s - follower.caught_s <= self._config.lag_s


def view(replica: Replica) -> dict[str, Any]:
    """A replica in a few words, for a node's status."""
    return {"leads": replica.leads, "epoch": replica.epoch, "end": replica.log.end, "high": replica.high}
