"""Who is there (4.8): gossip of heartbeats, and suspicion of those of whom nothing new is heard.

Every node counts its own heartbeats, within its present life, and now and then tells two others the latest it has heard of everybody: a
table node → [life, beat]. A greater entry is newer. A node of which nothing new came for ``suspect_s`` is taken for down, by this node
alone: others may see it otherwise, and both may be right. Whoever did not answer a request is avoided for as long, or until it is heard
itself, since gossip may reach us from a node that requests do not reach.

The number of this life is on the disk before anything is said, so that no other life has it.
"""

from __future__ import annotations

from targets.kv.dynamo.config import Config
from targets.node.env import Env, Message

FILE = "life"
FANOUT = 2


class Members:
    """What this node believes of the others; itself it believes to be up."""

    def __init__(self, env: Env, config: Config) -> None:
        self._env, self._config = env, config
        self.life = int(env.storage.read(FILE) or b"0") + 1
        env.storage.replace(FILE, str(self.life).encode())
        self._others = tuple(node for node in env.node_ids if node != env.node_id)
        self._table: dict[str, list[int]] = {env.node_id: [self.life, 0]}
        # Nobody is suspected before it had the time to be heard.
        self._news_s = dict.fromkeys(self._others, env.monotonic())
        self._avoided_until_s: dict[str, float] = {}
        self._down: dict[str, None] = {}

    def start(self) -> None:
        self._gossip()

    def is_up(self, node: str) -> bool:
        if node == self._env.node_id:
            return True
        now_s = self._env.monotonic()
        return now_s - self._news_s[node] < self._config.suspect_s and now_s >= self._avoided_until_s.get(node, now_s)

    def unheard(self, node: str) -> None:
        """It did not answer."""
        self._avoided_until_s[node] = self._env.monotonic() + self._config.suspect_s

    def heard(self, node: str) -> None:
        """A message came from it."""
        self._avoided_until_s.pop(node, None)

    def up(self) -> list[str]:
        return [node for node in self._env.node_ids if self.is_up(node)]

    def on_gossip(self, message: Message) -> None:
        self.heard(message["src"])
        now_s = self._env.monotonic()
        for node, entry in message["body"]["table"].items():
            if node != self._env.node_id and entry > self._table.get(node, [0, 0]):
                self._table[node], self._news_s[node] = entry, now_s

    def _gossip(self) -> None:
        self._table[self._env.node_id][1] += 1
        body = {"type": "gossip", "table": {node: list(entry) for node, entry in self._table.items()}}
        for node in self._env.random.sample(self._others, min(FANOUT, len(self._others))):
            self._env.send(node, body)
        self._note_changes()
        self._env.call_later(self._config.gossip_s * self._env.random.uniform(0.9, 1.1), self._gossip)

    def _note_changes(self) -> None:
        """The log says who went and came, as this node sees it."""
        for node in self._others:
            if self.is_up(node) == (node in self._down):
                if node in self._down:
                    del self._down[node]
                    self._env.log("member-up", node=node)
                else:
                    self._down[node] = None
                    self._env.log("member-down", node=node)
