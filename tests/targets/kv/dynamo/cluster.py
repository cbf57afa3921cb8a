"""A few nodes of kv/dynamo on a desk: messages pass from hand to hand, time is turned by hand, links are cut and nodes killed at will.

Messages take no time, but are delivered only between two steps of 5 ms; what a node sends to another island is lost.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

from harness.clusters.sim_disk import Disk
from targets.kv.dynamo import Dynamo
from targets.node.env import Body, Message, Refusal
from tests.targets.kv.raft.desk import DeskEnv

STEP_S = 0.005


class Losing(random.Random):
    """Dice that choose the first fate of unsynced bytes: lost."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


class Cluster:
    """Nodes n1, n2, ... running the program; ``disks`` outlast them. ``skew_s``: how wrong each wall clock is."""

    def __init__(self, nodes: int = 5, **options: Any) -> None:
        self.names = tuple(f"n{number}" for number in range(1, nodes + 1))
        self.options = options
        self.disks = {name: Disk() for name in self.names}
        self.envs: dict[str, DeskEnv] = {}
        self.programs: dict[str, Dynamo] = {}
        self.island = dict.fromkeys(self.names, 0)
        self.skew_s = dict.fromkeys(self.names, 0.0)
        self.lost: Callable[[str, str, Body], bool] = lambda _src, _dest, _body: False
        self.now_s = 100.0
        self._lives, self._msg_ids = itertools.count(), itertools.count(1)
        self._replies: dict[int, Body] = {}
        for name in self.names:
            self.restart(name)
        self.run(0.5)  # gossip has gone round

    # Powers

    def kill(self, name: str) -> None:
        del self.envs[name], self.programs[name]
        self.disks[name].crash(Losing())

    def restart(self, name: str) -> None:
        env = DeskEnv(name, self.names, self.disks[name], dict(self.options))
        env.now_s, env.random, env.skew_s = self.now_s, random.Random(f"{name}/{next(self._lives)}"), self.skew_s[name]
        self.envs[name], self.programs[name] = env, Dynamo(env)
        self.programs[name].start()

    def skew(self, name: str, offset_s: float) -> None:
        self.skew_s[name] = self.envs[name].skew_s = offset_s

    def split(self, *groups: tuple[str, ...]) -> None:
        """Each group is an island; the nodes of none are one together."""
        self.island = {name: next((n for n, group in enumerate(groups, 1) if name in group), 0) for name in self.names}

    def heal(self) -> None:
        self.split()
        for name in self.names:
            if name not in self.envs:
                self.restart(name)

    # Time

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.step()

    def step(self) -> None:
        self.now_s += STEP_S
        for env in list(self.envs.values()):
            while env.timers and env.timers[0][0] <= self.now_s:
                when_s, _, timer = heapq.heappop(env.timers)
                env.now_s = max(env.now_s, when_s)
                if not timer.cancelled:
                    timer.callback(*timer.args)
            env.now_s = self.now_s
        self._deliver()

    def _deliver(self) -> None:
        trays = [(name, env.sent[:]) for name, env in self.envs.items()]
        for env in self.envs.values():
            env.sent.clear()
        for src, tray in trays:
            for dest, body in tray:
                if dest not in self.island:
                    self._replies[body["in_reply_to"]] = body
                elif self.island[dest] == self.island[src] and not self.lost(src, dest, body):
                    self._hand_over({"src": src, "dest": dest, "body": body})

    def _hand_over(self, message: Message) -> None:
        env = self.envs.get(message["dest"])
        if env is None:
            return
        try:
            answer = env.handlers[message["body"]["type"]](message)
        except Refusal as refusal:
            answer = {"type": "error", "code": refusal.code, "text": refusal.text}
        if answer is not None:
            assert isinstance(answer, dict)
            env.reply(message, answer)

    # Clients

    def ask(self, node: str, type_: str, *, patience_s: float = 2.0, **fields: Any) -> Body:
        """The answer to a request; an error is an answer. Raises AssertionError if none comes."""
        msg_id = next(self._msg_ids)
        self._hand_over({"src": "c0", "dest": node, "body": {"type": type_, "msg_id": msg_id, **fields}})
        for _ in range(round(patience_s / STEP_S)):
            self.step()
            if msg_id in self._replies:
                return self._replies[msg_id]
        raise AssertionError(f"{node} did not answer")

    def values(self, node: str, key: str = "x") -> list[Any]:
        """What a read at ``node`` returns, in a fixed order."""
        return sorted(self.ask(node, "read", key=key)["values"], key=str)

    def context(self, node: str, key: str = "x") -> Any:
        return self.ask(node, "read", key=key)["context"]

    def write(self, node: str, value: Any, *, key: str = "x", knowing: str | None = None) -> Body:
        """A write at ``node`` by a client that has read the key at ``knowing`` (the same node)."""
        return self.ask(node, "write", key=key, value=value, context=self.context(knowing or node, key))

    # Looking in

    def homes(self, key: str = "x") -> tuple[str, ...]:
        """The homes of a key, and behind them the other nodes, in the order in which they stand in."""
        any_of_them = next(iter(self.programs.values()))
        return any_of_them.ring.preference(f'"{key}"')

    def copy(self, node: str, key: str = "x") -> Any:
        """The node's own copy."""
        return self.programs[node].store.get(key)

    def hints(self, node: str) -> dict[str, int]:
        found: dict[str, int] = self.programs[node].status()["hints"]
        return found
