"""The client of Maelstrom's workload kafka: it sends, polls from its own positions, and commits how far it has read.

Operations are Jepsen's: ``send`` ([["send", key, message]], completed with [offset, message] in the message's place), ``poll``
([["poll"]], completed with [["poll", {key: [[offset, message], ...]}]]) and ``assign`` (a list of keys; with the extra
``seek_to_beginning`` they are read from offset 0 on, else from where they have been read or committed before).

A poll commits what it has read. Whether that succeeds says nothing about what was read: the poll is ok either way.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from harness.errors import TargetError
from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes


class KafkaClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat
        self._positions: dict[str, int] = {}  # assigned key → the offset to read next
        self._deadline_s = 0.0  # of the operation under way, by the loop's clock

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises TargetError for an answer of the wrong shape, KeyError for an op that it does not know."""
        self._deadline_s = asyncio.get_running_loop().time() + self._seat.timeout_s
        carry_out = {"send": self._send, "poll": self._poll, "assign": self._assign}[op.f]
        try:
            return await carry_out(op)
        except NoAnswer as error:
            return op.info(str(error)) if op.f == "send" else op.fail(str(error))
        except RpcError as error:
            certain = op.f != "send" or codes.is_definite(error.code)
            return op.fail(str(error)) if certain else op.info(str(error))

    async def _send(self, op: Op) -> Op:
        [[_, key, message]] = op.value
        reply = await self._ask({"type": "send", "key": key, "msg": message})
        offset = reply.get("offset")
        if type(offset) is not int:
            raise self._wrong("send", reply, '"offset": a whole number')
        return op.ok([["send", key, [offset, message]]])

    async def _poll(self, op: Op) -> Op:
        reply = await self._ask({"type": "poll", "offsets": dict(self._positions)})
        messages: Any = reply.get("msgs")
        if not _well_formed(messages):
            raise self._wrong("poll", reply, '"msgs": {key: [[offset, message], ...]}')
        highest: dict[str, int] = {key: max(offset for offset, _ in pairs) for key, pairs in messages.items() if pairs}
        if highest:
            with suppress(NoAnswer, NotSent, RpcError):
                await self._ask({"type": "commit_offsets", "offsets": highest})
        for key, offset in highest.items():
            self._positions[key] = max(self._positions.get(key, 0), offset + 1)
        return op.ok([["poll", messages]])

    async def _assign(self, op: Op) -> Op:
        keys: list[str] = op.value
        if op.extra.get("seek_to_beginning"):
            self._positions = dict.fromkeys(keys, 0)
            return op.ok(keys)
        reply = await self._ask({"type": "list_committed_offsets", "keys": keys})
        committed: Any = reply.get("offsets")
        if not isinstance(committed, dict) or not all(type(offset) is int for offset in committed.values()):
            raise self._wrong("list_committed_offsets", reply, '"offsets": {key: offset}')
        known: dict[str, int] = {**committed, **self._positions}
        self._positions = {key: known.get(key, 0) for key in keys}
        return op.ok(keys)

    async def _ask(self, body: Body) -> Body:
        left_s = max(0.0, self._deadline_s - asyncio.get_running_loop().time())
        reply = await self._seat.channel.rpc(self._seat.node, body, left_s)
        if reply.get("type") != f"{body['type']}_ok":
            raise self._wrong(body["type"], reply, f'"type": "{body["type"]}_ok"')
        return reply

    def _wrong(self, what: str, reply: Body, right: str) -> TargetError:
        return TargetError(f"node {self._seat.node} answered {what} with {reply}: right is {right}")


def _well_formed(messages: Any) -> bool:
    return isinstance(messages, dict) and all(
        isinstance(pairs, list)
        and all(isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int for pair in pairs)
        for pairs in messages.values()
    )
