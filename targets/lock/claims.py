"""What locks promise, and what they are known not to keep: the textbook's sentences, each with both its halves."""

from __future__ import annotations

from harness.protocols import Claim
from targets.lock.bugs import BY_CLOCK, SHORT, SLOW

ALL = ("partition", "packet", "kill", "pause", "clock", "power")
FENCING, BELIEF, CLOCKS = "fencing", "session-ttl", "clock-of-a-lease"

_FENCING = "Kleppmann 2016, How to do distributed locking; jepsen.io, etcd 3.4.3; catalogue row 29"
_BELIEF = "aphyr/posts/316; catalogue row 41"
_CLOCKS = "Kleppmann 2016, How to do distributed locking; Gray and Cheriton 1989, Leases; catalogue row 40"
HARM = ("intrusion",)
OVERLAP = ("mutual-exclusion", "intrusion")
_WALL = {**SHORT, "options": {"holder": "clock", "clock": "wall"}}

LEASE_CLAIMS = (
    Claim(
        name="no-harm-without-faults",
        topic=FENCING,
        statement="Where nothing fails, a lock with a lease lets nobody at the resource but its holder.",
        model="mutual-exclusion",
        workload="lock",
        faults=(),
        settings=SHORT,
        source=_FENCING,
    ),
    Claim(
        name="a-lease-breaks-under-pauses",
        topic=FENCING,
        statement="A holder that stands still for longer than its lease is let at a resource that looks at no token, beside the next one.",
        model="mutual-exclusion",
        workload="lock",
        faults=("pause",),
        violates=HARM,
        source=_FENCING,
    ),
    Claim(
        name="a-trusting-resource-lets-late-holders-in",
        topic=FENCING,
        statement="A holder that reaches the resource and not the locks works on beside the next one.",
        model="fencing",
        workload="lock",
        faults=("partition",),
        violates=("stale-token", *HARM),
        settings=SLOW,
        source=_FENCING,
    ),
    Claim(
        name="an-expired-session-is-believed-in",
        topic=BELIEF,
        statement="A holder that is cut off from the lock service believes that it holds its lock when another one has it.",
        model="mutual-exclusion",
        workload="lock",
        faults=("partition",),
        violates=OVERLAP,
        settings=SHORT,
        source=_BELIEF,
    ),
    Claim(
        name="a-holder-that-looks-at-its-clock-stops-in-time",
        topic=BELIEF,
        statement="A holder that goes by a clock of its own which goes right begins no use when its lease has ended, whatever fails.",
        model="mutual-exclusion",
        workload="lock",
        faults=ALL,
        settings=BY_CLOCK,
        source=_BELIEF,
    ),
    Claim(
        name="leases-by-wall-clock-break",
        topic=CLOCKS,
        statement="Leases that are measured by wall clocks end early or late when these jump, and two hold one lock.",
        model="mutual-exclusion",
        workload="lock",
        faults=("clock",),
        violates=OVERLAP,
        settings=_WALL,
        source=_CLOCKS,
    ),
    Claim(
        name="leases-by-monotonic-clock-hold",
        topic=CLOCKS,
        statement="Leases that are measured by monotonic clocks do not care how wall clocks jump.",
        model="mutual-exclusion",
        workload="lock",
        faults=("clock",),
        settings=BY_CLOCK,
        source=_CLOCKS,
    ),
)
FENCED_CLAIMS = (
    Claim(
        name="tokens-keep-the-resource-safe",
        topic=FENCING,
        statement="A resource that refuses tokens smaller than one that it has seen is not harmed by late holders, whatever fails.",
        model="fencing",
        workload="fenced-lock",
        faults=ALL,
        settings=SHORT,
        source=_FENCING,
    ),
    Claim(
        name="a-fenced-resource-refuses-late-holders",
        topic=FENCING,
        statement="A holder that reaches the resource and not the locks is refused once the next one has been there.",
        model="fencing",
        workload="fenced-lock",
        faults=("partition",),
        settings=SLOW,
        source=_FENCING,
    ),
)
