"""The client of clock/ntp: it asks its node for the time, once (``now``).

The completion holds what the node said, {"time_s", "bound_s"}; beside it, ``true_s`` is the true time before the question and after the
answer, by the clock of the simulator, or of the machine that the harness runs on. A question without an answer changed nothing: a fail.
"""

from __future__ import annotations

from dataclasses import replace

from harness.op import Op
from harness.protocols import ClientSeat, NoAnswer, NotSent, RpcError


class TimeClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises ValueError for an operation that it does not know."""
        if op.f != "now":
            raise ValueError(f"a clock is asked for the time (now) here, not {op.f!r}")
        seat = self._seat
        before_s = seat.true_s()
        try:
            reply = await seat.channel.rpc(seat.node, {"type": "now"}, seat.timeout_s)
        except NoAnswer:
            return op.fail(f"{seat.node}: no answer")
        except NotSent as error:
            return op.fail(f"{seat.node}: not sent ({error})")
        except RpcError as error:
            return op.fail(f"{seat.node}: {error}")
        done = op.ok({"time_s": reply["time_s"], "bound_s": reply["bound_s"]})
        return replace(done, extra={**op.extra, "true_s": [before_s, seat.true_s()]})
