"""The options of a node of ``queue/broker``: times in seconds, sizes in messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.node.options import chosen

QUORUM, MIRRORED = "quorum", "mirrored"
AUTOHEAL, PAUSE_MINORITY = "autoheal", "pause-minority"
LATE, EARLY, EFFECT = "late", "early", "effect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``kind``: "quorum" replicates queues by Raft (RabbitMQ's quorum queues), "mirrored" from a master to mirrors (its classic mirrored
    queues). ``partition``: what mirrored queues do about one (cluster_partition_handling): "autoheal" serves on all sides, and in the end
    one side forgets what it did; "pause-minority" serves where a majority is seen. ``tick_s``: who is silent for so long is gone
    (net_ticktime), ``beat_s``: how often nodes say that they live.
    ``confirms``: whether publishers wait until a message is safe (publisher confirms), or until it has arrived. ``numbered``: whether
    publishers number their messages, so that a repetition is recognised. ``consume``: "late" acknowledges what has been processed; "early"
    at delivery (RabbitMQ's automatic mode); "effect" processes what its acknowledgement was accepted for.
    ``visibility_s``: a message that was delivered and not acknowledged for so long is delivered again (consumer timeout).
    ``delivery_limit``: after so many deliveries it goes to the dead letters instead (0: never). ``priorities``: of messages, from 0 to
    one less (1: all are alike). ``reject``: the share of messages that consumers give back.
    """

    kind: str = QUORUM
    partition: str = PAUSE_MINORITY
    tick_s: float = 1.0
    beat_s: float = 0.2
    confirms: bool = True
    numbered: bool = False
    consume: str = LATE
    visibility_s: float = 0.8
    delivery_limit: int = 20
    priorities: int = 1
    reject: float = 0.05

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        for name, known in (
            ("kind", (QUORUM, MIRRORED)),
            ("partition", (AUTOHEAL, PAUSE_MINORITY)),
            ("consume", (LATE, EARLY, EFFECT)),
        ):
            if getattr(config, name) not in known:
                raise ValueError(f"option {name}={getattr(config, name)!r} is none of {', '.join(known)}")
        if not 0 < config.beat_s < config.tick_s or config.visibility_s <= 0:
            raise ValueError("0 < beat_s < tick_s and visibility_s above 0 must hold")
        if config.delivery_limit < 0 or config.priorities < 1 or not 0 <= config.reject < 1:
            raise ValueError("delivery_limit must be 0 or more, priorities at least 1, reject from 0 to below 1")
        return config
