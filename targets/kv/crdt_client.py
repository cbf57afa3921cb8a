"""The client of replicated data types: Maelstrom's requests of broadcast, g-set, g-counter, pn-counter and unique-ids, and removes.

A client belongs to one node and asks no other: another replica would carry out the same request a second time, since no two replicas
agree on anything before they answer. It asks again, with the same request id, while its patience lasts: the node knows its requests, also
after a restart. What the completions may say:

* an answer ends the op, and is true of all attempts together: the node has carried the request out once;
* if every attempt was refused definitely, or never left, the op certainly did not happen: fail;
* else nobody knows: info. A read changes nothing, and the ids of a ``generate`` without an answer are nobody's: both are fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

# An attempt waits for this share of the op's patience.
ATTEMPT_SHARE = 0.5
PAUSE_MIN_S, PAUSE_MAX_S = 0.02, 0.1

# An add is of an element or of a number: the request carries it under both names, and the node takes the one that its data has.
REQUESTS: Mapping[str, Callable[[Op], Body]] = {
    "read": lambda _op: {"type": "read"},
    "broadcast": lambda op: {"type": "broadcast", "message": op.value},
    "add": lambda op: {"type": "add", "element": op.value, "delta": op.value},
    "remove": lambda op: {"type": "remove", "element": op.value},
    "generate": lambda _op: {"type": "generate"},
}
# Where the answer stands; other ops return what they were given.
RESULTS: Mapping[str, tuple[str, ...]] = {"read": ("messages", "value"), "generate": ("id",)}


class CrdtClient:
    """Satisfies ``harness.protocols.Client``. Ops: read, broadcast (value), add (element or number), remove (element), generate."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat
        self._seq = 0

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an op that it does not know."""
        body = REQUESTS[op.f](op)
        if op.key is not None:
            body["key"] = op.key
        if op.f not in RESULTS:
            self._seq += 1
            body["seq"] = self._seq
        loop, seat = asyncio.get_running_loop(), self._seat
        deadline_s = loop.time() + seat.timeout_s
        doubt, last = False, "not sent"
        while (patience_s := min(seat.timeout_s * ATTEMPT_SHARE, deadline_s - loop.time())) > 0:
            try:
                return _done(op, await seat.channel.rpc(seat.node, body, patience_s))
            except NoAnswer:
                doubt, last = True, f"{seat.node}: no answer"
            except NotSent as error:
                last = f"{seat.node}: not sent ({error})"
            except RpcError as error:
                last = f"{seat.node}: {error}"
                if codes.is_definite(error.code) and error.code != codes.UNAVAILABLE:
                    break  # the node will never do better
                doubt = doubt or not codes.is_definite(error.code)
            await asyncio.sleep(min(seat.rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S), max(0.0, deadline_s - loop.time())))
        return op.info(last) if doubt and op.f not in RESULTS else op.fail(last)


def _done(op: Op, reply: Body) -> Op:
    for field in RESULTS.get(op.f, ()):
        if field in reply:
            return op.ok(reply[field])
    return op.ok(op.value)
