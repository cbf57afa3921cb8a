"""The primary of a chunk: it alone says in which order the chunk changes, and sends each change down a chain of the other replicas.

Changes are numbered; the next one starts when all replicas have the one before. A replica applies a change only if its number is greater
than that of the last one: a copy that comes late changes nothing. Where one replica does not answer, the primary gives up its lease, for
it cannot know whether that one has the change: the active server finds out who is left (GFS 3.1 to 3.3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.chunk import Corrupt
from targets.dfs.gfs.config import MONOTONIC, Config
from targets.dfs.gfs.peers import Peers
from targets.dfs.gfs.store import Store
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.quorum import Copies


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as its primary knows it, until ``until_s`` by its own clock."""

    version: int
    others: tuple[str, ...]
    until_s: float


class Primary:
    """The leases of one data node, and its place in the chains of others."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, peers: Peers, store: Store) -> None:
        self._env, self._config, self._bugs, self._peers, self._store = env, config, bugs, peers, store
        self._now_s = env.monotonic if config.clock == MONOTONIC else env.wall_time
        self.leases: dict[int, Held] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._copies = Copies()
        peers.on("apply", self._on_apply)
        env.on("append", self._on_append)
        env.on("write", self._on_write)

    def give(self, chunk: int, version: int, members: list[str], lease_s: float) -> None:
        """This node has a lease of the chunk from now on."""
        others = tuple(name for name in members if name != self._env.node_id)
        self.leases[chunk] = Held(version, others, self._now_s() + lease_s)

    def adopted(self, chunk: int) -> None:
        """The chunk has another version: whatever lease there was is over."""
        if not self._bugs.lease_not_revoked:
            self.leases.pop(chunk, None)

    def holds(self) -> list[int]:
        """The chunks of which this node may be the primary now."""
        now_s = self._now_s()
        return [chunk for chunk, held in self.leases.items() if held.until_s > now_s]

    def _lease(self, body: Body) -> Held:
        """The lease under which a client asks. Raises Refusal."""
        held = self.leases.get(body["chunk"])
        if (
            held is None
            or held.version != body["version"]
            or held.until_s <= self._now_s()
            or body["chunk"] not in self._store.known
        ):
            raise Refusal(codes.UNAVAILABLE, "this node has no such lease")
        return held

    # The primary

    def _on_append(self, message: Message) -> Coroutine[Any, Any, Body] | None:
        self._lease(message["body"])
        return None if self._copies.is_copy(message) else self._append(message["body"])

    def _on_write(self, message: Message) -> Coroutine[Any, Any, Body] | None:
        self._lease(message["body"])
        return None if self._copies.is_copy(message) else self._write(message["body"])

    async def _append(self, body: Body) -> Body:
        """Record append: at the end, as the primary sees it; where it does not fit, the chunk is filled up (GFS 3.3)."""
        chunk, record = body["chunk"], bytes.fromhex(body["data"])
        async with self._turn(chunk):
            held = self._lease(body)
            offset, size = self._store.known[chunk].end, self._config.chunk_bytes
            if offset + len(record) > size:
                if offset < size:
                    await self._change(chunk, held, offset, bytes(size - offset))
                return {"type": "append_ok", "full": True}
            await self._change(chunk, held, offset, record)
            return {"type": "append_ok", "offset": offset}

    async def _write(self, body: Body) -> Body:
        chunk = body["chunk"]
        async with self._turn(chunk):
            await self._change(chunk, self._lease(body), body["offset"], bytes.fromhex(body["data"]))
            return {"type": "write_ok"}

    def _turn(self, chunk: int) -> asyncio.Lock:
        return self._turns.setdefault(chunk, asyncio.Lock())

    async def _change(self, chunk: int, held: Held, offset: int, piece: bytes) -> None:
        """Change the chunk here and on all others. Raises Refusal: with 11 if nothing has changed, with 0 if something may have."""
        serial = self._store.known[chunk].serial + 1
        version = self._store.known[chunk].version if self._bugs.lease_not_revoked else held.version
        order = {"type": "apply", "chunk": chunk, "version": version, "serial": serial, "offset": offset}
        try:
            self._store.write(chunk, serial, offset, piece)
        except Corrupt as corrupt:
            self.leases.pop(chunk, None)
            raise Refusal(codes.UNAVAILABLE, "the primary's replica is damaged") from corrupt
        forwarded = self._forward({**order, "data": piece.hex()}, list(held.others))
        if self._bugs.append_acked_before_secondaries:
            self._env.spawn(_in_time(forwarded))
        elif not await forwarded:
            if self.leases.get(chunk) is held:
                del self.leases[chunk]
            raise Refusal(codes.TIMEOUT, "not all replicas have it")

    # A link of the chain

    async def _forward(self, order: Body, chain: list[str]) -> bool:
        """Send the change to the first of ``chain``, who sends it on: whether all have it."""
        if not chain:
            return True
        patience_s = self._config.step_s * (1 + len(chain)) / 2
        return await self._peers.ask(chain[0], {**order, "chain": chain[1:]}, patience_s) is not None

    async def _on_apply(self, message: Message) -> Body:
        body = message["body"]
        chunk, serial = body["chunk"], body["serial"]
        known = self._store.known.get(chunk)
        if known is None or (self._config.fenced_leases and known.version != body["version"]):
            raise Refusal(codes.PRECONDITION, "the chunk has another version here, or none")
        if serial > known.serial or not self._config.fenced_leases:
            try:
                self._store.write(chunk, serial, body["offset"], bytes.fromhex(body["data"]))
            except Corrupt as corrupt:
                raise Refusal(codes.PRECONDITION, "the replica is damaged") from corrupt
        order = {name: body[name] for name in ("type", "chunk", "version", "serial", "offset", "data")}
        if not await self._forward(order, body["chain"]):
            raise Refusal(codes.TIMEOUT, "a replica behind this one does not answer")
        return {"type": "apply_ok"}


async def _in_time(forwarded: Coroutine[Any, Any, bool]) -> None:
    await forwarded
