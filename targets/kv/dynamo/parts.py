"""What the workers of a node share: its world, its rules, and what it knows."""

from __future__ import annotations

from dataclasses import dataclass

from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo.cells import Kind, slot_of
from targets.kv.dynamo.config import Config
from targets.kv.dynamo.members import Members
from targets.kv.dynamo.ring import Ring
from targets.kv.dynamo.store import Store
from targets.node.env import Env


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one node."""

    env: Env
    config: Config
    bugs: Bugs
    kind: Kind
    store: Store
    ring: Ring
    members: Members

    def homes(self, key: object) -> tuple[str, ...]:
        """The nodes at which ``key`` is at home."""
        return self.ring.preference(slot_of(key))[: self.config.n]
