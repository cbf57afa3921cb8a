"""What a log with in-sync replicas promises, and what it is known not to keep: the textbook's sentences, each with both its halves."""

from __future__ import annotations

from typing import Any

from harness.protocols import Claim

ALL = ("partition", "packet", "kill", "pause", "clock", "power")
SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
ACKS, LAST, UNCLEAN = "acknowledged-by-whom", "last-replica-standing", "unclean-election"
SYNCED, READING, ORDER, REPEATED = (
    "fsync-before-ack",
    "when-a-consumer-commits",
    "order-per-producer",
    "a-retry-of-a-send",
)
KEPT, COMPACTION = "retention", "compaction"

_KAFKA_LOSS = "aphyr/posts/293; Kafka, acks"
# A message that was lost after somebody had polled it shows when another one takes its offset.
_LOST = ("lost-write", "unseen", "inconsistent-offsets")

# The leader of k0 is n1, with the replicas n2 and n3. It loses sight of both, stays in touch with the controller and the clients, and then
# loses its power.
LAST_STANDING = (
    {
        "kind": "partition",
        "start_s": 5,
        "end_s": 12,
        "args": {"grudge": {"n1": ["n2", "n3"], "n2": ["n1"], "n3": ["n1"]}},
    },
    {"kind": "kill", "start_s": 11, "end_s": 13, "args": {"nodes": ["n1"]}},
)
# Messages have keys, and of each key the last one is kept.
KEYS = 3
COMPACTED: dict[str, Any] = {**SHORT, "options": {"compact": True, "clean_every": 5, "keys": KEYS}}
STANDING: dict[str, Any] = {
    "time_limit_s": 16.0,
    "rate": 40.0,
    "schedule": LAST_STANDING,
    "workload_options": {"keys": 1},
}

LOG_CLAIMS = (
    Claim(
        name="acks-all-loses-nothing",
        topic=ACKS,
        statement="What every in-sync replica has, and at least two of them, survives any failover: no acknowledged message is lost.",
        model="no-loss",
        workload="kafka",
        faults=ALL,
        settings=SHORT,
        source=f"{_KAFKA_LOSS}; catalogue rows 3, 20",
    ),
    Claim(
        name="one-in-sync-replica-is-not-enough",
        topic=LAST,
        statement="Where one in-sync replica suffices, the last one acknowledges alone, and what it loses is lost for all.",
        model="no-loss",
        workload="kafka",
        faults=("partition", "kill"),
        violates=_LOST,
        settings={**STANDING, "options": {"min_isr": 1, "fsync_s": 3.0}},
        source="KIP-966; catalogue row 21",
    ),
    Claim(
        name="two-in-sync-replicas-are-not-enough",
        topic=LAST,
        statement="Two must acknowledge, but the last one in sync leads again although it lost what both had acknowledged.",
        model="no-loss",
        workload="kafka",
        faults=("partition", "kill"),
        violates=_LOST,
        settings={**STANDING, "options": {"min_isr": 2, "fsync_s": 60.0}},
        source="KIP-966; catalogue row 21",
    ),
    Claim(
        name="eligible-leader-replicas-lose-nothing",
        topic=LAST,
        statement="Who left the in-sync set when it became too small has all that was acknowledged, and leads where the last one crashed.",
        model="no-loss",
        workload="kafka",
        faults=("partition", "kill"),
        settings={**STANDING, "options": {"min_isr": 2, "fsync_s": 60.0, "elr": True}},
        source="KIP-966; catalogue row 21",
    ),
    Claim(
        name="a-clean-election-loses-nothing",
        topic=UNCLEAN,
        statement="As long as only in-sync replicas lead, a partition of which none lives waits, and loses nothing.",
        model="no-loss",
        workload="kafka",
        faults=("kill", "partition"),
        settings={**SHORT, "options": {"session_s": 0.4, "beat_s": 0.1, "lag_s": 0.4}},
        source="aphyr/posts/293; Kafka, unclean.leader.election.enable; catalogue row 22",
    ),
    Claim(
        name="messages-synced-before-the-answer-survive-power-loss",
        topic=SYNCED,
        statement="Brokers that sync before they answer lose nothing when all of them lose their power at once.",
        model="no-loss",
        workload="kafka",
        faults=("power", "kill"),
        settings=SHORT,
        source="NATS issue 7564; catalogue row 19",
    ),
    Claim(
        name="messages-synced-now-and-then-do-not",
        topic=SYNCED,
        statement="Brokers that sync every two seconds lose what they acknowledged in between when all of them lose their power at once.",
        model="no-loss",
        workload="kafka",
        faults=("power",),
        violates=_LOST,
        settings={**SHORT, "options": {"fsync_s": 2.0}},
        source="NATS issue 7564; Kafka, log.flush.interval.ms; catalogue row 19",
    ),
    Claim(
        name="a-group-that-commits-late-misses-nothing",
        topic=READING,
        statement="Consumers that commit what they have been given miss nothing, whoever of them or of the brokers fails.",
        model="at-least-once",
        workload="kafka-groups",
        faults=ALL,
        settings=SHORT,
        source="Kafka, KafkaConsumer; catalogue row 25",
    ),
    Claim(
        name="a-group-that-commits-early-misses-messages",
        topic=READING,
        statement="Consumers that commit before they have been given the messages lose those that they then do not get.",
        model="at-least-once",
        workload="kafka-groups",
        faults=("partition", "kill"),
        violates=_LOST,
        settings={**SHORT, "options": {"commit": "early"}},
        source="Kafka, KafkaConsumer; catalogue row 25",
    ),
    Claim(
        name="sequences-keep-the-order-of-a-producer",
        topic=ORDER,
        statement="With sequences, several messages in flight and retries keep the order in which a producer sent them.",
        model="fifo-per-producer",
        workload="kafka-pipelined",
        faults=("packet", "partition", "kill"),
        settings=SHORT,
        source="KIP-98; Kafka, max.in.flight.requests.per.connection; catalogue row 26",
    ),
    Claim(
        name="a-retry-under-a-sequence-stands-once",
        topic=REPEATED,
        statement="A message that its producer repeats under its sequence stands in the log once.",
        model="exactly-once",
        workload="kafka",
        faults=("packet", "partition", "kill"),
        settings=SHORT,
        source="KIP-98; catalogue row 42",
    ),
    Claim(
        name="what-is-not-expired-is-kept",
        topic=KEPT,
        statement="Without retention a log keeps everything, and consumers may begin at any time.",
        model="no-loss",
        workload="kafka",
        faults=(),
        settings=SHORT,
        source="Kafka, cleanup.policy",
    ),
    Claim(
        name="compaction-keeps-the-last-message-of-each-key",
        topic=COMPACTION,
        statement="A compacted log keeps the last committed message of each key, whoever leads and whatever fails.",
        model="no-loss",
        workload="kafka",
        faults=("partition", "kill", "pause"),
        checkers={"kafka": {"keys": KEYS}},
        settings=COMPACTED,
        source="Kafka, log compaction",
    ),
    Claim(
        name="compaction-takes-all-earlier-ones",
        topic=COMPACTION,
        statement="Who reads a compacted log from its beginning finds no more than the last messages.",
        model="no-loss",
        workload="kafka",
        faults=(),
        violates=_LOST,
        settings=COMPACTED,
        source="Kafka, log compaction",
    ),
    Claim(
        name="retention-takes-what-nobody-has-read",
        topic=KEPT,
        statement="Retention deletes old messages, read or not: who comes too late finds them gone.",
        model="no-loss",
        workload="kafka-groups",
        faults=(),
        violates=_LOST,
        settings={**SHORT, "options": {"retention": 1, "clean_every": 1}},
        source="Kafka, cleanup.policy=delete",
    ),
)

ACKS_1_CLAIMS = (
    Claim(
        name="the-leader-alone-loses-acknowledged-messages",
        topic=ACKS,
        statement="A leader that answers before anybody else has the message loses it when it is replaced.",
        model="no-loss",
        workload="kafka",
        faults=("kill", "partition"),
        violates=_LOST,
        source=f"{_KAFKA_LOSS}; catalogue row 20",
    ),
)
UNCLEAN_CLAIMS = (
    Claim(
        name="an-unclean-election-loses-acknowledged-messages",
        topic=UNCLEAN,
        statement="A replica that was not in sync and is made leader lacks what the others acknowledged, and has them forget it.",
        model="no-loss",
        workload="kafka",
        faults=("kill", "partition"),
        violates=_LOST,
        seeds=50,
        source="aphyr/posts/293; Kafka, unclean.leader.election.enable; catalogue row 22",
    ),
)
AT_LEAST_ONCE_CLAIMS = (
    Claim(
        name="a-retry-without-a-sequence-stands-twice",
        topic=REPEATED,
        statement="A message that its producer repeats, since it got no answer, stands in the log twice.",
        model="exactly-once",
        workload="kafka",
        faults=("packet", "partition"),
        violates=("duplicate",),
        source="KIP-98; catalogue row 42",
    ),
    Claim(
        name="retries-in-flight-change-the-order",
        topic=ORDER,
        statement="Without sequences, a message that is sent again comes behind those that were sent after it.",
        model="fifo-per-producer",
        workload="kafka-pipelined",
        faults=("packet", "partition"),
        violates=("int-nonmonotonic-send", "nonmonotonic-send"),
        settings=SHORT,
        source="Kafka, max.in.flight.requests.per.connection; catalogue row 26",
    ),
)
