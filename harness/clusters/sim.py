"""The simulator: nodes are coroutines on a virtual-time loop, the network, the disks and the clocks are models. No power is missing.

A run is a function of ``spec.seed`` and of what the harness does: the same on every machine, in every process, under every
PYTHONHASHSEED. Nodes share nothing: messages really are encoded and decoded, and a dead node's code never runs again.

The cluster must be used on a ``VirtualTimeLoop`` (``asyncio.Runner(loop_factory=SimCluster.loop_factory)``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import msgspec

from harness import rng
from harness.clusters.channels import Line
from harness.clusters.duty import Pacemaker
from harness.clusters.fabric import probes
from harness.clusters.fabric.links import LAN, Latency, Links
from harness.clusters.fabric.routed import Routed
from harness.clusters.impostor import Impostor, Intrudes
from harness.clusters.last_words import last_words
from harness.clusters.message_log import Arrived, MessageLog
from harness.clusters.named import Named
from harness.clusters.owners import Owner
from harness.clusters.security import Authority
from harness.clusters.sim_disk import Mount
from harness.clusters.sim_node import Life, Node
from harness.clusters.starts import HARNESS, first_answer, not_started
from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.effects import IMPOSTOR, ClockSkew, DiskFault, Link, Unsynced
from harness.errors import ClusterError
from harness.protocols import Body, Channel, ClusterSpec
from harness.registry import load
from targets.node import codes
from targets.node.codecs import DEFAULT, codec_named
from targets.node.guard import TOKENS
from targets.node.runtime import Runtime, World
from targets.node.wallclock import Skew

# The simulated world begins on 2024-01-01T00:00:00Z.
EPOCH_S = 1_704_067_200.0
# A node takes this long from its start to its first message: machines never boot in step.
BOOT_MIN_S, BOOT_MAX_S = 0.005, 0.05
# Clients are much closer to a node than other nodes are, since latency towards the client hides anomalies (Maelstrom's rule); but
# not at no distance: a client that is refused and asks again at once must not stop time.
EDGE_S = 0.0001
# The harness's own line to a node runtime, each way.
ASK_S = 0.0005
# A node that has not answered ``init`` by then is broken.
INIT_S = 10.0
# msgspec encodes more than JSON (sets, dates, bytes), real nodes do not: the first messages of each type are checked strictly.
STRICT_MESSAGES = 32

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class SimCluster(Named[Node], Routed, Intrudes):
    """Satisfies ``Cluster`` and every ``Can*`` power."""

    name = "sim"
    simulated = True  # nothing outside this process is touched, so nothing of a fault can stay behind
    logs_packets = True
    loop_factory = VirtualTimeLoop
    securities = (TOKENS,)

    def __init__(self, spec: ClusterSpec, base: Latency = LAN) -> None:
        self.nodes = tuple(spec.nodes)
        self._spec = spec
        self._links = Links(spec.seed, self.nodes, base, edge_s=EDGE_S)
        self._lines: dict[str, Line] = {}
        self._desk = Line(self._hand_over)
        self._nodes: dict[str, Node] = {}
        self._graves: list[Owner] = []
        self._dice = rng.stream(spec.seed, "sim")
        self._disk_dice = {node: rng.stream(spec.seed, f"disk/{node}") for node in self.nodes}
        self._strict: dict[Any, int] = {}
        self._codec = codec_named(spec.options["codec"]) if spec.options.get("codec", DEFAULT) != DEFAULT else None
        self._began_s = 0.0
        self._messages = MessageLog(spec, lambda: self._loop.time() - self._began_s)
        self._authority = Authority(spec, self.true_s, simulated=True)

    @staticmethod
    def unavailable() -> str | None:
        """Why this cluster cannot run on this machine: None, it needs nothing."""
        return None

    # Lifecycle

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualTimeLoop):
            raise ClusterError(
                "the sim cluster needs virtual time: run it by asyncio.Runner(loop_factory=SimCluster.loop_factory)"
            )
        self._loop = loop
        self._began_s = loop.time()
        self._program = load(self._spec.program)
        logs = self._spec.directory / "nodes"
        self._nodes = {
            name: Node(name, logs / name / "node.log", self.true_s, rng.stream(self._spec.seed, f"disk faults/{name}"))
            for name in self.nodes
        }
        for node in self._nodes.values():
            node.time_s = loop.time
            stop, go = partial(self._act, node, loop.pause), partial(self._act, node, loop.resume)
            node.pacemaker = Pacemaker(loop.time, loop.call_as_root, stop, go)
        log = logs / IMPOSTOR / "node.log"
        self._impostor = Impostor(self._authority, self._line, log, lambda: loop.time() - self._began_s)
        try:
            async with asyncio.TaskGroup() as boots:
                for node in self._nodes.values():
                    boots.create_task(self._boot(node))
        except BaseExceptionGroup as group:
            await self.stop()
            raise group.exceptions[0] from None

    async def stop(self) -> None:
        for node in self._nodes.values():
            node.pacemaker.end()
            if node.life is not None:
                self._end(node, node.life)
            node.flush()
        self._messages.close()
        graves, self._graves = self._graves, []
        for owner in graves:
            self._loop.bury(owner)

    async def _boot(self, node: Node) -> None:
        """One new life, up to its answer to ``init``."""
        await asyncio.sleep(self._dice.uniform(BOOT_MIN_S, BOOT_MAX_S))
        incarnation, node.lives, node.crash = node.lives, node.lives + 1, None
        node.life = life = self._born(node, incarnation)
        node.stalled_until_s = 0.0
        node.pacemaker.reborn()
        why = await first_answer(self._desk.ask, node.name, self.nodes, self._authority.secrets(node.name), INIT_S)
        if why is None:
            return
        if node.life is life:
            self._end(node, life)
        node.flush()
        raise not_started(self._spec.target, node.name, node.why(why), last_words(node.log), node.log)

    def _born(self, node: Node, incarnation: int) -> Life:
        owner = self._loop.owner(node.name, lambda error: runtime.crash(error))  # noqa: PLW0108 - the runtime is made below
        life = Life(owner, Mount(node.disk))
        world = World(
            transmit=self._transmitter(node, owner),
            write=lambda fields: None if owner.dead else self._log(node, fields),
            crashed=lambda error: self._crashed(node, life, error),
            dice=lambda name: rng.stream(self._spec.seed, f"node/{name}/{incarnation}"),
            storage=life.mount,
            clock=node.clock,
            options=dict(self._spec.options),
            incarnation=incarnation,
        )
        life.runtime = runtime = Runtime(self._program, world)
        return life

    def _end(self, node: Node, life: Life) -> None:
        """The life is over, now: nothing of it runs again, and its disk keeps what a disk keeps."""
        self._cut_off(node, life)
        fates = node.disk.crash(self._disk_dice[node.name])
        if fates:
            self._log(node, {"event": "unsynced", "files": fates})

    def _cut_off(self, node: Node, life: Life) -> None:
        node.life = None
        self._loop.kill(life.owner)
        self._graves.append(life.owner)
        life.mount.detach()

    def _crashed(self, node: Node, life: Life, error: BaseException) -> None:
        if node.life is life:
            node.crash = f"failed with {type(error).__name__}: {error}"
            self._end(node, life)

    def _log(self, node: Node, fields: Mapping[str, Any]) -> None:
        node.write(self._loop.time() - self._began_s, fields)

    def true_s(self) -> float:
        return EPOCH_S + self._loop.time()

    # Messages

    def _transmitter(self, node: Node, owner: Owner) -> Callable[[str, Body], None]:
        """What a life of this node sends by. The hot path of every simulation."""
        src, loop, nodes, deliver = node.name, self._loop, self._nodes, self._deliver
        fates, sent = self._links.fates, self._messages.sent

        def transmit(dest: str, body: Body) -> None:
            if owner.parked is None:
                return  # the dead send nothing
            data = self._encoded(src, dest, body)
            now_s = max(loop.time(), node.stalled_until_s)
            target = nodes.get(dest)
            if target is None:
                self._leave(now_s, src, dest, data)
                return
            life, arrived = target.life, sent(src, dest, data)
            for delay_s in fates(src, dest, now_s, len(data)):
                if life is not None:  # a connection dies with its end
                    loop.call_as(life.owner, now_s + delay_s, deliver, life, src, dest, data, arrived)

        return transmit

    def _encoded(self, src: str, dest: str, body: Body) -> bytes:
        kind = (src, body.get("type"))
        left = self._strict.get(kind, STRICT_MESSAGES)
        if left:
            json.dumps(body, allow_nan=False)  # raises what a real node's encoder would raise
            self._strict[kind] = left - 1
        return _encode(body) if self._codec is None else self._codec.encode({"src": src, "dest": dest, "body": body})

    def _decoded(self, data: bytes) -> Body:
        body: Body = _decode(data) if self._codec is None else self._codec.decode(data)["body"]
        return body

    def _deliver(self, life: Life, src: str, dest: str, data: bytes, arrived: Arrived) -> None:
        if self._links.lets_in(src, dest):
            arrived()
            message = {"src": src, "dest": dest, "body": self._decoded(data)}
            life.runtime.receive(message, trusted=src in self._nodes)  # type: ignore[union-attr]  # a life has one from birth on

    def _leave(self, now_s: float, src: str, dest: str, data: bytes) -> None:
        """A message from a node to somebody who is no node: a client, or the harness."""
        body = self._decoded(data)
        if dest == HARNESS:
            self._loop.call_as_root(now_s + ASK_S, self._desk.deliver, body)
            return
        line = self._lines.get(dest)
        if line is not None:
            arrived = self._messages.sent(src, dest, data)
            for delay_s in self._links.fates(src, dest, now_s, len(data)):
                self._loop.call_as_root(now_s + delay_s, self._deliver_to_client, line, src, dest, body, arrived)
        elif "msg_id" in body:
            refusal = {
                "type": "error",
                "in_reply_to": body["msg_id"],
                "code": codes.NODE_NOT_FOUND,
                "text": f"nobody is called {dest!r}",
            }
            self._hand_over(src, refusal)

    def _deliver_to_client(self, line: Line, src: str, client: str, body: Body, arrived: Arrived) -> None:
        if self._links.lets_in(src, client):
            arrived()
            line.deliver(body)

    def _hand_over(self, node: str, body: Body) -> None:
        """From the harness to a node, past the network."""
        life = self._node(node).life
        if life is not None:
            message = {"src": HARNESS, "dest": node, "body": _decode(_encode(body))}
            self._loop.call_as(life.owner, self._loop.time() + ASK_S, life.deliver, message)

    def channel(self, client: str) -> Channel:
        return self._authority.channel(client, self._line(client))

    def _line(self, client: str) -> Line:
        line = self._lines.get(client)
        if line is None:
            line = self._lines[client] = Line(lambda node, body: self._enter(client, node, body))
        return line

    def _enter(self, client: str, node: str, body: Body) -> None:
        """From a client to a node."""
        life = self._node(node).life
        data, now_s = self._encoded(client, node, body), self._loop.time()
        arrived = self._messages.sent(client, node, data)
        for delay_s in self._links.fates(client, node, now_s, len(data)):
            if life is not None:
                self._loop.call_as(life.owner, now_s + delay_s, self._deliver, life, client, node, data, arrived)

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        return await self._desk.ask(node, body, timeout_s)

    # Powers

    def _post(self, link: Link, land: probes.Landed, size: int) -> int:
        """See ``Routed``: for probes; what nodes and clients say takes shorter ways."""
        now_s = self._loop.time()
        fates = self._links.fates(*link, now_s, size)
        for delay_s in fates:
            self._loop.call_as_root(now_s + delay_s, lambda: land(self._links.lets_in(*link)))
        return len(fates)

    async def kill(self, node: str) -> None:
        victim = self._node(node)
        victim.crash = None
        if victim.life is not None:
            self._end(victim, victim.life)

    async def terminate(self, node: str) -> bool:
        victim = self._node(node)
        victim.crash = None
        life = victim.life
        if life is None:
            return True
        asked = not life.owner.stopped  # who stands still hears nothing, and is killed
        if asked:
            victim.disk.settle()  # the runtime's own clean-up: see ``targets.node.stdio``
        self._end(victim, life)
        return asked

    async def restart(self, node: str) -> None:
        fallen = self._node(node)
        if fallen.life is None:
            await self._boot(fallen)

    async def pause(self, node: str) -> None:
        if self._node(node).life is not None:
            self._node(node).pacemaker.pause()

    async def resume(self, node: str) -> None:
        self._node(node).pacemaker.resume()

    async def throttle(self, node: str, share: float) -> None:
        """As on real processes, the node stands still for a part of each period; what it does in the rest takes no time here."""
        self._node(node).pacemaker.throttle(share)

    async def unthrottle(self, node: str) -> None:
        self._node(node).pacemaker.throttle(None)

    async def cpu_share(self, node: str) -> float | None:
        async def runs() -> bool | None:
            life = self._node(node).life
            return not life.owner.stopped if life is not None else None

        return await probes.running_share(runs)

    async def break_disk(self, node: str, faults: Sequence[DiskFault]) -> None:
        self._node(node).disk.rules.set(faults)

    async def damage_disk(self, node: str, fault: DiskFault) -> None:
        self._node(node).disk.damage(fault)

    async def disk_hits(self, node: str, fault: DiskFault) -> int:
        return self._node(node).disk.rules.hits[fault]

    async def lose_power(self, nodes: Sequence[str], fate: str) -> Mapping[str, Sequence[Unsynced]]:
        return self._lose_power(nodes, fate)

    def _lose_power(self, nodes: Sequence[str], fate: str) -> Mapping[str, Sequence[Unsynced]]:
        """At once: it may come in the middle of what a node does."""
        lost = {}
        for node in map(self._node, nodes):
            node.crash = None
            if node.life is not None:
                self._cut_off(node, node.life)
                lost[node.name] = node.disk.lose_power(self._disk_dice[node.name], fate)
                self._log(node, {"event": "power-lost", "fate": fate, "files": list(map(asdict, lost[node.name]))})
        return lost

    def _act(self, node: Node, act: Callable[[Owner], None]) -> None:
        if node.life is not None:
            act(node.life.owner)

    async def skew(self, node: str, skew: ClockSkew) -> None:
        state = self._node(node)
        state.clock.skew = Skew(
            since_s=self.true_s(), offset_s=skew.offset_s, drift=skew.drift, strobe_period_s=skew.strobe_period_s
        )
        self._log(state, {"event": "clock-skewed", **state.clock.skew.fields()})

    async def unskew(self, node: str) -> None:
        state = self._node(node)
        if state.clock.skew is not None:
            state.clock.skew = None
            self._log(state, {"event": "clock-unskewed"})

    async def clock_offset(self, node: str) -> float | None:
        return await probes.clock_offset(self.ask, node, self.true_s)
