"""The client of the locks: it asks the session on its node, once.

Operations, on the lock of the op's key: ``acquire`` (completed with {"token"}, and {"lease_s"} where the holder goes by its clock), ``use``
(its value is the token) and ``release``. The session is on one node, so no other node is asked, and nothing is repeated: who is refused
comes again. What an error reply proves stands in ``ERRORS``; no answer proves nothing (info), a request that never left is a fail.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

# Code → whether the request certainly did nothing. Of codes that no lock sends, the protocol says it (``codes.is_definite``).
ERRORS: Mapping[int, bool] = {
    codes.PRECONDITION: True,  # somebody else holds it, this session does not, or the token comes late
    codes.UNAVAILABLE: True,  # no leader is known, or it has just been deposed
    codes.TIMEOUT: False,
}


class LockClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises ValueError for an operation that it does not know."""
        if op.f not in {"acquire", "use", "release"}:
            raise ValueError(f"a lock has the operations acquire, use and release here, not {op.f!r}")
        seat = self._seat
        body: Body = {"type": op.f, "lock": f"l{op.key}"}
        if op.f == "use":
            body["token"] = op.value
        try:
            reply = await seat.channel.rpc(seat.node, body, seat.timeout_s)
        except NoAnswer:
            return op.info(f"{seat.node}: no answer")
        except NotSent as error:
            return op.fail(f"{seat.node}: not sent ({error})")
        except RpcError as error:
            certain = ERRORS.get(error.code, codes.is_definite(error.code))
            return (op.fail if certain else op.info)(f"{seat.node}: {error}")
        return op.ok(
            {name: reply[name] for name in ("token", "lease_s") if name in reply} if op.f == "acquire" else op.value
        )
