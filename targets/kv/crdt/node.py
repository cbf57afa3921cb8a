"""The node program ``kv/crdt``: clients' requests, a replica, and gossip, put together."""

from __future__ import annotations

from typing import Any

from targets.kv.crdt.bugs import Bugs
from targets.kv.crdt.config import Config
from targets.kv.crdt.gossip import Gossip
from targets.kv.crdt.replica import Replica
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

# A node with the seeded bug takes itself for cut off when it has not heard a peer for this long.
ALONE_S = 1.0


class Crdt:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        config, bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        self._env, self._bugs = env, bugs
        self.replica = replica = Replica(env, config, bugs)
        self.gossip = Gossip(env, config, bugs, replica)
        env.on("read", self._on_read)
        env.on("topology", self._on_topology)
        for kind in replica.lattice.updates:
            env.on(kind, self._on_update)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self.gossip.start()

    def status(self) -> dict[str, Any]:
        """What the report shows."""
        return {"rounds": self.gossip.rounds, **self.replica.status()}

    def _on_update(self, message: Message) -> Body:
        """A client's update. Raises Refusal."""
        body = message["body"]
        if isinstance(body.get("key"), dict | list):
            raise Refusal(codes.MALFORMED, "a key is a string, a number, true, false or null")
        self.replica.update(body, request_of(message))
        if self._bugs.refuses_yet_keeps and self._env.monotonic() - self.gossip.heard_s > ALONE_S:
            raise Refusal(codes.UNAVAILABLE, "this node hears no other")
        return {"type": f"{body['type']}_ok"}

    def _on_read(self, message: Message) -> Body:
        return {"type": "read_ok", self.replica.lattice.answer: self.replica.read(message["body"].get("key"))}

    def _on_topology(self, _message: Message) -> Body:
        """Maelstrom suggests neighbours. Gossip draws its peers from all nodes instead: its theory is of uniform choice."""
        return {"type": "topology_ok"}


def request_of(message: Message) -> str:
    """A request's name, the same for all copies and, if the client numbers its requests, for all its attempts."""
    body = message["body"]
    if body.get("seq") is not None:
        return f"{message['src']}/{body['seq']}"
    return f"{message['src']}#{body.get('msg_id')}"
