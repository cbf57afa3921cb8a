"""The runtime of one node, the same in every world: it implements ``Env`` over a world that carries messages, bytes and log lines.

It answers ``init``, then makes the program; dispatches messages to handlers; matches replies to ``rpc``; turns ``Refusal`` into error
replies and any other exception into a crash. It answers the harness's own questions (types that begin with "sb_") itself, so every
program has them. With the option ``security`` it lets in no client's request without a token (``guard``). Must not know how messages
travel (``stdio`` and the simulator do), and must work under Maelstrom.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import random
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from targets.node import codes, guard
from targets.node.env import Body, Handler, Message, Refusal, Storage, Timer
from targets.node.wallclock import Skew, WallClock

# The message ids of one life of a node start here times its incarnation, so that a late answer to a question of an earlier life is
# never taken for an answer to a question of this one. 2**20 lives of 2**32 messages stay exact in a JSON number (2**53).
LIFE_IDS = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the runtime needs of the world it runs in.

    ``transmit(dest, body)`` sends and forgets; ``write(fields)`` writes one log line; ``crashed(error)`` is told when the program failed,
    and ends the node; ``dice(node_id)`` makes the node's dice.
    """

    transmit: Callable[[str, Body], None]
    write: Callable[[Mapping[str, Any]], None]
    crashed: Callable[[BaseException], None]
    dice: Callable[[str], random.Random]
    storage: Storage
    clock: WallClock
    options: Mapping[str, Any]
    incarnation: int = 0


class Runtime:
    """One node from its start to its death. Implements ``Env``; give it messages by ``receive``."""

    def __init__(self, program: Callable[[Any], Any], world: World) -> None:
        self.node_id = ""
        self.node_ids: tuple[str, ...] = ()
        # A seeded bug of the guard's is not the program's.
        self.options = {k: v for k, v in world.options.items() if not (k == "bug" and v in guard.BUGS)}
        self.random = random.Random(0)  # replaced at init, when the node learns its name
        self.storage = world.storage
        self._make, self._world = program, world
        self._loop = asyncio.get_running_loop()
        self._program: Any = None
        self._transmit = world.transmit
        self._handlers: dict[str, Handler] = {
            "init": self._init,
            **{name: getattr(self, f"_{name}") for name in BUILT_IN},
        }
        self._msg_id = world.incarnation * LIFE_IDS
        self._waiting: dict[int, asyncio.Future[Body]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}  # strong references: asyncio keeps weak ones alone
        self._tasks_made = 0
        self.guard: guard.Guard | None = None  # of requests of clients, if there is security
        if world.options.get("security", guard.OFF) != guard.OFF:
            self.guard = guard.Guard(guard.Bugs.of(world.options), self.wall_time, self.log)

    # Env

    def on(self, type_: str, handler: Handler) -> None:
        if type_ in self._handlers:
            raise ValueError(f"two handlers for messages of type {type_!r}")
        self._handlers[type_] = handler

    def send(self, dest: str, body: Body) -> None:
        self._transmit(dest, body)

    def reply(self, request: Message, body: Body) -> None:
        msg_id = request["body"].get("msg_id")
        if msg_id is not None:  # a message without an id wants no answer
            self._transmit(request["src"], {**body, "in_reply_to": msg_id})

    async def rpc(self, dest: str, body: Body, timeout_s: float) -> Body:
        self._msg_id = msg_id = self._msg_id + 1
        waiter: asyncio.Future[Body] = self._loop.create_future()
        self._waiting[msg_id] = waiter
        timer = self._loop.call_later(timeout_s, _expire, waiter, dest, timeout_s)
        try:
            self._transmit(dest, {**body, "msg_id": msg_id})
            return await waiter
        finally:
            timer.cancel()
            self._waiting.pop(msg_id, None)

    def call_later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> Timer:
        return self._loop.call_later(delay_s, callback, *args)

    def spawn(self, coro: Coroutine[Any, Any, None]) -> None:
        self._tasks_made = key = self._tasks_made + 1
        self._tasks[key] = self._loop.create_task(self._watched(key, coro))

    def wall_time(self) -> float:
        return self._world.clock.now_s()

    def monotonic(self) -> float:
        return self._loop.time()

    def log(self, event: str, **fields: Any) -> None:
        self._world.write({"event": event, **fields})

    # What the world calls

    def receive(self, message: Message, *, trusted: bool = True) -> None:
        """Handle one message from the network. ``trusted``: the world knows that a node or the harness has sent it."""
        try:
            if self.guard is not None and not trusted:
                message = self.guard.admit(message)
            body = message["body"]
            if "in_reply_to" in body:
                self._resolve(body)
                return
            handler = self._handlers.get(body.get("type"))
            if handler is None:
                self._unknown(message)
                return
            answer = handler(message)
            if answer is None:
                return
            if type(answer) is dict:
                self.reply(message, answer)
            else:
                self.spawn(self._answer_later(message, answer))
        except Refusal as refusal:
            self.reply(message, {"type": "error", "code": refusal.code, "text": refusal.text})
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the node's end
            self.crash(error)

    def crash(self, error: BaseException) -> None:
        """The program failed: say so in the log and end the node."""
        text = "".join(traceback.format_exception(error))
        self._world.write({"event": "crash", "error": f"{type(error).__name__}: {error}", "traceback": text})
        self._world.crashed(error)

    # Within

    def _resolve(self, body: Body) -> None:
        answered = body["in_reply_to"]
        waiter = self._waiting.pop(answered, None) if isinstance(answered, int) else None
        if waiter is None or waiter.done():
            return  # it came too late, or answers nothing that was asked
        if body.get("type") == "error":
            waiter.set_exception(Refusal(body.get("code", codes.CRASH), body.get("text", "")))
        else:
            waiter.set_result(body)

    def _unknown(self, message: Message) -> None:
        if self._program is None:
            raise Refusal(codes.UNAVAILABLE, "this node has not been initialised yet")
        raise Refusal(codes.NOT_SUPPORTED, f"no handler for messages of type {message['body'].get('type')!r}")

    async def _answer_later(self, message: Message, answer: Any) -> None:
        try:
            body = await answer
        except Refusal as refusal:
            body = {"type": "error", "code": refusal.code, "text": refusal.text}
        if body is not None:
            self.reply(message, body)

    async def _watched(self, key: int, coro: Coroutine[Any, Any, None]) -> None:
        try:
            await coro
        except Exception as error:  # noqa: BLE001 - whatever it raises is the node's end
            self.crash(error)
        finally:
            self._tasks.pop(key, None)

    # Built-in messages

    def _init(self, message: Message) -> Body | None:
        if self._program is not None:
            raise Refusal(codes.MALFORMED, "this node has been initialised before")
        body = message["body"]
        self.node_id, self.node_ids = body["node_id"], tuple(body["node_ids"])
        if self.guard is not None:
            self.guard.open(self.node_id, base64.b64decode(body["secrets"]["token_key"]))
        self.random = self._world.dice(self.node_id)
        self._program = self._make(self)
        self.log("start", node=self.node_id, incarnation=self._world.incarnation)
        self.reply(message, {"type": "init_ok"})
        start = getattr(self._program, "start", None)
        if start is not None:
            begun = start()
            if begun is not None:  # a coroutine: start() may be either
                self.spawn(begun)
        return None

    def _sb_ping(self, _message: Message) -> Body:
        return {"type": "sb_ping_ok", "life": self._world.incarnation}

    def _sb_status(self, _message: Message) -> Body:
        status = getattr(self._program, "status", None)
        return {"type": "sb_status_ok", "status": status() if status is not None else {}}

    def _sb_clock(self, _message: Message) -> Body:
        return {"type": "sb_clock_ok", "wall": self._world.clock.now_s(), "mono": self._loop.time()}

    def _sb_skew(self, message: Message) -> Body:
        clock = self._world.clock
        clock.skew = Skew.parse(message["body"], clock.true_s())
        self.log("clock-skewed", **clock.skew.fields())
        return {"type": "sb_skew_ok"}

    def _sb_allocate(self, message: Message) -> Body:
        """Whether this node can have so many bytes of memory now; they are given back at once."""
        try:
            had = len(bytearray(message["body"]["bytes"])) > 0
        except MemoryError:
            had = False
        return {"type": "sb_allocate_ok", "had": had}

    def _sb_canary(self, message: Message) -> Body:
        """Write a line to a file that nobody else uses; with "sync", also sync it and read it back. Says what was refused, and why."""
        body, refused, intact = message["body"], {}, True
        name, line = body["name"], f"{self._loop.time():>63.6f}\n".encode()
        for operation in ("write", "fsync", "read") if body["sync"] else ("write",):
            try:
                if operation == "write":
                    self.storage.append(name, line)
                elif operation == "fsync":
                    self.storage.sync(name)
                else:
                    intact = self.storage.read(name).endswith(line)
            except OSError as error:
                refused[operation] = errno.errorcode.get(error.errno or 0, str(error))
        return {"type": "sb_canary_ok", "refused": refused, "intact": intact}

    def _sb_unskew(self, _message: Message) -> Body:
        self._world.clock.skew = None
        self.log("clock-unskewed")
        return {"type": "sb_unskew_ok"}


BUILT_IN = ("sb_ping", "sb_status", "sb_clock", "sb_skew", "sb_unskew", "sb_allocate", "sb_canary")


def _expire(waiter: asyncio.Future[Body], dest: str, timeout_s: float) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError(f"no answer from {dest} within {timeout_s} s"))
