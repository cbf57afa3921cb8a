"""What a metadata server hears of data nodes: who lives, and who has which version of which chunk. No disk remembers it (GFS 2.6.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.peers import Peers
from targets.node.env import Body, Env, Message

Stamp = list[Any]  # [life, number]: of a data node's message; a greater number of the same life is later


@dataclass(slots=True)
class DataNode:
    """One data node as it was last heard. ``chunks``: chunk → version; ``bad``: chunks whose checksums are wrong there; ``whole``: in its
    present life it has said what it has.
    """

    heard_s: float = float("-inf")
    stamp: Stamp = field(default_factory=lambda: [None, 0])
    chunks: dict[int, int] = field(default_factory=dict)
    bad: frozenset[int] = frozenset()
    whole: bool = False


class Replicas:
    """All data nodes."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, peers: Peers) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self.nodes = {name: DataNode() for name in env.node_ids}
        peers.on("report", self._on_report)

    def live(self) -> list[str]:
        """Who has been heard lately."""
        since_s = self._env.monotonic() - self._config.dead_s
        return [name for name, node in self.nodes.items() if node.heard_s >= since_s]

    def silent(self, name: str) -> None:
        """This node did not answer: it is taken for dead until it is heard again."""
        self.nodes[name].heard_s = float("-inf")

    def holders(self, chunk: int, safe: int) -> list[str]:
        """The live nodes whose replica has missed nothing."""
        least = 0 if self._bugs.stale_replica_served else safe
        return [name for name in self.live() if self.nodes[name].chunks.get(chunk, -1) >= least]

    def is_lost(self, chunk: int, safe: int) -> bool:
        """Whether nobody has a good replica: what there is is damaged, or all data nodes live and none has any."""
        everybody = all(self.nodes[name].whole for name in self.nodes) and len(self.live()) == len(self.nodes)
        damaged = any(chunk in node.bad for node in self.nodes.values())
        return not self.holders(chunk, safe) and (damaged or everybody)

    def load(self, name: str) -> int:
        """How many replicas the node has."""
        return len(self.nodes[name].chunks)

    def note(self, name: str, reply: Body, chunk: int, version: int | None) -> None:
        """The node says, in its answer to an order, that it now has this version of the chunk, or none any more."""
        node = self.nodes[name]
        if self._is_old(node, reply["stamp"]):
            return
        node.stamp = reply["stamp"]
        node.bad -= {chunk}
        if version is None:
            node.chunks.pop(chunk, None)
        else:
            node.chunks[chunk] = version

    def _on_report(self, message: Message) -> None:
        body = message["body"]
        node = self.nodes[message["src"]]
        node.heard_s = self._env.monotonic()
        node.whole = body["chunks"] is not None or (node.whole and body["stamp"][0] == node.stamp[0])
        if body["chunks"] is not None and not self._is_old(node, body["stamp"]):
            node.stamp = body["stamp"]
            node.chunks = dict(body["chunks"])
            node.bad = frozenset(body["bad"])

    def _is_old(self, node: DataNode, stamp: Stamp) -> bool:
        return bool(stamp[0] == node.stamp[0] and stamp[1] < node.stamp[1])
