"""The edits on the disk of one metadata server, and the namespace that they make: HDFS's journal node and its tailing standby in one.

Who writes edits has begun an epoch with the promise of a quorum of journals: none of them takes edits of an earlier epoch any more
(HDFS-3077).
A journal promises only to a server whose edits are as complete as its own, so that a new epoch begins with all that a quorum has.
Edits up to ``commit`` are on a quorum's disks, and are applied at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.namespace import Namespace, Result
from targets.dfs.gfs.peers import Peers
from targets.kv.raft.bugs import Bugs as LogBugs
from targets.kv.raft.log import Log
from targets.node.env import Body, Env, Message
from targets.node.records import frame, whole

PROMISE, CHECKPOINT = "promise", "checkpoint"
TAIL = 20  # edits that stay in the log behind a checkpoint, so that a journal that is a little behind needs no whole namespace


class Journal:
    """One metadata server's edits. Raises Damaged if the disk does not give back what was synced."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, peers: Peers, namespace: Namespace) -> None:
        self._env, self._config, self._bugs, self.namespace = env, config, bugs, namespace
        self.log = Log(env.storage, LogBugs(no_fsync=bugs.edit_log_not_synced), env.log)
        self._fenced = config.fencing and not bugs.journal_not_fenced
        self.promised: int = self._read(PROMISE, {"epoch": 0})["epoch"]
        saved = self._read(CHECKPOINT, {"index": 0, "term": 0, "namespace": namespace.dump()})
        namespace.load(saved["namespace"])
        self.commit = self.applied = self._saved = saved["index"]
        if self.log.term_at(saved["index"]) != saved["term"]:
            self.log.restart_at(saved["index"], saved["term"])  # the crash came between a checkpoint and its log
        self.when_applied: Callable[[int, Result], None] = _nothing
        self.when_promised: Callable[[int], None] = _nothing  # an epoch was promised to another server
        self.when_heard: Callable[[str, int], None] = _nothing  # an active server of this epoch said something
        peers.on("promise", self._on_promise)
        peers.on("journal", self._on_journal)
        peers.on("install", self._on_install)

    @property
    def end(self) -> list[int]:
        """Epoch and index of the last edit. The greater of two ends is that of the more complete journal."""
        return [self.log.last_term, self.log.last_index]

    def promise(self, epoch: int) -> None:
        """No edits of epochs before this one are taken any more; durable when this returns."""
        if epoch > self.promised:
            self.promised = epoch
            self._env.storage.replace(PROMISE, frame(json.dumps({"epoch": epoch}).encode()))
            self.when_promised(epoch)

    def put(self, prev: int, entries: list[list[Any]]) -> None:
        """These edits stand behind ``prev`` from now on, durably."""
        self.log.splice(prev, entries)
        self.log.sync()

    def commit_to(self, index: int) -> None:
        """Edits up to ``index`` are on the disks of a quorum."""
        self.commit = max(self.commit, min(index, self.log.last_index))
        while self.applied < min(self.commit, self.log.last_index):
            self.applied += 1
            self.when_applied(self.applied, self.namespace.apply(self.log.command_at(self.applied)))
        if self.applied - self._saved >= self._config.checkpoint_edits:
            self._save()
            self.log.compact(self.applied - TAIL)

    def whole_state(self) -> dict[str, Any]:
        """The namespace, and where in the journal it stands: what ``install`` takes."""
        namespace = self.namespace.dump()
        if self._bugs.checkpoint_drops_edits:
            namespace["paths"] = dict(list(namespace["paths"].items())[:-1])
        return {"index": self.applied, "term": self.log.term_at(self.applied), "namespace": namespace}

    # Of other servers

    def _on_promise(self, message: Message) -> Body:
        body = message["body"]
        epoch = body["epoch"]
        granted = epoch >= self.promised and body["end"] >= self.end
        if granted:
            self.promise(epoch)
        return {"type": "promise_ok", "granted": granted, "epoch": self.promised}

    def _on_journal(self, message: Message) -> Body:
        """Edits of the active server, or a sign that it lives."""
        body = message["body"]
        if not self._admits(message):
            return {"type": "journal_ok", "ok": False, "epoch": self.promised}
        prev, entries = body["prev"], body["entries"]
        if prev < self.log.base_index:  # the checkpoint has them
            entries, prev = entries[self.log.base_index - prev :], self.log.base_index
        elif self.log.term_at(prev) != body["prev_term"]:
            return {"type": "journal_ok", "ok": False, "epoch": body["epoch"], "hint": self._hint(prev)}
        self.put(prev, entries)
        self.commit_to(min(body["commit"], prev + len(entries)))
        return {"type": "journal_ok", "ok": True, "epoch": body["epoch"], "match": prev + len(entries)}

    def _hint(self, prev: int) -> int:
        """From which edit on the active server is to send, where it has another one at ``prev``; 0: the whole namespace."""
        if prev > self.log.last_index:
            return self.log.last_index + 1
        return self.log.first_of_term(prev) if prev > self.log.base_index else 0

    def _on_install(self, message: Message) -> Body:
        """The active server's whole namespace: this journal is too far behind."""
        body = message["body"]
        if not self._admits(message):
            return {"type": "install_ok", "ok": False, "epoch": self.promised}
        state = body["state"]
        index = state["index"]
        if index > self.applied or (index >= self.log.base_index and self.log.term_at(index) != state["term"]):
            self._save(state)
            self.log.restart_at(index, state["term"])
            self.namespace.load(state["namespace"])
            self.commit = self.applied = index
        return {"type": "install_ok", "ok": True, "epoch": body["epoch"], "match": index}

    def _admits(self, message: Message) -> bool:
        epoch = message["body"]["epoch"]
        if epoch < self.promised and self._fenced:
            return False
        self.promise(epoch)
        self.when_heard(message["src"], epoch)
        return True

    def _save(self, state: dict[str, Any] | None = None) -> None:
        state = state or self.whole_state()
        self._env.storage.replace(CHECKPOINT, frame(json.dumps(state, separators=(",", ":")).encode()))
        self._saved = state["index"]

    def _read(self, name: str, otherwise: dict[str, Any]) -> dict[str, Any]:
        payload = whole(self._env.storage.read(name))
        return json.loads(payload) if payload else otherwise


def _nothing(*_: object) -> None:
    """What is called until the node has put its parts together."""
