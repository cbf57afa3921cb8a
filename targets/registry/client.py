"""The client of the registry: an instance of some services, and somebody who looks for others. It asks once.

Operations: ``register`` (on the service of the op's key, for a session; completed with {"session", "ttl_s"}), ``deregister``, ``beat``
(completed with {"session", "alive"}), ``leave``, ``lookup`` (completed with the sessions that are found) and ``watch`` (completed with
{"since", "changes", "upto"}; the next one goes on from there). A watch now and then goes on at another node; all else goes to the client's
own. A session opens with the first entry that is registered for it.

Of instances that are probed: ``serve`` (on the service of the op's key: an instance begins to run on the client's node, and is registered
with a check; completed with {"instance", "interval_s", "timeout_s", "failures", "deregister_s"}), ``mute`` and ``answer`` (from now on it
is silent when it is probed, or answers; refused if it does not run there any more), ``withdraw``, ``instances`` (completed with
[instance, status] of all that are registered) and ``healthy`` (completed with the instances that pass).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

# Code → whether the request certainly did nothing. Of codes that the registry does not send, the protocol says it.
ERRORS: Mapping[int, bool] = {
    codes.PRECONDITION: True,  # the session has ended, or there is no such entry
    codes.UNAVAILABLE: True,  # no leader is known, or it has just been deposed
    codes.TIMEOUT: False,
}
OF_SESSIONS = ("register", "deregister", "beat", "leave")
OF_INSTANCES = ("serve", "mute", "answer", "withdraw")
CHANGES = (*OF_SESSIONS, *OF_INSTANCES)
READS = ("lookup", "instances", "healthy", "watch")
MOVES = 0.3  # share of the watches that go on at any node


class RegistryClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat
        self._opened: set[str] = set()
        self._since = 0

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises ValueError for an operation that it does not know."""
        if op.f not in (*CHANGES, *READS):
            raise ValueError(f"a registry has the operations {', '.join((*CHANGES, *READS))}, not {op.f!r}")
        seat = self._seat
        node = seat.node
        if op.f == "watch" and seat.rng.random() < MOVES:
            node = seat.nodes[int(seat.rng.random() * len(seat.nodes))]
        try:
            reply = await seat.channel.rpc(node, self._body(op), seat.timeout_s)
        except NoAnswer:
            return (op.fail if op.f in READS else op.info)(f"{node}: no answer")
        except NotSent as error:
            return op.fail(f"{node}: not sent ({error})")
        except RpcError as error:
            certain = op.f in READS or ERRORS.get(error.code, codes.is_definite(error.code))
            return (op.fail if certain else op.info)(f"{node}: {error}")
        return op.ok(self._result(op, reply))

    def _body(self, op: Op) -> Body:
        body: Body = {"type": op.f}
        if op.key is not None:
            body["service"] = f"s{op.key}"
        if op.f in CHANGES:
            body["session" if op.f in OF_SESSIONS else "instance"] = op.value
        if op.f == "register":
            body["opens"] = op.value not in self._opened
            self._opened.add(op.value)
        if op.f == "watch":
            body["since"] = self._since
        return body

    def _result(self, op: Op, reply: Body) -> Any:
        if op.f == "register":
            return {"session": op.value, "ttl_s": reply["ttl_s"]}
        if op.f == "beat":
            return {"session": op.value, "alive": reply["alive"]}
        if op.f == "serve":
            return {"instance": op.value, **reply["check"]}
        if op.f in ("lookup", "instances", "healthy"):
            return reply["found"]
        if op.f == "watch":
            since, self._since = self._since, reply["upto"]
            # A service is called by its number in histories, as keys are.
            changes = [[number, what, int(service[1:]), session] for number, what, service, session in reply["changes"]]
            return {"since": since, "changes": changes, "upto": self._since}
        return op.value
