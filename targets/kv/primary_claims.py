"""What leader-follower replication promises, and what it is known not to keep: the textbook's sentences, each with both its halves."""

from __future__ import annotations

from harness.protocols import Claim
from targets.kv.primary_bugs import AGREED, ONE_PRIMARY, PATIENT

ALL = ("partition", "packet", "kill", "pause", "clock")
FAILOVER = "replication-and-failover"
ELECTION = "one-leader-per-epoch"
LOCAL_READS = "reads-from-replicas"

_REDIS = "aphyr/posts/283 (Redis with Sentinel: 56 % of acknowledged writes lost)"
_SPLIT_BRAIN = "Raft ATC'14, Figure 3; Alquraan et al., OSDI'18"

SYNC_CLAIMS = (
    Claim(
        name="keeps-acknowledged-writes",
        topic=FAILOVER,
        statement="What a majority acknowledges survives any failover: no acknowledged add is lost, and every read is up to date.",
        model="no-loss",
        workload="linearizable-set",
        faults=ALL,
        seeds=200,
        source=_REDIS,
    ),
    Claim(
        name="one-primary-per-epoch",
        topic=ELECTION,
        statement="A primary needs the votes of a majority, and a node votes once in an epoch: no epoch has two primaries.",
        model="one-leader-per-term",
        workload="linearizable-set",
        faults=ALL,
        checkers=ONE_PRIMARY,
        source=_SPLIT_BRAIN,
    ),
    Claim(
        name="split-brain-without-a-quorum",
        topic=ELECTION,
        statement="Where a node that misses its primary promotes itself, a partition makes two primaries of one epoch.",
        model="one-leader-per-term",
        workload="linearizable-set",
        faults=("partition",),
        violates=("two-leaders",),
        checkers=ONE_PRIMARY,
        settings={"bug": "promotes-itself"},
        source="Elasticsearch, Zen discovery without minimum_master_nodes (aphyr/posts/317); Alquraan et al., OSDI'18",
    ),
    Claim(
        name="a-split-brain-loses-writes",
        topic=ELECTION,
        statement="Two primaries of one epoch overwrite each other: what a majority acknowledged is lost.",
        model="no-loss",
        workload="linearizable-set",
        faults=("partition",),
        violates=("lost",),
        settings={"bug": "promotes-itself"},
        source="aphyr/posts/317",
    ),
    Claim(
        name="reads-by-the-primary-are-linearizable",
        topic=LOCAL_READS,
        statement="A primary that asks a majority before it answers gives linearizable reads.",
        model="linearizable",
        workload="register",
        faults=ALL,
        seeds=200,
        source="aphyr/posts/316; Raft ATC'14, section 8",
    ),
    Claim(
        name="reads-by-any-node-are-stale",
        topic=LOCAL_READS,
        statement="A backup that answers from its own state returns values that have been replaced.",
        model="linearizable",
        workload="register",
        faults=("partition",),
        violates=("stale-read",),
        settings={"options": {"reads": "any"}},
        source="aphyr/posts/316 (etcd and Consul)",
    ),
)

ASYNC_CLAIMS = (
    Claim(
        name="loses-acknowledged-writes",
        topic=FAILOVER,
        statement="A primary that acknowledges before anybody else has the write loses it when it is cut off or dies.",
        model="no-loss",
        workload="set",
        faults=("partition", "kill"),
        violates=("lost",),
        source=_REDIS,
    ),
    Claim(
        name="loses-nothing-without-failover",
        topic=FAILOVER,
        statement="As long as the primary is not replaced, asynchronous replication loses nothing.",
        model="no-loss",
        workload="set",
        faults=("packet",),
        settings={"options": PATIENT},
        source="Redis, replication: asynchronous by default",
    ),
    Claim(
        name="replicas-agree-in-the-end",
        topic=FAILOVER,
        statement="Whatever was lost is lost everywhere: once nobody writes any more, all nodes hold the same.",
        model="convergence",
        workload=AGREED["workload"],
        faults=ALL,
        settings={"options": AGREED["options"]},
        source="Elasticsearch issue 10708, where they did not",
    ),
    Claim(
        name="one-primary-per-epoch",
        topic=ELECTION,
        statement="Two nodes may take themselves for the primary at one time, but never in one epoch: the later one prevails.",
        model="one-leader-per-term",
        workload=AGREED["workload"],
        faults=ALL,
        checkers=ONE_PRIMARY,
        source=_SPLIT_BRAIN,
    ),
)
