"""The client of targets that also hold sets: that of the registers, and adds.

To the retries of ``KvClient`` an add is a write: a mutation with a request id, whose result is nothing but "done". So it is carried out as
one, and only its message differs. A set is read as any key: null (never written) is the empty set.
"""

from __future__ import annotations

from dataclasses import replace

from harness.op import Op
from harness.protocols import Body, Channel, ClientSeat
from targets.kv.client import KvClient


class SetClient:
    """Satisfies ``harness.protocols.Client``. Ops: those of ``KvClient``, and add (element). ``forgets``: see there."""

    def __init__(self, seat: ClientSeat, *, forgets: bool = False) -> None:
        self._channel = _Translator(seat.channel)
        self._kv = KvClient(replace(seat, channel=self._channel), forgets=forgets)

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an op that it does not know."""
        self._channel.adds = op.f == "add"
        if op.f != "add":
            return await self._kv.invoke(op)
        return replace(await self._kv.invoke(replace(op, f="write")), f="add")


def forgetful(seat: ClientSeat) -> SetClient:
    """The client of a store that may lose what it has acknowledged."""
    return SetClient(seat, forgets=True)


class _Translator:
    """A channel that, while ``adds`` holds, sends writes as adds."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self.adds = channel, False

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        if self.adds:
            body = {**body, "type": "add", "element": body["value"]}
            del body["value"]
        return await self._channel.rpc(node, body, timeout_s)
