"""The client of the shared memories: a thread on its node, which asks that node, once.

Operations: ``read`` (null → value, null if nobody has written) and ``write`` of the op's key, and ``program``, a thread of a litmus test
(see ``harness.litmus``). Keys are addresses; locations of litmus tests are a letter and the number of the instance, and those of one
instance lie on pages of their own, where pages are small, beside those of its neighbours. What an error reply proves stands in ``ERRORS``;
no answer proves nothing (info, but for a read, which changes nothing), a request that never left is a fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.litmus import BARRIER, FENCE, LOCK, READ, UNLOCK, WRITE
from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

# Code → whether the request certainly did nothing. Of codes that no memory sends, the protocol says it (``codes.is_definite``).
ERRORS: Mapping[int, bool] = {
    codes.UNAVAILABLE: True,  # a page, a lock or a barrier was not to be had in time, before anything was written
    codes.TIMEOUT: False,  # the same, when something was
}
# Letter → where its locations begin. Each has every second address, or number.
LOCATIONS = {"x": 0, "y": 3}
MEETINGS = {"m": 0, "b": 1}


class DsmClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an operation that it does not know."""
        seat, body = self._seat, _REQUESTS[op.f](op)
        try:
            reply = await seat.channel.rpc(seat.node, body, seat.timeout_s)
        except NoAnswer:
            return (op.fail if op.f == "read" else op.info)(f"{seat.node}: no answer")
        except NotSent as error:
            return op.fail(f"{seat.node}: not sent ({error})")
        except RpcError as error:
            certain = op.f == "read" or ERRORS.get(error.code, codes.is_definite(error.code))
            return (op.fail if certain else op.info)(f"{seat.node}: {error}")
        return op.ok(_RESULTS[op.f](op, reply))


def _program(op: Op) -> Body:
    return {"type": "program", "steps": [_step(step) for step in op.value["steps"]]}


def _step(step: Sequence[Any]) -> list[Any]:
    """The step as the node knows it: with addresses and numbers, and reads without a place for what they read."""
    what, *rest = step
    match what:
        case _ if what == FENCE:
            return [FENCE]
        case _ if what in (LOCK, UNLOCK, BARRIER):
            return [what, _number(rest[0], MEETINGS), *rest[1:]]
        case _ if what == WRITE:
            return [WRITE, _number(rest[0], LOCATIONS), *rest[1:]]
        case _:
            return [READ, _number(rest[0], LOCATIONS), *rest[2:]]


def _number(location: str, begin: Mapping[str, int]) -> int:
    return 2 * int(location[1:]) + begin[location[0]]


def _ran(op: Op, reply: Body) -> dict[str, Any]:
    """The program with the values that its reads have seen; nobody's writes are 0 before."""
    values: Iterator[Any] = iter(reply["values"])
    steps = [_seen(step, next(values)) if step[0] == READ else step for step in op.value["steps"]]
    return {**op.value, "steps": steps}


def _seen(step: Sequence[Any], value: Any) -> list[Any]:
    return [*step[:2], 0 if value is None else value, *step[3:]]


_REQUESTS = {
    "read": lambda op: {"type": "read", "address": op.key},
    "write": lambda op: {"type": "write", "address": op.key, "value": op.value},
    "program": _program,
}
_RESULTS = {
    "read": lambda _op, reply: reply["value"],
    "write": lambda op, _reply: op.value,
    "program": _ran,
}
