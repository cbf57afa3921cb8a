"""Hinted hand-off (4.6): what this node took for a home that was away goes there as soon as it is back.

A hint says "this key, for that home"; what goes there is this node's whole copy of the key, as it is then. The hint is kept until the home
has confirmed that the copy is on its disk, over crashes too, and longer if the copy has changed meanwhile. Then, unless the key is at home
here or must stay, the copy is dropped.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from targets.kv.dynamo.cells import slot_of
from targets.kv.dynamo.parts import Parts
from targets.node.env import Message

BATCH = 64  # so many hints go to one home at a time


class Handoff:
    """Offers hints every ``handoff_s``."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._env, self._config, self._bugs = parts, parts.env, parts.config, parts.bugs
        self._kind, self._store, self._members = parts.kind, parts.store, parts.members

    def start(self) -> None:
        self._env.call_later(self._config.handoff_s, self._offer)

    def _offer(self) -> None:
        for home, slots in self._store.hints.items():
            if not self._members.is_up(home):
                continue
            for slot in list(islice(slots, BATCH)):
                key, cell = self._store.keys[slot], self._store.cells.get(slot)
                if cell is None:
                    self._store.handed_over(home, slot)  # it is gone, so there is nothing to hand over
                    continue
                body = {"type": "handoff", "key": key, "cell": cell, "digest": self._store.digest(slot)}
                self._env.send(home, body)
                if self._bugs.hint_dropped_when_sent:
                    self._store.handed_over(home, slot)
        self._store.sync()
        self._env.call_later(self._config.handoff_s, self._offer)

    def on_handoff(self, message: Message) -> None:
        """A copy that another node held for this one."""
        self._members.heard(message["src"])
        body = message["body"]
        if self._bugs.handoff_overwrites:
            self._store.put(body["key"], body["cell"])
        else:
            self._store.merge(body["key"], body["cell"])
        self._store.sync()
        self._env.send(message["src"], {"type": "handed_over", "key": body["key"], "digest": body["digest"]})

    def on_handed_over(self, message: Message) -> None:
        """A home has what this node held for it."""
        home, body = message["src"], message["body"]
        self._members.heard(home)
        slot = slot_of(body["key"])
        if slot in self._store.cells and self._store.digest(slot) == body["digest"]:
            self._store.handed_over(home, slot)
            self._drop(slot, body["key"])
            self._store.sync()

    def _drop(self, slot: str, key: Any) -> None:
        """Drop a copy that is needed here no more."""
        at_home = self._env.node_id in self._parts.homes(key)
        if not (at_home or self._store.is_hinted(slot) or self._kind.must_stay(self._store.cells[slot])):
            self._store.forget(slot)
