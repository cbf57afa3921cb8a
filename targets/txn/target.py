"""What the harness must know of the transactional store: targets of one node program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.protocols import Bug, Claim, Target
from targets.txn.bugs import SNAPSHOT_BUGS, THREE_PHASE_BUGS, TWO_PHASE_BUGS
from targets.txn.claims import SNAPSHOT_CLAIMS, THREE_PHASE_CLAIMS, TWO_PHASE_CLAIMS

WORKLOADS = ("txn-list-append", "txn-rw-register", "bank", "write-skew", "long-fork", "predicates")


def _txn(
    name: str,
    summary: str,
    *,
    model: str = "strict-serializable",
    options: Mapping[str, Any],
    bugs: tuple[Bug, ...],
    claims: tuple[Claim, ...],
    faults: tuple[str, ...] = (),
) -> Target:
    return Target(
        name=name,
        summary=summary,
        program="targets.txn.store:TxnStore",
        client="targets.txn.client:TxnClient",
        workloads=WORKLOADS,
        roles=("leader", "coordinator", "follower"),
        bugs=bugs,
        claims=claims,
        faults=faults,
        options=options,
        configs=("targets.txn.store.config:Config",),
        checkers={
            "*": {"atomic-commit": {}},
            "txn-list-append": {"list-append": {"model": model}},
            "txn-rw-register": {"rw-register": {"model": model}},
            "predicates": {"closed-predicate": {"model": model}},
        },
    )


TWO_PHASES = _txn(
    "txn/2pc",
    "transactions over shards on Raft, committed in two phases, strictly serializable: blocks while a coordinator is down",
    options={},
    bugs=TWO_PHASE_BUGS,
    claims=TWO_PHASE_CLAIMS,
)
SNAPSHOT = _txn(
    "txn/2pc-snapshot",
    "the same under snapshot isolation: the first committer wins, and write skew is possible",
    model="strong-snapshot-isolation",
    options={"isolation": "snapshot"},
    bugs=SNAPSHOT_BUGS,
    claims=SNAPSHOT_CLAIMS,
)
THREE_PHASES = _txn(
    "txn/3pc",
    "committed in three phases: does not block when nodes crash, and is torn apart by a partition",
    options={"protocol": "3pc"},
    bugs=THREE_PHASE_BUGS,
    claims=THREE_PHASE_CLAIMS,
    faults=("kill", "clock"),
)
