"""Classic mirrored queues: a master orders the commands, its mirrors repeat them, and everybody judges by itself who is alive.

No consensus. A master numbers commands and sends them to its mirrors; a command is confirmed when all mirrors that the master takes for
alive and that are in step have it. Who hears of no master for ``tick_s`` makes master, of those whom it hears, the one that has come
furthest; every reign has a number. So a partition has a master on each side:

* "autoheal": both serve. When they hear each other again, the side of fewer nodes gives in (RabbitMQ restarts it): it takes over the other
  side's state, and what it had confirmed meanwhile is gone;
* "pause-minority": who hears no majority pauses: it serves nobody, and confirms nothing.

Source: RabbitMQ, Classic Mirrored Queues and Clustering and Network Partitions.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.node.records import frame, unframe
from targets.queue.broker.bugs import Bugs
from targets.queue.broker.config import PAUSE_MINORITY, Config
from targets.queue.broker.machine import Queues
from targets.queue.quorum import Copies

FILE = "mirror"
BATCH_MAX = 64  # commands in one message
KEPT_MAX = 2000  # commands that a master keeps for mirrors that lag; who lags further gets the whole state
REWRITE = 500  # commands in the file before it is replaced by the state


Reign = list[Any]  # [count, master]: which reign it is, and whose


@dataclass(slots=True)
class _Peer:
    """What this node knows of another one: when it was heard, whom it follows, how far it is; of a mirror, up to where it is in step."""

    heard_s: float = float("-inf")
    reign: Reign = field(default_factory=lambda: [0, ""])
    number: int = 0
    master: str | None = None
    members: int = 0  # how many nodes it hears, itself included
    in_step: int = -1  # the last command that it has confirmed to this master; -1: it has not begun
    sent: int = -1  # the last command that was sent to it
    sent_s: float = float("-inf")


class Mirrors:
    """One node's part. Satisfies ``targets.queue.broker.serving.Replicated``."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, queues: Queues) -> None:
        self._env, self._config, self._bugs, self._queues = env, config, bugs, queues
        self._peers = {name: _Peer() for name in env.node_ids if name != env.node_id}
        self.reign: Reign = [0, ""]
        self.number = 0  # of the last command that was carried out here
        self.master: str | None = None
        self._master_s = float("-inf")  # when it was last heard, or when this node began to wait for one
        self._kept: list[tuple[int, list[Any]]] = []  # (number, command), of this node's reign
        self._waiting: dict[
            int, tuple[asyncio.Future[Body], Body]
        ] = {}  # number → who waits for mirrors, and the result
        self._copies = Copies()
        self._in_file = 0
        self._load()
        for name in ("beat", "mirror", "mirrored", "state"):
            env.on(name, getattr(self, f"_on_{name}"))
        env.on("submit", self._on_submit)

    # What serves clients

    @property
    def leads(self) -> bool:
        """Whether this node is a master that may serve."""
        return self.master == self._env.node_id and not self.paused

    @property
    def paused(self) -> bool:
        """Whether this node hears too few to go on."""
        pauses = self._config.partition == PAUSE_MINORITY and not self._bugs.minority_serves
        return pauses and 2 * len(self._alive()) <= len(self._env.node_ids)

    async def submit(self, command: list[Any], timeout_s: float) -> Body:
        """Have ``command`` carried out, and return its result. Raises Refusal or TimeoutError."""
        if self.leads:
            return await self._carry_out(command)
        if self.master is None or self.master == self._env.node_id or self.paused:
            raise Refusal(codes.UNAVAILABLE, "this node knows no master that serves")
        asked = {"type": "submit", "reign": self.reign, "command": command}
        reply = await self._env.rpc(self.master, asked, timeout_s)
        result: Body = reply["result"]
        return result

    def _on_submit(self, message: Message) -> Coroutine[Any, Any, Body] | None:
        if not self.leads or message["body"]["reign"] > self.reign:
            raise Refusal(codes.TIMEOUT, "this node is no master, as far as it knows")
        return None if self._copies.is_copy(message) else self._answer(message["body"]["command"])

    async def _answer(self, command: list[Any]) -> Body:
        return {"type": "submit_ok", "result": await self._carry_out(command)}

    async def _carry_out(self, command: list[Any]) -> Body:
        if not self.leads:
            raise Refusal(codes.UNAVAILABLE, "this node does not serve any more")
        number = self.number + 1
        result = self._apply(number, command)
        self._kept.append((number, command))
        del self._kept[:-KEPT_MAX]
        for name in self._peers:
            self._send_to(name)
        if self._bugs.confirm_before_mirrors:
            return result
        waiter: asyncio.Future[Body] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (waiter, result)
        self._confirm()
        return await waiter

    def _confirm(self) -> None:
        """Answer what all mirrors have that are alive and in step."""
        if self.paused:
            return
        alive = self._alive()
        mirrors = [peer.in_step for name, peer in self._peers.items() if name in alive and peer.in_step >= 0]
        reached = min([self.number, *mirrors])
        for number in [number for number in self._waiting if number <= reached]:
            waiter, result = self._waiting.pop(number)
            if not waiter.done():
                waiter.set_result(result)

    # Time

    async def live(self) -> None:
        """For ever: say that this node lives, see who else does, and act on it."""
        env = self._env
        self._master_s = env.monotonic()
        while True:
            for name in self._peers:
                env.send(name, self._beat())
            self._see_to_a_master()
            if self.leads:
                for name, peer in self._peers.items():
                    if peer.in_step < self.number:
                        self._send_to(name)
                self._confirm()
            await asyncio.sleep(self._config.beat_s)

    def _alive(self) -> list[str]:
        since_s = self._env.monotonic() - self._config.tick_s
        return [self._env.node_id, *(name for name, peer in self._peers.items() if peer.heard_s >= since_s)]

    def _see_to_a_master(self) -> None:
        env, alive = self._env, self._alive()
        for name, peer in self._peers.items():
            if name not in alive:
                peer.in_step = -1
        if self.paused:
            self._resign("it hears a minority only")
        elif self.master in alive:
            self._master_s = env.monotonic()
        elif env.monotonic() - self._master_s > self._config.tick_s:
            self.master = None
            states = {name: (peer.reign, peer.number) for name, peer in self._peers.items() if name in alive}
            states[env.node_id] = (self.reign, self.number)
            if max(alive, key=lambda name: (states[name], name)) == env.node_id:
                self._become_master()

    def _become_master(self) -> None:
        env = self._env
        count = max([self.reign[0], *(peer.reign[0] for peer in self._peers.values())])
        self.reign = [count + 1, env.node_id]
        self.master, self._kept = env.node_id, []
        for peer in self._peers.values():
            peer.in_step = -1
        env.log("master", reign=self.reign, number=self.number)
        self._save()
        if self._bugs.redelivery_lost_on_failover:
            self._apply(self.number + 1, ["forget"])

    def _resign(self, why: str) -> None:
        if self.master == self._env.node_id:
            self._env.log("resigns", why=why, reign=self.reign, number=self.number)
        self.master = None
        waiting, self._waiting = self._waiting, {}
        for waiter, _ in waiting.values():
            if not waiter.done():
                waiter.set_exception(Refusal(codes.TIMEOUT, why))

    # Between nodes

    def _beat(self) -> Body:
        return {
            "type": "beat",
            "reign": self.reign,
            "number": self.number,
            "master": self.master,
            "members": len(self._alive()),
        }

    def _on_beat(self, message: Message) -> None:
        body, name, env = message["body"], message["src"], self._env
        peer = self._peers[name]
        peer.heard_s = env.monotonic()
        peer.reign, peer.number, peer.master = body["reign"], body["number"], body["master"]
        peer.members = body["members"]
        if self.paused:
            return
        if name == self.master:
            self.master = peer.master  # itself, or whom it has given in to
        elif peer.master != name:
            return
        elif self.master == env.node_id:
            # Two masters: "the winning partition is the one which has the most clients connected", and here the most nodes.
            if (peer.members, peer.reign, name) > (len(self._alive()), self.reign, env.node_id):
                self._resign(f"{name} is master of more nodes")
                self.master = name
        elif self.master is None or peer.reign > self.reign:
            self.master = name

    def _send_to(self, name: str) -> None:
        """Commands that the mirror lacks, or the whole state."""
        peer = self._peers[name]
        if name not in self._alive():
            return
        now_s = self._env.monotonic()
        late = now_s - peer.sent_s > self._config.beat_s
        first = self._kept[0][0] if self._kept else self.number + 1
        body: Body = {"reign": self.reign}
        if peer.in_step < 0 or peer.in_step + 1 < first:
            if not late:
                return  # the state is on its way, and too large to be repeated with every command
            body |= {"type": "state", "number": self.number, "dump": self._queues.dump()}
            peer.sent = self.number
        else:
            known = peer.in_step if late else max(peer.in_step, peer.sent)
            entries = [entry for entry in self._kept if entry[0] > known][:BATCH_MAX]
            if not entries:
                return
            body |= {"type": "mirror", "entries": entries}
            peer.sent = entries[-1][0]
        peer.sent_s = now_s
        self._env.send(name, body)

    def _follows(self, message: Message) -> bool:
        return self.master == message["src"] and not self.paused

    def _on_mirror(self, message: Message) -> Body | None:
        body = message["body"]
        if not self._follows(message) or body["reign"] != self.reign:
            return None
        for number, command in body["entries"]:
            if number == self.number + 1:
                self._apply(number, command)
        self._env.send(message["src"], {"type": "mirrored", "reign": self.reign, "number": self.number})
        return None

    def _on_state(self, message: Message) -> None:
        body = message["body"]
        behind = body["reign"] != self.reign or body["number"] > self.number
        if not self._follows(message):
            return
        if behind:
            self._env.log("takes-state", of=message["src"], reign=body["reign"], number=body["number"], had=self.number)
            self.reign, self.number = body["reign"], body["number"]
            self._queues.load(body["dump"])
            self._save()
        self._env.send(message["src"], {"type": "mirrored", "reign": self.reign, "number": self.number})

    def _on_mirrored(self, message: Message) -> None:
        body, peer = message["body"], self._peers[message["src"]]
        if self.leads and body["reign"] == self.reign:
            peer.in_step = max(peer.in_step, body["number"])
            self._confirm()

    # The disk

    def _apply(self, number: int, command: list[Any]) -> Body:
        """Carry out a command, durably."""
        self.number = number
        storage = self._env.storage
        storage.append(FILE, frame(json.dumps([number, command]).encode()))
        if not self._bugs.confirm_before_durable:
            storage.sync(FILE)
        result = self._queues.apply(command)
        self._in_file += 1
        if self._in_file >= REWRITE:
            self._save()
        return result

    def _save(self) -> None:
        state = {"reign": self.reign, "number": self.number, "dump": self._queues.dump()}
        self._env.storage.replace(FILE, frame(json.dumps(state).encode()))
        self._in_file = 0

    def _load(self) -> None:
        data = self._env.storage.read(FILE)
        payloads, taken = unframe(data)
        if taken < len(data):
            self._env.storage.replace(FILE, data[:taken])
        for payload in payloads:
            found = json.loads(payload)
            if isinstance(found, dict):
                self.reign, self.number = found["reign"], found["number"]
                self._queues.load(found["dump"])
            else:
                self.number = found[0]
                self._queues.apply(found[1])
