"""The node program ``clock``: events that clients ask for, and messages to other nodes, with the readings of a logical clock.

Messages between nodes: ``word {message, clock}``, no answer. A node's log has a line for each event: local, send, receive (of every copy of
a message that comes), with the message's name and the reading, as the checker ``clock-condition`` reads them.

A reading is on the disk before its event is in the log, and its message leaves after that: so a node that restarts goes on above all that
anybody may have seen, and no message comes from an event that no log shows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from targets.clock.logical.bugs import Bugs
from targets.clock.logical.config import Config
from targets.clock.logical.readings import Reading, clock_of
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

FILE = "clock"
LOCAL, SEND, RECEIVE = "local", "send", "receive"
SAVED_EVERY = 10  # the seeded bug ``saved_every_tenth``
READ_TO_WRITE_S = 0.01  # the seeded bug ``tick_not_atomic``


class ClockNode:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env, self._bugs = env, Bugs.named(env.options.get("bug"))
        self._clock = clock_of(Config.of(env.options).clock, env.node_id, env.wall_time, self._bugs)
        self._events, self._saved = 0, self._clock.reading
        self._heard: dict[str, int] = {}  # sender → the place of its latest reading
        self._told: dict[str, dict[str, int]] = {}  # the seeded bug ``sends_differences``: what each peer was told
        saved = env.storage.read(FILE)
        if saved:
            self._events, self._saved = json.loads(saved)
            if not self._bugs.clock_forgotten_at_restart:
                self._clock.restore(self._saved)
        env.on("local", self._on_local)
        env.on("tell", self._on_tell)
        env.on("word", self._on_word)

    def status(self) -> dict[str, Any]:
        """What the report shows."""
        return {"events": self._events, "clock": self._clock.reading}

    def _on_local(self, _message: Message) -> Body | Coroutine[Any, Any, Body]:
        return self._asked("local_ok", lambda: self._event(LOCAL, None, self._clock.tick))

    def _on_tell(self, message: Message) -> Body | Coroutine[Any, Any, Body]:
        dest = message["body"].get("to")
        if dest not in self._env.node_ids or dest == self._env.node_id:
            raise Refusal(codes.MALFORMED, f"a message goes to another node, not to {dest!r}")
        return self._asked("tell_ok", lambda: self._tell(dest))

    def _asked(self, type_: str, carry_out: Callable[[], Reading]) -> Body | Coroutine[Any, Any, Body]:
        if not self._bugs.tick_not_atomic:
            return {"type": type_, "clock": carry_out()}

        async def later() -> Body:
            read = self._clock.reading
            await asyncio.sleep(READ_TO_WRITE_S)
            self._clock.restore(read)
            return {"type": type_, "clock": carry_out()}

        return later()

    def _tell(self, dest: str) -> Reading:
        before = self._clock.reading
        name = f"{self._env.node_id}/{self._events + 1}"
        reading = self._event(SEND, name, lambda: None if self._bugs.no_tick_on_send else self._clock.tick())
        stamp = before if self._bugs.stamp_before_tick else reading
        if self._bugs.delivery_counted_at_send:
            self._clock.restore({**reading, dest: reading.get(dest, 0) + 1})
        if self._bugs.sends_differences:
            told, self._told[dest] = self._told.get(dest, {}), stamp
            stamp = {node: number for node, number in stamp.items() if told.get(node) != number}
        self._env.send(dest, {"type": "word", "message": name, "clock": stamp})
        return reading

    def _on_word(self, message: Message) -> None:
        sender, theirs = message["src"], message["body"]["clock"]
        place, latest = self._clock.place(theirs, sender), self._heard.get(sender, 0)
        self._heard[sender] = max(place, latest)
        ignored = self._bugs.late_message_not_counted and place <= latest
        meet = (lambda: None) if ignored else (lambda: self._clock.meet(theirs, sender))
        self._event(RECEIVE, message["body"]["message"], meet)

    def _event(self, kind: str, message: str | None, advance: Callable[[], None]) -> Reading:
        """One event, from the clock to the log; returns its reading. Events are numbered, so that their messages have names."""
        advance()
        self._events += 1
        reading = self._clock.reading
        if not self._bugs.saved_every_tenth or self._events % SAVED_EVERY == 0:
            self._saved = reading
        self._env.storage.replace(FILE, json.dumps([self._events, self._saved]).encode())
        self._env.log("clock", kind=kind, message=message, clock=reading)
        return reading
