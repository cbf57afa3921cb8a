"""One client thread: it turns an invocation into a completion, whatever the client or the world does.

Nothing is raised out of ``invoke`` except broken contracts (of the client, of a node, of the machine): all else is an op.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from harness.errors import PluginError, SplitbrainError
from harness.op import Op, OpType
from harness.protocols import Channel, Client, ClientSeat, NotSent

# A client that outlives its patience by this much is cut off: its op is info.
GRACE_S = 0.5


class Worker:
    """The client of one thread. It speaks to node number ``thread mod nodes`` first, as Jepsen's clients do."""

    def __init__(
        self,
        *,
        thread: int,
        nodes: tuple[str, ...],
        connect: Callable[[str], Channel],
        client: Callable[[ClientSeat], Client],
        rng: random.Random,
        timeout_s: float,
        workload: str = "",
        true_s: Callable[[], float] = time.time,
    ) -> None:
        self.node = nodes[thread % len(nodes)]
        self._nodes, self._connect, self._make, self._rng, self._timeout_s = nodes, connect, client, rng, timeout_s
        self._workload, self._true_s = workload, true_s
        self._client: Client | None = None

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op`` and return its completion; after an ``info`` the next op gets a new client."""
        client = self._client or self._open(op)
        self._client = client
        try:
            async with asyncio.timeout(self._timeout_s + GRACE_S):
                done = await client.invoke(op)
        except NotSent as error:
            done = op.fail(f"not sent: {error}")
        except TimeoutError:
            done = op.info("timeout")
        except SplitbrainError:
            raise  # the machine or a node broke its contract: no completion can tell that
        except Exception as error:  # noqa: BLE001 - whatever a client throws, its op may have taken effect
            done = op.info(f"{type(error).__name__}: {error}")
        _check_completion(op, done)
        if done.type is OpType.INFO:
            self._client = None
        return done

    def _open(self, op: Op) -> Client:
        name = f"c{op.process}"
        seat = ClientSeat(
            channel=self._connect(name),
            node=self.node,
            nodes=self._nodes,
            name=name,
            rng=self._rng,
            timeout_s=self._timeout_s,
            workload=self._workload,
            true_s=self._true_s,
        )
        return self._make(seat)


def _check_completion(op: Op, done: Op) -> None:
    if not isinstance(done, Op):
        raise PluginError(
            f"client returned {done!r} for {op.f}: it must return op.ok(...), op.fail(...) or op.info(...)"
        )
    if done.type is OpType.INVOKE or (done.f, done.process, done.key) != (op.f, op.process, op.key):
        raise PluginError(f"client completed {op} as {done}: only type, value, error, node and extra may change")
