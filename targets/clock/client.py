"""The client of the logical clocks: it asks its node for events, once.

Operations: ``local`` (an event of the node alone) and ``tell`` (a message to another node, which the client draws). Both are completed with
the reading that the event has. What an error reply proves, the protocol says (``codes.is_definite``); no answer proves nothing (info).
"""

from __future__ import annotations

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes


class ClockClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat
        self._peers = [node for node in seat.nodes if node != seat.node]

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises ValueError for an operation that it does not know."""
        if op.f not in {"local", "tell"}:
            raise ValueError(f"a logical clock has the operations local and tell here, not {op.f!r}")
        seat = self._seat
        body: Body = {"type": op.f}
        if op.f == "tell":
            body["to"] = self._peers[int(seat.rng.random() * len(self._peers))]
        try:
            reply = await seat.channel.rpc(seat.node, body, seat.timeout_s)
        except NoAnswer:
            return op.info(f"{seat.node}: no answer")
        except NotSent as error:
            return op.fail(f"{seat.node}: not sent ({error})")
        except RpcError as error:
            return (op.fail if codes.is_definite(error.code) else op.info)(f"{seat.node}: {error}")
        return op.ok(reply["clock"])
