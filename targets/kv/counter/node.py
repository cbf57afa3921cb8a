"""The node program ``kv/counter``: clients' requests, and additions on their way to peers.

Messages between nodes: ``additions {start, additions}`` → ``counted {upto}``. One message per peer is under way at a time.
"""

from __future__ import annotations

from typing import Any

from targets.kv.counter.bugs import Bugs
from targets.kv.counter.config import Config, Delivery
from targets.kv.counter.ledger import Addition, Ledger
from targets.kv.crdt.lattices import part_of
from targets.kv.crdt.node import request_of
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

# The patience of the seeded bug ``repeated_as_new``.
REPEAT_S = 0.2


class Counter:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env, self._config, self._bugs = env, Config.of(env.options), Bugs.named(env.options.get("bug"))
        self.ledger = Ledger(env, self._config, self._bugs)
        self._due_s = dict.fromkeys(self.ledger.told, 0.0)  # per peer: when it is sent something again
        self._patience_s = dict.fromkeys(self.ledger.told, self._config.retry_min_s)
        self._confirmed = dict.fromkeys(self.ledger.told, 0)  # the seeded bug ``repeated_as_new``: up to which number
        env.on("add", self._on_add)
        env.on("read", self._on_read)
        env.on("additions", self._on_additions)
        env.on("counted", self._on_counted)
        if self._bugs.state_taken_without_ids:
            env.on("sums", lambda message: env.send(message["src"], {"type": "sums_are", "sums": self.ledger.sums}))
            env.on("sums_are", self._on_sums)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self._env.call_later(self._env.random.uniform(0, self._config.send_s), self._tick)
        if self._bugs.state_taken_without_ids and self.ledger.sums:
            for peer in self.ledger.told:
                self._env.send(peer, {"type": "sums"})

    def status(self) -> dict[str, Any]:
        """What the report shows."""
        return {"owed": len(self.ledger.owed), "last": self.ledger.last}

    # Clients

    def _on_add(self, message: Message) -> Body:
        body = message["body"]
        key, delta = body.get("key"), body.get("delta")
        if type(delta) is not int:
            raise Refusal(codes.MALFORMED, f"an add needs a whole number as delta, not {delta!r}")
        request = request_of(message)
        if self._bugs.retry_without_id:
            request = f"{message['src']}#{body.get('msg_id')}"
        self.ledger.add(request, part_of(key), delta)
        return {"type": "add_ok"}

    def _on_read(self, message: Message) -> Body:
        return {"type": "read_ok", "value": self.ledger.sums.get(part_of(message["body"].get("key")), 0)}

    # Peers

    def _tick(self) -> None:
        now_s = self._env.monotonic()
        for peer, due_s in self._due_s.items():
            if due_s <= now_s:
                self._send(peer, now_s)
        self._env.call_later(self._config.send_s, self._tick)

    def _send(self, peer: str, now_s: float) -> None:
        start, additions = self.ledger.owed_to(peer)
        if not additions:
            return
        if self._config.delivery == Delivery.AT_MOST_ONCE.value:
            self.ledger.acknowledged(peer, start + len(additions) - 1)  # before it leaves: it will not be sent again
            if self._bugs.repeated_as_new:
                self._env.call_later(REPEAT_S, self._repeat, peer, start, additions)
        else:
            if self._bugs.gives_up and self._patience_s[peer] > 2 * self._config.retry_min_s:
                self.ledger.acknowledged(peer, start + len(additions) - 1)
                self._patience_s[peer] = self._config.retry_min_s
                return
            self._due_s[peer] = now_s + self._patience_s[peer]
            self._patience_s[peer] = min(2 * self._patience_s[peer], self._config.retry_max_s)
        self._env.send(peer, {"type": "additions", "start": start, "additions": additions})

    def _repeat(self, peer: str, start: int, additions: list[Addition]) -> None:
        if self._confirmed[peer] < start:
            again = [[f"{self._env.node_id}:{start + at}", *rest] for at, (_, *rest) in enumerate(additions)]
            self._env.send(peer, {"type": "additions", "start": start, "additions": again})

    def _on_additions(self, message: Message) -> None:
        body, now_s = message["body"], self._env.monotonic()
        additions: list[Addition] = body["additions"]
        if self._bugs.named_on_arrival:
            additions = [[f"{message['src']}@{now_s}:{at}", *rest] for at, (_, *rest) in enumerate(additions)]
        self.ledger.receive(additions)
        upto = body["start"] + len(additions) - 1
        self._env.send(message["src"], {"type": "counted", "upto": upto})

    def _on_sums(self, message: Message) -> None:
        for part, number in message["body"]["sums"].items():
            self.ledger.sums[part] = max(number, self.ledger.sums.get(part, 0))

    def _on_counted(self, message: Message) -> None:
        peer, upto = message["src"], message["body"]["upto"]
        self._confirmed[peer] = max(self._confirmed[peer], upto)
        if self._config.delivery == Delivery.AT_MOST_ONCE.value or upto <= self.ledger.told[peer]:
            return  # an old answer
        self.ledger.acknowledged(peer, upto)
        self._due_s[peer], self._patience_s[peer] = 0.0, self._config.retry_min_s
