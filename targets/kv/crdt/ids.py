"""The node program ``unique-ids``: ids that nobody was given before, without asking anybody.

An id is the node's name, the number of its life and the number of the request in it. The number of the life is on the disk before the
first id of it is given out, so no two lives share one; no clock and no dice are needed. (RFC 9562, section 6.2, on what goes wrong with
clocks: method 1 is the counter within a millisecond, and needs a clock that is never set back.)
"""

from __future__ import annotations

from typing import Any

from targets.kv.crdt.bugs import Bugs
from targets.node.env import Body, Env, Message

FILE = "life"
# The ids of the seeded bug ``short-random``: as many as an optimist would take for plenty.
SHORT = 1 << 22


class Ids:
    """One node. ``life`` counts from 1."""

    def __init__(self, env: Env) -> None:
        self._env, self._bugs = env, Bugs.named(env.options.get("bug"))
        self.life = self._next_life()
        self._given = 0
        self._millisecond = -1
        self._answers: dict[Any, str] = {}
        env.on("generate", self._on_generate)

    def status(self) -> dict[str, Any]:
        """What the report shows."""
        return {"life": self.life, "given": self._given}

    def _next_life(self) -> int:
        storage, bugs = self._env.storage, self._bugs
        if bugs.life_unsynced:  # every life appends a byte, which is on the disk some time later
            storage.append(FILE, b"1")
            return len(storage.read(FILE))
        life = 1 + int(storage.read(FILE) or b"0")
        if not bugs.life_forgotten:
            storage.replace(FILE, str(life).encode())
        return life

    def _on_generate(self, message: Message) -> Body:
        if self._bugs.cached_by_message:
            name = message["body"].get("msg_id")
            return {"type": "generate_ok", "id": self._answers.setdefault(name, self._fresh())}
        return {"type": "generate_ok", "id": self._fresh()}

    def _fresh(self) -> str:
        self._given += 1
        if self._bugs.short_random:
            return f"{self._env.random.randrange(SHORT):06x}"
        if self._bugs.clock_steps_back:
            millisecond = int(self._env.wall_time() * 1000)
            self._given = self._given if millisecond == self._millisecond else 0
            self._millisecond = millisecond
            return f"{self._env.node_id}-{millisecond}-{self._given}"
        name = "" if self._bugs.nameless else f"{self._env.node_id}-"
        return f"{name}{self.life}-{self._given}"
