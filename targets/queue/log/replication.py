"""Fetching: followers ask their leaders for what comes next, and so say what they have.

A fetch names, per partition, the leader's epoch, the offset from which on messages are wanted, the epoch of the message before it, and the
high watermark that the follower knows. The answer has messages, or says where the logs part (KIP-101, KIP-279, and KIP-595 for this form of
it): then the follower cuts its log there and asks again. A fetch for which there is nothing waits at the leader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from targets.node.env import Body, Env, Message, Refusal, Timer
from targets.queue.log.bugs import Bugs
from targets.queue.log.config import Config
from targets.queue.log.partition_log import OFFSET
from targets.queue.log.replica import Replica

BATCH_MAX = 64  # messages of one partition in one answer
PAUSE_S = 0.1  # after a fetch that had no answer
GRACE_S = 0.3  # a leader's answer may come so much later than it wanted to wait

Replicas = dict[str, Replica]


class Replication:
    """Both sides of fetching, for all partitions of this node."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, replicas: Replicas, incarnation: int) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self._replicas, self._incarnation = replicas, incarnation
        self._parked: dict[str, tuple[Message, Timer]] = {}  # follower → its fetch that found nothing
        self._roused = {name: asyncio.Event() for name in env.node_ids if name != env.node_id}
        self.serving = False
        self.when_fetched: Callable[[Replica], None] = _nothing  # a follower of it has said what it has
        self.when_committed: Callable[[Replica], None] = _nothing
        env.on("fetch", self._on_fetch)

    def start(self) -> None:
        for leader in self._roused:
            self._env.spawn(self._follow(leader))

    def rouse(self) -> None:
        """The metadata have changed: other leaders may have to be asked, and parked fetches be answered."""
        for event in self._roused.values():
            event.set()
        self.answer_parked()

    # The leader's side

    def _on_fetch(self, message: Message) -> Body | None:
        body = message["body"]
        for name, (epoch, offset, last_epoch, _) in body["partitions"].items():
            replica = self._led(name, epoch)
            if replica is not None and self._agrees(replica, offset, last_epoch):
                replica.fetched(message["src"], offset, body["incarnation"])
                self.when_fetched(replica)
                if replica.advance():
                    self.when_committed(replica)
        self._forget(message["src"])
        answer = self._answer(message)
        if answer is None:
            timer = self._env.call_later(self._config.fetch_wait_s, self._give_up, message["src"])
            self._parked[message["src"]] = (message, timer)
        return answer

    def answer_parked(self) -> None:
        """Messages came, or were committed: answer the fetches that waited for that."""
        for follower in list(self._parked):
            message, _ = self._parked[follower]
            answer = self._answer(message)
            if answer is not None:
                self._forget(follower)
                self._env.reply(message, answer)

    def _give_up(self, follower: str) -> None:
        message, _ = self._parked.pop(follower)
        self._env.reply(message, {"type": "fetch_ok", "partitions": {}})

    def _forget(self, follower: str) -> None:
        parked = self._parked.pop(follower, None)
        if parked is not None:
            parked[1].cancel()

    def _led(self, name: str, epoch: int) -> Replica | None:
        """The replica of that partition, if this node leads it in that epoch."""
        replica = self._replicas.get(name)
        return replica if replica is not None and replica.leads and replica.epoch == epoch else None

    def _agrees(self, replica: Replica, offset: int, last_epoch: int) -> bool:
        """Whether a log that ends at ``offset`` with a message of ``last_epoch`` is the beginning of the leader's."""
        log = replica.log
        if log.start >= offset or self._bugs.divergent_tail_kept:
            return log.start <= offset <= log.end
        epoch, end = log.end_of(last_epoch)
        return epoch == last_epoch and offset <= end

    def _answer(self, message: Message) -> Body | None:
        """The answer to a fetch; None if there is nothing to say."""
        found: dict[str, Body] = {}
        for name, (epoch, offset, last_epoch, high) in message["body"]["partitions"].items():
            replica = self._led(name, epoch)
            if replica is None:
                continue
            if offset < replica.log.start:
                found[name] = {"start": replica.log.start}
            elif not self._agrees(replica, offset, last_epoch):
                found[name] = {"parts": replica.log.end_of(last_epoch)}
            elif offset < replica.log.end or high < min(offset, replica.high):
                found[name] = {"entries": replica.log.since(offset, BATCH_MAX), "high": replica.high}
        return {"type": "fetch_ok", "partitions": found} if found else None

    # The follower's side

    async def _follow(self, leader: str) -> None:
        """Fetch from ``leader`` as long as this node lives."""
        env = self._env
        while True:
            asked = self._asked(leader)
            if not asked:
                self._roused[leader].clear()
                await self._roused[leader].wait()
                continue
            body = {"type": "fetch", "incarnation": self._incarnation, "partitions": asked}
            try:
                reply = await env.rpc(leader, body, self._config.fetch_wait_s + GRACE_S)
            except (TimeoutError, Refusal):
                await asyncio.sleep(PAUSE_S)
                continue
            for name, part in reply["partitions"].items():
                replica = self._replicas[name]
                if not replica.leads and replica.epoch == asked[name][0]:
                    self._take(replica, part)

    def _asked(self, leader: str) -> dict[str, list[int]]:
        followed = self._replicas.items() if self.serving else ()
        return {
            name: [replica.epoch, replica.log.end, replica.log.last_epoch, replica.high]
            for name, replica in followed
            if not replica.leads and replica.leader == leader
        }

    def _take(self, replica: Replica, part: Body) -> None:
        log = replica.log
        if "start" in part:
            log.restart_at(part["start"])
            replica.producers.replay(())
            replica.high = log.start
        elif "parts" in part:
            epoch, end = part["parts"]
            replica.truncate(min(log.end_of(epoch)[1], end))
        else:
            entries = [entry for entry in part["entries"] if entry[OFFSET] >= log.end]
            if entries:
                replica.store(entries)
            replica.high = max(replica.high, min(part["high"], log.end))
            self.when_committed(replica)


def _nothing(_replica: Replica) -> None:
    """What is called until the node has put its parts together."""
