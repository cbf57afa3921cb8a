"""The local cluster: each node a set of Linux namespaces of its own behind a router of ours. No Docker, no program but Python.

Real packets, real processes: nodes and clients speak TCP (``targets.node.tcp``) over virtual cables, and faults act on the packets at
the router (``fabric``). The harness's own questions go to a node's standard input, which no fault of the network reaches. All of it
lives in namespaces of the run, which end with this process, however it ends (``namespaces``). Options: ``ip`` 4 or 6; ``packet_log``
true for a log of all packets, "packets.jsonl" in the run's directory.

Since packets are what is lost, late or doubled, TCP hides from a node most of what a link does, as it does on a real network: loss
and reordering become delay, duplicates vanish. A one-way cut takes acknowledgements along, so that soon nothing flows either way.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from harness import clock
from harness.clusters import codecs
from harness.clusters.clocks.clocks import Clocks
from harness.clusters.clocks.clocks import lacks as clocks_lack
from harness.clusters.desk import Desk
from harness.clusters.disks.doctor import lacks as disks_lack
from harness.clusters.disks.mounted import DiskFaults, Disks
from harness.clusters.fabric import probes
from harness.clusters.fabric.netlink_route import has_six
from harness.clusters.fabric.packet_log import PacketLog
from harness.clusters.fabric.router import Router, told
from harness.clusters.impostor import Intrudes
from harness.clusters.knocking import impostor_of
from harness.clusters.last_words import last_words
from harness.clusters.named import Named
from harness.clusters.namespaces import doctor, layout
from harness.clusters.namespaces.callers import FAMILIES, Caller, Callers, Switchboard, streams, take_socket
from harness.clusters.namespaces.conversation import Conversation
from harness.clusters.namespaces.launch import Namespaces
from harness.clusters.namespaces.lives import Argv, LocalNode, tcp_node
from harness.clusters.namespaces.place import Plan
from harness.clusters.namespaces.probing import Prober
from harness.clusters.namespaces.programs import Program, init_of
from harness.clusters.security import Authority
from harness.clusters.starts import GRACE_S, INIT_S, NodeStart, first_answer, not_started
from harness.effects import ClockSkew, Link, PacketShape
from harness.errors import ClusterError
from harness.messages import OPTION
from harness.protocols import Body, Channel, ClusterSpec
from targets.node.guard import TLS, TOKENS

OWN_OPTIONS = ("ip", OPTION)  # all others are the node program's
# A node that stands still goes on by itself after this, unless it is told again to stand still: its place sees to that, also while this
# process hangs.
LEASE_S = 15.0


class LocalCluster(Named[LocalNode], Intrudes, DiskFaults):
    """Nodes in namespaces, faults on packets. Linux, as root or where user namespaces allow it."""

    name = "local"
    logs_packets = True
    loop_factory = None
    securities = (TOKENS, TLS)

    @staticmethod
    def lacks() -> Mapping[str, str]:
        """See ``clusters``."""
        return {**clocks_lack(), **disks_lack()}

    def __init__(self, spec: ClusterSpec, argv: Argv = tcp_node) -> None:
        layout.check_names(spec.nodes)
        self.nodes = tuple(spec.nodes)
        options = {name: value for name, value in spec.options.items() if name not in OWN_OPTIONS}
        self._spec, self._argv = replace(spec, options=options), argv
        self._version, self._logs_packets = spec.options.get("ip", 4), bool(spec.options.get(OPTION))
        self._log: PacketLog | None = None
        if self._version not in FAMILIES:
            raise ClusterError(f"the option ip of the local cluster is 4 or 6, not {self._version!r}")
        if self._version == 6 and not has_six():
            raise ClusterError("this machine's kernel has no IPv6: leave the option ip of the local cluster at 4")
        home, numbered = (spec.directory / "nodes").absolute(), enumerate(self.nodes, 1)
        self._nodes = {name: LocalNode(name, home / name, layout.node_address(number)) for number, name in numbered}
        self._namespaces, self._disks = Namespaces(), Disks(spec)
        self._desk = Desk(spec.target, self._write)
        self._callers = Callers(layout.client_address)
        self._names = {half: node.name for node in self._nodes.values() for half in node.address.packed()}
        self._router: Router
        self._prober = Prober()
        self._clocks = Clocks(self._init)
        self._authority = Authority(self._spec)
        self._began_s = 0.0
        self._renewal: asyncio.Task[None] | None = None

    @staticmethod
    def unavailable() -> str | None:
        """Why this cluster cannot run on this machine and what would enable it, or None. Takes a third of a second: it tries."""
        return doctor.unavailable()

    # Lifecycle

    async def start(self) -> None:
        self._began_s = asyncio.get_running_loop().time()
        try:
            await self._namespaces.start(self._plans(), self._spec.seed, tap=self._logs_packets)
            self._disks.serve(self._namespaces.disks)
            self._router = Router(self._namespaces.filter, self._tell_shaper, self._keys)
            where = {node.name: node.address for node in self._nodes.values()}
            if self._logs_packets:
                self._log = PacketLog(self._namespaces.tap, self._names.get, self._spec.directory, self._began_s)
            board = self._callers.board = Switchboard(
                take=streams(self._namespaces.places[layout.CLIENTS], self._version),
                where=lambda node: (self.address(node), layout.NODE_PORT),
                check=self._check,
                on_babble=self._desk.babbled,
                wire=codecs.wire(self._spec.options),
                tls=self._authority.clients,
            )
            self._impostor = impostor_of(
                self._authority, self._spec, board, self._caller, ask=self.ask, began_s=self._began_s
            )
            await self._prober.open(self._namespaces.places, where, self._version, self._router.slowest_s)
            async with asyncio.TaskGroup() as boots:
                for node in self._nodes.values():
                    boots.create_task(self._boot(node))
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
        except BaseExceptionGroup as group:
            await self._end()
            raise group.exceptions[0] from None
        except BaseException:
            await self._end()
            raise

    async def stop(self) -> None:
        await self._end()
        trouble, self._desk.trouble = self._desk.trouble, None
        if trouble is not None:
            raise trouble

    async def _end(self) -> None:
        try:
            if self._renewal is not None:
                self._renewal.cancel()
            if self._log is not None:
                self._log.close()
            self._prober.close()
            await self._callers.close()
            for node in self._nodes.values():
                program, node.program = node.program, None
                if program is not None:
                    await self._let_go(program)
        finally:
            await self._namespaces.stop()
            await self._clocks.stop()
            await asyncio.sleep(0)  # transports close their pipes in the loop's next round

    async def _let_go(self, program: Program) -> None:
        """A node whose disk we serve dies before it, so that the last thing it tells of is no disk that is gone."""
        if self._spec.disks:
            with suppress(ClusterError, OSError):  # also TimeoutError; the end of its namespaces ends it, too
                async with asyncio.timeout(INIT_S):
                    await program.kill()
        program.close()

    def _plans(self) -> list[Plan]:
        hosts = layout.hosts(self.nodes, self._version)
        plans = []
        for node in self._nodes.values():
            node.directory.mkdir(parents=True, exist_ok=True)
            own, disk = str(node.directory), self._spec.disks
            plans.append(Plan(name=node.name, address=node.address, directory=own, hosts=hosts, disk=disk))
        return [*plans, Plan(name=layout.CLIENTS, address=None, directory=None, hosts=hosts)]

    async def _boot(self, node: LocalNode) -> None:
        """One new life, up to its answer to ``init``."""
        incarnation, node.lives, node.crash = node.lives, node.lives + 1, None
        start = NodeStart(
            spec=self._spec,
            node=node.name,
            data=node.directory / "data",
            incarnation=incarnation,
            epoch_s=self._began_s,
            skew=None,
        )
        place = self._namespaces.places[node.name]
        program = Program(
            place, lambda line: self._desk.received(node.name, line), lambda status: self._ended(node, status)
        )
        node.program, node.paused = program, False
        if incarnation:  # of a life that ended by itself, what it had started may be left
            await program.signal(signal.SIGKILL)
        try:
            await program.spawn(self._argv(start, self._listen(node), self._peers()), node.log)
        except BaseException:
            node.program = None
            raise
        why = await first_answer(self._desk.ask, node.name, self.nodes, self._authority.secrets(node.name))
        if why is None:
            return
        await program.kill()
        self._desk.check()
        raise not_started(self._spec.target, node.name, node.why(why), last_words(node.log), node.log)

    def _listen(self, node: LocalNode) -> str:
        host = self.address(node.name)
        return f"[{host}]:{layout.NODE_PORT}" if self._version == 6 else f"{host}:{layout.NODE_PORT}"

    def _peers(self) -> dict[str, str]:
        return {node.name: self._listen(node) for node in self._nodes.values()}

    def _ended(self, node: LocalNode, status: int) -> None:
        """The program is gone and reaped, killed by us or by its own doing."""
        node.program = None
        if status != -signal.SIGKILL and node.crash is None:
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            node.crash = f"ended {how}"
        self._desk.hang_up(node.name)

    # Messages

    def _write(self, name: str, line: bytes) -> None:
        program = self._node(name).program
        if program is not None:
            program.write(line)

    def channel(self, client: str) -> Channel:
        return self._authority.channel(client, self._caller(client))

    def _caller(self, client: str) -> Caller:
        caller = self._callers.called(client)
        self._names.update(dict.fromkeys(caller.address.packed(), client))
        return caller

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        if self._node(node).program is None:
            self._desk.check()
            return None
        self._check(node)
        return await self._desk.ask(node, body, timeout_s)

    def _check(self, name: str) -> None:
        self._desk.check()
        self._node(name)
        lost = self._namespaces.why_lost
        if lost is not None:
            raise ClusterError(f"the namespaces of the run are gone: {lost}")

    # Powers

    def _keys(self, link: Link) -> list[bytes]:
        src, dest = (self._address(name) for name in link)
        return layout.keys(src, dest)

    def _address(self, name: str) -> layout.Address:
        """Of a node, or of a client that has a channel."""
        return self._callers.address(name) or self._node(name).address

    async def _tell_shaper(self, do: str, **fields: Any) -> Any:
        refused = self._namespaces.shaper_refused
        if refused is not None:
            raise ClusterError(f"packets cannot be shaped here: {refused}")
        return await self._namespaces.shaper.call(do, **fields)

    async def cut(self, links: Iterable[Link]) -> None:
        with told():
            self._router.cut(list(links))

    async def mend(self, links: Iterable[Link]) -> None:
        with told():
            self._router.mend(list(links))

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        return await self._prober.reaches(links)

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        with told():
            await self._router.shape(links, shape)

    async def unshape(self, links: Iterable[Link]) -> None:
        with told():
            await self._router.unshape(links)

    async def measure(self, link: Link, probes_sent: int) -> Mapping[str, float]:
        return await self._prober.measure(link, probes_sent)

    async def throughput(self, link: Link) -> float:
        return await self._prober.throughput(link)

    def address(self, node: str) -> str:
        """Where a node is reached, by the version of IP that the run uses."""
        return self._node(node).address.host(self._version)

    async def socket(self, node: str, kind: socket.SocketKind, port: int = 0) -> socket.socket:
        """A socket in a node's network, bound to its address, that does not block; the caller closes it."""
        return await take_socket(self._namespaces.places[node], kind, self._version, self.address(node), port)

    async def counters(self) -> dict[Link, dict[str, int]]:
        """Per link, how many packets met each fault so far: see ``Router.counters``."""
        return await self._router.counters()

    async def rate(self, node: str, bytes_per_s: int | None) -> None:
        """Limit what leaves a node; None: as fast as it goes."""
        with told():
            await self._place(node).call("rate", bytes_per_s=bytes_per_s)

    async def _slay(self, node: str) -> bool:
        victim = self._node(node)
        program, victim.crash = victim.program, None
        if program is not None:
            await program.kill()
        victim.crash = None
        return program is not None

    async def terminate(self, node: str) -> bool:
        victim = self._node(node)
        asked = victim.program is None or await victim.program.end(GRACE_S)
        victim.crash = None
        return asked

    async def restart(self, node: str) -> None:
        fallen = self._node(node)
        if fallen.program is None:
            if fallen.crash is not None:
                await self._disks.crashed(node)
            await self._boot(fallen)

    async def pause(self, node: str) -> None:
        state = self._node(node)
        if state.program is not None:
            state.paused = True
            await self._place(node).call("pause", lease_s=LEASE_S)

    async def resume(self, node: str) -> None:
        self._node(node).paused = False
        await self._place(node).call("pause", lease_s=0.0)

    async def _renew(self) -> None:
        """Keep those still that are to stand still."""
        while True:
            await asyncio.sleep(LEASE_S / 3)
            for node in self._nodes.values():
                if node.paused:
                    with suppress(ClusterError):  # the namespaces are gone: whoever asks next is told
                        await self._place(node.name).call("pause", lease_s=LEASE_S)

    async def throttle(self, node: str, share: float) -> None:
        await self._place(node).call("throttle", share=share)

    async def unthrottle(self, node: str) -> None:
        await self._place(node).call("throttle", share=None)

    async def cpu_share(self, node: str) -> float | None:
        async def runs() -> bool | None:
            program = self._node(node).program
            return await program.runs() if program is not None else None

        return await probes.running_share(runs)

    async def squeeze(self, node: str, headroom_bytes: int) -> None:
        await self._place(node).call("squeeze", headroom_bytes=headroom_bytes)

    async def unsqueeze(self, node: str) -> None:
        await self._place(node).call("squeeze", headroom_bytes=None)

    def _place(self, name: str) -> Conversation:
        return self._namespaces.places[self._node(name).name]

    async def skew(self, node: str, skew: ClockSkew) -> None:
        await self._clocks.skew(self._node(node).name, skew)

    async def unskew(self, node: str) -> None:
        await self._clocks.unskew(self._node(node).name)

    async def _init(self, node: str) -> int:
        """The process that starts all programs of the node: those of lives to come, too."""
        return await init_of(self._place(node))

    async def clock_offset(self, node: str) -> float | None:
        return await probes.clock_offset(self.ask, node, clock.wall_s)
