"""What the harness must know of kv/dynamo: three targets of one node program."""

from __future__ import annotations

from harness.protocols import Target
from targets.kv.dynamo_bugs import DYNAMO_BUGS, HLC_BUGS, LWW_BUGS
from targets.kv.dynamo_claims import DYNAMO_CLAIMS, DYNAMO_HLC_CLAIMS, DYNAMO_LWW_CLAIMS

_PROGRAM = "targets.kv.dynamo:Dynamo"
_CLIENT = "targets.kv.dynamo_client:DynamoClient"

DYNAMO = Target(
    name="kv/dynamo",
    summary="a leaderless store with sloppy quorums that keeps concurrent writes side by side: replicas agree later, nothing is lost",
    program=_PROGRAM,
    client=_CLIENT,
    workloads=("eventual-siblings", "eventual-deletes", "eventual-set", "write-read", "eventual-sessions", "kv"),
    bugs=DYNAMO_BUGS,
    claims=DYNAMO_CLAIMS,
    options={"conflict": "siblings"},
)
DYNAMO_LWW = Target(
    name="kv/dynamo-lww",
    summary="a leaderless store with sloppy quorums where the last write wins, by wall clocks: replicas agree later, skew loses writes",
    program=_PROGRAM,
    client=_CLIENT,
    workloads=("eventual", "eventual-deletes", "eventual-set", "write-read", "eventual-sessions", "kv"),
    bugs=LWW_BUGS,
    claims=DYNAMO_LWW_CLAIMS,
    options={"conflict": "lww"},
)
DYNAMO_HLC = Target(
    name="kv/dynamo-hlc",
    summary="a leaderless store with sloppy quorums where the last write wins, by hybrid logical clocks: only concurrent writes are lost",
    program=_PROGRAM,
    client=_CLIENT,
    workloads=("eventual", "eventual-deletes", "eventual-set", "write-read", "eventual-sessions", "kv"),
    bugs=HLC_BUGS,
    claims=DYNAMO_HLC_CLAIMS,
    options={"conflict": "hlc"},
)
