"""Those who hold locks: sessions on a node, each on behalf of one client.

Why they are on a node: what breaks a lock is what befalls its holder. It stands still and does not notice that its lease ends; its clock
jumps; it is cut off from the service and hears nothing. Clients of the harness have none of this: no fault touches them. So a client asks
a session on its node to acquire, to use and to release; the session believes that it holds the lock, keeps it alive, and works on the
resource. A pause, a wrong clock or a partition of that node is then the holder's. If the node dies, its sessions hold nothing any more,
and what they held is freed when its lease ends.

What a session believes is said by the option "holder" (see ``config``). One that goes by what it is told believes too long whenever it
cannot be told: its acquire promises no time. One that goes by its clock is right whenever it looks, if the clock is; it promises its
client no more than the lease. What it sends after it looked may still come late, which only a fenced resource notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from targets.lock.service.bugs import Bugs
from targets.lock.service.config import BY_CLOCK, Config
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.quorum import Copies, Quorum

SUBMIT_S = 1.0  # patience for a command, and for the resource
RENEWALS = 3  # so often in the time of a lease

Name = tuple[str, str]  # (client, lock)


@dataclass(slots=True)
class _Hold:
    """``until_s``: the end of the lease by the clock of leases; ``asked_s``: when, by the monotonic one, the client last asked; ``lost``:
    the service has said that the lease has ended.
    """

    token: int
    until_s: float
    asked_s: float
    lost: bool = False


class Holders:
    """The sessions of one node."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, quorum: Quorum, now_s: Callable[[], float]) -> None:
        self._env, self._config, self._bugs, self._quorum, self._now_s = env, config, bugs, quorum, now_s
        self._resource = env.node_ids[-1]
        self._holds: dict[Name, _Hold] = {}
        self._copies = Copies()
        for type_, carry_out in (("acquire", self._acquire), ("use", self._use), ("release", self._release)):
            env.on(type_, self._once(carry_out))

    def _once(
        self, carry_out: Callable[[Name, Body], Coroutine[Any, Any, Body]]
    ) -> Callable[[Message], Coroutine[Any, Any, Body] | None]:
        """A handler that drops copies which the network made: a copy of an acquire would hold a lock that nobody knows of."""

        def handle(message: Message) -> Coroutine[Any, Any, Body] | None:
            body = message["body"]
            return None if self._copies.is_copy(message) else carry_out((message["src"], body["lock"]), body)

        return handle

    async def _acquire(self, name: Name, _body: Body) -> Body:
        old = self._holds.pop(name, None)  # the client has forgotten it
        if old is not None:
            await self._submit(["release", name[1], old.token])
        asked_s = self._now_s()
        stamp = int(1000 * self._env.wall_time()) if self._bugs.token_by_wall_clock else None
        result = await self._submit(["acquire", name[1], stamp])
        if not result["ok"]:
            raise Refusal(codes.PRECONDITION, "somebody else holds it")
        hold = _Hold(result["token"], self._end_s(asked_s), self._env.monotonic())
        self._holds[name] = hold
        self._env.spawn(self._keep(name, hold))
        promised = {"lease_s": self._config.lease_s} if self._config.holder == BY_CLOCK else {}
        return {"type": "acquire_ok", "token": hold.token, **promised}

    async def _use(self, name: Name, body: Body) -> Body:
        hold = self._held(name)
        if hold.lost or (self._config.holder == BY_CLOCK and self._now_s() >= hold.until_s):
            raise Refusal(codes.PRECONDITION, "the lease has ended")
        write = {"type": "write", "lock": name[1], "token": body["token"]}
        try:
            await self._env.rpc(self._resource, write, SUBMIT_S)
        except TimeoutError as error:
            raise Refusal(codes.TIMEOUT, "the resource did not answer") from error
        return {"type": "use_ok"}

    async def _release(self, name: Name, _body: Body) -> Body:
        # Whatever the session believes: the service knows by the token whose lock this is.
        hold = self._held(name)
        del self._holds[name]
        result = await self._submit(["release", name[1], hold.token])
        if not result["ok"]:
            raise Refusal(codes.PRECONDITION, "the lease had ended")
        return {"type": "release_ok"}

    def _held(self, name: Name) -> _Hold:
        hold = self._holds.get(name)
        if hold is None:
            raise Refusal(codes.PRECONDITION, "this session does not hold it")
        hold.asked_s = self._env.monotonic()
        return hold

    async def _keep(self, name: Name, hold: _Hold) -> None:
        """Renew the lease until the hold is given up, or its client is silent, or the service says that it has ended."""
        pause_s = self._config.lease_s / RENEWALS
        while True:
            await asyncio.sleep(pause_s)
            if self._holds.get(name) is not hold:
                return
            if self._env.monotonic() - hold.asked_s >= self._config.idle_s:
                del self._holds[name]
                return
            asked_s = self._now_s()
            try:
                renewed = await self._quorum.submit(["renew", name[1], hold.token], pause_s)
            except (Refusal, TimeoutError):
                continue  # nobody said that it has ended
            if not renewed["ok"]:
                hold.lost = True
                return
            hold.until_s = self._end_s(asked_s)

    def _end_s(self, asked_s: float) -> float:
        """The end of a lease that has just been confirmed. The service may have begun to count as soon as it was asked."""
        return (self._now_s() if self._bugs.lease_from_reply else asked_s) + self._config.lease_s

    async def _submit(self, command: list[Any]) -> Body:
        try:
            return await self._quorum.submit(command, SUBMIT_S)
        except TimeoutError as error:
            raise Refusal(codes.TIMEOUT, "the leader did not answer") from error
