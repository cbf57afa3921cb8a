"""The seeded bugs of the log with partitions: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by a checker that the correct program satisfies under the same faults and settings.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug

SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
# Elections in a hurry: what a new leader makes of its log shows.
HURRY: dict[str, Any] = {**SHORT, "options": {"session_s": 0.4, "beat_s": 0.1, "lag_s": 0.4}}

LOG_BUGS = (
    Bug(
        name="ack-before-replicate",
        summary="acks=all is answered as soon as the leader alone has the message",
        checker="kafka",
        faults=("partition", "kill"),
        source="aphyr/posts/293; Kafka, acks=1",
        settings=SHORT,
    ),
    Bug(
        name="commit-before-process",
        summary="a consumer commits messages before it has been given them, and the group passes over what it never got",
        checker="kafka",
        faults=("partition", "kill"),
        source="Kafka, KafkaConsumer: automatic offset committing",
        settings={**SHORT, "workload": "kafka-groups"},
    ),
    Bug(
        name="sequence-reset",
        summary="a new leader forgets the sequences of producers, and takes a repetition for a new message",
        checker="kafka",
        faults=("partition", "kill"),
        source="KIP-98; KAFKA-5793, KAFKA-6361",
        settings=HURRY,
    ),
    Bug(
        name="sequence-gap-accepted",
        summary="a message is taken although the one before it has not come, so retries with several in flight change the order",
        checker="kafka",
        faults=("packet",),
        source="KIP-98; Kafka, max.in.flight.requests.per.connection",
        settings={**SHORT, "workload": "kafka-pipelined"},
    ),
    Bug(
        name="duplicate-acked-early",
        summary="a repetition is acknowledged at once, although its first copy is not replicated yet",
        checker="kafka",
        faults=("partition",),
        source="KAFKA-7192; KIP-98",
        settings=SHORT,
    ),
    Bug(
        name="unclean-election",
        summary="a replica that is not in sync is made leader when no other lives",
        checker="kafka",
        faults=("kill", "partition"),
        source="aphyr/posts/293; unclean.leader.election.enable",
        settings=HURRY,
    ),
    Bug(
        name="isr-shrinks-alone",
        summary="a leader drops silent replicas from its in-sync set without the controller's consent, down to itself",
        checker="kafka",
        faults=("partition",),
        source="aphyr/posts/293; KIP-497",
        settings=HURRY,
    ),
    Bug(
        name="truncate-to-high-watermark",
        summary="who becomes follower cuts its log at its own high watermark, which lags",
        checker="kafka",
        faults=("kill", "partition"),
        source="KIP-101",
        settings=HURRY,
    ),
    Bug(
        name="divergent-tail-kept",
        summary="a follower keeps what its leader does not have, and appends behind it",
        checker="kafka",
        faults=("partition",),
        source="KIP-101, KIP-279",
        settings=HURRY,
    ),
    Bug(
        name="read-uncommitted",
        summary="consumers are given messages that only the leader has, and that the next leader may lack",
        checker="kafka",
        faults=("partition",),
        source="Kafka, design: committed messages",
        settings=HURRY,
    ),
    Bug(
        name="no-fsync",
        summary="messages are acknowledged before they are durable, and all brokers lose power",
        checker="kafka",
        faults=("kill",),
        source="etcd issue 14370; NATS issue 7564",
        settings=SHORT,
    ),
    Bug(
        name="begins-at-the-end",
        summary="a group that has committed nothing yet begins with the next message, and passes over those before",
        checker="kafka",
        faults=("partition",),
        source="Kafka, auto.offset.reset=latest",
        settings={**SHORT, "workload": "kafka-groups"},
    ),
)
