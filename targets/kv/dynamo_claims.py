"""What kv/dynamo promises and what it is known not to keep, as claims: the holding and the breaking side of textbook sentences.

Several sentences have a side in each variant; a claim stands with the variant that it is about.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Claim

ALL = ("partition", "packet", "kill", "pause", "clock")
TRUE_CLOCKS = ("partition", "packet", "kill", "pause")
ONE: dict[str, Any] = {"r": 1, "w": 1}
STRICT: dict[str, Any] = {"sloppy": False}
ABD: dict[str, Any] = {"sloppy": False, "write_back": True}
SETS: dict[str, Any] = {"rate": 30.0, "time_limit_s": 30.0}
SHORT: dict[str, Any] = {"time_limit_s": 30.0}

CAP = "CAP: a store that answers on both sides of a partition is not linearizable, but converges"
QUORUM = "with R + W > N a read sees every write that was acknowledged before it began"
ATOMIC = "R + W > N is not linearizability: readers must write back what they found"
SLOPPY = "sloppy quorums with hinted hand-off break R + W > N"
SKEW = "last-write-wins by wall clocks drops acknowledged writes when clocks are wrong"
SIBLINGS = "version vectors keep concurrent writes side by side, last-write-wins discards them"
SESSION = "session guarantees fail when clients hop between replicas; sticky clients or session vectors restore them"

# Terry et al. 1994 promise them to a session on one server. Here every node is a home of every key, answers first, and so does a write.
FULL_COPIES: dict[str, Any] = {"n": 5, "r": 1, "w": 1}

DYNAMO_CLAIMS = (
    Claim(
        name="available-on-both-sides",
        topic=CAP,
        statement="during every partition all operations succeed on either side, and a few seconds after the heal all nodes agree",
        model="convergence",
        workload="eventual-siblings",
        faults=("partition",),
        checkers={"sides": {"both_min": 1.0}},
        # Nobody writes after the heal, so that what is measured is how long the repairs take.
        settings={"options": ONE, "recovery_s": 0.5, "progress_s": 0.5},
        source="Gilbert and Lynch 2002; Dynamo, SOSP 2007, section 2.3",
    ),
    Claim(
        name="not-linearizable",
        topic=CAP,
        statement="what is available on both sides of a partition is not linearizable",
        model="linearizable",
        workload="kv",
        faults=("partition",),
        violates=("stale-read", "lost-write", "nonlinearizable"),
        settings={"options": ONE, **SHORT},
        source="Gilbert and Lynch 2002",
    ),
    Claim(
        name="converges",
        topic="eventual consistency: once nobody writes, all nodes agree, and no acknowledged write is missing",
        statement="5 s after the heal and the last write all nodes agree, and no acknowledged write is lost, under every fault",
        model="convergence",
        workload="eventual-siblings",
        faults=ALL,
        source="Dynamo, SOSP 2007, section 4.4; Jepsen: Riak, 2013",
    ),
    Claim(
        name="deletes-stay",
        topic="a deletion leaves a tombstone, and what was deleted does not come back",
        statement="nothing that was deleted comes back, under every fault",
        model="convergence",
        workload="eventual-deletes",
        faults=ALL,
        source="Dynamo, SOSP 2007, section 4.4; Cassandra, gc_grace_seconds",
    ),
    Claim(
        name="siblings-lose-nothing",
        topic=SIBLINGS,
        statement="concurrent adds to a set become siblings, and their union lacks nothing",
        model="no-loss",
        workload="eventual-set",
        faults=("partition",),
        settings=SETS,
        source="Jepsen: Riak, 2013",
    ),
    Claim(
        name="skew-loses-nothing",
        topic=SKEW,
        statement="version vectors ask no clock, so wrong clocks lose nothing",
        model="no-loss",
        workload="eventual-set",
        faults=("clock",),
        settings=SETS,
        source="Jepsen: Riak, 2013",
    ),
)

DYNAMO_LWW_CLAIMS = (
    Claim(
        name="converges",
        topic="eventual consistency without more: all nodes agree in the end, on whatever",
        statement="5 s after the heal and the last write all nodes agree, under every fault",
        model="convergence",
        workload="eventual",
        faults=ALL,
        source="Dynamo, SOSP 2007, section 4.4",
    ),
    Claim(
        name="concurrent-adds-lost",
        topic=SIBLINGS,
        statement="of concurrent adds to a set the last one wins, and the others are lost though they were acknowledged",
        model="no-loss",
        workload="eventual-set",
        faults=("partition",),
        violates=("lost",),
        settings=SETS,
        source="Jepsen: Cassandra, 2013; Jepsen: Riak, 2013",
    ),
    Claim(
        name="skew-loses-writes",
        topic=SKEW,
        statement="a write that is stamped by a slow clock is dropped, though its client was told that it succeeded",
        model="no-lost-update",
        workload="eventual",
        faults=("clock",),
        violates=("lost-update",),
        checkers={"convergence": {"lost_updates": True}},
        settings={"options": ABD, "recovery_s": 0.5, "progress_s": 0.5, "interval_s": 3.0, **SHORT},
        source="Jepsen: Cassandra, 2013; Kingsbury, The trouble with timestamps, 2013",
    ),
)

DYNAMO_HLC_CLAIMS = (
    Claim(
        name="converges",
        topic="eventual consistency without more: all nodes agree in the end, on whatever",
        statement="5 s after the heal and the last write all nodes agree, under every fault",
        model="convergence",
        workload="eventual",
        faults=ALL,
        source="Dynamo, SOSP 2007, section 4.4",
    ),
    Claim(
        name="skew-loses-no-update",
        topic=SKEW,
        statement="a write that follows another one gets the greater stamp whatever the clocks say, so that it is not lost",
        model="no-lost-update",
        workload="eventual",
        faults=("clock",),
        checkers={"convergence": {"lost_updates": True}},
        settings={"options": ABD, "recovery_s": 0.5, "progress_s": 0.5, "interval_s": 3.0, **SHORT},
        source="Kulkarni et al., Logical Physical Clocks, 2014",
    ),
    Claim(
        name="quorums-meet",
        topic=QUORUM,
        statement="N = 3, R = W = 2: a read after an acknowledged write sees it",
        model="no-stale-read",
        workload="write-read",
        faults=TRUE_CLOCKS,
        checkers={"staleness": {"max_versions": 0}},
        settings={"options": STRICT, **SHORT},
        source="Gifford 1979; Bailis et al., PBS, VLDB 2012",
    ),
    Claim(
        name="partial-quorums-miss",
        topic=QUORUM,
        statement="N = 3, R = W = 1: a read after an acknowledged write may miss it",
        model="no-stale-read",
        workload="write-read",
        faults=TRUE_CLOCKS,
        violates=("too-stale",),
        checkers={"staleness": {"max_versions": 0}},
        settings={"options": STRICT | ONE, **SHORT},
        source="Bailis et al., PBS, VLDB 2012",
    ),
    Claim(
        name="sloppy-quorums-miss",
        topic=SLOPPY,
        statement="N = 3, R = W = 2, sloppy: during a partition a read after an acknowledged write may miss it",
        model="no-stale-read",
        workload="write-read",
        faults=("partition",),
        violates=("too-stale",),
        checkers={"staleness": {"max_versions": 0}},
        # Clients that hop write on one side and read on the other.
        settings={"workload_options": {"hop": True}, **SHORT},
        source="Dynamo, SOSP 2007, section 4.6; Jepsen: Riak, 2013",
    ),
    Claim(
        name="strict-quorums-meet",
        topic=SLOPPY,
        statement="N = 3, R = W = 2, strict: also during a partition a read that is answered sees every write acknowledged before",
        model="no-stale-read",
        workload="write-read",
        faults=("partition",),
        checkers={"staleness": {"max_versions": 0}},
        settings={"options": STRICT, "workload_options": {"hop": True}, **SHORT},
        source="Gifford 1979",
    ),
    Claim(
        name="write-back-is-atomic",
        topic=ATOMIC,
        statement="strict quorums, hybrid clocks and readers that write back: registers are linearizable, under every fault",
        model="linearizable",
        workload="kv",
        faults=ALL,
        settings={"options": ABD},
        source="Attiya, Bar-Noy, Dolev 1995",
    ),
    Claim(
        name="quorums-alone-are-not-atomic",
        topic=ATOMIC,
        statement="without write-back, one read sees a write that is under way, and a later one does not",
        model="linearizable",
        workload="kv",
        faults=("packet",),
        violates=("new-old-inversion", "stale-read", "lost-write", "nonlinearizable"),
        settings={
            "options": STRICT | {"read_repair": False},
            "workload_options": {"keys": 5},
            "interval_s": 2.0,
            **SHORT,
        },
        seeds=30,
        source="Attiya, Bar-Noy, Dolev 1995; Kleppmann, Designing Data-Intensive Applications, chapter 9",
    ),
    Claim(
        name="sticky-sessions-hold",
        topic=SESSION,
        statement="a session that stays with one node, which has a copy of every key, reads its writes and never goes back",
        model="session-guarantees",
        workload="eventual-sessions",
        faults=ALL,
        settings={"options": FULL_COPIES, **SHORT},
        source="Terry et al., PDIS 1994",
    ),
    Claim(
        name="hopping-sessions-break",
        topic=SESSION,
        statement="a session that goes to another node with every operation misses its own writes",
        model="session-guarantees",
        workload="eventual-sessions",
        faults=TRUE_CLOCKS,
        violates=("read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"),
        settings={"options": FULL_COPIES, "workload_options": {"hop": True}, **SHORT},
        source="Terry et al., PDIS 1994",
    ),
    Claim(
        name="session-vectors-hold",
        topic=SESSION,
        statement="a session that hops, but demands all that it has seen, keeps its guarantees; where nobody has it, it is refused",
        model="session-guarantees",
        workload="eventual-sessions",
        faults=ALL,
        settings={"options": FULL_COPIES, "workload_options": {"hop": True, "vector": True}, **SHORT},
        source="Terry et al., PDIS 1994, section 5",
    ),
)
