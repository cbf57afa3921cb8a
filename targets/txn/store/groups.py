"""The Raft groups of a node, one for each shard that it holds, and calls to any group from any node.

A call is repeated, at one replica after another, until one that leads has carried it out or time is over: commands may come twice. Who
gets no answer does not know whether its call was carried out, or will be.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

from targets.kv.raft.machine import StateMachine
from targets.node.env import Body, Env, Handler, Message, Refusal, Storage, Timer
from targets.queue.quorum import Quorum
from targets.txn.store.bugs import Bugs
from targets.txn.store.config import ATTEMPT_S
from targets.txn.store.placement import Placement
from targets.txn.store.shard import Shard

# Between rounds through all replicas there is a pause.
PAUSE_MIN_S, PAUSE_MAX_S = 0.02, 0.06


class GroupStorage:
    """The files of one group: a node's files whose names begin with the group's. A ``Storage``."""

    def __init__(self, storage: Storage, group: str) -> None:
        self._storage, self._group = storage, group

    def append(self, name: str, data: bytes) -> None:
        self._storage.append(f"{self._group}.{name}", data)

    def sync(self, name: str) -> None:
        self._storage.sync(f"{self._group}.{name}")

    def read(self, name: str) -> bytes:
        return self._storage.read(f"{self._group}.{name}")

    def replace(self, name: str, data: bytes) -> None:
        self._storage.replace(f"{self._group}.{name}", data)


class GroupEnv:
    """The world as one group of a node sees it: only its members, its own messages, its own files. An ``Env``."""

    def __init__(self, env: Env, group: str, members: tuple[str, ...]) -> None:
        self._env, self._group = env, group
        self.node_id, self.node_ids, self.options = env.node_id, members, env.options
        self.random: random.Random = env.random
        self.storage: Storage = GroupStorage(env.storage, group)
        self.reply, self.call_later, self.spawn = env.reply, env.call_later, env.spawn
        self.wall_time, self.monotonic = env.wall_time, env.monotonic

    def on(self, type_: str, handler: Handler) -> None:
        self._env.on(f"{self._group}.{type_}", handler)

    def send(self, dest: str, body: Body) -> None:
        self._env.send(dest, {**body, "type": f"{self._group}.{body['type']}"})

    async def rpc(self, dest: str, body: Body, timeout_s: float) -> Body:
        return await self._env.rpc(dest, {**body, "type": f"{self._group}.{body['type']}"}, timeout_s)

    def log(self, event: str, **fields: Any) -> None:
        self._env.log(event, group=self._group, **fields)

    reply: Callable[[Message, Body], None]
    call_later: Callable[..., Timer]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    wall_time: Callable[[], float]
    monotonic: Callable[[], float]


class Groups:
    """``quorums`` and ``machines``: those of this node, by the group's name."""

    def __init__(self, env: Env, placement: Placement, machine_of: Callable[[str], StateMachine], bugs: Bugs) -> None:
        self._env, self._placement, self._bugs = env, placement, bugs
        mine = {name: members for name, members in placement.groups.items() if env.node_id in members}
        self.machines = {name: machine_of(name) for name in mine}
        self.quorums = {
            name: Quorum(GroupEnv(env, name, members), self.machines[name], env.options)
            for name, members in mine.items()
        }
        self.when_voted: Callable[[str, str], None] = (
            _nothing  # (shard, txn): this node leads, and has answered a prepare
        )
        self.has_led: Callable[[str, str], bool] = (
            _never  # (shard, txn): this node leads, and has done so since the vote
        )
        self._leaders = {name: members[0] for name, members in placement.groups.items()}  # who led when last called
        self._unlogged: dict[str, list[Any]] = {}
        env.on("ask", self._on_ask)

    def start(self) -> None:
        """``init`` has been answered: elections begin."""
        for quorum in self.quorums.values():
            quorum.start()

    async def call(self, group: str, command: list[Any], timeout_s: float) -> Body:
        """Have ``group`` carry out ``command``, and return the result. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                members = self._placement.groups[group]
                first = members.index(self._leaders[group])
                if self._bugs.stale_reads:
                    first = self._env.random.randrange(len(members))
                for node in (*members[first:], *members[:first]):
                    reply = await self._attempt(node, group, command)
                    if "result" in reply:
                        self._leaders[group] = node
                        return dict(reply["result"])
                    if reply["leader"] in members:  # it knows better; try there next time
                        self._leaders[group] = reply["leader"]
                await asyncio.sleep(self._env.random.uniform(PAUSE_MIN_S, PAUSE_MAX_S))

    async def _attempt(self, node: str, group: str, command: list[Any]) -> Body:
        """{"result"}, or {"leader"}: there is none here, but perhaps there."""
        try:
            if node == self._env.node_id:
                async with asyncio.timeout(ATTEMPT_S):
                    return await self._serve(group, command)
            return await self._env.rpc(node, {"type": "ask", "group": group, "command": command}, ATTEMPT_S)
        except (Refusal, TimeoutError):
            return {"leader": None}

    async def _on_ask(self, message: Message) -> Body:
        body = message["body"]
        return {"type": "ask_ok", **await self._serve(body["group"], body["command"])}

    async def _serve(self, group: str, command: list[Any]) -> Body:
        quorum, machine = self.quorums[group], self.machines[group]
        if command[0] == "read" and self._bugs.stale_reads and isinstance(machine, Shard):
            return {"result": machine.read(*command[1:])}
        if not quorum.leads:
            return {"leader": quorum.state.leader}
        if self._bugs.prepare_not_logged:
            if command[0] == "prepare":
                self._unlogged[command[1]] = command
                return {"result": machine.apply(command)}
            if command[0] == "decide" and command[1] in self._unlogged:
                await quorum.submit(self._unlogged.pop(command[1]), ATTEMPT_S)
        state, term = quorum.state, quorum.state.term
        result = await quorum.submit(command, ATTEMPT_S)
        if command[0] == "prepare" and state.leads and state.term == term:
            self.when_voted(group, command[1])
        if command[0] == "inquire":
            result = {**result, "lived": self.has_led(group, command[1])}
        return {"result": result}


def _nothing(*_: object) -> None:
    """What is called where nobody wants to know."""


def _never(*_: object) -> bool:
    """What is answered where nobody remembers."""
    return False
