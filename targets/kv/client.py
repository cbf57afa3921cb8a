"""The client of the key-value targets: reads, writes and compare-and-sets as Maelstrom's lin-kv requests, retried with one request id.

An op is one request id (client name, sequence number) and as many attempts as its patience allows, each at another node; its completion
names the node that answered. What an attempt's
error proves stands in ``VERDICTS``. What the op's completion may say follows:

* A result (ok, or 20 and 22 from the store itself) ends the op, and is true of all attempts together. The servers keep, in their replicated
  state, the result of each client's latest request; the first attempt that is applied decides it, every other attempt of the
  same id gets that same result and changes nothing. So a 22 that answers the second attempt says that the first one neither has
  changed nor ever will change anything, although it got no answer: either the 22 is its own recorded result, or it will be met by the
  record that the second attempt has left.
* A store that ``forgets`` (asynchronous replication, at failover) breaks that chain: its 20 or 22 is then the result of one attempt and
  says nothing of the others, so an op of which an earlier attempt is in doubt stays in doubt (info).
* The record must not be forgotten while a copy of an attempt can still arrive. A client's later request replaces it, and then a late copy
  is refused as stale; and the servers remember more clients than can be in doubt at a time.
* An error that is no result but definite (11: no leader here) proves that this attempt did nothing, and says nothing of the others.
  So only if every attempt ended so did the op certainly not happen (fail); if one of them is in doubt, so is the op (info).
* A read changes nothing: one that got no value is a fail, whatever became of its attempts.

A store whose nodes answer reads from their own state says with each result which of its changes the result contains ("index"), and the
client says with each read up to which change it has seen its own past ("after"): a node that lags behind that refuses, and another one is
asked. (ZooKeeper's clients do so with the zxid.)

Sequence numbers grow with each mutation, and a client has one op at a time: so the sessions see them in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from itertools import cycle

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

# An attempt waits for this share of the op's patience, then another node is asked.
ATTEMPT_SHARE = 0.25
# After a refusal the next node is asked after a random pause, so that an election is not met by a storm.
PAUSE_MIN_S, PAUSE_MAX_S = 0.02, 0.1


class Verdict(Enum):
    """What an error reply says about the request that it answers."""

    RESULT = "the store has carried it out, and this is what came of it"
    NOT_HERE = "this attempt certainly did nothing; another node may do better"
    NEVER = "it certainly did nothing, and no node will do better"
    UNKNOWN = "it may have been carried out, or may yet be"


VERDICTS: Mapping[int, Verdict] = {
    codes.KEY_MISSING: Verdict.RESULT,
    codes.PRECONDITION: Verdict.RESULT,
    codes.UNAVAILABLE: Verdict.NOT_HERE,
    codes.ABORT: Verdict.NOT_HERE,
    codes.NODE_NOT_FOUND: Verdict.NOT_HERE,
    codes.UNAUTHORIZED: Verdict.NOT_HERE,
    codes.NOT_SUPPORTED: Verdict.NEVER,
    codes.MALFORMED: Verdict.NEVER,
}


def verdict_of(code: int) -> Verdict:
    """What an error of this code says; of codes that no server of ours sends, what the protocol says (``codes.is_definite``)."""
    return VERDICTS.get(code, Verdict.NEVER if codes.is_definite(code) else Verdict.UNKNOWN)


def _read(op: Op) -> Body:
    return {"type": "read", "key": op.key}


def _write(op: Op) -> Body:
    return {"type": "write", "key": op.key, "value": op.value}


def _cas(op: Op) -> Body:
    old, new = op.value
    return {"type": "cas", "key": op.key, "from": old, "to": new}


def _add(op: Op) -> Body:
    return {"type": "add", "key": op.key, "delta": op.value}


REQUESTS: Mapping[str, Callable[[Op], Body]] = {"read": _read, "write": _write, "cas": _cas, "add": _add}


class KvClient:
    """A ``harness.protocols.Client``.

    Ops: read (null → value, null if never written), write (value), cas ([old, new]), add (number).

    ``forgets``: whether the store may lose what it has acknowledged, and with it the results that it remembers.
    """

    def __init__(self, seat: ClientSeat, *, forgets: bool = False) -> None:
        self._seat, self._forgets = seat, forgets
        self._seq = 0
        self._seen = 0  # the latest change that a result of the store contained

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an op that is none of these."""
        body = self._request(op)
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._seat.timeout_s
        doubt: str | None = None  # why an attempt may have been carried out
        last = "not sent"
        for node in self._route():
            patience_s = min(self._seat.timeout_s * ATTEMPT_SHARE, deadline_s - loop.time())
            if patience_s <= 0:
                break
            try:
                reply = await self._seat.channel.rpc(node, body, patience_s)
            except NoAnswer:
                doubt = last = f"{node}: no answer"
                continue
            except NotSent as error:
                last = f"{node}: not sent ({error})"
            except RpcError as error:
                verdict = verdict_of(error.code)
                if verdict is Verdict.RESULT:
                    return self._refused(_answered_by(op, node), error, doubt)
                last = f"{node}: {error}"
                if verdict is Verdict.UNKNOWN:
                    doubt = last
                elif verdict is Verdict.NEVER:
                    break
            else:
                self._seen = max(self._seen, reply.get("index", 0))
                return _answered_by(op, node).ok(reply["value"] if op.f == "read" else op.value)
            await asyncio.sleep(
                min(self._seat.rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S), max(0.0, deadline_s - loop.time()))
            )
        if doubt is not None and op.f != "read":
            return op.info(doubt)
        return op.fail(last)

    def _request(self, op: Op) -> Body:
        body = REQUESTS[op.f](op)
        if op.f != "read":
            self._seq += 1
            body |= {"client": self._seat.name, "seq": self._seq}
        elif self._seen:
            body["after"] = self._seen
        return body

    def _refused(self, op: Op, error: RpcError, doubt: str | None) -> Op:
        """The store itself said no: a key that was never written reads as null, a compare-and-set has not changed anything."""
        if op.f == "read":
            return op.ok(None) if error.code == codes.KEY_MISSING else op.fail(str(error))
        if self._forgets and doubt is not None:
            return op.info(f"{doubt}; then {op.node}: {error}")
        return op.fail(str(error))

    def _route(self) -> Iterator[str]:
        """The nodes to ask: the client's own first, then the others in turn, round and round."""
        nodes = self._seat.nodes
        start = nodes.index(self._seat.node)
        return cycle((*nodes[start:], *nodes[:start]))


def _answered_by(op: Op, node: str) -> Op:
    """The completion names the node that answered, which need not be the client's own: else nobody could say who served whom."""
    return op if op.node == node else replace(op, node=node)
