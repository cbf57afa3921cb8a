"""Who this node takes itself for: its epoch, its vote, its role, the primary that it knows. And the transitions between these.

Epoch and vote are on the disk before anything is said that depends on them: a node that forgot its vote in a crash could give another in
the same epoch, and the epoch would have two primaries. Every change goes through here, so that nobody can forget a part of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum

from targets.kv.primary.bugs import Bugs
from targets.kv.primary.config import Config
from targets.node.env import Env

FILE = "epoch"


class Role(StrEnum):
    """What a node does: it serves, it follows, or it asks to be elected."""

    PRIMARY = "primary"
    BACKUP = "backup"
    CANDIDATE = "candidate"


class State:
    """``heard_s`` is when the primary was last heard, by ``env.monotonic``. ``log_epoch``: the epoch of the log's last entry."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, log_epoch: int) -> None:
        self.env, self.config, self.bugs = env, config, bugs
        self.me = env.node_id
        self.others = tuple(node for node in env.node_ids if node != self.me)
        # Any two majorities share a node: of four nodes, three are one.
        self.majority = (len(env.node_ids) + (1 if bugs.half_is_majority else 2)) // 2
        saved = env.storage.read(FILE)
        self.epoch: int
        self.voted_for: str | None
        self.epoch, self.voted_for = json.loads(saved) if saved else (log_epoch, None)
        self.role = Role.BACKUP
        self.primary: str | None = None
        self.heard_s = float("-inf")
        self.when_promoted: list[Callable[[], None]] = []
        self.when_deposed: list[Callable[[], None]] = []
        self.when_primary_lost: list[Callable[[], None]] = []  # the primary that it knew, not itself, is none any more

    @property
    def leads(self) -> bool:
        return self.role is Role.PRIMARY

    def hears_primary(self) -> bool:
        """Whether this node has reason to believe that there is a primary."""
        return self.leads or self.env.monotonic() - self.heard_s < self.config.failover_min_s

    def follow(self, epoch: int, primary: str | None) -> None:
        """Be a backup in ``epoch``, which is this node's own or a later one: a later one deposes whoever leads an earlier one."""
        if epoch > self.epoch:
            self._enter(epoch, None)
        self._become(Role.BACKUP, primary)

    def vote(self, candidate: str) -> None:
        """Give this epoch's vote to ``candidate``."""
        self._enter(self.epoch, None if self.bugs.vote_forgotten else candidate)

    def stand(self) -> None:
        """Begin a new epoch as a candidate, with one's own vote."""
        self._enter(self.epoch + 1, self.me)
        self._become(Role.CANDIDATE, None)

    def lead(self) -> None:
        """Be the primary of the current epoch."""
        self._become(Role.PRIMARY, self.me)

    def _enter(self, epoch: int, voted_for: str | None) -> None:
        self.epoch, self.voted_for = epoch, voted_for
        self.env.storage.replace(FILE, json.dumps([epoch, voted_for]).encode())

    def _become(self, role: Role, primary: str | None) -> None:
        led, known = self.leads, self.primary
        if role is not self.role:
            self.env.log(role.value, term=self.epoch)
        self.role, self.primary = role, primary
        if led and not self.leads:
            _call(self.when_deposed)
        if known is not None and known not in {primary, self.me}:
            _call(self.when_primary_lost)
        if self.leads and not led:
            _call(self.when_promoted)


def _call(hooks: list[Callable[[], None]]) -> None:
    for hook in hooks:
        hook()
