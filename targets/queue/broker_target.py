"""What the harness must know of the broker: several targets of one node program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.protocols import Bug, Claim, Target
from targets.queue.broker_bugs import BROKER_BUGS, PAUSE_MINORITY_BUGS
from targets.queue.broker_claims import AUTOHEAL_CLAIMS, BROKER_CLAIMS, PAUSE_MINORITY_CLAIMS


def _broker(
    name: str,
    summary: str,
    claims: tuple[Claim, ...],
    options: Mapping[str, Any],
    *,
    bugs: tuple[Bug, ...] = (),
) -> Target:
    return Target(
        name=name,
        summary=summary,
        program="targets.queue.broker:Broker",
        client="targets.queue.broker_client:BrokerClient",
        workloads=("queue", "ordered-queue"),
        roles=("leader", "follower", "candidate") if options["kind"] == "quorum" else ("master", "mirror", "paused"),
        bugs=bugs,
        claims=claims,
        options=options,
    )


QUEUE_BROKER = _broker(
    "queue/broker",
    "a broker with confirms, acknowledgements, redelivery and dead letters (RabbitMQ's model), its queues replicated by Raft",
    BROKER_CLAIMS,
    {"kind": "quorum"},
    bugs=BROKER_BUGS,
)
AUTOHEAL = _broker(
    "queue/broker-autoheal",
    "the broker with mirrored queues: both sides of a partition serve, and in the end one of them forgets",
    AUTOHEAL_CLAIMS,
    {"kind": "mirrored", "partition": "autoheal"},
)
PAUSE_MINORITY = _broker(
    "queue/broker-pause-minority",
    "the broker with mirrored queues: who sees a minority only stands still, which saves what a clean split would lose",
    PAUSE_MINORITY_CLAIMS,
    {"kind": "mirrored", "partition": "pause-minority"},
    bugs=PAUSE_MINORITY_BUGS,
)
