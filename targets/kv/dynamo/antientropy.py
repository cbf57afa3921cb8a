"""Anti-entropy (4.7): two nodes compare their trees over the keys that are at home with both, and exchange the copies that differ.

Every ``anti_entropy_s`` a node turns to the next of the others that are up. It sends the hash of its root; the other, if its own differs,
answers with the hashes of the parts, and so they descend in turns, only where they differ, until at the leaves they tell each other
which copies they have, and send those that the other has not. No step remembers anything: a message that is lost ends a conversation, and
the next one starts it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from targets.kv.dynamo.cells import slot_of
from targets.kv.dynamo.merkle import DEPTH, Tree
from targets.kv.dynamo.parts import Parts
from targets.node.env import Message

COPIES_MAX = 64  # in one message


class AntiEntropy:
    """Compares this node with the others in turn."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._env, self._config, self._bugs = parts, parts.env, parts.config, parts.bugs
        self._store, self._members = parts.store, parts.members
        self._others = [node for node in self._env.node_ids if node != self._env.node_id]
        self._turn = 0

    def start(self) -> None:
        if self._config.anti_entropy_s and self._others:
            # Not in step with the others, who started at the same moment.
            self._env.call_later(self._config.anti_entropy_s * self._env.random.random(), self._compare)

    def _compare(self) -> None:
        for _ in self._others:
            peer = self._others[self._turn % len(self._others)]
            self._turn += 1
            if self._members.is_up(peer):
                self._env.send(peer, {"type": "compare", "parts": [[[], self._tree(peer).hash(())]]})
                break
        self._env.call_later(self._config.anti_entropy_s, self._compare)

    def on_compare(self, message: Message) -> None:
        """Hashes of parts of the other's tree: [[path, hash], ...]."""
        peer = message["src"]
        self._members.heard(peer)
        tree = self._tree(peer)
        paths = [tuple(path) for path, hash_ in message["body"]["parts"] if hash_ != tree.hash(tuple(path))]
        leaves = [path for path in paths if len(path) == DEPTH]
        if leaves:
            body = {"type": "have", "leaves": [[list(path), dict(tree.leaf(path))] for path in leaves]}
            self._env.send(peer, body)
        branches = [path for path in paths if len(path) < DEPTH]
        if branches:
            parts = [[[*path, child], hash_] for path in branches for child, hash_ in enumerate(tree.children(path))]
            self._env.send(peer, {"type": "compare", "parts": parts})

    def on_have(self, message: Message) -> None:
        """Which copies the other has in some leaves: send what it lacks, ask for what we lack."""
        peer = message["src"]
        self._members.heard(peer)
        tree = self._tree(peer)
        differing: dict[str, None] = {}
        for path, theirs in message["body"]["leaves"]:
            mine = tree.leaf(tuple(path))
            differing |= dict.fromkeys(slot for slot in {**mine, **theirs} if mine.get(slot) != theirs.get(slot))
        slots = list(differing)[:COPIES_MAX]
        if slots:
            copies = self._copies(slots)
            self._env.send(peer, {"type": "exchange", "copies": copies, "wanted": slots})

    def on_exchange(self, message: Message) -> None:
        """Copies of the other, and the slots of which it wants ours in return."""
        self._members.heard(message["src"])
        body = message["body"]
        for key, cell in body["copies"]:
            self._store.merge(key, cell)
        self._store.sync()
        given = {slot_of(key): cell for key, cell in body["copies"]}
        news = [
            slot for slot in body["wanted"] if slot in self._store.cells and self._store.cells[slot] != given.get(slot)
        ]
        if news:
            self._env.send(message["src"], {"type": "exchange", "copies": self._copies(news), "wanted": []})

    def _copies(self, slots: list[str]) -> list[list[Any]]:
        return [[self._store.keys[slot], self._store.cells[slot]] for slot in slots if slot in self._store.cells]

    def _tree(self, peer: str) -> Tree:
        """The tree over the keys that are at home here and there."""
        me, keys = self._env.node_id, self._store.keys
        digest: Callable[[str], str] = (lambda _: "here") if self._bugs.tree_of_keys else self._store.digest
        shared = {slot: self._parts.homes(keys[slot]) for slot in self._store.cells}
        return Tree({slot: digest(slot) for slot, homes in shared.items() if me in homes and peer in homes})
