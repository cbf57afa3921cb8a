"""The clients of the counters: one for each promise of delivery. Ops: add (a number), read.

* ``AtMostOnce`` asks its node once. An answer that does not come leaves the op in doubt.
* ``AtLeastOnce`` asks again, and other nodes, until somebody answers: an op that succeeded may have been carried out more than once.
* ``ExactlyOnce`` does the same under one request id, so that all attempts together count once. An answer ends the op.

What was refused for certain by everyone it reached, or never left, is a fail; a read without an answer is one, too; else it is info.
"""

from __future__ import annotations

import asyncio
from itertools import cycle

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

# An attempt waits for this share of the op's patience, then another node is asked; the pause before that grows (exponential back-off).
ATTEMPT_SHARE = 0.25
PAUSE_MIN_S, PAUSE_MAX_S = 0.02, 0.2


class _Counting:
    """The loop that all three share."""

    def __init__(self, seat: ClientSeat, *, retries: bool, names: bool) -> None:
        self._seat, self._retries, self._names = seat, retries, names
        self._seq = 0

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises ValueError for an op that is none of the two."""
        if op.f not in {"add", "read"}:
            raise ValueError(f"a counter has the operations add and read, not {op.f!r}")
        body = self._body(op)
        seat, loop = self._seat, asyncio.get_running_loop()
        deadline_s = loop.time() + seat.timeout_s
        start = seat.nodes.index(seat.node)
        doubt, last, pause_s = False, "not sent", PAUSE_MIN_S
        for node in cycle((*seat.nodes[start:], *seat.nodes[:start])):
            patience_s = min(seat.timeout_s * (ATTEMPT_SHARE if self._retries else 1.0), deadline_s - loop.time())
            if patience_s <= 0:
                break
            try:
                reply = await seat.channel.rpc(node, body, patience_s)
            except NoAnswer:
                doubt, last = True, f"{node}: no answer"
            except NotSent as error:
                last = f"{node}: not sent ({error})"
            except RpcError as error:
                doubt, last = doubt or not codes.is_definite(error.code), f"{node}: {error}"
            else:
                return op.ok(reply["value"] if op.f == "read" else op.value)
            if not self._retries:
                break
            await asyncio.sleep(min(seat.rng.uniform(0, pause_s), max(0.0, deadline_s - loop.time())))
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
        return op.info(last) if doubt and op.f == "add" else op.fail(last)

    def _body(self, op: Op) -> Body:
        body: Body = {"type": op.f} if op.f == "read" else {"type": op.f, "delta": op.value}
        if op.key is not None:
            body["key"] = op.key
        if op.f == "add" and self._names:
            self._seq += 1
            body["seq"] = self._seq
        return body


class AtMostOnce(_Counting):
    """See the module. Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        super().__init__(seat, retries=False, names=False)


class AtLeastOnce(_Counting):
    """See the module. Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        super().__init__(seat, retries=True, names=False)


class ExactlyOnce(_Counting):
    """See the module. Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        super().__init__(seat, retries=True, names=True)
