"""How nodes tell each other (Demers, Greene, Hauser, Irish, Larson, Shenker, Sturgis, Swinehart and Terry 1987).

* *Rumour mongering* (section 1.4; blind, by counter): what is new to a node is hot. In every round it tells all that is hot to ``fanout``
  peers drawn by its dice; what has been told for ``hot_rounds`` rounds is hot no more. Quick, and sure of nothing: a rumour may die out.
* *Anti-entropy* (section 1.3; push and pull): now and then it compares all it has with one peer, drawn by its dice, and both send what
  the other lacks. Slow, and sure: what one node knows, all will know.

Messages: ``rumours {entries}``; ``compare {digest}`` → ``differ {buckets, entries}`` → ``rumours {entries}``. Nothing is waited for: each
is worth as much alone, and what is lost is told another time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from targets.kv.crdt.bugs import Bugs
from targets.kv.crdt.config import Config
from targets.kv.crdt.replica import Replica
from targets.node.env import Env, Message

# A message holds at most so many entries: more go in several.
ENTRIES_MAX = 500


class Gossip:
    """One node's part in it. ``heard_s``: when any peer was last heard, by ``env.monotonic``."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, replica: Replica) -> None:
        self._env, self._config, self._bugs, self._replica = env, config, bugs, replica
        self._peers = _peers(env, bugs)
        self._hot: dict[tuple[str, str], int] = {}  # key, part → rounds left
        self.heard_s = env.monotonic()
        self.rounds = 0
        env.on("rumours", self._on_rumours)
        env.on("compare", self._on_compare)
        env.on("differ", self._on_differ)

    def start(self) -> None:
        """Begin. The first round comes at a time drawn by the dice, so that nodes are not in step."""
        if not self._peers:
            return
        self._repeat(self._config.round_s, self._round)
        if self._config.anti_entropy_s and not self._bugs.rumours_only:
            self._repeat(self._config.anti_entropy_s, self._compare)

    def _repeat(self, period_s: float, act: Callable[[], None]) -> None:
        def again() -> None:
            act()
            self._env.call_later(period_s, again)

        self._env.call_later(self._env.random.uniform(0, period_s), again)

    def _round(self) -> None:
        replica, hot = self._replica, self._hot
        self.rounds += 1
        hot.update(dict.fromkeys(replica.fresh, self._config.hot_rounds))
        replica.fresh.clear()
        if not hot:
            return
        entries = [replica.entry(*name) for name in hot]
        for peer in self._env.random.sample(self._peers, min(self._config.fanout, len(self._peers))):
            self._tell(peer, entries)
        self._hot = {name: left - 1 for name, left in hot.items() if left > 1}

    def _compare(self) -> None:
        peer = self._env.random.choice(self._peers)
        self._env.send(peer, {"type": "compare", "digest": self._replica.digest()})

    def _tell(self, peer: str, entries: list[Any]) -> None:
        for start in range(0, len(entries), ENTRIES_MAX):
            self._env.send(peer, {"type": "rumours", "entries": entries[start : start + ENTRIES_MAX]})

    # What peers say

    def _on_rumours(self, message: Message) -> None:
        self._heard()
        self._replica.merge(message["body"]["entries"])

    def _on_compare(self, message: Message) -> None:
        self._heard()
        buckets = self._replica.differing(message["body"]["digest"])
        if buckets:
            answer = {"type": "differ", "buckets": buckets, "entries": self._replica.within(buckets)}
            self._env.send(message["src"], answer)

    def _on_differ(self, message: Message) -> None:
        self._heard()
        body = message["body"]
        known = {(key, part): entry for key, part, entry in body["entries"]}
        self._replica.merge(body["entries"])
        lacking = [item for item in self._replica.within(body["buckets"]) if known.get((item[0], item[1])) != item[2]]
        self._tell(message["src"], lacking)

    def _heard(self) -> None:
        self.heard_s = self._env.monotonic()


def _peers(env: Env, bugs: Bugs) -> tuple[str, ...]:
    others = tuple(name for name in env.node_ids if name != env.node_id)
    if bugs.fixed_peer and len(others) > 1:
        place = env.node_ids.index(env.node_id) ^ 1  # in pairs: the first with the second, the third with the fourth
        return (env.node_ids[place],) if place < len(env.node_ids) else others[:1]
    return others
