"""The client of the transactional store: it asks its node, once.

Operations: ``txn`` (a list of micro-operations [f, key, value], f of r, w and append; null → the value that was read; those of
``predicates`` as well), ``transfer`` and
``read`` of the bank (all accounts, by their names), ``insert`` of key k and [table, id] (it looks first whether any table has a row of that
key). Nothing is repeated: a transaction has no name by which a node could know that it has done it. What an error reply proves stands in
``ERRORS``; no answer proves nothing (info), except of what only reads; a request that never left is a fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from harness.workloads.bank import ACCOUNTS, OPENING
from harness.workloads.predicates import FIND
from targets.node import codes
from targets.txn import predicates

TABLES = ("a", "b")

# Code → whether the transaction is certainly aborted. Of codes that no node sends, the protocol says it (``codes.is_definite``).
ERRORS: Mapping[int, bool] = {
    codes.TXN_CONFLICT: True,  # a participant voted no, or not in time; or a key that is read is being committed
    codes.PRECONDITION: True,  # the account would be overdrawn; there is a row of that key
    codes.UNAVAILABLE: True,  # no snapshot was to be had
    codes.TIMEOUT: False,  # the coordinator did not answer, or does not know the outcome
}


def _txn(op: Op) -> Body:
    return {"type": "txn", "txn": predicates.asked(op.value) if predicates.by_predicates(op.value) else op.value}


def _transfer(op: Op) -> Body:
    return {"type": "transfer", **op.value, "opening": OPENING}


def _read(_op: Op) -> Body:
    return {"type": "balances", "accounts": list(ACCOUNTS), "opening": OPENING}


def _insert(op: Op) -> Body:
    table, row = op.value
    return {"type": "insert", "tables": list(TABLES), "key": op.key, "table": table, "id": row}


# Operation → (its request, the field of the reply that is its value; none: its argument is).
REQUESTS: Mapping[str, tuple[Callable[[Op], Body], str | None]] = {
    "txn": (_txn, "txn"),
    "transfer": (_transfer, None),
    "read": (_read, "balances"),
    "insert": (_insert, None),
}


class TxnClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an operation that it does not know."""
        seat = self._seat
        request, result = REQUESTS[op.f]
        try:
            reply = await seat.channel.rpc(seat.node, request(op), seat.timeout_s)
        except NoAnswer:
            return (op.fail if only_reads(op) else op.info)(f"{seat.node}: no answer")
        except NotSent as error:
            return op.fail(f"{seat.node}: not sent ({error})")
        except RpcError as error:
            aborted = only_reads(op) or ERRORS.get(error.code, codes.is_definite(error.code))
            return (op.fail if aborted else op.info)(f"{seat.node}: {error}")
        value: Any = op.value if result is None else reply[result]
        if op.f == "txn" and predicates.by_predicates(op.value):
            value = predicates.answered(op.value, value)
        return op.ok(value)


def only_reads(op: Op) -> bool:
    """Whether the operation changes nothing, so that one without an answer did not happen for anybody."""
    return op.f == "read" or (op.f == "txn" and all(f in ("r", FIND) for f, _, _ in op.value))
