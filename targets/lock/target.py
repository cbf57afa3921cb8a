"""What the harness must know of the locks: two targets of one node program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.protocols import Bug, Claim, Target
from targets.lock.bugs import FENCED_BUGS, LEASE_BUGS
from targets.lock.claims import FENCED_CLAIMS, LEASE_CLAIMS


def _lock(
    name: str,
    summary: str,
    *,
    workload: str,
    options: Mapping[str, Any],
    bugs: tuple[Bug, ...],
    claims: tuple[Claim, ...],
) -> Target:
    return Target(
        name=name,
        summary=summary,
        program="targets.lock.service:LockService",
        client="targets.lock.client:LockClient",
        workloads=(workload,),
        roles=("leader", "follower", "candidate"),
        bugs=bugs,
        claims=claims,
        options=options,
        configs=("targets.lock.service.config:Config", "targets.kv.raft.config:Config"),
    )


LEASE = _lock(
    "lock/lease",
    "a lock with a lease, and a resource that trusts whoever comes: a holder that stands still or is cut off does harm",
    workload="lock",
    options={},
    bugs=LEASE_BUGS,
    claims=LEASE_CLAIMS,
)
FENCED = _lock(
    "lock/fenced",
    "the lock with fencing tokens, and a resource that refuses smaller ones: never harmed, whoever believes to hold the lock",
    workload="fenced-lock",
    options={"fenced": True},
    bugs=FENCED_BUGS,
    claims=FENCED_CLAIMS,
)
