"""What ``kv/raft`` and its variants promise, and what each is known to break, as data: one topic per sentence of the textbook.

Every topic has a variant that holds and one that breaks it: another option, a seeded bug, or another target. All are swept
by ``tests/sweep/test_claims.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.protocols import Claim

# What the checker "linearizable" calls stale reads and lost writes.
NOT_LINEARIZABLE = ("stale-read", "lost-write", "new-old-inversion", "impossible-cas", "lost-update", "nonlinearizable")

CAP = "CAP: under a partition a store that prefers consistency refuses on the minority's side"
ONE_LEADER = "a term has at most one leader"
PERSISTENCE = "vote and log are on the disk before anybody is answered"
DURABILITY = "what was acknowledged outlasts the loss of power"
CORRUPTION = "silent corruption of a minority's disks is seen, and never served"
ASYMMETRY = "a server that sends but does not hear must not stop the others"
MEMBERSHIP = "members are changed one at a time, and only by a leader that has committed an entry of its term"
FLP = "delay can stop progress, but never make the store wrong"
TIMEOUTS = "randomised election timeouts end split votes"
LOCAL = "reads of the leader's majority are linearizable, local reads may be stale"
STEPS = "a clock that NTP sets back breaks timeouts by the wall clock, and not those by the monotonic one"
LEASES = "reads under a lease are linearizable as long as the drift of clocks is bounded"

MAJORITY_ONLY: Mapping[str, Mapping[str, Any]] = {"sides": {"minority_max": 0.0, "majority_min": 0.5, "grace_s": 1.5}}
# While a fault holds that nobody heals, something must succeed every few seconds.
PROGRESS: Mapping[str, Mapping[str, Any]] = {"availability": {"stall_max_s": 10.0, "grace_s": 2.0}}
# n1 is heard by all and hears nobody, and every message takes so long that n1 asks for votes again before others could elect somebody and
# commit an entry: for almost the whole run.
DEAF: Mapping[str, Any] = {
    "schedule": (
        {"kind": "packet", "start_s": 4, "end_s": 58, "args": {"target": "all", "delay_s": 0.13, "jitter_s": 0.0}},
        {
            "kind": "partition",
            "start_s": 5,
            "end_s": 55,
            "args": {"shape": "one-way", "nodes": ["n1"], "cannot": "hear"},
        },
    ),
    "rate": 30.0,
}
SOON: Mapping[str, Any] = {"election_max_s": 0.4}
# Whoever leads or stands is heard too late, for as long as he does.
PURSUED: Mapping[str, Any] = {
    "schedule": ({"kind": "adversary", "start_s": 5, "end_s": 25, "args": {"look_s": 0.1, "margin": 1.1}},),
    "time_limit_s": 30.0,
    "rate": 30.0,
}
# The paper's Figure 2 alone, and all servers as patient as each other.
FIXED: Mapping[str, Any] = {"election_min_s": 0.45, "election_max_s": 0.45, "pre_vote": False, "stickiness": False}
# Every message takes longer than the longest election timeout: votes come when their candidate has long given up.
SLOW = ({"kind": "packet", "start_s": 10, "end_s": 40, "args": {"target": "all", "delay_s": 0.8, "jitter_s": 0.2}},)


# Bits flip in two servers' logs, they read them again, and then one of them leads, two of the others being away; until the final reads.
_FLIPS = {"shape": "bit-flip", "path": "log", "count": 3, "nodes": ["n4", "n5"]}
DAMAGE_LEADS = (
    {"kind": "corrupt", "start_s": 9, "end_s": 10, "args": _FLIPS},
    {"kind": "kill", "start_s": 10.5, "end_s": 11.5, "args": {"shape": "crash", "nodes": ["n4", "n5"]}},
    {"kind": "kill", "start_s": 12.5, "end_s": 15, "args": {"shape": "crash", "nodes": ["n1", "n2"]}},
)
# A log that is never rewritten, and reads of what was written long ago.
DAMAGED: Mapping[str, Any] = {
    "schedule": DAMAGE_LEADS,
    "time_limit_s": 16.0,
    "options": {"snapshot_entries": 100_000},
    "concurrency": 5,
    "workload_options": {"keys": 500},
}


def drifting(drift: float) -> tuple[dict[str, Any], ...]:
    """Again and again: the leader's clock runs ``drift`` too fast, then it is cut off from all others, with the lease that it has."""
    leader = {"target": "leader", "else": "n1"}
    faults = []
    for start_s in range(3, 51, 8):
        if drift:
            skew = {**leader, "drift": drift}
            faults.append({"kind": "drift", "start_s": start_s, "end_s": start_s + 6, "args": skew})
        cut = {"shape": "isolate-leader", **leader}
        faults.append({"kind": "partition", "start_s": start_s + 2, "end_s": start_s + 5, "args": cut})
    return tuple(faults)


def stepping(offset_s: float) -> tuple[dict[str, Any], ...]:
    """Again and again: the leader's clock is set back, as NTP does, then it is cut off from all others, with the lease that it has."""
    leader = {"target": "leader", "else": "n1"}
    faults = []
    for start_s in range(3, 27, 8):
        step = {**leader, "shape": "step-back", "offset_s": offset_s}
        faults.append({"kind": "clock", "start_s": start_s, "end_s": start_s + 6, "args": step})
        cut = {"shape": "isolate-leader", **leader}
        faults.append({"kind": "partition", "start_s": start_s + 1, "end_s": start_s + 5, "args": cut})
    return tuple(faults)


# Members come and go, and entries stay long with their leader.
CHANGING: Mapping[str, Any] = {
    "nodes": 4,
    "concurrency": 30,
    "interval_s": 1.2,
    "op_timeout_s": 1.0,
    "options": {"autopilot_s": 0.2, "autopilot_min": 1, "batch_s": 1.6},
}
# Elections as quick as the promise of the followers allows; and clients so many, and so impatient, that some still read at a leader that is
# cut off: a client that writes there waits for an answer that never comes.
QUICK: Mapping[str, Any] = {
    "options": {"election_max_s": 0.4},
    "rate": 200.0,
    "concurrency": 40,
    "op_timeout_s": 0.4,
    "workload_options": {"keys": 3},
}


RAFT_CLAIMS = (
    Claim(
        name="minority-refuses",
        topic=CAP,
        statement="on the minority's side of a partition no operation succeeds, on the majority's side most do",
        model="linearizable",
        workload="register",
        faults=("partition",),
        checkers=MAJORITY_ONLY,
        source="Gilbert and Lynch 2002; Kingsbury, Call me maybe: ZooKeeper",
    ),
    Claim(
        name="minority-serves-stale-reads",
        topic=CAP,
        statement="a server that answers reads by itself serves the minority, and what it serves is stale",
        model="linearizable",
        workload="register",
        faults=("partition",),
        violates=("minority-served", *NOT_LINEARIZABLE),
        checkers=MAJORITY_ONLY,
        settings={"bug": "stale-local-read"},
        source="Gilbert and Lynch 2002",
    ),
    Claim(
        name="one-leader-per-term",
        topic=ONE_LEADER,
        statement="no two servers lead in the same term",
        model="one-leader-per-term",
        workload="register",
        faults=("partition", "packet", "kill", "pause"),
        checkers={"leadership": {}},
        source="Raft ATC'14, Figure 3, Election Safety",
    ),
    Claim(
        name="two-leaders-of-a-term",
        topic=ONE_LEADER,
        statement="with a majority that is none, two servers lead in the same term",
        model="one-leader-per-term",
        workload="register",
        faults=("partition", "kill"),
        violates=("two-leaders",),
        checkers={"leadership": {}},
        # Timeouts so alike that two servers often stand at once; of four, each of them then gets two votes.
        settings={"bug": "wrong-quorum-even", "options": {"election_max_s": 0.305}},
        seeds=30,
        source="Raft ATC'14, section 5.2",
    ),
    Claim(
        name="deaf-server-stops-nobody",
        topic=ASYMMETRY,
        statement="with pre-vote, operations go on succeeding however long a server sends but does not hear",
        model="progress",
        workload="register",
        faults=("partition", "packet"),
        checkers=PROGRESS,
        settings={**DEAF, "options": SOON},
        source="Raft thesis, sections 4.2.3, 6.2 and 9.6; Cloudflare, November 2020",
    ),
    Claim(
        name="deaf-server-keeps-elections-going",
        topic=ASYMMETRY,
        statement="by the paper's Figure 2 alone, a server that does not hear deposes every leader by its ever higher terms: for many "
        "seconds together, elections are all that happens",
        model="progress",
        workload="register",
        faults=("partition", "packet"),
        violates=("stalled",),
        checkers=PROGRESS,
        settings={**DEAF, "options": {**SOON, "pre_vote": False, "stickiness": False}},
        seeds=5,
        source="Raft thesis, sections 4.2.3 and 9.6; TigerBeetle, July 2023",
    ),
    Claim(
        name="members-change-safely",
        topic=MEMBERSHIP,
        statement="while members come and go under partitions, every read is of the latest write",
        model="linearizable",
        workload="kv",
        faults=("partition",),
        checkers={"leadership": {}},
        settings=CHANGING,
        source="Raft thesis, section 4.1",
    ),
    Claim(
        name="members-change-too-soon",
        topic=MEMBERSHIP,
        statement="a leader that changes the members before it has committed an entry of its term may lose acknowledged writes",
        model="linearizable",
        workload="kv",
        faults=("partition",),
        violates=(*NOT_LINEARIZABLE, "two-leaders"),
        checkers={"leadership": {}},
        settings={"bug": "reconfig-before-term-commit"},
        seeds=50,
        source="Ongaro, raft-dev, July 2015: bug in single-server membership changes",
    ),
    Claim(
        name="crashes-forget-nothing",
        topic=PERSISTENCE,
        statement="no crash takes back a vote or an acknowledged write",
        model="linearizable",
        workload="register",
        faults=("kill", "partition"),
        checkers={"leadership": {}},
        settings={"interval_s": 3.0},
        source="Raft ATC'14, Figure 2, persistent state",
    ),
    Claim(
        name="volatile-vote-elects-two",
        topic=PERSISTENCE,
        statement="servers that forget their vote in a crash elect two leaders of a term, and acknowledged writes are lost",
        model="linearizable",
        workload="register",
        faults=("kill", "partition"),
        violates=("two-leaders", *NOT_LINEARIZABLE),
        checkers={"leadership": {}},
        settings={"bug": "volatile-vote"},
        seeds=50,
        source="Raft ATC'14, Figure 2; NATS JetStream issue 7567",
    ),
    Claim(
        name="unsynced-log-loses",
        topic=PERSISTENCE,
        statement="servers that answer before the disk has the entries lose acknowledged writes in a crash",
        model="linearizable",
        workload="register",
        faults=("kill",),
        violates=NOT_LINEARIZABLE,
        settings={"bug": "no-fsync"},
        source="etcd issue 14370; NATS JetStream issue 7564",
    ),
    Claim(
        name="power-loss-takes-nothing",
        topic=DURABILITY,
        statement="no acknowledged write is lost when all servers lose their power at once",
        model="linearizable",
        workload="register",
        faults=("power",),
        checkers={"leadership": {}},
        settings={"interval_s": 4.0},
        source="catalogue row 19; Raft ATC'14, Figure 2, persistent state",
    ),
    Claim(
        name="power-loss-takes-what-was-not-synced",
        topic=DURABILITY,
        statement="servers that answer before the disk has the entries lose acknowledged writes when the power goes",
        model="linearizable",
        workload="register",
        faults=("power",),
        violates=NOT_LINEARIZABLE,
        settings={"bug": "no-fsync", "interval_s": 4.0},
        source="etcd issue 14370; NATS JetStream issue 7564",
    ),
    Claim(
        name="power-loss-takes-volatile-votes",
        topic=DURABILITY,
        statement="servers that keep their vote in memory lose terms and acknowledged writes when the power goes",
        model="linearizable",
        workload="register",
        faults=("power",),
        violates=("two-leaders", *NOT_LINEARIZABLE),
        checkers={"leadership": {}},
        settings={"bug": "volatile-vote", "interval_s": 4.0},
        source="catalogue row 31; NATS JetStream issue 7567",
    ),
    Claim(
        name="damage-is-refused",
        topic=CORRUPTION,
        statement="a server whose disk does not give back what was written stands aside, and every read is of the latest write",
        model="linearizable",
        workload="register",
        faults=("corrupt", "kill"),
        settings=DAMAGED,
        source="catalogue row 18; Ganesan et al., FAST'17",
    ),
    Claim(
        name="damage-goes-unseen",
        topic=CORRUPTION,
        statement="servers that do not check what they read serve values that nobody wrote, or none",
        model="linearizable",
        workload="register",
        faults=("corrupt", "kill"),
        violates=NOT_LINEARIZABLE,
        settings={**DAMAGED, "bug": "no-checksum"},
        source="catalogue row 18; Ganesan et al., FAST'17",
    ),
    Claim(
        name="delay-never-harms-safety",
        topic=FLP,
        statement="while messages take longer than election timeouts, and afterwards, every read is of the latest write",
        model="linearizable",
        workload="register",
        faults=("packet",),
        checkers={"leadership": {}},
        settings={"schedule": SLOW},
        source="Fischer, Lynch, Paterson 1985; Dwork, Lynch, Stockmeyer 1988",
    ),
    Claim(
        name="delay-stops-progress",
        topic=FLP,
        statement="while messages take longer than election timeouts, hardly anything succeeds",
        model="progress",
        workload="register",
        faults=("packet",),
        violates=("fault-not-served",),
        checkers={"availability": {"served_min": 0.1, "grace_s": 2.0}},
        settings={"schedule": SLOW},
        seeds=3,
        source="Fischer, Lynch, Paterson 1985",
    ),
    Claim(
        name="adversary-never-harms-safety",
        topic=FLP,
        statement="whatever an adversary delays, by what it sees, every read is of the latest write, and no term has two leaders",
        model="linearizable",
        workload="register",
        faults=("adversary",),
        checkers={"leadership": {}},
        settings={**PURSUED, "options": FIXED},
        source="Fischer, Lynch, Paterson 1985; Dwork, Lynch, Stockmeyer 1988",
    ),
    Claim(
        name="random-timeouts-outrun-an-adversary",
        topic=FLP,
        statement="an adversary that delays whoever leads or stands, and is a tenth of a second late, does not stop random timeouts",
        model="progress",
        workload="register",
        faults=("adversary",),
        checkers=PROGRESS,
        settings={**PURSUED, "options": {"pre_vote": False, "stickiness": False}},
        source="Raft ATC'14, sections 5.2 and 9.3; Ben-Or 1983",
    ),
    Claim(
        name="fixed-timeouts-fall-to-an-adversary",
        topic=FLP,
        statement="the same adversary stops servers whose timeouts are all alike: they stand together, and split their votes for ever",
        model="progress",
        workload="register",
        faults=("adversary",),
        violates=("stalled",),
        checkers=PROGRESS,
        settings={**PURSUED, "options": FIXED},
        source="Fischer, Lynch, Paterson 1985; Raft ATC'14, section 5.2",
    ),
    Claim(
        name="random-timeouts-elect",
        topic=TIMEOUTS,
        statement="after every partition a leader is elected within seconds",
        model="progress",
        workload="register",
        faults=("partition",),
        source="Raft ATC'14, sections 5.2 and 9.3",
    ),
    Claim(
        name="fixed-timeouts-split-votes",
        topic=TIMEOUTS,
        statement="servers that all wait equally long split their votes for ever; what was acknowledged stays",
        model="progress",
        workload="register",
        faults=("partition",),
        violates=("no-progress",),
        settings={"bug": "fixed-election-timeout"},
        source="Raft ATC'14, section 5.2",
    ),
)

LEASE_CLAIMS = (
    Claim(
        name="leases-bear-bounded-drift",
        topic=LEASES,
        statement="with clocks that gain at most drift_bound on each other, every read is of the latest write",
        model="linearizable",
        workload="register",
        faults=("partition", "packet", "kill", "pause", "drift"),
        checkers={"leadership": {}},
        source="Raft thesis, section 6.4.1; Gray and Cheriton 1989",
    ),
    Claim(
        name="leases-bear-the-bound-itself",
        topic=LEASES,
        statement="with a leader whose clock runs two thirds as fast as the others', every read is of the latest write",
        model="linearizable",
        workload="register",
        faults=("partition", "drift"),
        settings={**QUICK, "schedule": drifting(-0.33)},
        source="Raft thesis, section 6.4.1",
    ),
    Claim(
        name="leases-break-beyond-the-bound",
        topic=LEASES,
        statement="with a leader whose clock runs a third as fast as the others', reads are stale",
        model="linearizable",
        workload="register",
        faults=("partition", "drift"),
        violates=NOT_LINEARIZABLE,
        settings={**QUICK, "schedule": drifting(-0.67)},
        source="Raft thesis, section 6.4.1",
    ),
    Claim(
        name="a-step-back-breaks-nothing",
        topic=STEPS,
        statement="a lease that notices by the monotonic clock that the wall clock was set back by 30 s ends no later than it is to",
        model="linearizable",
        workload="register",
        faults=("clock", "partition"),
        settings={**QUICK, "schedule": stepping(-30.0), "time_limit_s": 30.0},
        source="Raft thesis, section 6.4.1",
    ),
    Claim(
        name="a-step-back-breaks-leases-by-wall-clock",
        topic=STEPS,
        statement="a lease by the wall clock alone lasts 30 s longer where that was set back by 30 s, and reads are stale",
        model="linearizable",
        workload="register",
        faults=("clock", "partition"),
        violates=NOT_LINEARIZABLE,
        settings={**QUICK, "bug": "lease-counts-steps", "schedule": stepping(-30.0), "time_limit_s": 30.0},
        source="Raft thesis, section 6.4.1",
    ),
)

LOCAL_CLAIMS = (
    Claim(
        name="sessions-never-go-back",
        topic=LOCAL,
        statement="a client that reads at any server sees its own writes, and never goes back to an older version",
        model="sessions",
        workload="sessions",
        faults=("partition", "packet", "kill", "pause"),
        source="ZooKeeper ATC'10, section 4.4; Terry et al. 1994",
    ),
    Claim(
        name="local-reads-are-stale",
        topic=LOCAL,
        statement="a read at a server that lags returns what another client has replaced",
        model="linearizable",
        workload="register",
        faults=("partition",),
        violates=NOT_LINEARIZABLE,
        source="Kingsbury, Call me maybe: etcd and Consul; etcd issue 20418",
    ),
    Claim(
        name="both-sides-read",
        topic=CAP,
        statement="servers that answer reads whatever the client has seen before do so on both sides of a partition, and agree after it",
        model="availability",
        workload="eventual",
        faults=("partition",),
        checkers={"sides": {"both_min": 0.5, "fs": ["read"]}, "convergence": {"lost_updates": True}},
        settings={"bug": "session-not-awaited"},
        source="Gilbert and Lynch 2002; Brewer 2012",
    ),
    Claim(
        name="sessions-cost-availability",
        topic=CAP,
        statement="a client that has seen its write on the majority's side is not served on the minority's side any more",
        model="availability",
        workload="sessions",
        faults=("partition",),
        violates=("side-not-served",),
        checkers={"sides": {"both_min": 0.5, "fs": ["read"]}},
        seeds=5,
        source="Bailis et al., Highly Available Transactions, VLDB 2013: read your writes needs sticky clients",
    ),
)
