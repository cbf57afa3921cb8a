"""What the harness must know of the counters that are replicated by increments: a target for each promise of delivery, with its claims.

Two of them cannot keep what a counter promises, and their claims say so; but each keeps a half of it, which its own seeded bugs break.
A bug's ``faults`` are those that reveal it: found within 50 random seeds of a minute of virtual time each, on the simulator
(``tests/sweep/test_bugs.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.protocols import Bug, Claim, Target

_FAULTS = ("partition", "packet", "kill", "pause", "clock")
_TOPIC = "retry-of-an-increment"
_BIRRELL = "Birrell and Nelson 1984, Implementing remote procedure calls"

EXACTLY_ONCE_BUGS = (
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

_OF = {bug.name: bug for bug in EXACTLY_ONCE_BUGS}
# What is promised of adds that are repeated until they arrive, and of adds that are sent once.
NOTHING_LOST: Mapping[str, Any] = {"counter": {"may": "repeat"}}
NOTHING_TWICE: Mapping[str, Any] = {"counter": {"may": "lose"}}
# A counter from which one add was lost may gain another one unnoticed: of many counters most have lost none.
MANY: Mapping[str, Any] = {"workload_options": {"keys": 30}}


def _as(bug: Bug, checkers: Mapping[str, Any]) -> Bug:
    """The bug as it breaks half of the promise."""
    many = MANY if checkers is NOTHING_TWICE else {}
    return replace(bug, settings={**bug.settings, **many, "checkers": checkers})


AT_LEAST_ONCE_BUGS = tuple(
    _as(bug, NOTHING_LOST)
    for bug in (
        *(_OF[name] for name in ("ack-before-sync", "peer-acks-before-sync", "outbox-volatile", "cursor-one-too-far")),
        Bug(
            name="outbox-dropped-at-checkpoint",
            summary="a checkpoint saves the sums, and forgets what has not been sent",
            checker="counter",
            faults=("partition",),
            source="the transactional outbox pattern, done by halves",
            settings={"options": {"checkpoint_records": 20}},
        ),
        Bug(
            name="gives-up",
            summary="what was sent twice without an answer is taken to have arrived",
            checker="counter",
            faults=("partition",),
            source="Kafka's producers before KIP-91, retries and no more",
        ),
    )
)
# The client asks once, and so does a node: what comes twice is a copy that the network made, what a restart reads again, or what somebody
# repeats against the rule.
AT_MOST_ONCE_BUGS = tuple(
    _as(bug, NOTHING_TWICE)
    for bug in (
        replace(_OF["ids-forgotten-at-checkpoint"], faults=("packet",)),
        Bug(
            name="peers-ids-ignored",
            summary="what a peer sends is counted without a note of whose request it was, so that a copy of the message counts again",
            checker="counter",
            faults=("packet",),
            source="Ongaro, thesis, section 6.3: the table is part of the replicated state",
        ),
        Bug(
            name="named-on-arrival",
            summary="a node names what a peer sends by when it came, so that a copy of the message is another request",
            checker="counter",
            faults=("packet",),
            source="draft-ietf-httpapi-idempotency-key-header: the sender makes the key",
        ),
        Bug(
            name="repeated-as-new",
            summary="what a peer does not confirm in time is sent to it again, as a request of the node itself",
            checker="counter",
            faults=("packet", "pause"),
            source="proxies that repeat what is not idempotent after a timeout: nginx before 1.9.13, proxy_next_upstream",
        ),
        Bug(
            name="state-taken-without-ids",
            summary="a node that restarts takes over a peer's sums, and not which requests are in them: these are on their way, too",
            checker="counter",
            faults=("kill",),
            source="Ongaro, thesis, section 6.3: the table is part of the state that is transferred",
            settings={"interval_s": 2.0},
        ),
        Bug(
            name="journal-counted-twice",
            summary="a node that restarts reads its journal twice, and does not look at the ids in it",
            checker="counter",
            faults=("kill",),
            source="ARIES: what is redone must know what has been done (page LSN)",
            settings={"interval_s": 2.0},
        ),
    )
)


def _target(
    *, delivery: str, name: str, client: str, summary: str, bugs: tuple[Bug, ...], claims: tuple[Claim, ...]
) -> Target:
    return Target(
        name=name,
        summary=summary,
        program="targets.kv.counter:Counter",
        client=f"targets.kv.counter_client:{client}",
        workloads=("g-counter", "pn-counter"),
        bugs=bugs,
        claims=claims,
        options={"delivery": delivery},
    )


EXACTLY_ONCE = _target(
    delivery="exactly-once",
    name="kv/counter",
    client="ExactlyOnce",
    summary="a counter replicated by increments with request ids: whatever is repeated counts once",
    bugs=EXACTLY_ONCE_BUGS,
    claims=(
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
    delivery="at-least-once",
    name="kv/counter-at-least-once",
    client="AtLeastOnce",
    summary="a counter replicated by increments that are repeated until they are acknowledged: some count twice",
    bugs=AT_LEAST_ONCE_BUGS,
    claims=(
        Claim(
            name="nothing-lost",
            topic=_TOPIC,
            statement="an addition that is repeated until it is acknowledged counts at least once, under every fault",
            model="at-least-once",
            workload="g-counter",
            faults=_FAULTS,
            checkers=NOTHING_LOST,
            source=_BIRRELL,
        ),
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
    delivery="at-most-once",
    name="kv/counter-at-most-once",
    client="AtMostOnce",
    summary="a counter replicated by increments that are sent once: some are lost",
    bugs=AT_MOST_ONCE_BUGS,
    claims=(
        Claim(
            name="nothing-twice",
            topic=_TOPIC,
            statement="an addition that nodes send once, and know by its id, counts at most once, under every fault",
            model="at-most-once",
            workload="g-counter",
            faults=_FAULTS,
            checkers=NOTHING_TWICE,
            settings=MANY,
            source=_BIRRELL,
        ),
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
