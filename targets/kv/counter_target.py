"""What the harness must know of the counters that are replicated by increments: a target for each promise of delivery, with its claims.

Two of them cannot keep what a counter promises, and their claims say so; the third can, and has the seeded bugs. A bug's ``faults`` are
those that reveal it: found within 50 random seeds of a minute of virtual time each, on the simulator (``tests/sweep/test_bugs.py``).
"""

from __future__ import annotations

from harness.protocols import Bug, Claim, Target

_FAULTS = ("partition", "packet", "kill", "pause", "clock")
_TOPIC = "retry-of-an-increment"
_BIRRELL = "Birrell and Nelson 1984, Implementing remote procedure calls"

BUGS = (
    Bug(
        name="retry-without-id",
        summary="a client's repetition at another node is taken for a request of its own",
        checker="counter",
        faults=("pause",),
        source="FoundationDB, commit_unknown_result",
    ),
    Bug(
        name="ids-not-replicated",
        summary="nodes recognise what they repeat themselves, and not what a client repeats at another node",
        checker="counter",
        faults=("pause",),
        source="Ongaro, thesis, section 6.3: the table is part of the replicated state",
    ),
    Bug(
        name="ids-forgotten-at-checkpoint",
        summary="a checkpoint saves the sums, and forgets which requests are in them",
        checker="counter",
        faults=("packet", "pause"),
        source="Ongaro, thesis, sections 5.1 and 6.3",
        settings={"options": {"checkpoint_records": 20}},
    ),
    Bug(
        name="ids-not-durable",
        summary="a node that restarts knows its sums, and not which requests are in them",
        checker="counter",
        faults=("kill", "packet"),
        source="Kafka before KIP-98: producers' sequence numbers in memory",
        settings={"interval_s": 2.0},
    ),
    Bug(
        name="ids-window-short",
        summary="only the latest ten requests are remembered, and repetitions come later than that",
        checker="counter",
        faults=("packet", "pause"),
        source="NATS JetStream, the duplicate window",
    ),
    Bug(
        name="ack-before-sync",
        summary="a client is answered before its addition is on the disk",
        checker="counter",
        faults=("kill",),
        source="Redis, appendfsync everysec",
    ),
    Bug(
        name="peer-acks-before-sync",
        summary="a peer is told that its additions are counted before they are on the disk",
        checker="counter",
        faults=("kill",),
        source="etcd issue 14370",
    ),
    Bug(
        name="outbox-volatile",
        summary="a node that restarts has forgotten what it had not sent to its peers yet",
        checker="counter",
        faults=("kill", "partition"),
        source="the transactional outbox pattern, left out",
    ),
    Bug(
        name="cursor-one-too-far",
        summary="an acknowledgement is taken to be for one addition more than it is for",
        checker="counter",
        faults=("packet",),
        source="Kafka, offsets: the committed one is the next to be read",
    ),
)


def _target(delivery: str, name: str, client: str, summary: str, claims: tuple[Claim, ...]) -> Target:
    return Target(
        name=name,
        summary=summary,
        program="targets.kv.counter:Counter",
        client=f"targets.kv.counter_client:{client}",
        workloads=("g-counter", "pn-counter"),
        bugs=BUGS if delivery == "exactly-once" else (),
        claims=claims,
        options={"delivery": delivery},
    )


EXACTLY_ONCE = _target(
    "exactly-once",
    "kv/counter",
    "ExactlyOnce",
    "a counter replicated by increments with request ids: whatever is repeated counts once",
    (
        Claim(
            name="retry-with-ids",
            topic=_TOPIC,
            statement="an addition that is repeated with its request id, by a client or a node, counts once",
            model="exactly-once",
            workload="g-counter",
            faults=_FAULTS,
            source=f"{_BIRRELL}; catalogue rows 12 and 42",
        ),
    ),
)
AT_LEAST_ONCE = _target(
    "at-least-once",
    "kv/counter-at-least-once",
    "AtLeastOnce",
    "a counter replicated by increments that are repeated until they are acknowledged: some count twice",
    (
        Claim(
            name="retry-of-nodes-without-ids",
            topic=_TOPIC,
            statement="an increment that is sent again because its acknowledgement was lost counts twice",
            model="exactly-once",
            workload="g-counter",
            faults=("packet",),
            violates=("extra-add",),
            seeds=5,
            source=f"{_BIRRELL}; catalogue row 12",
        ),
        Claim(
            name="retry-of-clients-without-ids",
            topic=_TOPIC,
            statement="an addition that a client repeats after a timeout counts twice",
            model="exactly-once",
            workload="g-counter",
            faults=("pause",),
            violates=("extra-add",),
            seeds=5,
            source="FoundationDB, commit_unknown_result; catalogue row 42",
        ),
        Claim(
            name="nothing-lost-to-repeat",
            topic=_TOPIC,
            statement="where no acknowledgement is lost or late, nothing is repeated, and the counter is right",
            model="exactly-once",
            workload="g-counter",
            faults=(),
            settings={"options": {"retry_min_s": 30.0, "retry_max_s": 30.0}},  # later than any answer of a busy machine
        ),
    ),
)
AT_MOST_ONCE = _target(
    "at-most-once",
    "kv/counter-at-most-once",
    "AtMostOnce",
    "a counter replicated by increments that are sent once: some are lost",
    (
        Claim(
            name="no-retry",
            topic=_TOPIC,
            statement="an increment that is sent once is missing where it did not arrive",
            model="exactly-once",
            workload="g-counter",
            faults=("partition",),
            violates=("lost-add",),
            seeds=5,
            source=_BIRRELL,
        ),
    ),
)
