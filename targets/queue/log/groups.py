"""Consumer groups: who reads which partition, and how far the group has come.

The coordinator is whoever leads the partition in which the committed offsets stand: a compacted log like any other, replicated with
acks=all. Members, and which of them reads what, live in the coordinator's memory; a new one begins without any, and they join again. Every
change of the members is a new generation, and whoever commits for an older one is told to join again (Kafka's eager rebalancing, in which
members learn of a new generation with their next commit; a commit of nothing is a sign of life).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.log.bugs import Bugs
from targets.queue.log.config import Config
from targets.queue.log.partition_log import KEY, OFFSET, VALUE
from targets.queue.log.replica import Replica
from targets.queue.log.replication import Replicas
from targets.queue.log.requests import Requests

OFFSETS_TOPIC = "__offsets"
OFFSETS = f"{OFFSETS_TOPIC}-0"


@dataclass(slots=True)
class _Member:
    topics: list[str]
    heard_s: float


@dataclass(slots=True)
class _Group:
    members: dict[str, _Member] = field(default_factory=dict)
    changes: int = 0


class Groups:
    """The coordinator, where this node is it."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, replicas: Replicas, requests: Requests) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self._replicas, self._requests = replicas, requests
        self._groups: dict[str, _Group] = {}
        self._epoch = 0  # of the leadership to which they belong
        self._offsets: dict[str, int] = {}  # "group/partition" → the next offset to read, as committed
        self._read = 0  # the offset up to which that is known
        env.on("join", self._on_join)
        env.on("commit", self._on_commit)

    def committed(self, replica: Replica) -> None:
        """More of ``replica`` is committed."""
        if replica.name == OFFSETS:
            for record in replica.log.since(self._read, replica.high - replica.log.start):
                if record[OFFSET] < replica.high:
                    self._offsets[record[KEY]] = record[VALUE]
            self._read = replica.high

    async def expel_the_silent(self) -> None:
        """For ever: members that are not heard any more lose their partitions to the others."""
        while True:
            await asyncio.sleep(self._config.group_session_s / 4)
            late_s = self._env.monotonic() - self._config.group_session_s
            for group in self._groups.values():
                silent = [name for name, member in group.members.items() if member.heard_s < late_s]
                for name in silent:
                    del group.members[name]
                group.changes += bool(silent)

    def _on_join(self, message: Message) -> Body:
        body, replica = message["body"], self._coordinated()
        group = self._groups.setdefault(body["group"], _Group())
        member = group.members.get(body["member"])
        if member is None or member.topics != body["topics"]:
            group.changes += 1
        group.members[body["member"]] = _Member(body["topics"], self._env.monotonic())
        assigned = self._assignment(group)[body["member"]]
        offsets = {name: self._offset(body["group"], name) for name in assigned}
        return {"type": "join_ok", "generation": [replica.epoch, group.changes], "offsets": offsets}

    async def _on_commit(self, message: Message) -> Body:
        body, replica = message["body"], self._coordinated()
        group = self._groups.get(body["group"])
        if group is None or body["member"] not in group.members:
            raise Refusal(codes.PRECONDITION, "this group does not know that member: join again")
        group.members[body["member"]].heard_s = self._env.monotonic()
        if body["generation"] != [replica.epoch, group.changes]:
            raise Refusal(codes.PRECONDITION, "the group has a new generation: join again")
        for name, offset in body["offsets"].items():
            if replica.too_few:
                raise Refusal(codes.UNAVAILABLE, "not enough replicas are in sync")
            record = [replica.log.end, replica.epoch, None, f"{body['group']}/{name}", offset]
            self._requests.append(replica, record)
        if body["offsets"]:
            await replica.committed(replica.log.end - 1)
        return {"type": "commit_ok"}

    def _coordinated(self) -> Replica:
        """The partition of the offsets, if this node is the coordinator and knows all that was committed. Raises Refusal."""
        replica = self._replicas.get(OFFSETS)
        if replica is None or not replica.leads:
            raise Refusal(codes.UNAVAILABLE, "this node is not the coordinator")
        if replica.high < replica.first_of_epoch:
            raise Refusal(codes.UNAVAILABLE, "the coordinator has not read all that was committed yet")
        if replica.epoch != self._epoch:
            self._epoch, self._groups = replica.epoch, {}
        return replica

    def _assignment(self, group: _Group) -> dict[str, list[str]]:
        """Member → its partitions: each partition to one of those who want its topic, in turn."""
        assigned: dict[str, list[str]] = {name: [] for name in sorted(group.members)}
        turn = 0
        for partition in sorted(self._requests.partitions()):
            topic = partition.rpartition("-")[0]
            wanting = [name for name in assigned if topic in group.members[name].topics]
            if wanting:
                assigned[wanting[turn % len(wanting)]].append(partition)
                turn += 1
        return assigned

    def _offset(self, group: str, partition: str) -> int:
        found = self._offsets.get(f"{group}/{partition}")
        if found is not None:
            return found
        return self._requests.end_of(partition) if self._bugs.begins_at_the_end else 0
