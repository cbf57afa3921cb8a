"""A few nodes on a desk: messages pass from hand to hand, time is turned by hand, links are cut and nodes killed at will. No loop.

Messages take no time, but are delivered only between two steps of 5 ms; what a node sends to another island is lost.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

from harness.clusters.sim_disk import Disk
from targets.kv.primary import Primary
from targets.node.env import Body, Message, Refusal
from tests.targets.kv.raft.desk import DeskEnv

STEP_S = 0.005


class Losing(random.Random):
    """Dice that choose the first fate of unsynced bytes: lost."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


class Cluster:
    """Nodes n1, n2, ... running the program; ``disks`` outlast them. ``copies`` says how often a message between nodes arrives."""

    def __init__(self, nodes: int = 3, mode: str = "sync", **options: Any) -> None:
        self.names = tuple(f"n{number}" for number in range(1, nodes + 1))
        self.options = {"mode": mode, **options}
        self.disks = {name: Disk() for name in self.names}
        self.envs: dict[str, DeskEnv] = {}
        self.programs: dict[str, Primary] = {}
        self.island = dict.fromkeys(self.names, 0)
        self.copies: Callable[[], int] = lambda: 1
        self.dice: random.Random = Losing()
        self.messages = 0
        self.now_s = 100.0
        self._lives, self._msg_ids = itertools.count(), itertools.count(1)
        self._replies: dict[int, Body] = {}
        for name in self.names:
            self.restart(name)

    # Powers

    def kill(self, name: str) -> None:
        del self.envs[name], self.programs[name]
        self.disks[name].crash(self.dice)

    def restart(self, name: str) -> None:
        env = DeskEnv(name, self.names, self.disks[name], dict(self.options))
        env.now_s, env.random = self.now_s, random.Random(f"{name}/{next(self._lives)}")
        self.envs[name], self.programs[name] = env, Primary(env)
        self.programs[name].start()

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
        for name in list(self.envs):
            self._turn(self.envs[name])
        self._deliver()

    def until(self, condition: Callable[[], Any], patience_s: float = 5.0) -> Any:
        """What ``condition`` returns as soon as that is true."""
        for _ in range(round(patience_s / STEP_S)):
            if result := condition():
                return result
            self.step()
        raise AssertionError("it did not come true")

    def _turn(self, env: DeskEnv) -> None:
        while env.timers and env.timers[0][0] <= self.now_s:
            when_s, _, timer = heapq.heappop(env.timers)
            env.now_s = max(env.now_s, when_s)
            if not timer.cancelled:
                timer.callback(*timer.args)
        env.now_s = self.now_s

    def _deliver(self) -> None:
        trays = [(name, env.sent[:]) for name, env in self.envs.items()]
        for env in self.envs.values():
            env.sent.clear()
        for src, tray in trays:
            for dest, body in tray:
                if dest not in self.island:
                    self._replies[body["in_reply_to"]] = body
                    continue
                for _ in range(self.copies() if self.island[dest] == self.island[src] else 0):
                    self.messages += 1
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

    def send(self, node: str, type_: str, **fields: Any) -> int:
        """A request whose answer, if it ever comes, is ``reply`` of the returned number."""
        msg_id = next(self._msg_ids)
        self._hand_over({"src": "c0", "dest": node, "body": {"type": type_, "msg_id": msg_id, **fields}})
        return msg_id

    def reply(self, msg_id: int) -> Body | None:
        return self._replies.get(msg_id)

    def ask(self, node: str, type_: str, *, patience_s: float = 2.0, **fields: Any) -> Body | None:
        """The answer to a request, None if none came in time."""
        msg_id = self.send(node, type_, **fields)
        for _ in range(round(patience_s / STEP_S)):
            self.step()
            if msg_id in self._replies:
                return self._replies[msg_id]
        return None

    def code(self, node: str, type_: str, **fields: Any) -> int | None:
        """The code of the error that answers a request, None if none came in time."""
        answer = self.ask(node, type_, **fields)
        return None if answer is None else int(answer["code"])

    def value(self, node: str, key: str = "x") -> Any:
        """What a read at ``node`` returns."""
        answer = self.ask(node, "read", key=key)
        return None if answer is None else answer.get("value", answer)

    # Looking in

    def primary(self, *among: str) -> str:
        """The node of ``among`` (all) that is primary in the latest epoch and that a majority of all nodes follows; waits for it."""

        def found() -> str | None:
            programs = {name: self.programs[name] for name in among or self.names if name in self.programs}
            last = max(program.state.epoch for program in programs.values())
            for name, program in programs.items():
                followed = sum(other.state.primary == name for other in programs.values())
                if program.state.leads and program.state.epoch == last and 2 * followed > len(self.names):
                    return name
            return None

        return str(self.until(found))

    def agree(self) -> str:
        """The primary that all nodes follow; waits for it."""

        def found() -> str | None:
            followed = {program.state.primary for program in self.programs.values()}
            return followed.pop() if len(followed) == 1 else None

        return str(self.until(found))

    def logs(self) -> list[list[Any]]:
        """The whole entries that each node still has in its log."""
        return [program.replica.log.entries for program in self.programs.values()]

    def events(self, name: str, event: str) -> list[dict[str, Any]]:
        return [fields for said, fields in self.envs[name].logged if said == event]
