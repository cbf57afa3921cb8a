"""Clients: producers and consumers, and what they must know of the cluster.

A produce request is bound to the epoch of the leader that it was sent to. So a refusal with 11 is the truth for ever: that epoch is over
elsewhere, or is this node's own, which recognises a copy of the request. A node that has not heard of the epoch yet cannot know (0).
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.log.bugs import Bugs
from targets.queue.log.config import Config
from targets.queue.log.metadata import Metadata
from targets.queue.log.partition_log import OFFSET, VALUE
from targets.queue.log.producers import COPY, FENCED, GAP
from targets.queue.log.replica import Replica
from targets.queue.log.replication import Replicas, Replication
from targets.queue.quorum import Copies, Quorum

CONSUME_MAX = 32  # messages of one partition in one answer
SUBMIT_S = 1.0
INTERNAL = "__"  # begins the names of topics that are the cluster's own


class Requests:
    """What this node answers to clients."""

    def __init__(
        self,
        env: Env,
        config: Config,
        bugs: Bugs,
        *,
        quorum: Quorum,
        metadata: Metadata,
        replication: Replication,
        replicas: Replicas,
    ) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self._quorum, self._metadata, self._replication, self._replicas = quorum, metadata, replication, replicas
        self._copies = Copies()
        env.on("metadata", self._on_metadata)
        env.on("producer_id", self._on_producer_id)
        env.on("produce", self._on_produce)
        env.on("consume", self._on_consume)

    # The cluster

    async def _on_metadata(self, message: Message) -> Body:
        """Who leads which partition of these topics, which are made if they do not exist; and how clients of this cluster behave."""
        metadata, config = self._metadata, self._config
        for topic in message["body"]["topics"]:
            if f"{topic}-0" not in metadata.partitions:
                replicas = min(config.replicas, len(self._env.node_ids))
                count = 1 if topic.startswith(INTERNAL) else message["body"]["partitions"]
                await self._submitted(["create", topic, count, replicas])
        leaders = {name: [partition.leader, partition.epoch] for name, partition in metadata.partitions.items()}
        early = config.commit == "early" or self._bugs.commit_before_process
        settings = {
            "acks": config.acks,
            "idempotent": config.idempotent,
            "keys": config.keys,
            "commit": "early" if early else "late",
        }
        return {"type": "metadata_ok", "leaders": leaders, "settings": settings}

    async def _on_producer_id(self, _message: Message) -> Body:
        result = await self._submitted(["producer"])
        return {"type": "producer_id_ok", "producer": result["producer"]}

    async def _submitted(self, command: list[Any]) -> Body:
        try:
            result = await self._quorum.submit(command, SUBMIT_S)
        except TimeoutError as error:
            raise Refusal(codes.UNAVAILABLE, "the controller did not answer") from error
        if not result["ok"]:
            raise Refusal(codes.UNAVAILABLE, "the controller refused: too few brokers live")
        return result

    def partitions(self) -> list[str]:
        """All partitions of the cluster, as far as this node has heard."""
        return list(self._metadata.partitions)

    def end_of(self, partition: str) -> int:
        """The end of the partition's log, if it is here; else its beginning."""
        replica = self._replicas.get(partition)
        return 0 if replica is None else replica.log.end

    # Producers

    def _on_produce(self, message: Message) -> Body | Coroutine[Any, Any, Body] | None:
        body = message["body"]
        if body["acks"] not in ("0", "1", "all"):
            raise Refusal(codes.MALFORMED, f"acks are 0, 1 or all, not {body['acks']!r}")
        replica = self._replicas.get(body["partition"])
        if replica is None or replica.epoch < body["epoch"]:
            raise Refusal(codes.TIMEOUT, "this node has not heard of that epoch yet")
        if not replica.leads or replica.epoch != body["epoch"]:
            raise Refusal(codes.UNAVAILABLE, "this node does not lead that epoch")
        return None if self._copies.is_copy(message) else self._produce(replica, body)

    def _produce(self, replica: Replica, body: Body) -> Body | Coroutine[Any, Any, Body]:
        acks = body["acks"]
        if acks == "all" and replica.too_few:
            raise Refusal(codes.UNAVAILABLE, "not enough replicas are in sync")
        offset, copy = self._append(replica, body.get("producer"), body.get("key"), body["value"])
        if acks == "0":
            return {"type": "produce_ok"}
        if acks == "1" or self._bugs.ack_before_replicate or (copy and self._bugs.duplicate_acked_early):
            return _taken(offset)
        return self._committed(replica, offset)

    def _append(self, replica: Replica, producer: list[int] | None, key: Any, value: Any) -> tuple[int, bool]:
        """Append a message, unless it is there already; returns its offset, and whether it was. Raises Refusal."""
        if producer is not None:
            bugs = self._bugs
            judged = replica.producers.judge(producer, gaps=bugs.sequence_gap_accepted, late=bugs.sequence_reset)
            if judged.what == FENCED:
                raise Refusal(codes.PRECONDITION, "this producer has begun a later epoch")
            if judged.what == GAP:
                raise Refusal(codes.ABORT, "the message before this one has not come")
            if judged.what == COPY:
                if judged.offset is None:
                    raise Refusal(codes.TIMEOUT, "this message is too old to tell what became of it")
                return judged.offset, True
        offset = replica.log.end
        self.append(replica, [offset, replica.epoch, producer, key, value])
        return offset, False

    def append(self, replica: Replica, record: list[Any]) -> None:
        """Append ``record`` as the leader, and let followers know."""
        replica.store([record])
        if replica.advance():
            self._replication.when_committed(replica)
        self._replication.answer_parked()

    async def _committed(self, replica: Replica, offset: int) -> Body:
        await replica.committed(offset)
        return _taken(offset)

    # Consumers

    def _on_consume(self, message: Message) -> Body:
        """Committed messages of partitions that this node leads, from the given offsets on."""
        found: dict[str, list[list[Any]]] = {}
        for name, (epoch, offset) in message["body"]["partitions"].items():
            replica = self._replicas.get(name)
            if replica is None or not replica.leads or replica.epoch != epoch:
                raise Refusal(codes.UNAVAILABLE, f"this node does not lead {name} in that epoch")
            end = replica.log.end if self._bugs.read_uncommitted else replica.high
            records = replica.log.since(offset, CONSUME_MAX)
            found[name] = [[record[OFFSET], record[VALUE]] for record in records if record[OFFSET] < end]
        return {"type": "consume_ok", "messages": found}


def _taken(offset: int) -> Body:
    return {"type": "produce_ok", "offset": offset}
