"""The ssh cluster: each node on a host of its own, reached by SSH; faults by an agent there, which heals all when we are not heard of.

Hosts stand in a file (``hosts.inventory``); their keys are pinned beforehand (``splitbrain hosts pin``). Nothing is installed on them but
a directory of ours, with this program's own packages for their Python. Partitions and shaped packets are a table of the host's packet
filter that is named after the agent, on what the host receives from the other hosts; nothing else of its network is touched. A disk that
fails is a file system over the node's data in that directory, of the host's FUSE.

Clients are on this machine and speak TCP to the nodes; the harness's own questions go by SSH, which no fault of ours reaches. Options:
``hosts`` (the file), ``lease_s`` (after so long without a word from us an agent heals everything and ends).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from harness import clock
from harness.clusters import codecs
from harness.clusters.desk import Desk
from harness.clusters.disks.mounted import DiskFaults, Disks
from harness.clusters.fabric import probes
from harness.clusters.fabric.probes import BURST, BURST_BYTES, Landing
from harness.clusters.hosts import inventory, pins
from harness.clusters.hosts.calling import taker
from harness.clusters.hosts.site import Site
from harness.clusters.named import Named
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.callers import Callers, Switchboard
from harness.clusters.namespaces.lives import Argv, tcp_node
from harness.clusters.namespaces.probing import PATIENCE_S
from harness.clusters.starts import GRACE_S, NodeStart, first_answer, not_started
from harness.effects import ClockSkew, Link, PacketShape
from harness.errors import ClusterError, PlanError, SplitbrainError
from harness.protocols import Body, Channel, ClusterSpec

OWN_OPTIONS = ("hosts", "lease_s")  # all others are the node program's
LEASE_S = 15.0
# Between networks a probe takes longer than within a machine.
ARRIVAL_S = PATIENCE_S + 0.3


class SshCluster(Named[Site], DiskFaults):
    """Nodes on hosts. SSH, Python 3.11 and root (or sudo) on Linux there."""

    name = "ssh"
    loop_factory = None

    def __init__(self, spec: ClusterSpec, argv: Argv = tcp_node) -> None:
        layout.check_names(spec.nodes)
        self.nodes = tuple(spec.nodes)
        path, hosts = _hosts(spec.options, self.nodes)
        self._keys = pins.load(inventory.pins_of(path))
        self._lease_s = float(spec.options.get("lease_s", LEASE_S))
        rest = {name: value for name, value in spec.options.items() if name not in OWN_OPTIONS}
        self._spec, self._argv = replace(spec, options=rest), argv
        self._disks = Disks(self._spec)
        home = spec.directory / "nodes"
        self._nodes = {name: Site(name, host, home / name) for name, host in zip(self.nodes, hosts, strict=False)}
        self._desk = Desk(spec.target, lambda node, line: self._node(node).agent.write(line.decode().rstrip("\n")))
        self._callers = Callers(layout.client_address)
        self._renewal: asyncio.Task[None] | None = None
        self._began_s, self._flown = 0.0, 0

    @staticmethod
    def unavailable() -> str | None:
        """Nothing of this machine can keep it from running: what can is the hosts' affair."""
        return None

    @staticmethod
    def check(options: Mapping[str, Any], nodes: Sequence[str]) -> None:
        """Raises PlanError for a run that cannot be: without hosts, or with too few."""
        _hosts(options, nodes)

    # Lifecycle

    async def start(self) -> None:
        self._began_s = asyncio.get_running_loop().time()
        try:
            await _all(site.connect(self._keys) for site in self._nodes.values())
            where = self._where()
            self._callers.board = Switchboard(
                take=taker(6 if ":" in where[self.nodes[0]] else 4),
                where=lambda node: (where[node], layout.NODE_PORT),
                check=self._check,
                on_babble=self._desk.babbled,
                wire=codecs.wire(self._spec.options),
            )
            await _all(self._begin(site, where) for site in self._nodes.values())
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
            await _all(self._boot(site) for site in self._nodes.values())
        except BaseException:
            await self._end()
            raise

    def _where(self) -> dict[str, str]:
        """The address of each node. Raises ClusterError."""
        where = {name: site.address for name, site in self._nodes.items()}
        if len(set(where.values())) < len(where):
            shared = ", ".join(f"{name} {address}" for name, address in where.items())
            raise ClusterError(f"each node needs a host with an address of its own: {shared}")
        return where

    async def _begin(self, site: Site, where: Mapping[str, str]) -> None:
        await site.begin(
            where,
            self._spec.seed,
            self._spec.program,
            self._lease_s,
            on_line=lambda line: self._desk.received(site.node, line),
            on_end=lambda status: self._ended(site, status),
            on_lost=lambda why: self._desk.report(ClusterError(f"{site.node} on {site.host.name} is lost: {why}")),
            disk=self._disks.wanted,
        )
        if self._disks.wanted:
            self._disks.serve({site.node: site})

    async def stop(self) -> None:
        await self._end()
        trouble, self._desk.trouble = self._desk.trouble, None
        if trouble is not None:
            raise trouble

    async def _end(self) -> None:
        renewal, self._renewal = self._renewal, None
        if renewal is not None:
            renewal.cancel()
        await self._callers.close()
        await _all(site.end() for site in self._nodes.values())

    async def _renew(self) -> None:
        """Let the agents hear of us."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            await _all(self._renew_one(site) for site in self._nodes.values())

    async def _renew_one(self, site: Site) -> None:
        """Who does not answer has healed everything by then, or will."""
        agent = site.agent
        try:
            await agent.ask("renew", self._lease_s)
        except ClusterError:
            agent.lose(f"the agent has not answered for {self._lease_s:g} s")

    async def _boot(self, site: Site) -> None:
        """One new life, up to its answer to ``init``."""
        incarnation, site.lives, site.crash = site.lives, site.lives + 1, None
        start = NodeStart(
            spec=self._spec,
            node=site.node,
            data=Path(site.data),
            incarnation=incarnation,
            epoch_s=self._began_s + site.mono_ahead_s,
            skew=None,  # its clock is that of every program of the node
        )
        peers = {name: self._listen(other) for name, other in self._nodes.items()}
        argv = self._argv(start, peers[site.node], peers)
        await site.agent.ask("spawn", argv=[site.python, *argv[1:]])
        site.up = True
        why = await first_answer(self._desk.ask, site.node, self.nodes, {})
        if why is None:
            return
        await site.agent.ask("kill")
        self._desk.check()
        words = f"{(await site.agent.ask('last_words'))['words']} (on {site.host.name})"
        raise not_started(self._spec.target, site.node, site.why(why), words, site.log)

    def _listen(self, site: Site) -> str:
        host = f"[{site.address}]" if ":" in site.address else site.address
        return f"{host}:{layout.NODE_PORT}"

    def _ended(self, site: Site, status: int) -> None:
        """The program is gone, killed by us or by its own doing."""
        site.up = False
        if status != -signal.SIGKILL and site.crash is None:
            site.crash = f"ended {f'by signal {-status}' if status < 0 else f'with status {status}'}"
        self._desk.hang_up(site.node)

    def _check(self, name: str) -> None:
        self._desk.check()
        self._node(name).agent  # noqa: B018 - raises where the run has ended

    # Messages

    def channel(self, client: str) -> Channel:
        return self._callers.called(client)

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        if not self._node(node).up:
            self._desk.check()
            return None
        self._check(node)
        return await self._desk.ask(node, body, timeout_s)

    # Powers

    async def _tell_receivers(self, links: Iterable[Link], do: str, **fields: Any) -> None:
        """Each host is told of what it receives; all side by side."""
        sources: dict[str, list[str]] = {}
        for src, dest in links:
            sources.setdefault(self._node(dest).node, []).append(self._node(src).node)
        asked = ((self._node(dest).agent, heard) for dest, heard in sources.items())
        await _all(agent.ask(do, sources=heard, **fields) for agent, heard in asked)

    async def cut(self, links: Iterable[Link]) -> None:
        await self._tell_receivers(links, "cut")

    async def mend(self, links: Iterable[Link]) -> None:
        await self._tell_receivers(links, "mend")

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        await self._tell_receivers(links, "shape", shape=asdict(shape))

    async def unshape(self, links: Iterable[Link]) -> None:
        await self._tell_receivers(links, "shape", shape=None)

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        flights = [(self._depart(), *link) for link in links]
        by_source: dict[str, list[tuple[int, str]]] = {}
        by_dest: dict[str, dict[int, str]] = {}
        for flight, src, dest in flights:
            by_source.setdefault(src, []).append((flight, dest))
            by_dest.setdefault(dest, {})[flight] = src
        await _all(self._node(src).agent.ask("reach", flights=some) for src, some in by_source.items())
        arrived: set[int] = set()

        async def look(dest: str, some: Mapping[int, str]) -> None:
            agent = self._node(dest).agent
            answer = await agent.ask("landed", flights=some, probes=1, copies=False, within_s=ARRIVAL_S)
            arrived.update(int(flight) for flight, landings in answer["landed"].items() if landings)

        await _all(look(dest, some) for dest, some in by_dest.items())
        return [flight in arrived for flight, _, _ in flights]

    async def measure(self, link: Link, probes_sent: int) -> Mapping[str, float]:
        sent_s, landings, damaged = await self._fly(link, probes_sent, 0)
        return probes.figures(landings, sent_s, damaged)

    async def throughput(self, link: Link) -> float:
        _, landings, _ = await self._fly(link, BURST, BURST_BYTES)
        return probes.rate(landings, BURST_BYTES)

    async def _fly(self, link: Link, count: int, size: int) -> tuple[list[float], list[Landing], int]:
        """Probes over a link: when each left and arrived, both by our own clock, and how many came damaged."""
        flight, (src, dest) = self._depart(), (self._node(name) for name in link)
        sent = await src.agent.ask("probe", flight=flight, dest=dest.node, probes=count, size=size)
        flights = {flight: src.node}
        answer = await dest.agent.ask("landed", flights=flights, probes=count, copies=not size, within_s=ARRIVAL_S)
        landings = [Landing(number, at_s - dest.ahead_s) for number, at_s in answer["landed"][str(flight)]]
        return [at_s - src.ahead_s for at_s in sent["sent_s"]], landings, answer["damaged"][str(flight)]

    def _depart(self) -> int:
        self._flown += 1
        return self._flown

    async def _slay(self, node: str) -> bool:
        site = self._node(node)
        lived = site.up
        await site.agent.ask("kill")
        site.crash = None
        return lived

    async def terminate(self, node: str) -> bool:
        site = self._node(node)
        answer = await site.agent.ask("end", grace_s=GRACE_S)
        site.crash = None
        return bool(answer["itself"])

    async def restart(self, node: str) -> None:
        site = self._node(node)
        if not site.up:
            if site.crash is not None:
                await self._disks.crashed(node)
            await self._boot(site)

    async def pause(self, node: str) -> None:
        if self._node(node).up:
            await self._node(node).agent.ask("pause")

    async def resume(self, node: str) -> None:
        await self._node(node).agent.ask("resume")

    async def throttle(self, node: str, share: float) -> None:
        await self._node(node).agent.ask("throttle", share=share)

    async def unthrottle(self, node: str) -> None:
        await self._node(node).agent.ask("throttle", share=None)

    async def cpu_share(self, node: str) -> float | None:
        async def runs() -> bool | None:
            answer: bool | None = (await self._node(node).agent.ask("runs"))["runs"]
            return answer

        return await probes.running_share(runs)

    async def skew(self, node: str, skew: ClockSkew) -> None:
        await self._node(node).agent.ask("skew", skew=asdict(skew))

    async def unskew(self, node: str) -> None:
        await self._node(node).agent.ask("unskew")

    async def clock_offset(self, node: str) -> float | None:
        ahead_s = self._node(node).ahead_s
        return await probes.clock_offset(self.ask, node, lambda: clock.wall_s() + ahead_s)


def _hosts(options: Mapping[str, Any], nodes: Sequence[str]) -> tuple[Path, list[inventory.Host]]:
    """The file of the hosts, and what stands in it. Raises PlanError."""
    named = options.get("hosts")
    if not isinstance(named, str) or not named:
        raise PlanError("the ssh cluster runs on hosts that a file names: --hosts FILE")
    lease_s = options.get("lease_s", LEASE_S)
    if not isinstance(lease_s, int | float) or isinstance(lease_s, bool) or not 1 <= lease_s <= 3600:
        raise PlanError(f"the option lease_s of the ssh cluster is 1 to 3600 seconds, not {lease_s!r}")
    path = Path(named)
    hosts = inventory.read(path)
    if len(hosts) < len(nodes):
        raise PlanError(
            f"--hosts {path} names {len(hosts)} hosts, too few for {len(nodes)} nodes: --nodes {len(hosts)}"
        )
    return path, hosts


async def _all(works: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """Side by side, each to its end; then what went wrong is raised, of several of our own errors all in one."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        if tasks:
            await asyncio.wait(tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    errors = [error for task in tasks if (error := task.exception()) is not None]
    told = [error for error in errors if isinstance(error, SplitbrainError)]
    if len(told) == len(errors) > 1:
        raise type(told[0])("; ".join(dict.fromkeys(str(error) for error in told)))
    if errors:
        raise errors[0]
