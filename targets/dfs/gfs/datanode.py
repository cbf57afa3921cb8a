"""A data node: it obeys the active metadata server, serves what it has to readers, and says what it has, and that it lives."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.chunk import Corrupt, Replica
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.peers import Peers
from targets.dfs.gfs.primary import Primary
from targets.dfs.gfs.store import Store
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

LIFE_BITS = 48  # exact in a JSON number
# What a reader is told of a chunk that it does not get.
DAMAGED, STALE = "damaged", "stale"


class DataNode:
    """The data part of one node."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, peers: Peers) -> None:
        self._env, self._config, self._bugs, self._peers = env, config, bugs, peers
        self._life = env.random.getrandbits(LIFE_BITS)
        self.store = Store(env, config, bugs)
        self.store.when_bad = lambda _chunk: self._report()
        self.primary = Primary(env, config, bugs, peers, self.store)
        self._servers = env.node_ids[: config.servers]
        for name in ("adopt", "lease", "clone", "drop", "fetch"):
            peers.on(name, getattr(self, f"_on_{name}"))
        env.on("read", self._on_read)

    def start(self) -> None:
        self._env.spawn(self._say_that_it_lives())
        if self._config.scrub_s:
            self._env.spawn(self._scrub())

    # Orders of the active server

    def _order(self, message: Message) -> Body:
        """The order, if it is to be obeyed: after one of a later epoch it is not, as with edits. Raises Refusal."""
        body: Body = message["body"]
        if body["epoch"] > self.store.epoch:
            self.store.obey(body["epoch"])
        elif body["epoch"] < self.store.epoch and self._config.fencing:
            raise Refusal(codes.PRECONDITION, "another metadata server is active")
        return body

    def _on_adopt(self, message: Message) -> Body:
        """Be of a new version: nothing is taken any more of the primary of the one before."""
        body = self._order(message)
        chunk, version = body["chunk"], body["to"]
        known = self.store.known.get(chunk)
        if known is None:
            if not body["make"] or chunk in self.store.bad:
                raise Refusal(codes.KEY_MISSING, "there is no such replica here")
            self.store.put(chunk, Replica(version, 0, b""))
        elif known.version > version or (known.version < body["from"] and not self._bugs.stale_replica_served):
            raise Refusal(codes.PRECONDITION, f"the replica is of version {known.version}")
        elif known.version < version:
            try:
                self.store.adopt(chunk, version)
            except Corrupt as corrupt:
                raise Refusal(codes.PRECONDITION, "the replica is damaged") from corrupt
            self.primary.adopted(chunk)
        return self._done()

    def _on_lease(self, message: Message) -> Body:
        body = self._order(message)
        known = self.store.known.get(body["chunk"])
        if known is None or known.version != body["version"]:
            raise Refusal(codes.PRECONDITION, "the chunk has another version here, or none")
        self.primary.give(body["chunk"], body["version"], body["members"], body["lease_s"])
        return self._done()

    async def _on_clone(self, message: Message) -> Body:
        """Take over the replica of another node."""
        body = self._order(message)
        chunk, version = body["chunk"], body["version"]
        asked = {"type": "fetch", "chunk": chunk, "version": version}
        reply = await self._peers.ask(body["source"], asked, self._config.step_s)
        if reply is None:
            raise Refusal(codes.UNAVAILABLE, "the source did not give it")
        self._order(message)
        known = self.store.known.get(chunk)
        if known is None or known.version < version:
            self.store.put(chunk, Replica(version, reply["serial"], bytes.fromhex(reply["data"])))
        return self._done()

    def _on_fetch(self, message: Message) -> Body:
        chunk, version = message["body"]["chunk"], message["body"]["version"]
        known = self.store.known.get(chunk)
        if known is None or known.version != version:
            raise Refusal(codes.PRECONDITION, "the chunk has another version here, or none")
        try:
            replica = self.store.read(chunk)
        except Corrupt as corrupt:
            raise Refusal(codes.PRECONDITION, "the replica is damaged") from corrupt
        return {"type": "fetch_ok", "serial": replica.serial, "data": replica.data.hex()}

    def _on_drop(self, message: Message) -> Body:
        body = self._order(message)
        known = self.store.known.get(body["chunk"])
        if known is not None and known.version <= body["version"]:
            self._env.log("dropped", chunk=body["chunk"])
            self.store.drop(body["chunk"])
            self.primary.adopted(body["chunk"])
        return self._done()

    def _done(self) -> Body:
        return {"type": "done", "stamp": [self._life, self.store.changes]}

    # Readers

    async def _on_read(self, message: Message) -> Body:
        """Of each chunk [chunk, version], its data in hexadecimal, or why not: "damaged", or "stale" (also: not here).

        Between two of them others have their turn: who is active, or a primary, is not to fall silent because somebody reads much.
        """
        found: list[Body] = []
        for chunk, safe in message["body"]["chunks"]:
            await asyncio.sleep(0)
            known = self.store.known.get(chunk)
            if chunk in self.store.bad:
                found.append({"why": DAMAGED})
            elif known is None or (known.version < safe and not self._bugs.stale_replica_served):
                found.append({"why": STALE})
            else:
                try:
                    found.append({"data": self.store.read(chunk).data.hex()})
                except Corrupt:
                    found.append({"why": DAMAGED})
        return {"type": "read_ok", "found": found}

    # By itself

    async def _say_that_it_lives(self) -> None:
        config, beat = self._config, 0
        whole = max(1, round(config.report_s / config.beat_s))
        while True:
            if beat % whole == 0:
                self._report()
            else:
                self._tell(None)
            beat += 1
            await asyncio.sleep(config.beat_s)

    def _report(self) -> None:
        self._tell([[chunk, known.version] for chunk, known in self.store.known.items()])

    def _tell(self, chunks: list[list[int]] | None) -> None:
        stamp = [self._life, self.store.changes]
        for server in self._servers:
            bad = sorted(self.store.bad)
            self._peers.tell(server, {"type": "report", "stamp": stamp, "chunks": chunks, "bad": bad})

    async def _scrub(self) -> None:
        """Read everything now and then, so that damage is found while there are good replicas (GFS 5.2)."""
        while True:
            await asyncio.sleep(self._config.scrub_s)
            for chunk in list(self.store.known):
                if chunk in self.store.known:
                    with suppress(Corrupt):
                        self.store.read(chunk)
