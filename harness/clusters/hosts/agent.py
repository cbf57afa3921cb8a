"""The agent on a host: ``python3 -S -m harness.clusters.hosts.agent DATA LEASE_S``. Standard library alone.

One JSON object per line comes in on standard input, {"id", "do", ...}, and one goes out for each, {"id", ...}; an "error" is a sentence.
{"write": LINE} is for the node's standard input; {"line": LINE} came from its output, {"ended": STATUS} tells of its end.

When nothing has come for ``LEASE_S`` seconds, or the input ends, everything is healed and ended: the controller is gone. Before that its
own directory, DATA/run-..., is made; those of controllers that have died are removed, and clocks that theirs have left wrong set right.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness import clock, mark
from harness.clusters.clocks import marks
from harness.clusters.hosts.network import HostNetwork, free_port
from harness.clusters.hosts.node import HostNode, piece_of
from harness.clusters.last_words import last_words
from harness.clusters.namespaces import kernel
from harness.clusters.namespaces.launch import environment
from harness.clusters.namespaces.layout import NODE_PORT
from harness.errors import ClusterError, SplitbrainError

STDIN, STDOUT = 0, 1
PIECE = 1 << 18  # of a log, at once
LINE_MAX = 64 << 20

Request = Mapping[str, Any]


class Agent(asyncio.Protocol):
    """See the module."""

    def __init__(self, data: Path, lease_s: float) -> None:
        self.over = asyncio.Event()
        self._home = data / f"run-{mark.mine()}"
        self._lease_s, self._loop = lease_s, asyncio.get_running_loop()
        self._heard_s, self._rest = self._loop.time(), b""
        self._network: HostNetwork | None = None
        self._node: HostNode | None = None
        self._works: set[asyncio.Task[None]] = set()
        self._actions: Mapping[str, Callable[[Request], Coroutine[Any, Any, Any]]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    async def watch(self) -> None:
        """Returns when the controller is gone."""
        while not self.over.is_set():
            left_s = self._heard_s + self._lease_s - self._loop.time()
            if left_s <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self.over.wait()

    async def close(self) -> None:
        """Heal and end everything."""
        try:
            if self._network is not None:
                self._network.close()
        finally:
            if self._node is not None:
                await self._node.close()
            shutil.rmtree(self._home, ignore_errors=True)

    # What comes in and goes out

    def data_received(self, data: bytes) -> None:
        self._heard_s = self._loop.time()
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            request = json.loads(line)
            if "write" in request:
                if self._node is not None:
                    self._node.write(request["write"])
                continue
            work = self._loop.create_task(self._answer(request))
            self._works.add(work)
            work.add_done_callback(self._works.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()

    async def _answer(self, request: Request) -> None:
        try:
            answer = await self._actions[request["do"]](request)
        except (SplitbrainError, OSError) as error:
            answer = {"error": str(error) if isinstance(error, SplitbrainError) else error.strerror or str(error)}
        self.tell({"id": request["id"], **(answer or {})})

    def tell(self, message: Mapping[str, Any]) -> None:
        rest = memoryview(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        try:
            while rest:
                rest = rest[os.write(STDOUT, rest) :]
        except BrokenPipeError:
            self.over.set()

    # What can be asked for

    async def do_begin(self, request: Request) -> None:
        """``node``: who this host is; ``peers``: the address of each node; ``seed``; ``disk``: whether its disk is to be one that fails."""
        self._clean()
        self._home.mkdir(mode=0o700, parents=True)
        own, peers = request["node"], request["peers"]
        taken = free_port(peers[own], NODE_PORT)
        if taken is not None:
            raise ClusterError(f"the node cannot listen: {taken}")
        try:
            self._network = HostNetwork(own, peers, request["seed"])
        except PermissionError as error:
            raise ClusterError(f"it takes root to break the network: log in as root, or set sudo ({error})") from error
        self._node = HostNode(self._home, self.tell)
        if request["disk"]:
            await self._node.lay_disk()

    def _clean(self) -> None:
        """Of what agents have left that were killed."""
        for entry in self._home.parent.glob("run-*"):
            owner = mark.parse(entry.name.removeprefix("run-"))
            if owner is not None and owner.life() is mark.Life.DEAD:
                kernel.unmount(str(entry / "data"))  # if the disk's server was killed, too
                shutil.rmtree(entry, ignore_errors=True)
        for pid, text in marks.found():
            owner = mark.parse(text)
            if owner is not None and owner.life() is mark.Life.DEAD:
                argv = [sys.executable, "-S", "-m", marks.__name__, str(pid), text]
                subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), check=False)

    async def do_where(self, _request: Request) -> Mapping[str, Any]:
        """The node's directory of data, and the interpreter here."""
        return {"data": str(self.node.data), "python": sys.executable}

    async def do_spawn(self, request: Request) -> None:
        await self.node.spawn(request["argv"])

    async def do_kill(self, _request: Request) -> None:
        await self.node.kill()

    async def do_end(self, request: Request) -> Mapping[str, Any]:
        return {"itself": await self.node.end(request["grace_s"])}

    async def do_pause(self, _request: Request) -> None:
        self.node.pacemaker.pause()

    async def do_resume(self, _request: Request) -> None:
        self.node.pacemaker.resume()

    async def do_throttle(self, request: Request) -> None:
        self.node.pacemaker.throttle(request["share"])

    async def do_runs(self, _request: Request) -> Mapping[str, Any]:
        return {"runs": self.node.runs()}

    async def do_skew(self, request: Request) -> None:
        await self.node.skew(request["skew"])

    async def do_unskew(self, _request: Request) -> None:
        await self.node.unskew()

    async def do_disk(self, request: Request) -> Mapping[str, Any]:
        """What is asked of the server of the node's disk, and its answer without the number of the question there."""
        answer = await self.node.ask_disk(request["ask"], request["fields"])
        return {name: value for name, value in answer.items() if name != "id"}

    async def do_cut(self, request: Request) -> None:
        self.network.cut(request["sources"])

    async def do_mend(self, request: Request) -> None:
        self.network.mend(request["sources"])

    async def do_shape(self, request: Request) -> None:
        await self.network.shape(request["sources"], request["shape"])

    async def do_reach(self, request: Request) -> None:
        self.network.probes.reach([(flight, dest) for flight, dest in request["flights"]])

    async def do_probe(self, request: Request) -> Mapping[str, Any]:
        sent_s = await self.network.probes.send(request["flight"], request["dest"], request["probes"], request["size"])
        return {"sent_s": sent_s}

    async def do_landed(self, request: Request) -> Mapping[str, Any]:
        """Of ``flights`` (by number: from whom), once ``probes`` of each are there. What a shape holds back is waited for."""
        flights = {int(flight): source for flight, source in request["flights"].items()}
        slow_s = max(self.network.slowest_s(source) for source in flights.values())
        probes = self.network.probes
        wanted = sys.maxsize if slow_s and request["copies"] else request["probes"]
        landed = await probes.landed(list(flights), wanted, request["within_s"] + slow_s)
        return {"landed": landed, "damaged": {flight: probes.damaged(flight) for flight in flights}}

    async def do_time(self, _request: Request) -> Mapping[str, Any]:
        """This host's clocks, the wall's and the monotonic one."""
        return {"wall_s": clock.wall_s(), "mono_s": self._loop.time()}

    async def do_log(self, request: Request) -> Mapping[str, Any]:
        return {"piece": base64.b64encode(piece_of(self.node.log, request["at"], PIECE)).decode()}

    async def do_last_words(self, _request: Request) -> Mapping[str, Any]:
        return {"words": last_words(self.node.log)}

    async def do_renew(self, _request: Request) -> None:
        """The controller lives."""

    @property
    def node(self) -> HostNode:
        if self._node is None:
            raise ClusterError("the agent has not begun")
        return self._node

    @property
    def network(self) -> HostNetwork:
        if self._network is None:
            raise ClusterError("the agent has not begun")
        return self._network


async def serve(data: Path, lease_s: float) -> None:
    """Until the controller is gone."""
    agent = Agent(data, lease_s)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: agent, os.fdopen(os.dup(STDIN), "rb", 0))
    try:
        await agent.watch()
    finally:
        transport.close()
        await agent.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
