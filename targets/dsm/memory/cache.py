"""The pages that this node holds, by grace of their homes: it reads what it holds, and writes what it owns, and asks for the rest.

A write is on this node's disk before it is told of, and stays there until the page is granted anew: an owner that crashes still owns what
it wrote, and gives it back when it is called back. It holds nothing after a restart, though: it must ask for the page like everybody.

Messages may be lost, doubled and late, so they carry epochs. A recall or an invalidation counts for grants up to its own epoch, those
that have not arrived yet included (``floor``), and not for later ones. One that has overtaken its grant waits a moment for it, so that a
page which everybody wants is used, and does not go round for nothing. What was given back is told again to who asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.calls import Calls
from targets.dsm.memory.config import Layout
from targets.dsm.memory.directory import EXCLUSIVE, INVALID, MODIFIED, READ, SHARED, WRITE
from targets.dsm.memory.kept import Kept
from targets.node.env import Body, Env

PREFIX = "page/"
WRITABLE = frozenset({MODIFIED, EXCLUSIVE})
READABLE = WRITABLE | {SHARED}
# So long does a recall wait for the grant that it has overtaken.
GRACE_S = 0.1


@dataclass(slots=True, kw_only=True)
class Line:
    """One page here: in ``state``, as granted under ``epoch``, and ``written`` since; no grant up to ``floor`` counts any more."""

    data: list[Any]
    state: str = INVALID
    written: bool = False
    epoch: int = 0
    floor: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


class Cache:
    """The caches of one node. Satisfies ``memory.Memory``: each access is carried out before the next one of its thread begins."""

    def __init__(self, env: Env, calls: Calls, kept: Kept, layout: Layout, bugs: Bugs) -> None:
        self._env, self._calls, self._kept, self._layout, self._bugs = env, calls, kept, layout, bugs
        self._lines = {
            int(page): Line(data=list(data), epoch=epoch, floor=epoch, written=True)
            for page, (epoch, data) in kept.under(PREFIX)
        }
        for page, line in self._lines.items() if bugs.owner_returns else ():
            self._enter(page, line, MODIFIED)
        calls.on("recall", self._on_recall)
        calls.on("invalidate", self._on_invalidate)

    # What threads do

    async def read(self, _thread: str, address: int) -> Any:
        page, place = self._layout.place(address)
        return (await self._held(page, READ)).data[place]

    async def write(
        self, _thread: str, address: int, value: Any, *, together: Callable[[], Mapping[str, Any]] = dict
    ) -> None:
        """``together``: what becomes durable at once with the write."""
        page, place = self._layout.place(address)
        line = await self._held(page, WRITE)
        line.data[place] = value
        line.written = line.state == MODIFIED or not self._bugs.exclusive_taken_for_clean
        self._enter(page, line, MODIFIED)
        also = together()
        if not self._bugs.write_not_durable or also:
            self._kept.put({f"{PREFIX}{page}": [line.epoch, list(line.data)], **also})

    async def release(self, _thread: str) -> None:
        """There is nothing to wait for: what was written is there."""

    async def acquire(self, _thread: str) -> None:
        """There is nothing to forget: what is held is as it should be."""

    # Between node and homes

    def _line(self, page: int) -> Line:
        line = self._lines.get(page)
        if line is None:
            line = self._lines[page] = Line(data=[None] * self._layout.page_size)
        return line

    async def _held(self, page: int, mode: str) -> Line:
        """The page in a state in which it may be read or written: from here to the next await it stays so."""
        line, states = self._line(page), WRITABLE if mode == WRITE else READABLE
        if line.state not in states:
            async with line.asking:
                while line.state not in states:
                    await self._ask(page, line, mode)
        return line

    async def _ask(self, page: int, line: Line, mode: str) -> None:
        try:
            grant = await self._calls.ask(self._layout.home(page), {"type": "get", "page": page, "mode": mode})
        except TimeoutError:
            return
        if grant["epoch"] > line.epoch and (grant["epoch"] > line.floor or self._bugs.late_grant_taken):
            line.epoch, line.data, line.written = grant["epoch"], list(grant["data"]), False
            self._enter(page, line, grant["state"])
            line.arrived.set()

    def _enter(self, page: int, line: Line, state: str) -> None:
        if line.state != state:
            line.state = state
            self._env.log("state", location=page, state=state)

    async def _grace(self, line: Line, epoch: int) -> None:
        """If this node waits for a grant that may be on its way: until it is there and was used."""
        if line.asking.locked() and line.epoch < epoch and not self._bugs.late_grant_taken:
            line.arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await line.arrived.wait()

    async def _on_recall(self, _src: str, body: Body) -> Body | None:
        """The home wants the page back that it has granted to this node."""
        page, epoch, to = body["page"], body["epoch"], body["to"]
        line = self._line(page)
        if body["late"]:
            await self._grace(line, epoch)
        line.floor = max(line.floor, epoch)
        if line.epoch > epoch:
            return None  # an old copy: nobody waits for its answer
        if line.epoch < epoch:  # the grant never arrived, or this node has forgotten it, and wrote nothing under it
            self._enter(page, line, INVALID)
            return {"held": False}
        if to == INVALID or (line.state in WRITABLE and not self._bugs.downgraded_owner_writes):
            self._enter(page, line, to)
        answer: Body = {"held": line.state != INVALID}
        if line.written:
            answer["data"] = list(line.data)
            line.written = not self._bugs.data_given_once
        return answer

    async def _on_invalidate(self, _src: str, body: Body) -> Body:
        page, epoch = body["page"], body["epoch"]
        line = self._line(page)
        await self._grace(line, epoch)
        line.floor = max(line.floor, epoch)
        if line.epoch <= epoch:
            self._enter(page, line, INVALID)
        return {}
