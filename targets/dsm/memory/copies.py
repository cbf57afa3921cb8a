"""Release consistency: a node reads copies of pages, writes beside them, and settles with the homes when it must.

A release sends home what was written before it, and waits until it is there; an acquire forgets all copies. Between the two nothing need
move: several nodes write one page at a time, each sends only what it wrote, and no page goes to and fro because of its neighbours. What
nobody releases is sent home all the same after a while, and a copy that nobody forgets is fetched anew. Sources: Gharachorloo et al.
(1990); Carter, Bennett, Zwaenepoel, Munin (1991); Keleher et al., TreadMarks (1994); Zhou, Iftode, Li, home-based protocols (1996).

What is written is on this node's disk before it is told of, until its home has it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.calls import Calls
from targets.dsm.memory.config import Config, Layout
from targets.dsm.memory.kept import Kept
from targets.node.env import Body, Env

PREFIX, NUMBER = "unsent/", "number"


@dataclass(slots=True, kw_only=True)
class Copy:
    """One page here. ``data`` is good while ``round`` is the node's, and until ``until_s``; ``unsent`` are [number, place, value] in order.

    ``known``: this node knows of this version of the page, and takes no older copy.
    """

    data: list[Any] = field(default_factory=list)
    version: int = 0
    round: int = -1
    until_s: float = 0.0
    known: int = 0
    unsent: list[list[Any]] = field(default_factory=list)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)


class Copies:
    """The copies of one node. Satisfies ``memory.Memory``."""

    def __init__(self, env: Env, calls: Calls, kept: Kept, layout: Layout, *, config: Config, bugs: Bugs) -> None:
        self._env, self._calls, self._kept, self._layout, self._bugs = env, calls, kept, layout, bugs
        self._flush_s, self._copy_s = config.flush_s, config.copy_s
        self._round = 0  # how often all copies were forgotten
        self._number = kept.get(NUMBER, 0)
        self._copies: dict[int, Copy] = {}
        self._unsent: dict[int, None] = {}  # the pages in which something is
        for page, unsent in kept.under(PREFIX):
            if unsent and not bugs.buffer_not_durable:
                self._copy(int(page)).unsent = list(unsent)
                self._unsent[int(page)] = None

    def start(self) -> None:
        """What an earlier life has left is sent home."""
        for page in self._unsent:
            self._env.spawn(self._send(page, self._number))

    async def read(self, _thread: str, address: int) -> Any:
        page, place = self._layout.place(address)
        copy = self._copy(page)
        for _, written, value in reversed(copy.unsent) if not self._bugs.own_writes_unread else ():
            if written == place:
                return value
        good = copy.round == self._round and self._env.monotonic() < copy.until_s
        return (copy.data if good else await self._fetched(page, copy))[place]

    async def write(self, _thread: str, address: int, value: Any) -> None:
        page, place = self._layout.place(address)
        copy = self._copy(page)
        self._number += 1
        copy.unsent.append([self._number, place, value])
        if page not in self._unsent:
            self._unsent[page] = None
            self._env.call_later(self._flush_s, self._flush, page)
        self._kept.put({NUMBER: self._number, f"{PREFIX}{page}": list(copy.unsent)})

    async def release(self, _thread: str) -> None:
        if self._bugs.release_without_flush:
            return
        if self._bugs.release_before_acks:
            for page in self._unsent:
                self._env.spawn(self._send(page, self._number))
            return
        async with asyncio.TaskGroup() as group:
            for page in self._unsent:
                group.create_task(self._send(page, self._number))

    async def acquire(self, _thread: str) -> None:
        if not self._bugs.acquire_keeps_copies:
            self._round += 1

    def _copy(self, page: int) -> Copy:
        copy = self._copies.get(page)
        if copy is None:
            copy = self._copies[page] = Copy()
        return copy

    async def _fetched(self, page: int, copy: Copy) -> list[Any]:
        """What stands in the page at home, asked for now."""
        while True:
            began = self._round
            try:
                answer = await self._calls.ask(self._layout.home(page), {"type": "fetch", "page": page})
            except TimeoutError:
                continue
            if answer["version"] < copy.known and not self._bugs.late_fetch_taken:
                continue  # this node has sent home what is not in it
            copy.known = max(copy.known, answer["version"])
            data: list[Any] = list(answer["data"])
            if began == self._round:
                copy.data, copy.version, copy.round = data, answer["version"], began
                copy.until_s = self._env.monotonic() + self._copy_s
            return data

    # To the homes

    def _flush(self, page: int) -> None:
        if page in self._unsent:
            self._env.spawn(self._send(page, self._number))

    async def _send(self, page: int, number: int) -> None:
        """Returns when the home has all writes up to ``number`` of this page."""
        copy = self._copy(page)
        async with copy.sending:
            while copy.unsent and copy.unsent[0][0] <= number:
                writes = list(copy.unsent)
                answer = await self._calls.insist(self._layout.home(page), self._flush_of(page, copy, writes))
                self._settle(page, copy, writes, answer["version"])

    def _flush_of(self, page: int, copy: Copy, writes: list[list[Any]]) -> Body:
        if self._bugs.whole_page_flushed and copy.data:
            whole = list(copy.data)
            for _, place, value in writes:
                whole[place] = value
            writes = [[writes[-1][0], place, value] for place, value in enumerate(whole)]
        return {"type": "flush", "page": page, "writes": writes}

    def _settle(self, page: int, copy: Copy, writes: list[list[Any]], version: int) -> None:
        """The home has carried out ``writes``: they stand in the page of ``version``."""
        last = writes[-1][0]
        copy.unsent = [write for write in copy.unsent if write[0] > last]
        if version == copy.version + 1 and copy.data:  # nobody else has written in it since it was copied
            for _, place, value in writes:
                copy.data[place] = value
            copy.version = version
        elif version > copy.version and not self._bugs.late_fetch_taken:
            copy.round = -1
        copy.known = max(copy.known, version)
        self._kept.put({f"{PREFIX}{page}": list(copy.unsent)})
        if copy.unsent:
            self._env.call_later(self._flush_s, self._flush, page)
        else:
            del self._unsent[page]
