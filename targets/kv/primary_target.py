"""What the harness must know of leader-follower replication: two targets of one node program."""

from __future__ import annotations

from harness.protocols import Target
from targets.kv.primary_bugs import ASYNC_BUGS, SYNC_BUGS
from targets.kv.primary_claims import ASYNC_CLAIMS, SYNC_CLAIMS

_PROGRAM = "targets.kv.primary:Primary"
_REGISTERS = ("register", "eventual", "kv", "cas-register")
_ROLES = ("primary", "backup", "candidate")

PRIMARY_SYNC = Target(
    name="kv/primary-sync",
    summary="leader-follower replication with failover: a write is acknowledged once a majority has it on disk, and survives",
    program=_PROGRAM,
    client="targets.kv.set_client:SetClient",
    workloads=("linearizable-set", "set", *_REGISTERS),
    roles=_ROLES,
    bugs=SYNC_BUGS,
    claims=SYNC_CLAIMS,
    options={"mode": "sync"},
)
PRIMARY_ASYNC = Target(
    name="kv/primary-async",
    summary="leader-follower replication with failover: a write is acknowledged once the primary has it on disk, and may be lost",
    program=_PROGRAM,
    client="targets.kv.set_client:forgetful",
    workloads=("set", *_REGISTERS),
    roles=_ROLES,
    bugs=ASYNC_BUGS,
    claims=ASYNC_CLAIMS,
    options={"mode": "async"},
)
