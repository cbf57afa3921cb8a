"""``maelstrom``: any program that speaks Maelstrom's protocol, judged by Maelstrom's workloads. Its nodes are its own; the client is here.

Each client speaks to its own node only. What a request and its answer look like stands in ``REQUESTS``, exactly as Maelstrom has them
(doc/workloads.md). An answer of another shape ends the run: nothing that such a node says can be judged. What an error says follows
Maelstrom's rule: a definite one is a fail, an indefinite one, or none at all, is a fail for what only reads, and else info.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import TargetError
from harness.op import Op
from harness.protocols import Body, Client, ClientSeat, NoAnswer, RpcError, Target
from targets.node import codes
from targets.systems.maelstrom_kafka import KafkaClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One operation as a request. ``body`` makes it; ``field`` of the answer is the result (None: the operation's own value), which
    ``holds`` if it has the right shape, in words ``shape``. ``reads``: it changes nothing.
    """

    body: Callable[[Op], Body]
    field: str | None = None
    holds: Callable[[Any], bool] = lambda _: True
    shape: str = ""
    reads: bool = False


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_txn(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(mop, list) and len(mop) == 3 for mop in value)


def _list_read(field: str) -> Request:
    return Request(body=lambda _: {"type": "read"}, field=field, holds=_is_list, shape="a list", reads=True)


def _cas(op: Op) -> Body:
    old, new = op.value
    return {"type": "cas", "key": op.key, "from": old, "to": new}


_COUNTER = {
    "add": Request(body=lambda op: {"type": "add", "delta": op.value}),
    "read": Request(
        body=lambda _: {"type": "read"}, field="value", holds=_is_whole, shape="a whole number", reads=True
    ),
}
_TXN = {
    "txn": Request(
        body=lambda op: {"type": "txn", "txn": op.value}, field="txn", holds=_is_txn, shape="a list of [f, key, value]"
    )
}
# Workload → operation → request.
REQUESTS: Mapping[str, Mapping[str, Request]] = {
    "echo": {"echo": Request(body=lambda op: {"type": "echo", "echo": op.value}, field="echo", reads=True)},
    "unique-ids": {"generate": Request(body=lambda _: {"type": "generate"}, field="id")},
    "broadcast": {
        "broadcast": Request(body=lambda op: {"type": "broadcast", "message": op.value}),
        "read": _list_read("messages"),
    },
    "g-set": {"add": Request(body=lambda op: {"type": "add", "element": op.value}), "read": _list_read("value")},
    "g-counter": _COUNTER,
    "pn-counter": _COUNTER,
    "lin-kv": {
        "read": Request(body=lambda op: {"type": "read", "key": op.key}, field="value", reads=True),
        "write": Request(body=lambda op: {"type": "write", "key": op.key, "value": op.value}),
        "cas": Request(body=_cas),
    },
    "txn-list-append": _TXN,
    "txn-rw-register": _TXN,
}


class RpcClient:
    """Satisfies ``harness.protocols.Client`` for the workloads whose operations are one request each."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat, self._requests = seat, REQUESTS[seat.workload]

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises TargetError for an answer of the wrong shape, KeyError for an op that the workload has not."""
        request = self._requests[op.f]
        body = request.body(op)
        try:
            reply = await self._seat.channel.rpc(self._seat.node, body, self._seat.timeout_s)
        except NoAnswer as error:
            return op.fail(str(error)) if request.reads else op.info(str(error))
        except RpcError as error:
            if op.f == "read" and error.code == codes.KEY_MISSING:
                return op.ok(None)  # a key that was never written
            certain = request.reads or codes.is_definite(error.code)
            return op.fail(str(error)) if certain else op.info(str(error))
        return op.ok(self._result(op, request, body, reply))

    def _result(self, op: Op, request: Request, body: Body, reply: Body) -> Any:
        wanted, field = f"{body['type']}_ok", request.field
        right = f'"type": "{wanted}"' + (f' and "{field}": {request.shape or "the result"}' if field else "")
        if reply.get("type") != wanted or (field and (field not in reply or not request.holds(reply[field]))):
            raise TargetError(f"node {self._seat.node} answered {body['type']} with {reply}: right is {right}")
        return reply[field] if field else op.value


def client(seat: ClientSeat) -> Client:
    """The client for the seat's workload."""
    return KafkaClient(seat) if seat.workload == "kafka" else RpcClient(seat)


MAELSTROM = Target(
    name="maelstrom",
    summary="any program that speaks Maelstrom's protocol on standard input and output, in any language: --bin PATH",
    program="",
    client="targets.systems.maelstrom:client",
    workloads=(*REQUESTS, "kafka"),
    hosts={"process": "harness.clusters.maelstrom.host:MaelstromHost"},
    hosts_why="nodes of other languages are child processes on standard input and output, which only the cluster process hosts",
    complete="harness.clusters.maelstrom.settings:complete",
    faults=("none",),
)
