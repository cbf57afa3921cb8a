"""The controller's end of a conversation with a process inside the run's namespaces: questions, answers, descriptors, news."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

from harness.clusters.namespaces import wire
from harness.errors import ClusterError

# The processes inside answer within milliseconds; on a machine that swaps, later.
ANSWER_S = 20.0

News = Callable[[wire.Message, list[int]], None]


def _no_news(_message: wire.Message, descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class Conversation:
    """See the module. ``on_news`` gets what answers no question; the descriptors of a message belong to who gets it."""

    def __init__(self, sock: socket.socket, name: str, on_news: News = _no_news) -> None:
        self.name, self.on_news = name, on_news
        self.why_ended: str | None = None  # None: it goes on
        self._socket, self._asked = sock, 0
        self._waiting: dict[int, asyncio.Future[tuple[wire.Message, list[int]]]] = {}
        self._loop = asyncio.get_running_loop()
        sock.setblocking(False)
        self._loop.add_reader(sock.fileno(), self._read)

    async def call(self, do: str, descriptors: Sequence[int] = (), **fields: Any) -> tuple[wire.Message, list[int]]:
        """Ask; return the answer and its descriptors. Raises OSError with the number that the other side met, ClusterError."""
        if self.why_ended is not None:
            raise ClusterError(f"{self.name} cannot be asked any more: {self.why_ended}")
        self._asked += 1
        waiter: asyncio.Future[tuple[wire.Message, list[int]]] = self._loop.create_future()
        self._waiting[self._asked] = waiter
        try:
            wire.send(self._socket, {"id": self._asked, "do": do, **fields}, descriptors)
            async with asyncio.timeout(ANSWER_S):
                answer, received = await waiter
        except TimeoutError:
            raise ClusterError(f"{self.name} did not answer {do!r} within {ANSWER_S:g} s") from None
        except (BrokenPipeError, ConnectionResetError):
            raise ClusterError(f"{self.name} has ended") from None
        except BlockingIOError:
            raise ClusterError(f"{self.name} does not listen any more") from None
        finally:
            self._waiting = {number: one for number, one in self._waiting.items() if one is not waiter}
        if "error" in answer:
            raise OSError(answer.get("errno") or 0, answer["error"])
        return answer, received

    def close(self) -> None:
        """End it; idempotent. Questions without an answer fail."""
        self._end("it was closed")

    def _read(self) -> None:
        while self.why_ended is None:
            try:
                message, descriptors = wire.receive(self._socket)
            except BlockingIOError:
                return
            if message is None:
                self._end("it has ended")
            elif "id" in message:
                self._answered(message, descriptors)
            elif "error" in message:
                self._end(message["error"], message.get("errno"))
            else:
                self.on_news(message, descriptors)

    def _answered(self, message: wire.Message, descriptors: list[int]) -> None:
        waiter = self._waiting.pop(message["id"], None)
        if waiter is None or waiter.done():
            _no_news(message, descriptors)
        else:
            waiter.set_result((message, descriptors))

    def _end(self, why: str, number: int | None = None) -> None:
        if self.why_ended is not None:
            return
        self.why_ended = why
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        for waiter in self._waiting.values():
            if not waiter.done():
                error = ClusterError(f"{self.name}: {why}")
                error.__cause__ = OSError(number, why) if number is not None else None
                waiter.set_exception(error)
