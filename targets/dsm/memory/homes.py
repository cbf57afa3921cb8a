"""The homes of pages under release consistency: each page is kept where it is at home, and whoever wrote in it sends what it wrote.

A flush is a list of [number, place, value] of one node, in order; numbers grow, so that what has come before is not carried out again: a
write reaches its page once. ``version`` counts the flushes that changed the page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.calls import Calls
from targets.dsm.memory.kept import Kept
from targets.node.env import Body

PREFIX = "home/"


@dataclass(slots=True, kw_only=True)
class Master:
    """One page at home, and the number of the last write of each node in it."""

    data: list[Any]
    version: int = 0
    seen: dict[str, int] = field(default_factory=dict)


class Homes:
    """The pages at home on this node."""

    def __init__(self, calls: Calls, kept: Kept, *, page_size: int, bugs: Bugs) -> None:
        self._kept, self._page_size, self._bugs = kept, page_size, bugs
        self._pages = {
            int(page): Master(data=list(data), version=version, seen=dict(seen))
            for page, (version, seen, data) in kept.under(PREFIX)
        }
        calls.on("fetch", self._on_fetch)
        calls.on("flush", self._on_flush)

    def _page(self, page: int) -> Master:
        master = self._pages.get(page)
        if master is None:
            master = self._pages[page] = Master(data=[None] * self._page_size)
        return master

    async def _on_fetch(self, _src: str, body: Body) -> Body:
        master = self._page(body["page"])
        return {"version": master.version, "data": list(master.data)}

    async def _on_flush(self, src: str, body: Body) -> Body:
        page = body["page"]
        master = self._page(page)
        last = 0 if self._bugs.flush_repeated else master.seen.get(src, 0)
        fresh = [write for write in body["writes"] if write[0] > last]
        if fresh:
            for number, place, value in fresh:
                master.data[place] = value
                master.seen[src] = max(number, master.seen.get(src, 0))
            master.version += 1
            if not self._bugs.home_not_durable:
                self._kept.put({f"{PREFIX}{page}": [master.version, dict(master.seen), list(master.data)]})
        return {"version": master.version}
