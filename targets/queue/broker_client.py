"""The client of ``queue/broker``: it publishes, and consumes one message at a time.

Operations: ``enqueue`` (the element, to the queue of the op's key) and ``dequeue`` (completed with an element, or with null if nothing
waits and nothing is delivered to anybody). How clients behave is said by the cluster (``settings``); what an error reply proves stands in
``ERRORS``. What completions say follows:

* An enqueue is ok when it is confirmed (without confirms: when it has been sent), a fail if every attempt was refused for good. A
  publisher tries again, and so may have a message twice in the queue, unless it numbers its messages.
* A dequeue is ok when this consumer has processed an element. It has not if it never got one, or gave it back: then it is a fail, whatever
  the broker thinks. With "late", what was processed is then acknowledged, and whatever becomes of that, it was processed; with "early", the
  broker takes it for done as soon as it has sent it. With "effect" it takes effect if and only if its acknowledgement is accepted, as where
  both are one transaction: that may be in doubt (info).
* What is in the queue and what became dead letters is consumed alike.
* In the workload ordered-queue it matters whether somebody may have been given an element before: there a dequeue that had no answer is
  in doubt (info), and nothing is given back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import cycle
from typing import Any

from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.node import codes

DEAD = ".dead"
# An attempt waits for this share of the operation's patience, then another node is asked.
ATTEMPT_SHARE = 0.25
PAUSE_MIN_S, PAUSE_MAX_S = 0.02, 0.1
HIDDEN = "nothing waits, but something is delivered and not acknowledged"
GIVEN_BACK = "given back"


class Verdict(Enum):
    """What an error reply says about the request that it answers."""

    NOT_HERE = "this attempt certainly did nothing; another node may do better"
    NEVER = "it certainly did nothing, and no node will do better"
    UNKNOWN = "it may have been carried out, or may yet be"


ERRORS: Mapping[int, Verdict] = {
    codes.UNAVAILABLE: Verdict.NOT_HERE,
    codes.ABORT: Verdict.NOT_HERE,
    codes.NODE_NOT_FOUND: Verdict.NOT_HERE,
    codes.NOT_SUPPORTED: Verdict.NEVER,
    codes.MALFORMED: Verdict.NEVER,
}


def verdict_of(code: int) -> Verdict:
    """What an error of this code says; of codes that no broker sends, what the protocol says (``codes.is_definite``)."""
    return ERRORS.get(code, Verdict.NEVER if codes.is_definite(code) else Verdict.UNKNOWN)


class _Failed(Exception):  # noqa: N818 - what happened, not whose fault it is
    """A request got no good answer. ``doubt``: whether it may have been carried out all the same."""

    def __init__(self, why: str, *, doubt: bool) -> None:
        super().__init__(why)
        self.doubt = doubt


class BrokerClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat
        self._deadline_s = 0.0
        self._route = self._nodes()
        self._settings: dict[str, Any] = {}
        self._ordered = seat.workload == "ordered-queue"
        self._count = 0  # of numbers and tokens, none of which is used twice

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an operation that it does not know."""
        self._deadline_s = asyncio.get_running_loop().time() + self._seat.timeout_s
        carry_out = {"enqueue": self._enqueue, "dequeue": self._dequeue}[op.f]
        try:
            if not self._settings:
                self._settings = (await self._ask({"type": "settings"}))["settings"]
        except _Failed as failed:
            return op.fail(str(failed))
        return await carry_out(op, f"q{op.key}")

    # Publishing

    async def _enqueue(self, op: Op, queue: str) -> Op:
        settings = self._settings
        body = {"type": "publish", "queue": queue, "value": op.value}
        if settings["priorities"] > 1:
            body["priority"] = op.value % settings["priorities"]
        if settings["numbered"]:
            body |= {"publisher": self._seat.name, "sequence": self._fresh()}
        try:
            await self._ask(body, once=not settings["confirms"])
        except _Failed as failed:
            if failed.doubt and settings["confirms"]:
                return op.info(str(failed))
            return op.ok(op.value) if failed.doubt else op.fail(str(failed))
        return op.ok(op.value)

    # Consuming

    async def _dequeue(self, op: Op, queue: str) -> Op:
        try:
            while True:
                hidden = 0
                for name in (queue, queue + DEAD):
                    token = f"{self._seat.name}/{self._fresh()}"
                    found = await self._ask({"type": "get", "queue": name, "token": token}, once=self._ordered)
                    if not found["empty"]:
                        return await self._consume(
                            op, found, {"queue": name, "number": found["number"], "token": token}
                        )
                    hidden += found["hidden"]
                if not hidden:
                    return op.ok(None)
                await self._pause()
                if self._left_s() <= 0:
                    return op.fail(HIDDEN)
        except _Failed as failed:
            return op.info(str(failed)) if failed.doubt and self._ordered else op.fail(str(failed))

    async def _consume(self, op: Op, found: Body, delivery: Body) -> Op:
        mode, value = self._settings["consume"], found["value"]
        if mode == "early":
            return op.ok(value)
        if not self._ordered and self._seat.rng.random() < self._settings["reject"]:
            try:
                await self._ask({"type": "nack", "dead": False, **delivery})
            except _Failed as failed:
                return op.fail(f"{GIVEN_BACK}, but {failed}")
            return op.fail(GIVEN_BACK)
        doubts: list[str] = []
        try:
            accepted = (await self._ask({"type": "ack", **delivery}, doubts=doubts))["ok"]
        except _Failed as failed:
            if mode == "late":
                return op.ok(value)
            return op.info(str(failed)) if failed.doubt else op.fail(str(failed))
        if mode == "late" or accepted:
            return op.ok(value)
        # A refusal after an attempt without an answer may be the answer to that one's success.
        return op.info(doubts[-1]) if doubts else op.fail("the delivery was over before it was acknowledged")

    # Asking

    async def _ask(self, body: Body, *, once: bool = False, doubts: list[str] | None = None) -> Body:
        """The answer of any node to ``body``; tried again until the patience ends, unless ``once``. Raises _Failed.

        Attempts that may have been carried out without an answer are told to ``doubts``.
        """
        doubts = [] if doubts is None else doubts
        why = "not sent"
        while self._left_s() > 0:
            node = next(self._route)
            patience_s = min(self._seat.timeout_s * ATTEMPT_SHARE, self._left_s())
            try:
                return await self._seat.channel.rpc(node, body, patience_s)
            except NoAnswer:
                why = f"{node}: no answer"
                doubts.append(why)
            except NotSent as error:
                why = f"{node}: not sent ({error})"
            except RpcError as error:
                why, verdict = f"{node}: {error}", verdict_of(error.code)
                if verdict is Verdict.UNKNOWN:
                    doubts.append(why)
                elif verdict is Verdict.NEVER:
                    break
            if once and doubts:
                break
            await self._pause()
        raise _Failed(doubts[-1] if doubts else why, doubt=bool(doubts))

    def _nodes(self) -> Iterator[str]:
        """The nodes to ask: the client's own first, then the others in turn, round and round."""
        nodes = self._seat.nodes
        start = nodes.index(self._seat.node)
        return cycle((*nodes[start:], *nodes[:start]))

    def _fresh(self) -> int:
        self._count += 1
        return self._count

    def _left_s(self) -> float:
        return self._deadline_s - asyncio.get_running_loop().time()

    async def _pause(self) -> None:
        await asyncio.sleep(min(self._seat.rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S), max(0.0, self._left_s())))
