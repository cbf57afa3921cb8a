"""What clients ask the active metadata server: names, and whom to ask for data.

A request is bound to the epoch of the server that it was sent to. So a refusal with 11 is the truth for ever: a copy of a request is
recognised, and an epoch of this server's earlier life, of which it remembers nothing, is answered with 0.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.failover import Failover
from targets.dfs.gfs.leases import Leases
from targets.dfs.gfs.namespace import EXISTS, Edit
from targets.dfs.gfs.replicas import Replicas
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.quorum import Copies


class Requests:
    """One metadata server's answers."""

    def __init__(
        self, env: Env, config: Config, bugs: Bugs, *, failover: Failover, replicas: Replicas, leases: Leases
    ) -> None:
        self._config, self._bugs = config, bugs
        self._failover, self._replicas, self._leases = failover, replicas, leases
        self._namespace = failover.journal.namespace
        self._copies = Copies()
        env.on("whois", self._on_whois)
        answers: dict[str, Callable[[Body], Awaitable[Body]]] = {
            "create": lambda body: self._edited(["create", body["path"]]),
            "delete": lambda body: self._edited(["delete", body["path"]]),
            "rename": self._rename,
            "list": self._list,
            "stat": self._stat,
            "look_up": self._look_up,
            "place": self._place,
        }
        for name, answer in answers.items():
            env.on(name, self._guarded(answer))

    def _guarded(self, answer: Callable[[Body], Awaitable[Body]]) -> Callable[[Message], Awaitable[Body] | None]:
        def handler(message: Message) -> Awaitable[Body] | None:
            if self._copies.is_copy(message):
                return None
            epoch, failover = message["body"]["epoch"], self._failover
            if epoch not in failover.begun:
                raise Refusal(codes.TIMEOUT, "this server knows nothing of that epoch")
            if not failover.serving or epoch != failover.epoch:
                raise Refusal(codes.UNAVAILABLE, "this server is not active in that epoch")
            return answer(message["body"])

        return handler

    def _on_whois(self, _message: Message) -> Body:
        """Who is active, as far as this server has heard, and how clients of this file system behave."""
        config, (epoch, active) = self._config, self._failover.known
        sizes = {"chunk_bytes": config.chunk_bytes, "record_bytes": config.record_bytes}
        caches = {"place_s": config.cache_s, "look_up_s": config.read_cache_s}
        return {"type": "whois_ok", "active": active, "epoch": epoch, **caches, **sizes}

    # Names

    async def _edited(self, edit: Edit) -> Body:
        result = await self._failover.edit(edit)
        if "error" in result:
            code = codes.KEY_EXISTS if result["error"] == EXISTS else codes.KEY_MISSING
            raise Refusal(code, f"{edit[1]} {'exists' if code == codes.KEY_EXISTS else 'is absent'}")
        return {"type": "edited", "ok": result["ok"]}

    async def _rename(self, body: Body) -> Body:
        old, new = body["path"], body["to"]
        if not self._bugs.rename_not_atomic:
            return await self._edited(["rename", old, new])
        taken = await self._edited(["unlink", old, new])
        await asyncio.sleep(self._config.beat_s)
        return await self._edited(["link", new, taken["ok"]])

    async def _list(self, _body: Body) -> Body:
        await self._failover.confirmed()
        return {"type": "list_ok", "paths": sorted(self._namespace.paths)}

    async def _stat(self, body: Body) -> Body:
        """How many live replicas the file's chunks have: the least of them."""
        await self._failover.confirmed()
        counts = [
            len(self._replicas.holders(number, self._namespace.chunks[number].safe))
            for number in self._chunks_of(body["path"])
            if self._namespace.chunks[number].version
        ]
        return {"type": "stat_ok", "replicas": min([*counts, self._config.replicas])}

    def _chunks_of(self, path: str) -> list[int]:
        chunks = self._namespace.chunks_of(path)
        if chunks is None:
            raise Refusal(codes.KEY_MISSING, f"{path} is absent")
        return chunks

    # Whom to ask for data

    async def _look_up(self, body: Body) -> Body:
        """Of each chunk of the file in order, [chunk, version, nodes that have it, whether it is lost]."""
        await self._failover.confirmed()
        found: list[Any] = []
        for number in self._chunks_of(body["path"]):
            safe = self._namespace.chunks[number].safe
            found.append([number, safe, self._replicas.holders(number, safe), self._replicas.is_lost(number, safe)])
        return {"type": "look_up_ok", "chunks": found}

    async def _place(self, body: Body) -> Body:
        """A chunk of the file to write to, and its primary: the one of ``index``, or the last, but none before ``after``. It is made if
        it is missing, with all before it. ``failed``: [chunk, version] under which the client did not succeed.
        """
        await self._failover.confirmed()
        path, wanted = body["path"], body["index"]
        chunks = self._chunks_of(path)
        index = max(len(chunks) - 1, body["after"], 0) if wanted is None else wanted
        file = self._namespace.paths[path]
        while len(chunks) <= index:
            await self._edited(["allocate", file, len(chunks)])
        number = chunks[index]
        failed = body["failed"]
        lease = await self._leases.lease(number, failed[1] if failed and failed[0] == number else None)
        where = {"file": file, "index": index, "chunk": number, "version": lease.version, "primary": lease.primary}
        return {"type": "place_ok", **where}
