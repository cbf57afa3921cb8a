"""The client of ``queue/log``: a producer and a consumer that know where partitions are led, as Kafka's do.

Operations are Jepsen's:

* ``send`` ([["send", key, message], ...], completed with [offset, message] in the messages' places; several are in flight at once);
* ``assign`` (keys to poll; with the extra ``seek_to_beginning`` from offset 0 on);
* ``subscribe`` (keys whose topics to read as a member of the group; completed with those that it got);
* ``poll`` ([["poll"]], completed with [["poll", {key: [[offset, message], ...]}]]).

The key "k3" is a partition of the topic "t1", where topics have two partitions.

How a client behaves (acks, sequences, when it commits) is said by the cluster, with its metadata. What an error reply proves stands in
``ERRORS``. A send that got no acknowledgement is a fail only if every attempt was refused for good. A poll changes nothing but what its
own client commits: without an answer it is a fail. A member that the group has expelled fails its polls until it subscribes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

PARTITIONS = 2  # of a topic
GROUP, OFFSETS_TOPIC = "readers", "__offsets"
OFFSETS = f"{OFFSETS_TOPIC}-0"
# An attempt waits for this share of the operation's patience.
ATTEMPT_SHARE = 0.25
PAUSE_MIN_S, PAUSE_MAX_S = 0.02, 0.1
REBALANCED = "the group was rebalanced: subscribe again"


class Verdict(Enum):
    """What an error reply says about the request that it answers."""

    NOT_HERE = "this attempt certainly did nothing; another one, perhaps elsewhere, may do better"
    NEVER = "it certainly did nothing, and no attempt will do better"
    UNKNOWN = "it may have been carried out, or may yet be"


ERRORS: Mapping[int, Verdict] = {
    codes.UNAVAILABLE: Verdict.NOT_HERE,  # another node leads; too few replicas are in sync
    codes.ABORT: Verdict.NOT_HERE,  # the message before this one has not come yet
    codes.NODE_NOT_FOUND: Verdict.NOT_HERE,
    codes.PRECONDITION: Verdict.NEVER,  # fenced: a later epoch of the producer, a later generation of the group
    codes.NOT_SUPPORTED: Verdict.NEVER,
    codes.MALFORMED: Verdict.NEVER,
}


def verdict_of(code: int) -> Verdict:
    """What an error of this code says; of codes that no broker sends, what the protocol says (``codes.is_definite``)."""
    return ERRORS.get(code, Verdict.NEVER if codes.is_definite(code) else Verdict.UNKNOWN)


class _Failed(Exception):  # noqa: N818 - what happened, not whose fault it is
    """A request got no good answer. ``doubt``: whether it may have been carried out all the same."""

    def __init__(self, why: str, *, doubt: bool, never: bool = False) -> None:
        super().__init__(why)
        self.doubt, self.never = doubt, never


@dataclass(frozen=True, slots=True)
class _Cluster:
    """What the metadata said. ``leaders``: partition → (leader or None, epoch)."""

    leaders: dict[str, tuple[str | None, int]]
    acks: str
    idempotent: bool
    keys: int
    early: bool


class LogClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat
        self._turn = seat.nodes.index(seat.node)  # the node to ask next for what any node knows
        self._deadline_s = 0.0
        self._topics: set[str] = set()
        self._cluster: _Cluster | None = None
        self._leaders: dict[str, tuple[str | None, int]] = {}
        self._producer: int | None = None
        self._next: dict[str, int] = {}  # partition → the sequence of its next message
        self._positions: dict[str, int] = {}  # partition → the offset to read next
        self._generation: list[int] | None = None  # as a member of the group
        self._subscribed = False

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an operation that it does not know."""
        self._deadline_s = asyncio.get_running_loop().time() + self._seat.timeout_s
        carry_out = {"send": self._send, "poll": self._poll, "assign": self._assign, "subscribe": self._subscribe}[op.f]
        try:
            return await carry_out(op)
        except _Failed as failed:
            return op.info(str(failed)) if failed.doubt and op.f == "send" else op.fail(str(failed))

    # Producing

    async def _send(self, op: Op) -> Op:
        cluster = await self._know({_topic(key) for _, key, _ in op.value})
        if cluster.idempotent and self._producer is None:
            self._producer = (await self._ask_any({"type": "producer_id"}))["producer"]
        before = dict(self._next)
        bodies = [self._body(cluster, _partition(key), message) for _, key, message in op.value]
        async with asyncio.TaskGroup() as tasks:  # all are in flight at once; no attempt raises
            sent = [tasks.create_task(self._settled(body)) for body in bodies]
        outcomes = [task.result() for task in sent]
        failures = [outcome for outcome in outcomes if isinstance(outcome, _Failed)]
        if not failures:
            return op.ok(
                [
                    ["send", key, [outcome, message]]
                    for (_, key, message), outcome in zip(op.value, outcomes, strict=True)
                ]
            )
        if len(failures) == len(outcomes) and not any(failure.doubt for failure in failures):
            self._next = before  # none of these numbers was used
            return op.fail(str(failures[0]))
        return op.info(str(failures[0]))

    def _body(self, cluster: _Cluster, partition: str, message: Any) -> Body:
        body = {"type": "produce", "partition": partition, "value": message, "acks": cluster.acks}
        if cluster.keys:
            body["key"] = str(message % cluster.keys)
        if cluster.idempotent:
            sequence = self._next.get(partition, 0)
            self._next[partition] = sequence + 1
            body["producer"] = [self._producer, 0, sequence]
        return body

    async def _settled(self, body: Body) -> int | _Failed | None:
        try:
            reply = await self._ask_leader(body["partition"], body)
        except _Failed as failed:
            return None if failed.doubt and body["acks"] == "0" else failed
        offset: int | None = reply.get("offset")
        return offset

    # Consuming

    async def _assign(self, op: Op) -> Op:
        await self._know({_topic(key) for key in op.value})
        partitions = [_partition(key) for key in op.value]
        known = {} if op.extra.get("seek_to_beginning") else self._positions
        self._positions = {partition: known.get(partition, 0) for partition in partitions}
        self._generation, self._subscribed = None, False
        return op.ok(op.value)

    async def _subscribe(self, op: Op) -> Op:
        topics = sorted({_topic(key) for key in op.value})
        await self._know({*topics, OFFSETS_TOPIC})
        self._subscribed, self._generation, self._positions = True, None, {}
        reply = await self._ask_leader(
            OFFSETS, {"type": "join", "group": GROUP, "member": self._seat.name, "topics": topics}
        )
        self._generation, self._positions = reply["generation"], dict(reply["offsets"])
        return op.ok([_key(partition) for partition in self._positions])

    async def _poll(self, op: Op) -> Op:
        if self._subscribed:
            await self._commit(self._positions)
        cluster = await self._know(set())
        messages = await self._consume(cluster)
        positions = {partition: pairs[-1][0] + 1 for partition, pairs in messages.items() if pairs}
        if self._subscribed and cluster.early and positions:
            try:
                await self._commit(positions)
            except _Failed:
                self._generation = None  # who knows where the group goes on: this member does not
                raise
        self._positions |= positions
        return op.ok([["poll", {_key(name): pairs for name, pairs in messages.items() if pairs}]])

    async def _consume(self, cluster: _Cluster) -> dict[str, list[list[Any]]]:
        found: dict[str, list[list[Any]]] = {}
        by_leader: dict[str, list[str]] = {}
        for partition in self._positions:
            leader, _ = cluster.leaders.get(partition, (None, 0))
            if leader is None:
                self._cluster = None
                raise _Failed(f"{partition} has no leader", doubt=False)
            by_leader.setdefault(leader, []).append(partition)
        for leader, partitions in by_leader.items():
            wanted = {name: [cluster.leaders[name][1], self._positions[name]] for name in partitions}
            try:
                found |= (await self._attempt(leader, {"type": "consume", "partitions": wanted}))["messages"]
            except _Failed:
                self._cluster = None  # it is old, or the leader is gone
                raise
        return found

    async def _commit(self, positions: Mapping[str, int]) -> None:
        """Tell the coordinator how far the group has come; at the least, that this member lives. Raises _Failed."""
        if self._generation is None:
            raise _Failed(REBALANCED, doubt=False)
        body = {
            "type": "commit",
            "group": GROUP,
            "member": self._seat.name,
            "generation": self._generation,
            "offsets": dict(positions),
        }
        try:
            await self._ask_leader(OFFSETS, body)
        except _Failed as failed:
            if failed.never:
                self._generation = None
                raise _Failed(REBALANCED, doubt=False) from failed
            raise

    # Asking

    async def _ask_leader(self, partition: str, body: Body) -> Body:
        """The answer of the partition's leader, whoever that is, to ``body``; tried again until the patience ends. Raises _Failed."""
        doubt, never, why = False, False, "not sent"
        while self._left_s() > 0 and not never:
            try:
                cluster = await self._know(set())
                leader, epoch = cluster.leaders.get(partition, (None, 0))
                if leader is not None:
                    return await self._attempt(leader, {**body, "epoch": epoch})
                why = f"{partition} has no leader"
            except _Failed as failed:
                doubt, never, why = doubt or failed.doubt, failed.never, str(failed)
            self._cluster = None
            await self._pause()
        raise _Failed(why, doubt=doubt, never=never)

    async def _ask_any(self, body: Body) -> Body:
        """The answer of any node to ``body``, which changes nothing that matters. Raises _Failed."""
        why = "not sent"
        while self._left_s() > 0:
            node = self._seat.nodes[self._turn % len(self._seat.nodes)]
            try:
                return await self._attempt(node, body)
            except _Failed as failed:
                why = str(failed)
            self._turn += 1
            await self._pause()
        raise _Failed(why, doubt=False)

    async def _attempt(self, node: str, body: Body) -> Body:
        patience_s = min(self._seat.timeout_s * ATTEMPT_SHARE, self._left_s())
        try:
            return await self._seat.channel.rpc(node, body, max(patience_s, 0.0))
        except NoAnswer as error:
            raise _Failed(f"{node}: no answer", doubt=True) from error
        except NotSent as error:
            raise _Failed(f"{node}: not sent ({error})", doubt=False) from error
        except RpcError as error:
            verdict = verdict_of(error.code)
            doubt, never = verdict is Verdict.UNKNOWN, verdict is Verdict.NEVER
            raise _Failed(f"{node}: {error}", doubt=doubt, never=never) from error

    async def _know(self, topics: set[str]) -> _Cluster:
        """The metadata, with these topics and all that were asked for before. Raises _Failed."""
        if self._cluster is not None and topics <= self._topics:
            return self._cluster
        self._topics |= topics
        reply = await self._ask_any({"type": "metadata", "topics": sorted(self._topics), "partitions": PARTITIONS})
        self._turn += 1  # if this one is behind, the next one need not be
        settings = reply["settings"]
        for name, (leader, epoch) in reply["leaders"].items():
            if epoch >= self._leaders.get(name, (None, 0))[1]:  # this node may be behind another one that was asked
                self._leaders[name] = (leader, epoch)
        self._cluster = _Cluster(
            leaders=self._leaders,
            acks=settings["acks"],
            idempotent=settings["idempotent"],
            keys=settings["keys"],
            early=settings["commit"] == "early",
        )
        return self._cluster

    def _left_s(self) -> float:
        return self._deadline_s - asyncio.get_running_loop().time()

    async def _pause(self) -> None:
        await asyncio.sleep(min(self._seat.rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S), max(0.0, self._left_s())))


def _key(partition: str) -> str:
    topic, _, number = partition.removeprefix("t").rpartition("-")
    return f"k{int(topic) * PARTITIONS + int(number)}"


def _topic(key: str) -> str:
    return f"t{int(key.removeprefix('k')) // PARTITIONS}"


def _partition(key: str) -> str:
    return f"{_topic(key)}-{int(key.removeprefix('k')) % PARTITIONS}"
