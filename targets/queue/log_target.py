"""What the harness must know of the log with partitions: several targets of one node program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.protocols import Bug, Claim, Target
from targets.queue.log_bugs import LOG_BUGS
from targets.queue.log_claims import ACKS_1_CLAIMS, AT_LEAST_ONCE_CLAIMS, LOG_CLAIMS, UNCLEAN_CLAIMS


def _log(
    name: str, summary: str, claims: tuple[Claim, ...], options: Mapping[str, Any], bugs: tuple[Bug, ...] = ()
) -> Target:
    return Target(
        name=name,
        summary=summary,
        program="targets.queue.log:LogBroker",
        client="targets.queue.log_client:LogClient",
        workloads=("kafka", "kafka-groups", "kafka-pipelined"),
        roles=("leader", "follower"),
        bugs=bugs,
        claims=claims,
        options=options,
    )


QUEUE_LOG = _log(
    "queue/log",
    "a log with partitions and in-sync replicas (Kafka's model): acks=all, two in sync, idempotent producers, groups",
    LOG_CLAIMS,
    {},
    LOG_BUGS,
)
ACKS_1 = _log(
    "queue/log-acks-1",
    "the log whose producers are content with the leader's acknowledgement: what it has alone may be lost",
    ACKS_1_CLAIMS,
    {"acks": "1", "idempotent": False},
)
UNCLEAN = _log(
    "queue/log-unclean",
    "the log in which a replica that is not in sync may lead: it answers when others would wait, and may forget",
    UNCLEAN_CLAIMS,
    {"unclean": True, "session_s": 0.4, "beat_s": 0.1, "lag_s": 0.4},
)
AT_LEAST_ONCE = _log(
    "queue/log-at-least-once",
    "the log whose producers do not number their messages: a retry may stand twice, and out of order",
    AT_LEAST_ONCE_CLAIMS,
    {"idempotent": False},
)
