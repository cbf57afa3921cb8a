"""One node's copy of the data: the log, the machine that the log's entries make, and the checkpoints that shorten the log.

What is committed is applied at once, so ``applied`` equals ``commit`` whenever a message is dealt with. In the synchronous variant what
is committed stays; in the asynchronous one it may have to go again, since a primary commits alone: then the state is made anew from the
checkpoint and the entries that remain (``_go_back``), or taken over whole (``install``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from targets.kv.primary.bugs import Bugs
from targets.kv.primary.config import Config
from targets.kv.primary.log import Entry, Log
from targets.kv.primary.machine import Machine
from targets.node.env import Body, Env

FILE = "checkpoint"
EMPTY = {"index": 0, "epoch": 0, "machine": {"registers": [], "sets": [], "sessions": []}}


class Replica:
    """Log, machine and checkpoint. ``when_applied(index, result)`` and ``when_committed()`` are called by ``commit_to``."""

    def __init__(self, env: Env, config: Config, bugs: Bugs) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self.log = Log(env.storage, env.log)
        self.machine = Machine(config.sessions_max, bugs)
        self.when_applied: Callable[[int, Body], None] = _nothing
        self.when_committed: Callable[[], None] = _nothing
        self.commit = self.applied = self.checkpoint_index = 0
        saved = self._load()
        if bugs.recovers_checkpoint_only or self.log.epoch_at(saved["index"]) != saved["epoch"]:
            # The crash came between a checkpoint that was taken over and the log that was to follow it.
            self.log.restart_at(saved["index"], saved["epoch"])

    def store(self, prev: int, entries: Sequence[Entry]) -> bool:
        """Put ``entries`` behind ``prev``, which the log must have; not yet synced. What agrees stays, and so does what follows it: the
        message may be an old one that was overtaken. What differs is replaced, with all behind it.

        False, and nothing is done, if the checkpoint holds entries that would have to go: then only the full state helps.
        """
        log = self.log
        known = log.agreeing(prev, entries)
        first = prev + 1 + known
        if known == len(entries):
            return True
        if first <= self.checkpoint_index:
            return False
        if first <= log.last_index:
            self._env.log("truncate", first=first, dropped=log.last_index - first + 1)
        log.put(first, entries[known:])
        if first <= self.applied:
            self._go_back(first - 1)
        return True

    def commit_to(self, index: int) -> None:
        """Entries up to ``index`` are committed."""
        if index <= self.commit:
            return
        self.commit = index
        while self.applied < min(self.commit, self.log.last_index):
            self.applied += 1
            command = self.log.command_at(self.applied)
            if command is not None:  # else it is the mark at the start of an epoch
                self.when_applied(self.applied, self.machine.apply(command))
        if self.applied - self.checkpoint_index >= self._config.checkpoint_entries:
            self._take_checkpoint()
        self.when_committed()

    def full_state(self) -> dict[str, Any]:
        """What ``install`` takes: the state, and where in the log it stands."""
        return {"index": self.applied, "epoch": self.log.epoch_at(self.applied), "machine": self.machine.dump()}

    def install(self, state: dict[str, Any]) -> None:
        """Take over a primary's full state, unless this node has got there by itself."""
        index, epoch = state["index"], state["epoch"]
        if self.log.epoch_at(index) == epoch:
            self.commit_to(index)
            return
        if self._config.sync and index <= self.commit:
            return  # a late copy: what was committed there is known here, though the log has forgotten the entries
        self._env.log("install", index=index, dropped=max(0, self.log.last_index - index))
        self._save(state)
        self.log.restart_at(index, epoch)
        self.machine.load(state["machine"])
        self.commit = self.applied = index

    def _take_checkpoint(self) -> None:
        self._save(self.full_state())
        self.log.shorten(self.applied - self._config.tail_entries)
        self._env.log("checkpoint", index=self.applied)

    def _save(self, state: dict[str, Any]) -> None:
        # Durable before the log gives up what it holds: after a crash in between, the log is longer than it needs to be.
        self._env.storage.replace(FILE, json.dumps(state, separators=(",", ":")).encode())
        self.checkpoint_index = state["index"]

    def _load(self) -> dict[str, Any]:
        """Make the state that of the checkpoint on the disk."""
        data = self._env.storage.read(FILE)
        saved: dict[str, Any] = json.loads(data) if data else EMPTY
        self.machine.load(saved["machine"])
        self.checkpoint_index = self.commit = self.applied = saved["index"]
        return saved

    def _go_back(self, index: int) -> None:
        """Entries behind ``index`` had been applied, and are gone."""
        if self._bugs.dropped_tail_stays_applied:
            self.commit = self.applied = index
            return
        commit = min(self.commit, index)
        self._load()
        self.commit = commit
        while self.applied < commit:
            self.applied += 1
            command = self.log.command_at(self.applied)
            if command is not None:
                self.machine.apply(command)


def _nothing(*_: object) -> None:
    """What is called until the node has put its parts together."""
