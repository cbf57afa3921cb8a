"""The helper of a run whose controller is not root: the router between the nodes' networks, in a container of its own.

``python3 -m harness.clusters.containers.helper``, inside the container. The engine has given it an end of every node's network, and
CAP_NET_ADMIN in a network namespace that is its own (with CAP_NET_RAW, without which a packet cannot be sent twice). So it can do to the
nodes' packets all that ``fabric`` can, and nothing to the machine: its tables, queues and routes end with the container.

One JSON object per line comes in on standard input, {"type", "msg_id", ...}, and one goes out for each, {"in_reply_to", ...}; an
"error" has a "text". The first is "begin". When the input ends, since the controller has, the helper ends. Standard library alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from harness.clusters.fabric import netlink_route as route
from harness.clusters.fabric.netlink import ACK, CREATE, NETFILTER, REPLACE, ROUTE, Netlink, open_socket
from harness.clusters.fabric.nft import Filter
from harness.clusters.fabric.router import Router
from harness.clusters.namespaces import layout, place, supervisor, wire
from harness.effects import Link, PacketShape
from harness.errors import ClusterError

Request = Mapping[str, Any]


def take_gates(gates: Mapping[str, str]) -> None:
    """Become the router of these networks: ``gates`` are the addresses by which it is to be known, by those that it has.

    What is for nobody in the run ends here: the engine's own way out is put out of use. Raises OSError.
    """
    netlink = Netlink(open_socket(ROUTE))
    indices = route.listed_addresses(netlink.dump(route.list_addresses()))
    nowhere = dataclasses.replace(route.unreachable("0.0.0.0/0"), flags=ACK | CREATE | REPLACE)
    netlink.transact([nowhere, *(route.address(indices[own], gate) for own, gate in gates.items())])
    netlink.close()


class Helper:
    """What is done to links, by the controller's word."""

    def __init__(self, begin: Request) -> None:
        """``nodes``: address by name; ``gates``: see above; ``seed``: of the links' dice. Raises OSError."""
        self._addresses = {name: layout.Address(**fields) for name, fields in begin["nodes"].items()}
        take_gates(begin["gates"])
        packet_filter = Filter(open_socket(NETFILTER), six=route.has_six())
        packet_filter.setup()
        self._shaper, self._refused = supervisor.shaper(begin["seed"])
        self._router = Router(packet_filter, self._tell_shaper, self._keys)
        self._actions: Mapping[str, Callable[[Request], Coroutine[Any, Any, dict[str, Any]]]] = {
            "cut": self._cut,
            "mend": self._mend,
            "shape": self._shape,
            "unshape": self._unshape,
            "counters": self._counters,
        }

    async def do(self, request: Request) -> dict[str, Any]:
        """Carry out one request. Raises OSError, ClusterError."""
        return await self._actions[request["type"]](request)

    def _keys(self, link: Link) -> list[bytes]:
        src, dest = (self._addresses[name] for name in link)
        return layout.keys(src, dest)

    async def _tell_shaper(self, do: str, **fields: Any) -> tuple[Any, list[int]]:
        if self._refused is not None:
            raise ClusterError(f"packets cannot be shaped here: {self._refused}")
        wire.send(self._shaper, {"id": 0, "do": do, **fields})
        answer, _ = wire.receive(self._shaper)
        if answer is None:
            raise ClusterError("the shaper has ended")
        return answer, []

    async def _cut(self, request: Request) -> dict[str, Any]:
        self._router.cut(_links(request))
        return {}

    async def _mend(self, request: Request) -> dict[str, Any]:
        self._router.mend(_links(request))
        return {}

    async def _shape(self, request: Request) -> dict[str, Any]:
        await self._router.shape(_links(request), PacketShape(**request["shape"]))
        return {}

    async def _unshape(self, request: Request) -> dict[str, Any]:
        await self._router.unshape(_links(request))
        return {}

    async def _counters(self, _request: Request) -> dict[str, Any]:
        return {"counters": [[*link, row] for link, row in (await self._router.counters()).items()]}


def _links(request: Request) -> list[Link]:
    return [(src, dest) for src, dest in request["links"]]


def main() -> None:
    helper: Helper | None = None
    with asyncio.Runner() as runner:
        for line in sys.stdin.buffer:
            request = json.loads(line)
            try:
                if helper is None:
                    helper, answer = Helper(request), {}
                else:
                    answer = runner.run(helper.do(request))
            except (OSError, ClusterError) as error:
                answer = {"type": "error", "text": place.words(error)}
            sys.stdout.write(json.dumps({**answer, "in_reply_to": request["msg_id"]}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
