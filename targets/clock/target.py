"""What the harness must know of the logical clocks: three targets of one node program."""

from __future__ import annotations

from harness.protocols import Bug, Claim, Target
from targets.clock.bugs import HYBRID_BUGS, LAMPORT_BUGS, VECTOR_BUGS
from targets.clock.claims import HYBRID_CLAIMS, LAMPORT_CLAIMS, VECTOR_CLAIMS


def _clock(kind: str, summary: str, *, bugs: tuple[Bug, ...], claims: tuple[Claim, ...]) -> Target:
    return Target(
        name=f"clock/{kind}",
        summary=summary,
        program="targets.clock.logical:ClockNode",
        client="targets.clock.client:ClockClient",
        workloads=("events",),
        bugs=bugs,
        claims=claims,
        options={"clock": kind},
    )


LAMPORT = _clock(
    "lamport",
    "nodes with Lamport clocks: what happened before reads less, and what reads less need not have happened before",
    bugs=LAMPORT_BUGS,
    claims=LAMPORT_CLAIMS,
)
VECTOR = _clock(
    "vector",
    "nodes with vector clocks: what reads less, and nothing else, happened before",
    bugs=VECTOR_BUGS,
    claims=VECTOR_CLAIMS,
)
HYBRID = _clock(
    "hybrid",
    "nodes with hybrid logical clocks: what happened before reads less, and readings stay near the time of day",
    bugs=HYBRID_BUGS,
    claims=HYBRID_CLAIMS,
)
