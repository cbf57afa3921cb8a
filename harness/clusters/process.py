"""The process cluster: nodes are child processes on standard input and output, the network is a router in this process.

Hosts ``python -m targets.node`` and, with another ``argv``, any binary that speaks Maelstrom's protocol. Kill is SIGKILL, pause is
SIGSTOP, both real; cuts and shapes are the router's; clocks are skewed by the node runtime on request.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from harness import clock
from harness.clusters import codecs
from harness.clusters.channels import Line
from harness.clusters.child import Child
from harness.clusters.duty import Pacemaker
from harness.clusters.fabric import probes
from harness.clusters.fabric.links import NONE, Links
from harness.clusters.fabric.routed import Routed
from harness.clusters.guardian import Guardian
from harness.clusters.impostor import Impostor, Intrudes
from harness.clusters.last_words import last_words, note_crash
from harness.clusters.message_log import Arrived, MessageLog
from harness.clusters.named import Named
from harness.clusters.process_node import Node, environment, is_running
from harness.clusters.security import Authority
from harness.clusters.starts import (
    GRACE_S,
    HARNESS,
    LINE_SHOWN,
    SKEW_S,
    NodeStart,
    first_answer,
    not_started,
    python_node,
)
from harness.effects import IMPOSTOR, ClockSkew, Link
from harness.errors import TargetError
from harness.protocols import Body, Channel, ClusterSpec, NotSent
from targets.node import codes
from targets.node.codecs import Malformed
from targets.node.guard import TOKENS
from targets.node.wallclock import Skew

Argv = Callable[[NodeStart], Sequence[str]]
# Something that answers nodes and is none: (who asks, body) → the answer's body.
Service = Callable[[str, Body], Body]


class ProcessCluster(Named[Node], Routed, Intrudes):
    """Nodes as child processes on pipes, real signals, the network in this process. Needs nothing; any POSIX system."""

    name = "process"
    logs_packets = True
    loop_factory = None
    securities = (TOKENS,)

    def __init__(
        self,
        spec: ClusterSpec,
        argv: Argv = python_node,
        *,
        latency_s: Callable[[], float] | None = None,
        services: Mapping[str, Service] | None = None,
        wire: codecs.Wire | None = None,
    ) -> None:
        """``latency_s`` is thrown for every message between nodes and services; messages may overtake one another then. ``services``
        are reached under their names by nodes. ``wire``: how nodes' pipes are written, if not as the run's options say.
        """
        self.nodes = tuple(spec.nodes)
        self._spec, self._argv = spec, argv
        self._latency_s, self._services = latency_s, services or {}
        self._wire = wire or codecs.wire(spec.options)
        self._links = Links(spec.seed, self.nodes, NONE)
        self._aloft: dict[Link, int] = {}  # messages that a timer holds
        self._lines: dict[str, Line] = {}
        self._desk = Line(self._hand_over)
        self._nodes = {name: Node(name, (spec.directory / "nodes" / name).absolute()) for name in self.nodes}
        self._guardian: Guardian | None = None  # from the first node on until the last
        self._violation: TargetError | None = None
        self._began_s = 0.0
        self._messages = MessageLog(spec, lambda: asyncio.get_running_loop().time() - self._began_s)
        self._authority = Authority(spec)

    @staticmethod
    def unavailable() -> str | None:
        """Why this cluster cannot run on this machine, or None."""
        return None if os.name == "posix" else "the process cluster needs POSIX signals and process groups"

    # Lifecycle

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._began_s = loop.time()
        await self._lay_lines()
        for node in self._nodes.values():
            stop, go = partial(node.signal, signal.SIGSTOP), partial(node.signal, signal.SIGCONT)
            node.pacemaker = Pacemaker(loop.time, loop.call_at, stop, go)
        log = self._spec.directory / "nodes" / IMPOSTOR / "node.log"
        self._impostor = Impostor(self._authority, self._line, log, lambda: loop.time() - self._began_s)
        try:
            async with asyncio.TaskGroup() as boots:
                for node in self._nodes.values():
                    boots.create_task(self._boot(node))
        except BaseExceptionGroup as group:
            await self._kill_all()
            raise group.exceptions[0] from None
        except BaseException:
            await self._kill_all()
            raise

    async def _lay_lines(self) -> None:
        """What must be there before any node is. Raises OSError."""

    async def stop(self) -> None:
        await self._kill_all()
        violation, self._violation = self._violation, None
        if violation is not None:
            raise violation

    async def _kill_all(self) -> None:
        for node in self._nodes.values():
            node.pacemaker.end()
        try:
            async with asyncio.TaskGroup() as ends:
                for node in self._nodes.values():
                    if node.child is not None:
                        ends.create_task(node.child.kill())
        finally:
            guardian, self._guardian = self._guardian, None
            if guardian is not None:
                guardian.dismiss()
            self._messages.close()

    async def _boot(self, node: Node) -> None:
        """One new life, up to its answer to ``init``."""
        node.directory.mkdir(parents=True, exist_ok=True)
        incarnation, node.lives, node.crash, node.up = node.lives, node.lives + 1, None, False
        node.asked = False
        start = NodeStart(
            spec=self._spec,
            node=node.name,
            data=node.directory / "data",
            incarnation=incarnation,
            epoch_s=self._began_s,
            skew=node.skew,
        )
        child = Child(lambda line: self._from_node(node, line), lambda status: self._ended(node, status))
        await child.spawn(
            self._argv(start), directory=node.directory, log=node.log, env=environment(), guardian=self._guarded()
        )
        node.child = child
        node.pacemaker.reborn()
        why = await first_answer(self._desk.ask, node.name, self.nodes, self._authority.secrets(node.name))
        if why is None:
            node.up = True
            return
        await child.kill()
        if self._violation is not None:
            raise self._violation
        raise not_started(self._spec.target, node.name, node.why(why), last_words(node.log), node.log)

    def _guarded(self) -> Guardian:
        if self._guardian is None:
            self._guardian = Guardian()
        return self._guardian

    def _ended(self, node: Node, status: int) -> None:
        """The process is gone and reaped, killed by us or by its own doing."""
        was_up, node.child, node.up = node.up, None, False
        if status != -signal.SIGKILL and node.crash is None:
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            node.crash = f"ended {how}"
            if was_up and not node.asked:  # it failed while it was being judged; whoever judges the run reads its log
                note_crash(node.log, f"it {node.crash}", asyncio.get_running_loop().time() - self._began_s)
        for line in (self._desk, *self._lines.values()):
            line.hang_up(node.name)

    def runs(self, node: str) -> bool | None:
        """Whether the node's process is running, as seen from outside: False while it is stopped; None if it is dead."""
        child = self._node(node).child
        return is_running(child.pid) if child is not None and child.running else None

    # Messages

    def _from_node(self, node: Node, line: bytes) -> None:
        """A line that a node wrote on its standard output."""
        try:
            src, dest, raw = self._wire.frame(line)
            body = None if dest in self._nodes else self._wire.body(raw)
        except Malformed as error:
            self._violate(node, line, str(error))
            return
        if src != node.name:
            self._violate(node, line, f"its src is {src!r}")
            return
        if body is None:
            target, link = self._nodes[dest], (src, dest)
            land = self._noted(link, line, lambda entered: self._enter(target, line, entered=entered))
            self._travel(lambda: self._post(link, land, len(line)))
        elif dest in self._services:
            arrived = self._messages.sent(src, dest, line)
            self._travel(lambda: self._serve(dest, src, body, arrived))
        else:
            self._leave(src, dest, body, line)

    def _travel(self, arrive: Callable[[], object]) -> None:
        """``arrive`` after the base latency of the network, if it has one."""
        if self._latency_s is None:
            arrive()
        else:
            asyncio.get_running_loop().call_later(self._latency_s(), arrive)

    def _serve(self, name: str, node: str, body: Body, arrived: Arrived) -> None:
        """A service answers at once; the answer travels back. What carries no message id wants no answer."""
        arrived()
        answer = self._services[name](node, body)
        if "msg_id" in body:
            line = self._wire.encode({"src": name, "dest": node, "body": {**answer, "in_reply_to": body["msg_id"]}})
            land = self._noted((name, node), line, lambda entered: self._enter(self._node(node), line, entered=entered))
            self._travel(lambda: land(True))

    def _violate(self, node: Node, line: bytes, why: str) -> None:
        """The node does not speak the protocol: nothing that it says can be judged. It ends, and the run with it."""
        shown = line[:LINE_SHOWN].decode(errors="replace")
        node.crash = f"wrote a line that is no message ({why}): {shown!r}"
        if self._violation is None:
            right = f'{{"src": "{node.name}", "dest": ..., "body": {{"type": ...}}}}'
            self._violation = TargetError(
                f"node {node.name} of {self._spec.target} broke the protocol: it {node.crash}; each line of standard output must be "
                f"one message, {right}, and all else belongs on standard error"
            )
        if node.child is not None:
            node.child.signal(signal.SIGKILL)

    def _leave(self, src: str, dest: str, body: Body, line: bytes) -> None:
        """A message from a node to somebody who is no node: a client, or the harness."""
        client = self._lines.get(dest)
        if dest == HARNESS:
            self._desk.deliver(body)
        elif client is not None:
            land = self._noted((src, dest), line, lambda entered: client.deliver(body) if entered else None)
            self._post((src, dest), land, len(line))
        elif "msg_id" in body:
            refusal = {"type": "error", "code": codes.NODE_NOT_FOUND, "text": f"nobody is called {dest!r}"}
            self._hand_over(src, {**refusal, "in_reply_to": body["msg_id"]})

    def _enter(self, node: Node, line: bytes, *, entered: bool) -> None:
        if entered and node.child is not None:
            node.child.write(line + b"\n")

    def _noted(self, link: Link, line: bytes, land: probes.Landed) -> probes.Landed:
        """The same landing, of a message that the packet log, if there is one, tells of."""
        arrived = self._messages.sent(*link, line)

        def landed(entered: bool) -> None:
            receiver = self._nodes.get(link[1])
            if entered and (receiver is None or receiver.child is not None):
                arrived()
            land(entered)

        return landed

    def _post(self, link: Link, land: probes.Landed, size: int) -> int:
        """See ``Routed``."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        fates = self._links.fates(*link, now_s, size)
        for delay_s in fates:
            if delay_s <= 0 and not self._aloft.get(link):
                land(self._links.lets_in(*link))
            else:  # also without delay behind one that waits for its timer: it must not overtake
                self._aloft[link] = self._aloft.get(link, 0) + 1
                loop.call_at(now_s + delay_s, self._land, link, land)
        return len(fates)

    def _land(self, link: Link, land: probes.Landed) -> None:
        self._aloft[link] -= 1
        land(self._links.lets_in(*link))

    def _hand_over(self, node: str, body: Body) -> None:
        """From the harness to a node, past the network."""
        self._enter(self._node(node), self._wire.encode({"src": HARNESS, "dest": node, "body": body}), entered=True)

    def channel(self, client: str) -> Channel:
        return self._authority.channel(client, self._line(client))

    def _line(self, client: str) -> Channel:
        line = self._lines.get(client)
        if line is None:
            line = self._lines[client] = Line(lambda node, body: self._from_client(client, node, body))
        return line

    def _from_client(self, client: str, name: str, body: Body) -> None:
        self._raise_violation()
        node = self._node(name)
        if not node.up or node.child is None or not node.child.running:
            raise NotSent(f"node {name} is down")
        line = self._wire.encode({"src": client, "dest": name, "body": body})
        land = self._noted((client, name), line, lambda entered: self._enter(node, line, entered=entered))
        self._post((client, name), land, len(line))

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        self._raise_violation()
        if self._node(node).child is None:
            return None
        return await self._desk.ask(node, body, timeout_s)

    def _raise_violation(self) -> None:
        if self._violation is not None:
            raise self._violation

    # Powers

    async def kill(self, node: str) -> None:
        victim = self._node(node)
        if victim.child is not None:
            await victim.child.kill()
        victim.crash = None

    async def terminate(self, node: str) -> bool:
        victim = self._node(node)
        victim.asked = True
        asked = victim.child is None or await victim.child.end(GRACE_S)
        victim.crash = None
        return asked

    async def restart(self, node: str) -> None:
        fallen = self._node(node)
        if fallen.child is None:
            await self._boot(fallen)

    async def pause(self, node: str) -> None:
        if self._node(node).child is not None:
            self._node(node).pacemaker.pause()

    async def resume(self, node: str) -> None:
        self._node(node).pacemaker.resume()

    async def throttle(self, node: str, share: float) -> None:
        self._node(node).pacemaker.throttle(share)

    async def unthrottle(self, node: str) -> None:
        self._node(node).pacemaker.throttle(None)

    async def cpu_share(self, node: str) -> float | None:
        async def runs() -> bool | None:
            return self.runs(node)

        return await probes.running_share(runs)

    async def skew(self, node: str, skew: ClockSkew) -> None:
        state = self._node(node)
        state.skew = Skew(
            since_s=clock.wall_s(), offset_s=skew.offset_s, drift=skew.drift, strobe_period_s=skew.strobe_period_s
        )
        await self.ask(node, {"type": "sb_skew", **state.skew.fields()}, SKEW_S)

    async def unskew(self, node: str) -> None:
        self._node(node).skew = None
        await self.ask(node, {"type": "sb_unskew"}, SKEW_S)

    async def clock_offset(self, node: str) -> float | None:
        return await probes.clock_offset(self.ask, node, clock.wall_s)
