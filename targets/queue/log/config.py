"""The options of a node of ``queue/log``: times in seconds, sizes in messages. Kafka's names stand beside those that have one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.node.options import chosen

ACKS = ("0", "1", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``acks``: what producers wait for (acks): "0" nothing, "1" the leader has it, "all" every in-sync replica has it. ``min_isr``: so many
    replicas must be in sync for acks=all (min.insync.replicas). ``unclean``: whether a replica that is not in sync may become leader when
    no other lives (unclean.leader.election.enable). ``elr``: whether replicas that left the in-sync set when it became too small stay
    eligible, and one that restarts without having synced leaves it (KIP-966). ``idempotent``: whether producers number their messages
    (enable.idempotence). ``replicas`` of a partition (replication.factor).
    ``commit``: when consumers of a group commit what they were given: "late", once they have it, or "early", before.
    ``fsync_s``: 0 syncs before anything is acknowledged; else that often (log.flush.interval.ms; by default never).
    ``retention``: so many messages of a topic's partition are kept (0: all); ``compact``: of committed messages of one key, the last alone
    is kept (cleanup.policy). ``clean_every``: both happen after so many messages. ``keys``: producers give messages so many keys, by
    their numbers in turn (0: none).
    ``session_s``: a broker that is silent for so long is fenced (broker.session.timeout.ms), and a group's member expelled after
    ``group_session_s`` (session.timeout.ms); ``beat_s``: how often brokers say that they live. ``lag_s``: a replica that has not caught
    up for so long is not in sync (replica.lag.time.max.ms). ``fetch_wait_s``: so long a leader keeps a fetch that finds nothing
    (replica.fetch.wait.max.ms).
    The values are a tenth of Kafka's defaults and less, so that a run of half a minute sees many elections.
    """

    acks: str = "all"
    min_isr: int = 2
    unclean: bool = False
    elr: bool = False
    idempotent: bool = True
    replicas: int = 3
    commit: str = "late"
    fsync_s: float = 0.0
    retention: int = 0
    compact: bool = False
    clean_every: int = 50
    keys: int = 0
    session_s: float = 1.0
    group_session_s: float = 3.0
    beat_s: float = 0.2
    lag_s: float = 1.0
    fetch_wait_s: float = 0.5

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.acks not in ACKS:
            raise ValueError(f"option acks={config.acks!r} is none of {', '.join(ACKS)}")
        if config.commit not in ("late", "early"):
            raise ValueError(f"option commit={config.commit!r} is neither late nor early")
        if min(config.min_isr, config.replicas, config.clean_every) < 1 or min(config.retention, config.keys) < 0:
            raise ValueError("min_isr, replicas and clean_every must be at least 1, retention and keys at least 0")
        if config.fsync_s < 0 or min(config.session_s, config.group_session_s, config.lag_s, config.fetch_wait_s) <= 0:
            raise ValueError(
                "fsync_s must be 0 or more, and session_s, group_session_s, lag_s and fetch_wait_s above 0"
            )
        if not 0 < config.beat_s < config.session_s:
            raise ValueError("0 < beat_s < session_s must hold: else every broker is taken for dead")
        return config
