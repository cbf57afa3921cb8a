"""Commands to a state machine that all nodes replicate by ``targets.kv.raft``: submitted at any node, carried out by each.

A command that was refused with 11 certainly never takes effect: it was bound to the term of the leader that it was sent to, and a copy that
the network makes of it is recognised there. Any other failure leaves that open. Standard library only: it travels into the node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from targets.kv.raft.bugs import Bugs
from targets.kv.raft.config import Config
from targets.kv.raft.core import Core
from targets.kv.raft.machine import StateMachine
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

# A leader remembers so many requests of its term, so that a copy of one is not carried out.
SEEN_MAX = 10_000


class Copies:
    """Which messages have come before: a network may deliver one twice."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Any], None] = {}

    def is_copy(self, message: Message) -> bool:
        """Whether this very message has come before. One without an id is always new."""
        number = message["body"].get("msg_id")
        name = (message["src"], number)
        if number is None or name not in self._seen:
            self._seen[name] = None
            if len(self._seen) > SEEN_MAX:
                del self._seen[next(iter(self._seen))]
            return False
        return True


class Quorum:
    """One node's door to the replicated machine."""

    def __init__(self, env: Env, machine: StateMachine, options: Mapping[str, Any], bugs: Bugs | None = None) -> None:
        self._env = env
        self.core = Core(env, Config.of(options), bugs or Bugs(), machine)
        self.state = self.core.state
        self._proposed: dict[int, asyncio.Future[Body]] = {}  # index of the entry → what waits for its result
        self._copies = Copies()
        self.core.roles.when_deposed.append(self._deposed)
        self.core.applier.when_applied = self._applied
        env.on("submit", self._on_submit)

    @property
    def leads(self) -> bool:
        """Whether this node decides which command comes next."""
        return self.state.leads

    def start(self) -> None:
        """``init`` has been answered: elections begin."""
        self.core.election.start()

    async def submit(self, command: list[Any], timeout_s: float) -> Body:
        """Have ``command`` carried out, and return its result. Raises Refusal or TimeoutError."""
        state = self.state
        if state.leads:
            return await self._propose(command)
        if state.leader is None:
            raise Refusal(codes.UNAVAILABLE, "this node knows no leader")
        asked = {"type": "submit", "term": state.term, "command": command}
        reply = await self._env.rpc(state.leader, asked, timeout_s)
        result: Body = reply["result"]
        return result

    def propose(self, command: list[Any]) -> None:
        """As the leader, have ``command`` carried out; nobody waits for its result."""
        self.core.replication.propose(command)

    def _on_submit(self, message: Message) -> Coroutine[Any, Any, Body] | None:
        body = message["body"]
        if not self.state.leads or body["term"] != self.state.term:
            raise Refusal(codes.UNAVAILABLE, "this node does not lead that term")
        return None if self._copies.is_copy(message) else self._carried_out(body["command"])

    async def _carried_out(self, command: list[Any]) -> Body:
        return {"type": "submit_ok", "result": await self._propose(command)}

    async def _propose(self, command: list[Any]) -> Body:
        if not self.state.leads:
            raise Refusal(codes.UNAVAILABLE, "this node does not lead any more")
        waiter: asyncio.Future[Body] = asyncio.get_running_loop().create_future()
        self._proposed[self.core.replication.propose(command)] = waiter
        return await waiter

    def _applied(self, index: int, result: Body) -> None:
        waiter = self._proposed.pop(index, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(result)

    def _deposed(self) -> None:
        proposed, self._proposed, self._copies = self._proposed, {}, Copies()
        for waiter in proposed.values():
            if not waiter.done():
                waiter.set_exception(Refusal(codes.TIMEOUT, "the leadership ended before the command was committed"))
