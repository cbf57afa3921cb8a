"""The docker cluster: each node a container, faults on its packets by the fabric of the run, kills and pauses by the engine.

Needs a Docker engine on this machine. As root, the run's own cables are laid into the containers' networks; for everybody else the
engine makes networks, and one helper container is the router between them (``containers.network``). Either way no rule of the machine is
touched, and no packet has a way out. No node's container has a capability; the image need only hold Python, in which the node runtime
travels along (``containers.images``).

Nodes and clients speak TCP (``targets.node.tcp``); the harness's own questions go to a node's standard input, by way of the engine, which
no fault of the network reaches. The fabric dies with this process, and so do nodes that run: what remains of a run whose controller was
killed are containers that have ended (those that stood still go on, to end: ``containers.thaw``), and ``splitbrain heal`` removes those.

Options: ``image`` (a base with Python; default python:3.12-slim, or one made here), ``memory_mb`` and ``cpus`` per node, ``ip`` 4 or 6,
``fabric`` own or helper; ``packet_log``, on the fabric own: every packet that the router sees is noted (``fabric.packet_log``).
"""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from harness import clock
from harness.clusters import codecs
from harness.clusters.clocks.clocks import NOT_HERE, Clocks
from harness.clusters.clocks.clocks import lacks as clocks_lack
from harness.clusters.containers import doctor, images, labels, sandbox, settings, thaw
from harness.clusters.containers.engine import Engine, connect
from harness.clusters.containers.helped_fabric import HelpedFabric
from harness.clusters.containers.life import End, Life
from harness.clusters.containers.network import Fabric, Network
from harness.clusters.containers.nodes import Argv, ContainerNode, container_node
from harness.clusters.containers.own_fabric import OwnFabric
from harness.clusters.desk import Desk
from harness.clusters.disks.doctor import lacks_of_mounts as disks_lack
from harness.clusters.disks.launch import DiskServer, end_all
from harness.clusters.disks.mounted import DiskFaults, Disks
from harness.clusters.duty import Pacemaker
from harness.clusters.fabric import probes
from harness.clusters.fabric.packet_log import PacketLog
from harness.clusters.guardian import Guardian
from harness.clusters.impostor import Intrudes
from harness.clusters.knocking import impostor_of
from harness.clusters.last_words import last_words
from harness.clusters.named import Named
from harness.clusters.namespaces import layout
from harness.clusters.security import Authority
from harness.clusters.starts import GRACE_S, NodeStart, first_answer, not_started
from harness.effects import ClockSkew, Link, PacketShape
from harness.errors import ClusterError
from harness.protocols import Body, Channel, ClusterSpec
from targets.node.guard import TLS, TOKENS

KILLED = 137  # the status of a container that ended by SIGKILL


class DockerCluster(Named[ContainerNode], Intrudes, DiskFaults):
    """Nodes in containers, faults on packets. A Docker engine on this machine."""

    name = "docker"
    logs_packets = True
    loop_factory = None
    securities = (TOKENS, TLS)

    @staticmethod
    def lacks() -> Mapping[str, str]:
        """See ``clusters``."""
        return {**clocks_lack(), **disks_lack()}

    def __init__(self, spec: ClusterSpec, argv: Argv = container_node) -> None:
        layout.check_names(spec.nodes)
        self.nodes = tuple(spec.nodes)
        own = {name: spec.options[name] for name in settings.OPTIONS if name in spec.options}
        rest = {name: value for name, value in spec.options.items() if name not in settings.OPTIONS}
        self._spec, self._argv = replace(spec, options=rest), argv
        self._settings = settings.read(own)
        home = (spec.directory / "nodes").absolute()
        self._nodes = {name: ContainerNode(name, home / name) for name in self.nodes}
        self._owner = labels.Owner(id=secrets.token_hex(8), directory=spec.directory)
        self._authority = Authority(self._spec)
        wire, tls = codecs.wire(rest), self._authority.clients
        self._network = Network(self._fabric(), self._settings.version, self._check, self._babbled, wire=wire, tls=tls)
        self._desk = Desk(spec.target, self._write)
        self._clocks = Clocks(self._first_process)
        self._disks, self._disk_servers = Disks(spec), list[DiskServer]()
        self._engine: Engine | None = None
        self._guardian: Guardian | None = None  # from the first node on that stands still
        self._log: PacketLog | None = None
        self._began_s = 0.0

    @staticmethod
    def unavailable() -> str | None:
        """Why this cluster cannot run on this machine and what would enable it, or None. It tries all but a container."""
        return doctor.unavailable()

    @staticmethod
    def prepare(options: Mapping[str, Any], program: str, say: images.Say) -> None:
        """Make the image that a run with these options needs, telling every step that takes time; quick if it is there. Blocks."""
        client = connect()
        try:
            images.node_image(client, options.get("image"), program, say)
            if settings.read(options).fabric == settings.HELPED:
                images.fabric_image(client, say)
        finally:
            client.close()

    def _fabric(self) -> Fabric:
        if self._settings.fabric == settings.OWN:
            return OwnFabric(self.nodes, self._settings.version, tapped=self._settings.logs_packets)
        return HelpedFabric(self.nodes, self._spec.directory)

    # Lifecycle

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._began_s = loop.time()
        for node in self._nodes.values():
            stop, go = partial(node.signal, signal.SIGSTOP), partial(node.signal, signal.SIGCONT)
            node.pacemaker = Pacemaker(loop.time, loop.call_at, stop, go)
        try:
            engine = self._engine = Engine()
            image = await engine.call(
                "cannot make the nodes' image",
                images.node_image,
                engine.client,
                self._settings.image,
                self._spec.program,
            )
            await self._network.fabric.prepare(engine, self._owner)
            await self._network.start(await self._create(engine, image), self._spec.seed)
            if self._settings.logs_packets:
                tap, name_of = self._network.fabric.tap, self._network.names.get
                self._log = PacketLog(tap, name_of, self._spec.directory, self._began_s)
            self._impostor = impostor_of(
                self._authority,
                self._spec,
                self._network.board,
                self._network.channel,
                ask=self.ask,
                began_s=self._began_s,
            )
            await _all(self._boot(engine, node) for node in self._nodes.values())
        except BaseException:
            await self._end()
            raise

    async def _create(self, engine: Engine, image: str) -> dict[str, sandbox.Pair]:
        """Every node's containers."""
        hosts = {name: self._network.host(name) for name in self.nodes}
        pairs: dict[str, sandbox.Pair] = {}

        async def one(node: ContainerNode) -> None:
            data = node.directory / "data"
            data.mkdir(parents=True, exist_ok=True)
            if self._spec.disks:
                disk = DiskServer(node.name, data)
                self._disk_servers.append(disk)
                self._disks.serve({node.name: disk.conversation})
                await disk.ready()
            what = f"cannot make the containers of {node.name}"
            wanted = sandbox.Wanted(
                owner=self._owner,
                node=node.name,
                image=image,
                limits=self._settings.limits,
                ground=self._network.fabric.ground(node.name),
                data=data,
                hosts=hosts,
            )
            pair = pairs[node.name] = await engine.call(what, sandbox.create, engine.client, wanted)
            node.container = pair.program

        await _all(one(node) for node in self._nodes.values())
        return pairs

    async def stop(self) -> None:
        await self._end()
        trouble, self._desk.trouble = self._desk.trouble, None
        if trouble is not None:
            raise trouble

    async def _end(self) -> None:
        engine, self._engine = self._engine, None
        if engine is None:
            return
        try:
            for node in self._nodes.values():
                node.pacemaker.end()
            await _all(node.life.finish() for node in self._nodes.values() if node.life is not None)
            if self._log is not None:
                self._log.close()
            await self._network.stop()
            await self._clocks.stop()
        finally:
            # In threads of its own: those of the run may be at work still, and what they make must be removed, too.
            try:
                await asyncio.to_thread(_remove_all, engine, self._owner.id)
                guardian, self._guardian = self._guardian, None
                if guardian is not None:
                    await asyncio.to_thread(guardian.dismiss)
            finally:
                await end_all(self._disk_servers)
            await asyncio.sleep(0)  # transports close in the loop's next round

    async def _boot(self, engine: Engine, node: ContainerNode) -> None:
        """One new life, up to its answer to ``init``."""
        incarnation, node.lives, node.crash = node.lives, node.lives + 1, None
        start = NodeStart(
            spec=self._spec,
            node=node.name,
            data=Path(sandbox.DATA),
            incarnation=incarnation,
            epoch_s=self._began_s,
            skew=None,  # its clock is that of every program of the node
        )
        life = Life(
            engine,
            node.container,
            lambda line: self._desk.received(node.name, line),
            lambda end: self._ended(node, end),
        )
        node.life = life
        peers = {name: self._network.listen(name) for name in self.nodes}
        try:
            await life.start(
                self._argv(start, peers[node.name], peers), node.log, partial(self._clocks.follow, node.name)
            )
        except BaseException:
            node.life = None
            raise
        why = await first_answer(self._desk.ask, node.name, self.nodes, self._authority.secrets(node.name))
        if why is None:
            return
        await life.kill()
        self._desk.check()
        raise not_started(self._spec.target, node.name, node.why(why), last_words(node.log), node.log)

    def _ended(self, node: ContainerNode, end: End) -> None:
        """The container has ended, killed by us or by its own doing."""
        node.life = None
        if end.lost is not None:
            self._desk.report(ClusterError(f"node {node.name} is lost: {end.lost}"))
        elif end.out_of_memory:
            node.crash = f"was killed by the kernel: it needed more than its {self._settings.limits.memory_bytes >> 20} MiB of memory"
        elif end.status != KILLED:
            node.crash = f"ended with status {end.status}"
        self._desk.hang_up(node.name)

    # Messages

    def _write(self, name: str, line: bytes) -> None:
        life = self._node(name).life
        if life is not None:
            life.write(line)

    def _babbled(self, name: str, line: bytes) -> None:
        self._desk.babbled(name, line)

    def _check(self, name: str) -> None:
        self._desk.check()
        self._node(name)
        lost = self._network.fabric.why_lost
        if lost is not None:
            raise ClusterError(f"the network of the run is gone: {lost}")

    def channel(self, client: str) -> Channel:
        return self._authority.channel(client, self._network.channel(client))

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        if self._node(node).life is None:
            self._desk.check()
            return None
        self._check(node)
        return await self._desk.ask(node, body, timeout_s)

    # Powers

    async def cut(self, links: Iterable[Link]) -> None:
        await self._network.fabric.cut(links)

    async def mend(self, links: Iterable[Link]) -> None:
        await self._network.fabric.mend(links)

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        return await self._network.reaches(links)

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        await self._network.fabric.shape(links, shape)

    async def unshape(self, links: Iterable[Link]) -> None:
        await self._network.fabric.unshape(links)

    async def measure(self, link: Link, probes_sent: int) -> Mapping[str, float]:
        return await self._network.measure(link, probes_sent)

    async def throughput(self, link: Link) -> float:
        return await self._network.throughput(link)

    async def counters(self) -> dict[Link, dict[str, int]]:
        """Per link, how many packets met each fault so far: see ``Router.counters``."""
        return await self._network.fabric.counters()

    async def _slay(self, node: str) -> bool:
        victim = self._node(node)
        life = victim.life
        if life is not None:
            await life.kill()
        victim.crash = None
        return life is not None

    async def terminate(self, node: str) -> bool:
        victim = self._node(node)
        asked = victim.life is None or await victim.life.end(GRACE_S)
        victim.crash = None
        return asked

    async def restart(self, node: str) -> None:
        fallen = self._node(node)
        if fallen.life is None and self._engine is not None:
            if fallen.crash is not None:
                await self._disks.crashed(node)
            await self._boot(self._engine, fallen)

    def _guard(self, node: str) -> None:
        """It is about to stand still, and is not to stand so for ever if we die."""
        if self._guardian is None:
            self._guardian = Guardian(thaw.COMMAND)
        self._guardian.guard(self._node(node).container)

    async def pause(self, node: str) -> None:
        life = self._node(node).life
        if life is not None:
            self._guard(node)
            await life.pause()

    async def resume(self, node: str) -> None:
        life = self._node(node).life
        if life is not None:
            await life.resume()

    async def throttle(self, node: str, share: float) -> None:
        self._guard(node)
        self._node(node).pacemaker.throttle(share)

    async def unthrottle(self, node: str) -> None:
        self._node(node).pacemaker.throttle(None)

    async def cpu_share(self, node: str) -> float | None:
        async def runs() -> bool | None:
            group = self._node(node).group
            return group.runs() if group is not None else None

        return await probes.running_share(runs)

    async def squeeze(self, node: str, headroom_bytes: int) -> None:
        self._squeeze(node, headroom_bytes)

    async def unsqueeze(self, node: str) -> None:
        self._squeeze(node, None)

    def _squeeze(self, node: str, headroom_bytes: int | None) -> None:
        group = self._node(node).group
        if group is not None:
            group.squeeze(headroom_bytes)

    async def skew(self, node: str, skew: ClockSkew) -> None:
        if self._node(node).life is not None and self._node(node).group is None:
            raise ClusterError(f"{NOT_HERE} the processes of the engine's containers cannot be seen from here")
        await self._clocks.skew(node, skew)

    async def unskew(self, node: str) -> None:
        await self._clocks.unskew(self._node(node).name)

    async def _first_process(self, node: str) -> int | None:
        group = self._node(node).group
        return group.pid if group is not None else None

    async def clock_offset(self, node: str) -> float | None:
        return await probes.clock_offset(self.ask, node, clock.wall_s)


def _remove_all(engine: Engine, run_id: str) -> None:
    """Blocks until what is being made is there, and removes all that the run has made. Raises ClusterError."""
    engine.drain()
    try:
        sandbox.remove_run(engine.client, run_id)
    finally:
        engine.close()


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Side by side; the first error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
