"""The options of a node of the transactional store: times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.kv.raft.config import Config as RaftConfig
from targets.node.options import chosen

# One attempt to have a shard carry something out waits so long at one replica.
ATTEMPT_S = 0.5
TWO, THREE = "2pc", "3pc"
SERIALIZABLE, SNAPSHOT = "serializable", "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``protocol``: how many phases a commit takes, "2pc" or "3pc". ``isolation``: what participants validate and lock when they vote:
    "serializable", what was read and written, or "snapshot", what is written alone. ``shards`` of ``replicas`` nodes each.
    ``coordinators``: so many of the last nodes hold no data and coordinate all transactions; 0: every node holds data and coordinates
    those of its own clients.
    ``patience_s``: a transaction that is not decided by then is aborted. ``lock_wait_s``: so long a read waits for a key that is being
    committed. ``ask_s``: a participant that has not heard the outcome for so long asks for it. ``decide_s``: how long a coordinator takes
    from the last vote to its decision, beyond what its disk takes: what stretches the time in which it can fail between the phases.
    ``dead_s``: in three phases a shard that does not answer for so long is taken for dead, by the coordinator and by other shards. What
    lives must answer sooner, or the commit is torn: see ``alive_s``.
    """

    protocol: str = TWO
    isolation: str = SERIALIZABLE
    shards: int = 2
    replicas: int = 3
    coordinators: int = 0
    patience_s: float = 1.2
    lock_wait_s: float = 0.4
    ask_s: float = 0.5
    dead_s: float = 2.5
    decide_s: float = 0.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        for name, known in (("protocol", (TWO, THREE)), ("isolation", (SERIALIZABLE, SNAPSHOT))):
            if getattr(config, name) not in known:
                raise ValueError(f"option {name}={getattr(config, name)!r} is none of {', '.join(known)}")
        if min(config.shards, config.replicas) < 1 or config.coordinators < 0:
            raise ValueError("shards and replicas must be at least 1, coordinators at least 0")
        if min(config.patience_s, config.ask_s, config.dead_s) <= 0 or min(config.lock_wait_s, config.decide_s) < 0:
            raise ValueError("patience_s, ask_s and dead_s must be above 0, lock_wait_s and decide_s at least 0")
        least_s = alive_s(config.replicas, RaftConfig.of(options).election_max_s)
        if config.protocol == THREE and config.dead_s <= least_s:
            raise ValueError(
                f"dead_s must be above {least_s:g} for three phases, or a shard that lives is taken for dead: {config.dead_s:g} is not"
            )
        return config


def alive_s(replicas: int, election_max_s: float) -> float:
    """The longest silence of a shard that has one leader all along, where messages arrive in no time and nodes only crash.

    It does not commit anything without a majority, and then has no leader any more after ``election_max_s``. Who asks may ask the dead
    minority first, and waits once more at the leader.
    """
    return election_max_s + (replicas // 2 + 1) * ATTEMPT_S
