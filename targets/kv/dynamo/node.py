"""The node program ``kv/dynamo``: the parts, put together."""

from __future__ import annotations

from typing import Any

from targets.kv.dynamo.antientropy import AntiEntropy
from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo.cells import Kind
from targets.kv.dynamo.config import Config, Conflict
from targets.kv.dynamo.coordinator import Coordinator
from targets.kv.dynamo.handoff import Handoff
from targets.kv.dynamo.members import Members
from targets.kv.dynamo.parts import Parts
from targets.kv.dynamo.requests import FIELDS, Requests
from targets.kv.dynamo.ring import Ring
from targets.kv.dynamo.rounds import Rounds
from targets.kv.dynamo.siblings import Siblings
from targets.kv.dynamo.stamps import HybridStamps, Stamped, WallStamps
from targets.kv.dynamo.store import Store
from targets.node.env import Env


class Dynamo:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        config = Config.of(env.options, len(env.node_ids))
        bugs = Bugs.named(env.options.get("bug"))
        self.members = members = Members(env, config)
        kind = _kind(env, config, bugs, members.life)
        self.ring = ring = Ring(env.node_ids, config.vnodes)
        self.store = store = Store(env, config, kind, bugs)
        self.rounds = rounds = Rounds(env, config, members)
        parts = Parts(env=env, config=config, bugs=bugs, kind=kind, store=store, ring=ring, members=members)
        self.handoff = handoff = Handoff(parts)
        self.anti_entropy = anti_entropy = AntiEntropy(parts)
        coordinator = Coordinator(parts, rounds)
        requests = Requests(env, config, kind, coordinator)

        env.on("gossip", members.on_gossip)
        env.on("get", coordinator.on_question)
        env.on("put", coordinator.on_question)
        env.on("answer", rounds.on_answer)
        env.on("handoff", handoff.on_handoff)
        env.on("handed_over", handoff.on_handed_over)
        env.on("compare", anti_entropy.on_compare)
        env.on("have", anti_entropy.on_have)
        env.on("exchange", anti_entropy.on_exchange)
        for kind_of_request in FIELDS:
            env.on(kind_of_request, requests.on_request)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        for part in (self.members, self.store, self.handoff, self.anti_entropy):
            part.start()

    def status(self) -> dict[str, Any]:
        """What the report shows."""
        hints = {home: len(slots) for home, slots in self.store.hints.items() if slots}
        return {"up": self.members.up(), "keys": len(self.store.cells), "hints": hints, "life": self.members.life}


def _kind(env: Env, config: Config, bugs: Bugs, life: int) -> Kind:
    writer = f"{env.node_id}.{life}"
    if config.conflict is Conflict.SIBLINGS:
        return Siblings(env.node_id, bugs)
    if config.conflict is Conflict.HLC:
        return Stamped(HybridStamps(env.wall_time, writer, deaf=bugs.clock_deaf), bugs)
    return Stamped(WallStamps(env.wall_time, writer, coarse=bugs.ties_kept), bugs)
