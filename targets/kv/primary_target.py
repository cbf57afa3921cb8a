"""What the harness must know of leader-follower replication: two targets of one node program, and the seeded bugs of each."""

from __future__ import annotations

from harness.protocols import Bug, Target

SYNC_BUGS: tuple[Bug, ...] = ()
ASYNC_BUGS: tuple[Bug, ...] = ()

_PROGRAM = "targets.kv.primary:Primary"
_CLIENT = "targets.kv.set_client:SetClient"
_WORKLOADS = ("set", "register", "kv", "cas-register")
_ROLES = ("primary", "backup", "candidate")

PRIMARY_SYNC = Target(
    name="kv/primary-sync",
    summary="leader-follower replication with failover: a write is acknowledged once a majority has it on disk, and survives",
    program=_PROGRAM,
    client=_CLIENT,
    workloads=_WORKLOADS,
    roles=_ROLES,
    bugs=SYNC_BUGS,
    options={"mode": "sync"},
)
PRIMARY_ASYNC = Target(
    name="kv/primary-async",
    summary="leader-follower replication with failover: a write is acknowledged once the primary has it on disk, and may be lost",
    program=_PROGRAM,
    client=_CLIENT,
    workloads=_WORKLOADS,
    roles=_ROLES,
    bugs=ASYNC_BUGS,
    options={"mode": "async"},
)
