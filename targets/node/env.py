"""All that a node program sees of the world. Standard library only: this file travels into the node's process or container.

A node program is a class ``Program(env)`` that registers handlers in its constructor. Handlers are plain functions or coroutine
functions ``handler(msg) -> body | None``; a body that is returned is sent as the reply (to a message with a ``msg_id``; one without
wants no answer). A handler raises ``Refusal`` to answer with a Maelstrom error; any other exception crashes the node. Optional methods:
``start()`` once ``init`` has been answered (plain or a coroutine function; other nodes may not be up yet, and what is sent to them
is lost), ``status() -> dict`` ("role", "term", ...: what faults aim at and what the report shows).

Rules that make one program run in every world: time is the running asyncio loop's (``env.monotonic``, ``asyncio.sleep``,
``env.call_later``); dice are ``env.random``; disk is ``env.storage``; tasks start with ``env.spawn``; no threads, no sockets, no
iteration over sets; messages are never changed once sent or received.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

Body = dict[str, Any]
Message = dict[str, Any]  # {"src", "dest", "body": {"type", "msg_id"?, "in_reply_to"?, ...}}: Maelstrom's protocol
Handler = Callable[[Message], "Body | Awaitable[Body | None] | None"]


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None: ...


class Storage(Protocol):
    """Named files of one node. Blocking, as a disk is: a program that syncs stands still meanwhile."""

    def append(self, name: str, data: bytes) -> None:
        """Add to the end of the file. Durable only after ``sync``: a crash may keep nothing, all, or a torn part of it."""
        ...

    def sync(self, name: str) -> None:
        """All that was appended to the file is durable when this returns."""
        ...

    def read(self, name: str) -> bytes:
        """The whole file; empty if there is none. What a node finds when it starts is durable."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """The file is ``data`` from now on: atomic, and durable when this returns."""
        ...


class Env(Protocol):
    """The world of one node, from its start to its death."""

    node_id: str
    node_ids: tuple[str, ...]  # all nodes of the cluster, this one included, in order
    options: Mapping[str, Any]  # "bug": name of a seeded bug, and the target's own options
    random: random.Random
    storage: Storage

    def on(self, type_: str, handler: Handler) -> None:
        """Call ``handler`` for each message of this type that is not a reply (has no ``in_reply_to``).

        Raises ValueError if the type has a handler already.
        """
        ...

    def send(self, dest: str, body: Body) -> None:
        """Send and forget."""
        ...

    def reply(self, request: Message, body: Body) -> None:
        """Answer ``request`` now or later (a handler that returned None may still answer)."""
        ...

    async def rpc(self, dest: str, body: Body, timeout_s: float) -> Body:
        """Send, and return the body of the reply. Raises TimeoutError, or Refusal with the peer's code and text.

        A reply that comes later is dropped.
        """
        ...

    def call_later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> Timer: ...

    def spawn(self, coro: Coroutine[Any, Any, None]) -> None:
        """Run ``coro`` beside the handlers; an exception out of it crashes the node, with its traceback in the log."""
        ...

    def wall_time(self) -> float:
        """Seconds since the epoch by this node's own clock, which may be wrong."""
        ...

    def monotonic(self) -> float:
        """Seconds by a clock that never jumps."""
        ...

    def log(self, event: str, **fields: Any) -> None:
        """One line in the node's log: JSON with the time, ``event`` and ``fields``."""
        ...


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not a failure of the node
    """An error reply of the Maelstrom protocol; ``code`` is one of ``targets.node.codes``."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text
