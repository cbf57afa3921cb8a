"""The node program ``kv/primary``: the parts, put together."""

from __future__ import annotations

from typing import Any

from targets.kv.primary.bugs import Bugs
from targets.kv.primary.config import Config
from targets.kv.primary.election import Election
from targets.kv.primary.following import Following
from targets.kv.primary.replica import Replica
from targets.kv.primary.requests import FIELDS, Requests
from targets.kv.primary.shipping import Shipping
from targets.kv.primary.state import State
from targets.node.env import Env


class Primary:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        config, bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        self.replica = replica = Replica(env, config, bugs)
        self.state = state = State(env, config, bugs, replica.log.end[0])
        self.election = election = Election(state, replica.log)
        self.shipping = shipping = Shipping(state, replica)
        self.following = following = Following(state, replica)
        self.requests = requests = Requests(state, replica, shipping)

        state.when_promoted.extend((requests.promoted, shipping.start))
        state.when_deposed.extend((shipping.stop, requests.deposed))
        state.when_primary_lost.append(requests.primary_lost)
        shipping.when_round_confirmed = requests.reads.confirmed
        replica.when_applied = requests.applied
        replica.when_committed = requests.reads.proceed

        env.on("ask_vote", election.on_ask_vote)
        env.on("vote", election.on_vote)
        env.on("replicate", following.on_replicate)
        env.on("install", following.on_install)
        env.on("replicated", shipping.on_reply)
        env.on("forward", requests.on_forward)
        env.on("forwarded", requests.on_forwarded)
        for kind in FIELDS:
            env.on(kind, requests.on_request)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self.election.start()

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows. ``term`` is the epoch, by the name under which other targets report it."""
        state, replica = self.state, self.replica
        return {
            "role": state.role.value,
            "term": state.epoch,
            "timeout_s": self.election.patience_s,
            "primary": state.primary,
            "commit": replica.commit,
            "last": replica.log.last_index,
            "checkpoint": replica.checkpoint_index,
        }
