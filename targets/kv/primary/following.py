"""The backup's side of replication: it takes what its primary has, and refuses those who are no longer primary.

Fencing: every message of a primary carries its epoch. A node that knows a later one refuses it and says so, whatever the message holds;
since a later primary needed the votes of a majority, a deposed one finds no majority any more that would take its writes.

Catching up: an answer says up to where this node has what its primary has, or else where to look for the difference (``hint``): 0 is "I
need the full state".
"""

from __future__ import annotations

from typing import Any

from targets.kv.primary.log import Entry
from targets.kv.primary.replica import Replica
from targets.kv.primary.state import Role, State
from targets.node.env import Message

FULL_STATE = 0


class Following:
    """How this node follows a primary."""

    def __init__(self, state: State, replica: Replica) -> None:
        self._state, self._replica = state, replica

    def on_replicate(self, message: Message) -> None:
        """Entries from a primary, or none: then it is a sign of life."""
        if not self._accepts(message):
            return
        body, replica = message["body"], self._replica
        prev, entries = body["prev"], body["entries"]
        match = prev + len(entries)
        if self._state.bugs.divergent_tail_kept and prev <= replica.log.last_index:
            entries, prev = entries[replica.log.last_index - prev :], replica.log.last_index
        hint = self._differs(prev, body["prev_epoch"], entries)
        if hint is not None or not replica.store(prev, entries):
            self._reply(message, {"ok": False, "prev": body["prev"], "hint": hint or FULL_STATE})
            return
        if not self._state.bugs.replica_acks_before_sync:
            replica.log.sync()  # on the disk before the answer leaves
        replica.commit_to(min(body["commit"], match))
        self._reply(message, {"ok": True, "match": match})

    def on_install(self, message: Message) -> None:
        """A primary's full state."""
        if self._accepts(message):
            state = message["body"]["state"]
            self._replica.install(state)
            self._reply(message, {"ok": True, "match": state["index"]})

    def _differs(self, prev: int, prev_epoch: int | None, entries: list[Entry]) -> int | None:
        """Where to look for the difference if this log does not have the entry at ``prev``; None if it does."""
        log = self._replica.log
        epoch = log.epoch_at(prev)
        if (epoch is not None and epoch == prev_epoch) or self._state.bugs.divergent_tail_kept:
            return None
        if prev > log.last_index:
            return log.last_index + 1
        if prev < log.base_index:
            return log.base_index + 1  # what stands there is forgotten; whether it agrees shows at the base
        return FULL_STATE if prev == log.base_index else log.first_of_epoch(prev)

    def _accepts(self, message: Message) -> bool:
        """Whether the sender is the primary of an epoch that is not over; if so, this node follows it."""
        state, epoch, sender = self._state, message["body"]["epoch"], message["src"]
        if epoch < state.epoch and not state.bugs.fencing_off:
            self._reply(message, {"ok": False, "prev": -1})
            return False
        if epoch > state.epoch or state.role is not Role.BACKUP or state.primary != sender:
            state.follow(epoch, sender)
        state.heard_s = state.env.monotonic()
        return True

    def _reply(self, message: Message, answer: dict[str, Any]) -> None:
        state, asked = self._state, message["body"]
        epoch = asked["epoch"] if state.bugs.fencing_off else state.epoch
        heading = {"type": "replicated", "epoch": epoch, "number": asked["number"], "sent": asked["sent"]}
        state.env.send(message["src"], heading | answer)
