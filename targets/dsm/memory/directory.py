"""The directory of the pages whose home this node is: who holds each, and one change of that after the other.

A page is held by one owner, who may write it (M), or may without asking (E, in MESI alone), or by readers (S). A node that wants a page
asks its home, which first calls it back from its owner, or, for a writer, has it invalidated by all readers: every one of them must have
answered. Then the page is granted under the next epoch; what is said of a page of an earlier epoch counts no more. Nobody is taken for
dead: who does not answer holds up those who want its page.

An entry is durable before its grant leaves. A grant may be lost all the same, on its way or with the node: so an owner that never got one
says so when it is called back, and the home's own copy counts. Source of the protocol: Sorin, Hill, Wood, A Primer on Memory Consistency
and Cache Coherence (2011), chapter 8; Li and Hudak (1989).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.calls import Calls
from targets.dsm.memory.kept import Kept
from targets.node.env import Body, Env

READ, WRITE = "read", "write"
MODIFIED, EXCLUSIVE, SHARED, INVALID = "M", "E", "S", "I"
PREFIX = "entry/"


@dataclass(slots=True, kw_only=True)
class Entry:
    """One page: its ``owner``, since ``epoch``, or its ``readers``, each with its epoch, and what stood in it when it was last here."""

    data: list[Any]
    epoch: int = 0
    owner: str | None = None
    readers: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Wish:
    """What a node wants, and who waits for the answer: the latest of its requests."""

    mode: str
    answer: asyncio.Future[Body | None]


class Directory:
    """The pages at home on this node."""

    def __init__(self, env: Env, calls: Calls, kept: Kept, *, page_size: int, exclusive: bool, bugs: Bugs) -> None:
        self._env, self._calls, self._kept, self._bugs = env, calls, kept, bugs
        self._page_size, self._exclusive = page_size, exclusive
        self._entries: dict[int, Entry] = {}
        for page, (epoch, owner, readers, data) in kept.under(PREFIX):
            entry = Entry(data=list(data), epoch=epoch, owner=owner, readers=dict(readers))
            if bugs.stale_directory:
                entry.owner, entry.readers = None, {}
            self._entries[int(page)] = entry
        self._wishes: dict[int, dict[str, Wish]] = {}  # per page, in the order in which they are served
        calls.on("get", self._on_get)

    async def _on_get(self, src: str, body: Body) -> Body | None:
        """A node wants a page. It may have asked before: then the answer goes to this request."""
        page, wish = body["page"], Wish(body["mode"], asyncio.get_running_loop().create_future())
        wishes = self._wishes.get(page)
        if wishes is None:
            self._wishes[page] = wishes = {}
            self._env.spawn(self._serve(page, wishes))
        earlier = wishes.get(src)
        if earlier is not None and not earlier.answer.done():
            earlier.answer.set_result(None)
        wishes[src] = wish
        return await wish.answer

    async def _serve(self, page: int, wishes: dict[str, Wish]) -> None:
        """One wish after the other, until there is none."""
        while wishes:
            src = next(iter(wishes))
            grant = await self._granted(page, src, wishes[src].mode)
            answer = wishes.pop(src).answer
            if not answer.done():
                answer.set_result(grant)
        del self._wishes[page]

    async def _granted(self, page: int, src: str, mode: str) -> Body:
        entry = self._entries.get(page)
        if entry is None:
            entry = self._entries[page] = Entry(data=[None] * self._page_size)
        if entry.owner is not None and not (self._bugs.owner_not_asked and mode == READ and entry.owner != src):
            await self._recall(page, entry, src, SHARED if mode == READ and entry.owner != src else INVALID)
        if mode == WRITE:
            await self._invalidate(page, entry, [reader for reader in entry.readers if reader != src])
            state = MODIFIED
        else:
            alone = not [reader for reader in entry.readers if reader != src] or self._bugs.exclusive_beside_readers
            state = EXCLUSIVE if self._exclusive and alone and entry.owner is None else SHARED
        entry.epoch += 1
        if state == SHARED:
            entry.readers[src] = entry.epoch
        else:
            entry.owner, entry.readers = src, {}
        self._kept.put({f"{PREFIX}{page}": [entry.epoch, entry.owner, dict(entry.readers), list(entry.data)]})
        return {"state": state, "epoch": entry.epoch, "data": list(entry.data)}

    async def _recall(self, page: int, entry: Entry, src: str, to: str) -> None:
        """The owner gives back what it wrote, and becomes a reader or holds nothing. If it is ``src`` it has lost its grant."""
        assert entry.owner is not None
        body = {"type": "recall", "page": page, "epoch": entry.epoch, "to": to, "late": entry.owner != src}
        try:
            ask = self._calls.ask if self._bugs.two_owners_after_timeout else self._calls.insist
            answer = await ask(entry.owner, body)
        except TimeoutError:
            answer = {"held": False}
        if "data" in answer:
            entry.data = list(answer["data"])
        entry.readers = {entry.owner: entry.epoch} if to == SHARED and answer["held"] else {}
        entry.owner = None

    async def _invalidate(self, page: int, entry: Entry, readers: list[str]) -> None:
        """None of the ``readers`` reads the page any more."""
        if self._bugs.upgrade_beside_readers and len(entry.readers) > len(readers):
            return
        bodies = {reader: {"type": "invalidate", "page": page, "epoch": entry.readers[reader]} for reader in readers}
        if self._bugs.write_before_all_acks:
            for reader in readers[1:]:
                self._env.spawn(self._invalidated(reader, bodies[reader]))
            readers = readers[:1]
        async with asyncio.TaskGroup() as group:
            for reader in readers:
                group.create_task(self._invalidated(reader, bodies[reader]))

    async def _invalidated(self, reader: str, body: Body) -> None:
        if not self._bugs.lost_invalidate:
            await self._calls.insist(reader, body)
            return
        with suppress(TimeoutError):
            await self._calls.ask(reader, body)
