"""The harness's end of the wire, shared by all clusters that route messages themselves.

Requests go out, replies are matched to them by their message ids, late ones are ignored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.protocols import Body, NoAnswer, RpcError

# The indefinite "crash" of the Maelstrom protocol: what an error without a code is taken for.
_NO_CODE = 13


class Line:
    """One client's line. Satisfies ``harness.protocols.Channel``.

    ``transmit(node, body)`` sends; it raises NotSent if the message certainly cannot leave. Replies come in by ``deliver``.
    """

    def __init__(self, transmit: Callable[[str, Body], None]) -> None:
        self._transmit = transmit
        self._sent = 0
        self._waiting: dict[int, tuple[str, asyncio.Future[Body | None]]] = {}  # by message id: the node that was asked

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        """Send ``body`` to ``node``; return the reply. Raises RpcError, NoAnswer or NotSent."""
        reply = await self.ask(node, body, timeout_s)
        if reply is None:
            raise NoAnswer(f"no answer from {node} within {timeout_s:g} s, or its connection broke")
        if reply.get("type") == "error":
            code = reply.get("code")
            raise RpcError(code if isinstance(code, int) else _NO_CODE, str(reply.get("text", "")))
        return reply

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        """Send ``body``; return the reply, errors included, or None if none came in time. Raises NotSent."""
        loop = asyncio.get_running_loop()
        self._sent += 1
        msg_id = self._sent
        waiter: asyncio.Future[Body | None] = loop.create_future()
        self._waiting[msg_id] = node, waiter
        timer = None
        try:
            self._transmit(node, {**body, "msg_id": msg_id})
            timer = loop.call_later(timeout_s, _give_up, waiter)
            return await waiter
        finally:
            if timer is not None:
                timer.cancel()
            self._waiting.pop(msg_id, None)

    def deliver(self, body: Body) -> None:
        """A message for this client arrived."""
        answered = body.get("in_reply_to")
        if isinstance(answered, int) and answered in self._waiting:
            _, waiter = self._waiting.pop(answered)
            if not waiter.done():
                waiter.set_result(body)

    def hang_up(self, node: str) -> None:
        """The connection to this node broke: whoever waits for an answer from there gets none."""
        for asked, waiter in self._waiting.values():
            if asked == node:
                _give_up(waiter)


def _give_up(waiter: asyncio.Future[Body | None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
