"""The client of kv/dynamo: it reads before it writes, and settles siblings, as the clients of such a store must.

A write first reads the key and then hands back the context that came with it (Dynamo, 4.4: put takes the context of a get), so it
replaces what was there and nothing else. An add reads the set, and writes it with one element more; where siblings stand side by side,
they are united.

One client speaks to one node: what became of an op is then what that node could do, on its side of a partition. With ``hop`` in the
op's ``extra`` (the workload option) each op goes to any node instead. With ``vector``, a client demands of every read all that it has
seen of the key in its session: guarantees that the client carries itself (Terry et al., PDIS 1994).

Nothing is sent twice. A write that was sent a second time would get a second stamp, and could replace what came after the first.
What an error proves: a read changes nothing, so an op that got no further certainly did not happen (fail). Once the write has left, only a
definite error says so; all else is in doubt (info).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

HOP, VECTOR, SIBLINGS = "hop", "vector", "siblings"  # what a workload may write into an op's extra


class DynamoClient:
    """Satisfies ``harness.protocols.Client``. Ops: read, write (null deletes), add (element).

    A read returns the value (null if there is none, all elements if it is a set); with ``siblings`` in the op's extra the list of all
    values.
    """

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat
        self._seen: dict[str, Any] = {}  # key as JSON → context of the session

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an op that is none of the three."""
        change = CHANGES[op.f]
        node = self._seat.rng.choice(self._seat.nodes) if op.extra.get(HOP) else self._seat.node
        op = replace(op, node=node)
        deadline_s = asyncio.get_running_loop().time() + self._seat.timeout_s
        try:
            found = await self._ask(node, self._read(op), deadline_s)
        except (NoAnswer, NotSent):
            return op.fail(f"{node}: no answer to a read")
        except RpcError as error:
            return op.fail(f"{node}: {error}")
        self._learn(op, found)
        if change is None:
            return op.ok(shown(found["values"], all_of_them=bool(op.extra.get(SIBLINGS))))
        body = {"key": op.key, "context": found["context"], **change(op.value, found["values"])}
        try:
            self._learn(op, await self._ask(node, body, deadline_s))
        except NotSent as error:
            return op.fail(f"{node}: not sent ({error})")
        except NoAnswer:
            return op.info(f"{node}: no answer to a write")
        except RpcError as error:
            return op.fail(f"{node}: {error}") if codes.is_definite(error.code) else op.info(f"{node}: {error}")
        return op.ok(op.value)

    async def _ask(self, node: str, body: Body, deadline_s: float) -> Body:
        patience_s = deadline_s - asyncio.get_running_loop().time()
        if patience_s <= 0:
            raise NotSent("no patience is left")
        return await self._seat.channel.rpc(node, body, patience_s)

    def _read(self, op: Op) -> Body:
        least = self._seen.get(json.dumps(op.key)) if op.extra.get(VECTOR) else None
        return {"type": "read", "key": op.key, **({} if least is None else {"least": least})}

    def _learn(self, op: Op, reply: Mapping[str, Any]) -> None:
        # What a session has seen only grows: with ``least`` each answer knows all that came before it.
        self._seen[json.dumps(op.key)] = reply["context"]


def _write(value: Any, _: list[Any]) -> Body:
    return {"type": "delete"} if value is None else {"type": "write", "value": value}


def _add(element: Any, siblings: list[Any]) -> Body:
    return {"type": "write", "value": united([one for one in siblings if one is not None], [element])}


CHANGES = {"read": None, "write": _write, "add": _add}


def shown(siblings: list[Any], *, all_of_them: bool) -> Any:
    """What a read returns of these siblings: the list of them, or what they come to.

    Sets are united. Of other values the greatest counts: numbers by size, all else behind them by its JSON text. Any rule that depends on
    nothing but the values would do; it is the application's business.
    """
    if all_of_them:
        return siblings
    siblings = [value for value in siblings if value is not None]  # a deletion that did not know of the others
    if any(isinstance(value, list) for value in siblings):
        return united(*(value if isinstance(value, list) else [value] for value in siblings))
    return max(siblings, key=_rank, default=None)


def united(*sets: list[Any]) -> list[Any]:
    """All elements of lists and of lists of siblings, each once, in order of first appearance."""
    found: dict[str, Any] = {}
    for elements in sets:
        for element in elements:
            for one in element if isinstance(element, list) else [element]:
                found.setdefault(json.dumps(one, sort_keys=True), one)
    return list(found.values())


def _rank(value: Any) -> tuple[bool, float, str]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return not number, value if number else 0.0, json.dumps(value, sort_keys=True)
