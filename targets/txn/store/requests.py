"""What a client asks for: which keys it reads, and what it writes once their values are known. Pure.

* ``txn`` {"txn": [[f, key, value], ...]}: Maelstrom's micro-operations "r", "w" and "append";
* ``transfer`` {"from", "to", "amount", "opening"}: refused if the account would be overdrawn; one that nobody touched holds "opening";
* ``balances`` {"accounts", "opening"}: all of them at once;
* ``insert`` {"tables", "key", "table", "id"}: refused if a table has a row of that key, else ``id`` goes into ``table``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from targets.node import codes
from targets.node.env import Body, Refusal
from targets.txn.store.placement import slot_of

Values = Mapping[str, Any]  # slot → its value, null if it was never written
Worked = tuple[dict[str, Any], Body]  # what is written, and the reply


@dataclass(frozen=True, slots=True)
class Request:
    """``slots`` are read; ``work`` makes of their values what is written and the reply. It raises Refusal."""

    slots: tuple[str, ...]
    work: Callable[[Values], Worked]


def request_of(body: Body) -> Request:
    """The request that a message's body is. Raises KeyError for one of no known type."""
    slots, work = REQUESTS[body["type"]]
    return Request(tuple(dict.fromkeys(slots(body))), lambda values: work(body, values))


def _txn(body: Body, values: Values) -> Worked:
    writes: dict[str, Any] = {}
    done = []
    for f, key, value in body["txn"]:
        slot = slot_of(key)
        found = writes[slot] if slot in writes else values[slot]
        if f == "r":
            done.append([f, key, found])
            continue
        if f not in {"w", "append"}:
            raise Refusal(codes.NOT_SUPPORTED, f"{f!r} is no micro-operation of this store: r, w and append are")
        writes[slot] = value if f == "w" else [*(found or ()), value]
        done.append([f, key, value])
    return writes, {"type": "txn_ok", "txn": done}


def _transfer(body: Body, values: Values) -> Worked:
    source, dest = slot_of(body["from"]), slot_of(body["to"])
    holds = {slot: body["opening"] if values[slot] is None else values[slot] for slot in (source, dest)}
    if holds[source] < body["amount"]:
        raise Refusal(codes.PRECONDITION, "the account does not hold so much")
    moved = {source: holds[source] - body["amount"], dest: holds[dest] + body["amount"]}
    return moved, {"type": "transfer_ok"}


def _balances(body: Body, values: Values) -> Worked:
    found = {account: values[slot_of(account)] for account in body["accounts"]}
    opened = {account: body["opening"] if value is None else value for account, value in found.items()}
    return {}, {"type": "balances_ok", "balances": opened}


def _insert(body: Body, values: Values) -> Worked:
    if any(value is not None for value in values.values()):
        raise Refusal(codes.PRECONDITION, "there is a row of that key")
    return {slot_of([body["table"], body["key"]]): body["id"]}, {"type": "insert_ok"}


REQUESTS: Mapping[str, tuple[Callable[[Body], Iterable[str]], Callable[[Body, Values], Worked]]] = {
    "txn": (lambda body: (slot_of(key) for _, key, _ in body["txn"]), _txn),
    "transfer": (lambda body: (slot_of(body["from"]), slot_of(body["to"])), _transfer),
    "balances": (lambda body: map(slot_of, body["accounts"]), _balances),
    "insert": (lambda body: (slot_of([table, body["key"]]) for table in body["tables"]), _insert),
}
