"""The seeded bugs of the broker: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by a checker that the correct program satisfies under the same faults and settings.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug

SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
# Consumers whose acknowledgement is one with what they do, and publishers that number their messages: nothing comes out twice.
EXACTLY_ONCE: dict[str, Any] = {
    "options": {"consume": "effect", "numbered": True},
    "checkers": {"total-queue": {"delivery": "exactly-once"}},
}
# One clean split that lasts longer than it takes to notice it; n5 is the first master.
HALVES = {"kind": "partition", "start_s": 4, "end_s": 9, "args": {"shape": "halves", "nodes": ["n1", "n5"]}}
SPLIT: dict[str, Any] = {"time_limit_s": 12.0, "rate": 40.0, "schedule": (HALVES,)}
# A message that is delivered again may be late.
IN_ORDER: dict[str, Any] = {
    "workload": "ordered-queue",
    "checkers": {"fifo-per-producer": {"redeliveries": True}},
}
# Consumers are slow, or give back much of what they get.
IMPATIENT: dict[str, Any] = {"visibility_s": 0.15}

BROKER_BUGS = (
    Bug(
        name="confirm-before-durable",
        summary="a message is confirmed before it is on any disk",
        checker="total-queue",
        faults=("power",),
        source="RabbitMQ, publisher confirms; NATS issue 7564",
        settings=SHORT,
    ),
    Bug(
        name="confirm-before-quorum",
        summary="a message is confirmed as soon as the leader alone has it",
        checker="total-queue",
        faults=("partition", "kill"),
        source="RabbitMQ, quorum queues; Raft ATC'14, section 5.3",
        settings=SHORT,
    ),
    Bug(
        name="redelivery-lost-on-failover",
        summary="a new leader takes what was delivered and not acknowledged for done",
        checker="total-queue",
        faults=("partition", "kill"),
        source="RabbitMQ, consumer acknowledgements: automatic requeueing",
        settings={**SHORT, "options": {"reject": 0.5}},
    ),
    Bug(
        name="snapshot-forgets-unacked",
        summary="a snapshot saves what waits, and forgets what is delivered and not acknowledged",
        checker="total-queue",
        faults=("kill",),
        source="Raft ATC'14, section 7",
        settings={**SHORT, "options": {"snapshot_entries": 10, "snapshot_tail": 2, "reject": 0.3}},
    ),
    Bug(
        name="nack-drops",
        summary="a message that its consumer gives back is gone",
        checker="total-queue",
        faults=("partition",),
        source="RabbitMQ, negative acknowledgements",
        settings=SHORT,
    ),
    Bug(
        name="dead-letter-dropped",
        summary="a message that was delivered too often does not become a dead letter, but nothing",
        checker="total-queue",
        faults=("partition",),
        source="RabbitMQ, quorum queues: poison message handling, dead-letter-strategy at-most-once",
        settings={**SHORT, "options": {"delivery_limit": 2, "reject": 0.3}},
    ),
    Bug(
        name="acked-at-delivery",
        summary="a message is done as soon as it is sent to a consumer, who need not get it",
        checker="total-queue",
        faults=("partition", "packet"),
        source="RabbitMQ, consumer acknowledgement modes: automatic",
        settings=SHORT,
    ),
    Bug(
        name="publish-twice-on-retry",
        summary="a publisher's number is not looked at, and a message that it repeats stands twice",
        checker="total-queue",
        faults=("partition", "packet"),
        source="RabbitMQ, streams: message deduplication",
        settings={**SHORT, **EXACTLY_ONCE},
    ),
    Bug(
        name="stale-ack-accepted",
        summary="an acknowledgement counts although the message has been given to another consumer meanwhile",
        checker="total-queue",
        faults=("packet", "partition"),
        source="Kleppmann 2016, How to do distributed locking: fencing tokens",
        settings={
            **SHORT,
            **EXACTLY_ONCE,
            "options": {**EXACTLY_ONCE["options"], **IMPATIENT},
        },
    ),
    Bug(
        name="snapshot-loses-order",
        summary="a snapshot saves what waits with the newest first",
        checker="fifo-per-producer",
        faults=("power",),
        source="Raft ATC'14, section 7; RabbitMQ, message ordering guarantees",
        settings={
            **SHORT,
            **IN_ORDER,
            "rate": 80.0,
            "concurrency": 3,
            "options": {"snapshot_entries": 10, "snapshot_tail": 2},
        },
    ),
)

PAUSE_MINORITY_BUGS = (
    Bug(
        name="confirm-before-mirrors",
        summary="a master confirms before its mirrors have the message",
        checker="total-queue",
        faults=("partition",),
        source="RabbitMQ, classic mirrored queues: publisher confirms",
        settings=SPLIT,
    ),
    Bug(
        name="minority-serves",
        summary="who sees but a minority does not pause, and both sides of a partition go on",
        checker="total-queue",
        faults=("partition",),
        source="aphyr/posts/315; RabbitMQ, cluster_partition_handling",
        settings=SPLIT,
    ),
)
