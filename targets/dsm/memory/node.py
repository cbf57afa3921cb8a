"""The node program of the shared memories: every node holds pages, is the home of some, and carries out what its clients' threads do."""

from __future__ import annotations

from typing import Any

from targets.dsm.memory.buffers import Buffers
from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.cache import Cache
from targets.dsm.memory.calls import Calls
from targets.dsm.memory.config import MESI, RELEASE, STORE_BUFFER, Config, Layout
from targets.dsm.memory.copies import Copies
from targets.dsm.memory.directory import Directory
from targets.dsm.memory.homes import Homes
from targets.dsm.memory.kept import Kept
from targets.dsm.memory.meetings import Meetings
from targets.dsm.memory.memory import Memory
from targets.dsm.memory.threads import Threads
from targets.node.env import Env


class SharedMemory:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env = env
        config, bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        self._kept, self._calls = Kept(env.storage), Calls(env, config.attempt_s)
        self._waiting: Buffers | Copies | None = None  # where writes wait
        memory = self._memory(config, bugs)
        meetings = Meetings(env, self._calls, self._kept, attempt_s=config.attempt_s, bugs=bugs)
        Threads(env, memory, meetings, self._calls, patience_s=config.patience_s, bugs=bugs)

    def _memory(self, config: Config, bugs: Bugs) -> Memory:
        env, calls, kept, size = self._env, self._calls, self._kept, config.page_size
        layout = Layout(page_size=size, nodes=env.node_ids)
        if config.model == RELEASE:
            Homes(calls, kept, page_size=size, bugs=bugs)
            self._waiting = Copies(env, calls, kept, layout, config=config, bugs=bugs)
            return self._waiting
        Directory(env, calls, kept, page_size=size, exclusive=config.model == MESI, bugs=bugs)
        cache = Cache(env, calls, kept, layout, bugs)
        if config.model != STORE_BUFFER:
            return cache
        self._waiting = Buffers(env, cache, kept, drain_s=config.drain_s, bugs=bugs)
        return self._waiting

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        if self._waiting is not None:
            self._waiting.start()
        self._env.spawn(self._calls.tell_traffic())

    def status(self) -> dict[str, Any]:
        """What the report shows."""
        return {"messages": self._calls.messages, "bytes": self._calls.bytes, "accesses": self._calls.accesses}
