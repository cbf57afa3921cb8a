"""Locks and barriers, each kept by its home as pages are: what threads order themselves by. As in TreadMarks (Keleher et al. 1994).

A lock is held under a ticket, which is of one node, and never used twice. A home whose lock is wanted asks the holder's node whether the
ticket is still in use; what a node has forgotten, or given up, is free. Nobody is taken for dead. A barrier opens when as many tickets
have arrived as it waits for. Both are durable at their homes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.calls import Calls
from targets.dsm.memory.kept import Kept
from targets.node.env import Body, Env

LOCKS, BARRIERS, TICKET = "lock/", "barrier/", "ticket"
Ticket = list[Any]  # node, number


class Meetings:
    """The locks and barriers at home on this node, and those that its threads use."""

    def __init__(self, env: Env, calls: Calls, kept: Kept, *, attempt_s: float, bugs: Bugs) -> None:
        self._env, self._calls, self._kept, self._bugs = env, calls, kept, bugs
        self._attempt_s = attempt_s
        self._holders: dict[int, Ticket | None] = {int(lock): holder for lock, holder in kept.under(LOCKS)}
        self._arrived: dict[int, list[Ticket]] = {int(number): list(all_) for number, all_ in kept.under(BARRIERS)}
        self._changed = asyncio.Event()
        self._number = kept.get(TICKET, 0)
        # Turn → lock → the ticket under which it holds the lock, or asks for it.
        self._used: dict[int, dict[int, Ticket]] = {}
        for type_ in ("lock", "unlock", "uses", "arrive"):
            calls.on(type_, getattr(self, f"_on_{type_}"))

    # What threads do, in turns that have a number each

    async def lock(self, turn: int, lock: int) -> None:
        ticket = self._ticket()
        self._used.setdefault(turn, {})[lock] = ticket
        await self._calls.insist(self._home(lock), {"type": "lock", "lock": lock, "ticket": ticket})

    async def unlock(self, turn: int, lock: int) -> None:
        """It is free when its home has heard of it, now or later."""
        ticket = self._used.get(turn, {}).pop(lock, None)
        if ticket is not None:
            self._env.spawn(self._unlocked(lock, ticket))

    async def meet(self, barrier: int, parties: int) -> None:
        body = {"type": "arrive", "barrier": barrier, "parties": parties, "ticket": self._ticket()}
        await self._calls.insist(self._home(barrier), body)

    def leave(self, turn: int) -> None:
        """The turn is over, and holds no lock any more."""
        for lock, ticket in self._used.pop(turn, {}).items():
            self._env.spawn(self._unlocked(lock, ticket))

    async def _unlocked(self, lock: int, ticket: Ticket) -> None:
        await self._calls.insist(self._home(lock), {"type": "unlock", "lock": lock, "ticket": ticket})

    def _ticket(self) -> Ticket:
        self._number += 1
        self._kept.put({TICKET: self._number})
        return [self._env.node_id, self._number]

    def _home(self, number: int) -> str:
        return self._env.node_ids[number % len(self._env.node_ids)]

    async def _on_uses(self, _src: str, body: Body) -> Body:
        """Does a thread of this node hold a lock under this ticket, or ask for it?"""
        return {"uses": any(body["ticket"] in used.values() for used in self._used.values())}

    # What homes do

    async def _on_lock(self, _src: str, body: Body) -> Body:
        lock, ticket = body["lock"], body["ticket"]
        while (holder := self._holders.get(lock)) not in (None, ticket):
            assert holder is not None
            if not await self._change_within(self._attempt_s) and not await self._in_use(holder):
                self._hold(lock, holder, None)
        self._hold(lock, None, ticket)
        return {}

    async def _on_unlock(self, _src: str, body: Body) -> Body:
        self._hold(body["lock"], body["ticket"], None)
        return {}

    async def _on_arrive(self, _src: str, body: Body) -> Body:
        barrier, parties, ticket = body["barrier"], body["parties"], body["ticket"]
        arrived: list[Ticket] = self._arrived.setdefault(barrier, [])
        if ticket not in arrived or self._bugs.barrier_by_count:
            arrived.append(ticket)
            self._kept.put({f"{BARRIERS}{barrier}": list(arrived)})
            self._tell()
        while len(arrived) < parties:
            await self._change_within(self._attempt_s)
        return {}

    def _hold(self, lock: int, was: Ticket | None, now: Ticket | None) -> None:
        """The lock goes from one to another, if it is with the one."""
        if self._holders.get(lock) == was != now:
            self._holders[lock] = now
            self._kept.put({f"{LOCKS}{lock}": now})
            self._tell()

    async def _in_use(self, ticket: Sequence[Any]) -> bool:
        answer = await self._calls.insist(ticket[0], {"type": "uses", "ticket": ticket})
        return bool(answer["uses"])

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _change_within(self, time_s: float) -> bool:
        try:
            async with asyncio.timeout(time_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True
