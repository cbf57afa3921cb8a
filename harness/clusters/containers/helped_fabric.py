"""A fabric for controllers that are not root: networks that the engine makes, and one helper container that is the router between them.

Each node has a network of its own, and so have the clients; the helper has an end of each and is the only way from one to another. On
the machine these networks are bridges without an address, so that no packet finds a way out. The sandboxes run as the controller's own
user and hand it sockets through a door, a local socket in the run's directory; the helper is told what to do to packets through its
standard input, by way of the engine. It alone has capabilities, in a network namespace of its own: see ``helper``.

When the controller dies, its ends of all these are closed, and the helper ends, and with it every table and queue, and so do the
sandboxes; ``splitbrain heal`` removes the ended containers and the networks.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from harness.clusters.channels import Line
from harness.clusters.containers import images, labels, sandbox
from harness.clusters.containers.engine import Engine
from harness.clusters.containers.guest import DOOR, HALL
from harness.clusters.containers.labels import Owner
from harness.clusters.containers.life import End, Life
from harness.clusters.fabric.router import slowest_s
from harness.clusters.last_words import last_words
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.conversation import Conversation
from harness.effects import Link, PacketShape
from harness.errors import ClusterError
from harness.protocols import Body

# Set aside for tests of networks (RFC 2544, section C.2.2): nobody's networks are there. Each of ours has room for a gate and two ends.
ALL = ipaddress.ip_network("198.18.0.0/15")
PREFIX = 29
GATE, NODE, ROUTER = 1, 2, 3  # hosts within such a network
# Other runs have networks there, too: what is taken is drawn again.
DRAWS = 50
TAKEN = "overlaps"
# Without an address the bridge is no router, and the machine has no route to the network.
BRIDGE = {"com.docker.network.bridge.inhibit_ipv4": "true"}
# NET_ADMIN to filter, queue and route; NET_RAW, which every container has unless it is taken away, to send a packet a second time.
CAPABILITIES = ["NET_ADMIN", "NET_RAW"]
SETTINGS = {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "0", "net.ipv4.conf.default.rp_filter": "0"}
# Containers have started when these are waited for; a busy machine may take its time to run a Python in each.
DOOR_S, ANSWER_S = 60.0, 20.0


class HelpedFabric:
    """Satisfies ``network.Fabric``. ``log`` hears what the helper says when it fails; ``hall`` is a directory for the door."""

    def __init__(self, nodes: Sequence[str], directory: Path) -> None:
        self.where: dict[str, layout.Address] = {}
        self._numbers = {name: number for number, name in enumerate((*nodes, layout.CLIENTS), 1)}
        self._hall, self._log = (directory / "fabric").absolute(), (directory / "helper.log").absolute()
        self._subnets: dict[str, ipaddress.IPv4Network] = {}
        self._owner: Owner
        self._image = ""
        self._line = Line(self._tell)
        self._helper: Life | None = None
        self._why_lost: str | None = "it was never made, or ended"
        self._doors: list[Conversation] = []
        self._listening: socket.socket | None = None
        self._shapes: dict[Link, PacketShape] = {}
        self.places: dict[str, Conversation] = {}

    @property
    def tap(self) -> socket.socket:
        raise ClusterError("the helper container has no tap: see containers.settings")

    @property
    def why_lost(self) -> str | None:
        return self._why_lost or next((door.why_ended for door in self._doors if door.why_ended), None)

    def caller_address(self, number: int) -> layout.Address:
        """All clients have the same: an address more would take a capability."""
        return self._addresses(layout.CLIENTS)

    def _addresses(self, name: str) -> layout.Address:
        return layout.Address(v4=self._host(name, NODE), v6=layout.node_address(self._numbers[name]).v6)

    def _host(self, name: str, which: int) -> str:
        return str(self._subnets[name].network_address + which)

    # Lifecycle

    async def prepare(self, engine: Engine, owner: Owner) -> None:
        self._owner = owner
        self._image = await engine.call("cannot make the fabric's image", images.fabric_image, engine.client)
        self._listen()
        async with asyncio.TaskGroup() as making:
            for name in self._numbers:
                making.create_task(self._make_network(engine, name))
        self.where = {name: self._addresses(name) for name in self._numbers if name != layout.CLIENTS}
        await self._start_helper(engine)
        made = await engine.call("cannot make the clients' container", self._make_clients, engine.client)
        await engine.call("cannot start the clients' container", engine.client.start, made)

    def _listen(self) -> None:
        self._hall.mkdir(mode=0o700, parents=True, exist_ok=True)
        door = self._hall / DOOR
        door.unlink(missing_ok=True)
        listening = self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # By the directory's descriptor: the path of a run may be longer than an address of a socket can be.
        hall = os.open(self._hall, os.O_PATH)
        try:
            listening.bind(f"/proc/self/fd/{hall}/{DOOR}")
        finally:
            os.close(hall)
        door.chmod(0o600)
        listening.listen(len(self._numbers))
        listening.setblocking(False)

    async def _make_network(self, engine: Engine, name: str) -> None:
        for _ in range(DRAWS):
            drawn = secrets.randbelow(1 << (PREFIX - ALL.prefixlen)) << (32 - PREFIX)
            subnet = ipaddress.IPv4Network((int(ALL.network_address) + drawn, PREFIX))
            if await engine.call("cannot make a network", self._made_network, engine.client, name, subnet):
                self._subnets[name] = subnet
                return
        raise ClusterError(
            f"no network is free in {ALL}: {DRAWS} that were drawn are taken (splitbrain heal removes old ones)"
        )

    def _made_network(self, client: Any, name: str, subnet: ipaddress.IPv4Network) -> bool:
        """False if somebody has it."""
        pool = IPAMPool(subnet=str(subnet), gateway=str(subnet.network_address + GATE))
        try:
            client.create_network(
                sandbox.name_of(self._owner, name),
                driver="bridge",
                options=BRIDGE,
                ipam=IPAMConfig(pool_configs=[pool]),
                labels=self._owner.labels(labels.NETWORK, name),
                check_duplicate=True,
            )
        except APIError as error:
            if TAKEN in str(error.explanation):
                return False
            raise
        return True

    async def _start_helper(self, engine: Engine) -> None:
        made = await engine.call("cannot make the helper container", self._make_helper, engine.client)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        helper = self._helper = Life(engine, made, self._heard, self._ended)
        self._why_lost = None
        await helper.start(["python3", "-m", "harness.clusters.containers.helper"], self._log)

    def _make_helper(self, client: Any) -> str:
        first, *others = self._numbers
        endpoint = client.create_endpoint_config(ipv4_address=self._host(first, ROUTER))
        made: str = client.create_container(
            self._image,
            sandbox.LAUNCHER,
            name=sandbox.name_of(self._owner, "helper"),
            host_config=client.create_host_config(
                network_mode=sandbox.name_of(self._owner, first),
                cap_drop=["ALL"],
                cap_add=CAPABILITIES,
                security_opt=["no-new-privileges"],
                sysctls=SETTINGS,
                log_config={"type": "json-file", "config": sandbox.LOG_MAX},
            ),
            networking_config=client.create_networking_config({sandbox.name_of(self._owner, first): endpoint}),
            stdin_open=True,  # closed for good when we are gone: then it ends
            labels=self._owner.labels(labels.HELPER, ""),
        )["Id"]
        for name in others:
            network = sandbox.name_of(self._owner, name)
            client.connect_container_to_network(made, network, ipv4_address=self._host(name, ROUTER))
        return made

    def _make_clients(self, client: Any) -> str:
        return sandbox.create_sandbox(client, self._owner, layout.CLIENTS, self.ground(layout.CLIENTS), {})

    def ground(self, node: str) -> sandbox.Ground:
        return sandbox.Ground(
            network=sandbox.name_of(self._owner, node),
            address=self._host(node, NODE),
            image=self._image,
            command=("python3", "-m", "harness.clusters.containers.guest", node),
            binds={str(self._hall): {"bind": HALL, "mode": "ro"}},
            user=f"{os.geteuid()}:{os.getegid()}",
        )

    async def start(
        self, pairs: Mapping[str, sandbox.Pair], seed: int, address: Callable[[str], layout.Address]
    ) -> None:
        nodes = {name: asdict(where) for name, where in self.where.items()}
        gates = {self._host(name, ROUTER): self._host(name, GATE) for name in self._numbers}
        await self._ask("begin", seed=seed, nodes=nodes, gates=gates)
        try:
            async with asyncio.timeout(DOOR_S):
                while len(self.places) < len(self._numbers):
                    await self._let_in()
        except TimeoutError:
            missing = ", ".join(name for name in self._numbers if name not in self.places)
            raise ClusterError(
                f"no word of the sandboxes of {missing} within {DOOR_S:g} s: either the Docker engine is not on this machine, or "
                f"{self._hall} cannot be seen from its containers"
            ) from None

    async def _let_in(self) -> None:
        """One sandbox more."""
        assert self._listening is not None
        sock, _ = await asyncio.get_running_loop().sock_accept(self._listening)
        born = asyncio.Event()

        def news(message: Mapping[str, Any], descriptors: Sequence[int]) -> None:
            for descriptor in descriptors:
                os.close(descriptor)
            door.name = f"the sandbox of {message['born']}"
            self.places[message["born"]] = door
            born.set()

        door = Conversation(sock, "a sandbox", news)
        self._doors.append(door)
        await born.wait()

    async def stop(self) -> None:
        self._why_lost = self._why_lost or "it was stopped"
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.close()
        for door in self._doors:
            door.close()
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.close()
            (self._hall / DOOR).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # it holds something that is not ours
                self._hall.rmdir()
        if self._log.exists() and not self._log.stat().st_size:
            self._log.unlink()

    # The helper's line

    def _tell(self, _helper: str, body: Body) -> None:
        if self._helper is not None:
            self._helper.write(json.dumps(body).encode() + b"\n")

    def _heard(self, line: bytes) -> None:
        self._line.deliver(json.loads(line))

    def _ended(self, end: End) -> None:
        how = end.lost or f"it ended with status {end.status}; {last_words(self._log)}"
        self._why_lost = f"the helper container: {how}"
        self._line.hang_up(labels.HELPER)

    async def _ask(self, what: str, **fields: Any) -> Body:
        """What the helper answers. Raises ClusterError."""
        reply = None
        if self._why_lost is None:
            reply = await self._line.ask(labels.HELPER, {"type": what, **fields}, ANSWER_S)
        if reply is None:
            raise ClusterError(self._why_lost or f"the helper container did not answer {what!r} within {ANSWER_S:g} s")
        if reply.get("type") == "error":
            raise ClusterError(f"the helper container: {reply['text']}")
        return reply

    # Faults

    async def cut(self, links: Iterable[Link]) -> None:
        await self._ask("cut", links=list(self._known(links)))

    async def mend(self, links: Iterable[Link]) -> None:
        await self._ask("mend", links=list(self._known(links)))

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        links = list(self._known(links))
        self._shapes.update(dict.fromkeys(links, shape))
        await self._ask("shape", links=links, shape=asdict(shape))

    async def unshape(self, links: Iterable[Link]) -> None:
        links = list(self._known(links))
        await self._ask("unshape", links=links)
        for link in links:
            self._shapes.pop(link, None)

    def _known(self, links: Iterable[Link]) -> Iterator[Link]:
        for link in links:
            if stranger := next((name for name in link if name not in self.where), None):
                raise ClusterError(f"only links between nodes can be broken without root, and {stranger!r} is no node")
            yield link

    def slowest_s(self, link: Link) -> float:
        return slowest_s(self._shapes.get(link))

    async def counters(self) -> dict[Link, dict[str, int]]:
        return {(src, dest): row for src, dest, row in (await self._ask("counters"))["counters"]}
