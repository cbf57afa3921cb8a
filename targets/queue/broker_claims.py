"""What the broker promises, and what it is known not to keep: the textbook's sentences, each with both its halves."""

from __future__ import annotations

from typing import Any

from harness.protocols import Claim
from targets.queue.broker_bugs import EXACTLY_ONCE, IN_ORDER, SPLIT

ALL = ("partition", "packet", "kill", "pause", "clock", "power")
SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
CONFIRMS, PARTITIONS, DELIVERY, ORDER = "confirms", "partition-handling", "delivery", "order-of-deliveries"

_CONFIRMS = "Vanlightly 2018-09-10, RabbitMQ vs Kafka, part 5; RabbitMQ, publisher confirms; catalogue row 23"
_PARTITIONS = "aphyr/posts/315; rabbitmq/jepsen; catalogue row 24"
_DELIVERY = "RabbitMQ, consumer acknowledgements and publisher confirms; catalogue row 25"
_ORDER = "RabbitMQ, message ordering guarantees; catalogue row 26"

BROKER_CLAIMS = (
    Claim(
        name="confirmed-messages-survive",
        topic=CONFIRMS,
        statement="A message that is confirmed once a majority has it on disk is delivered, whatever fails.",
        model="no-loss",
        workload="queue",
        faults=ALL,
        settings=SHORT,
        source=_CONFIRMS,
    ),
    Claim(
        name="unconfirmed-messages-are-lost-silently",
        topic=CONFIRMS,
        statement="A publisher that does not wait for confirms does not hear of it when its message is lost.",
        model="no-loss",
        workload="queue",
        faults=("partition", "kill"),
        violates=("lost",),
        settings={**SHORT, "options": {"confirms": False}},
        source=_CONFIRMS,
    ),
    Claim(
        name="a-quorum-queue-bears-partitions",
        topic=PARTITIONS,
        statement="A queue that a majority must agree to loses nothing in a partition.",
        model="no-loss",
        workload="queue",
        faults=("partition",),
        settings=SHORT,
        source=_PARTITIONS,
    ),
    Claim(
        name="late-acknowledgements-lose-nothing",
        topic=DELIVERY,
        statement="A message that is acknowledged after it was processed is delivered at least once.",
        model="at-least-once",
        workload="queue",
        faults=("partition", "packet", "kill"),
        settings=SHORT,
        source=_DELIVERY,
    ),
    Claim(
        name="late-acknowledgements-deliver-twice",
        topic=DELIVERY,
        statement="A message whose acknowledgement was lost is delivered again, and processed twice.",
        model="exactly-once",
        workload="queue",
        faults=("partition", "packet"),
        violates=("duplicated",),
        checkers={"total-queue": {"delivery": "exactly-once"}},
        settings=SHORT,
        source=_DELIVERY,
    ),
    Claim(
        name="early-acknowledgements-lose-messages",
        topic=DELIVERY,
        statement="A message that is taken for done at its delivery is lost if its consumer does not get it.",
        model="at-least-once",
        workload="queue",
        faults=("partition", "packet"),
        violates=("lost",),
        settings={**SHORT, "options": {"consume": "early"}},
        source=_DELIVERY,
    ),
    Claim(
        name="an-acknowledgement-that-is-one-with-its-effect-counts-once",
        topic=DELIVERY,
        statement="Where publishers number their messages, and processing takes effect with its acknowledgement or not at all, "
        "every message takes effect once.",
        model="exactly-once",
        workload="queue",
        faults=("partition", "packet", "kill"),
        checkers=EXACTLY_ONCE["checkers"],
        settings={**SHORT, "options": EXACTLY_ONCE["options"]},
        source=_DELIVERY,
    ),
    Claim(
        name="first-deliveries-come-in-order",
        topic=ORDER,
        statement="Every consumer gets the messages of each publisher in order, but for those that are delivered again.",
        model="fifo-per-producer",
        workload=IN_ORDER["workload"],
        faults=("partition", "kill"),
        checkers=IN_ORDER["checkers"],
        settings=SHORT,
        source=_ORDER,
    ),
    Claim(
        name="redeliveries-come-late",
        topic=ORDER,
        statement="A message that is delivered again comes behind later ones of its publisher.",
        model="fifo-per-producer",
        workload=IN_ORDER["workload"],
        faults=("partition", "kill"),
        violates=("reordered",),
        settings={**SHORT, "rate": 80.0, "concurrency": 3},
        source=_ORDER,
    ),
)

AUTOHEAL_CLAIMS = (
    Claim(
        name="autoheal-forgets-one-side",
        topic=PARTITIONS,
        statement="Where both sides of a partition serve, the side that gives in afterwards loses what it had confirmed.",
        model="no-loss",
        workload="queue",
        faults=("partition",),
        violates=("lost",),
        source=_PARTITIONS,
    ),
)

PAUSE_MINORITY_CLAIMS = (
    Claim(
        name="a-minority-that-pauses-loses-nothing-in-a-clean-split",
        topic=PARTITIONS,
        statement="Where only the majority serves, mirrored queues lose nothing when the cluster splits in two and heals.",
        model="no-loss",
        workload="queue",
        faults=("partition",),
        settings=SPLIT,
        source=_PARTITIONS,
    ),
    Claim(
        name="mirrors-without-consensus-forget",
        topic=PARTITIONS,
        statement="Partitions that are no clean split, and crashes, make a mirror master that has not caught up, though minorities pause.",
        model="no-loss",
        workload="queue",
        faults=("kill", "partition"),
        violates=("lost",),
        seeds=50,
        source="aphyr/posts/315; RabbitMQ, classic mirrored queues: unsynchronised mirrors",
    ),
)
