"""What the registry promises, and what it is known not to keep."""

from __future__ import annotations

from harness.protocols import Claim
from targets.registry.bugs import SHORT

ALL = ("partition", "packet", "kill", "pause", "clock", "power")
TTL, WATCHES, PROBES = "clock-of-a-session", "watches", "probes"
_CLOCKS = "Gray and Cheriton 1989, Leases; catalogue row 40"
_WATCHES = "etcd, watch; ZooKeeper ATC'10, section 2.3"
_PROBES = "Chandra and Toueg 1996, Unreliable failure detectors; Consul, health checks"

CLAIMS = (
    Claim(
        name="entries-live-as-long-as-they-are-kept",
        topic=WATCHES,
        statement="An entry is found as long as its session is heard of and no longer, and watches tell every change, whatever fails.",
        model="registry",
        workload="registry",
        faults=ALL,
        settings=SHORT,
        source=_WATCHES,
    ),
    Claim(
        name="a-watch-that-begins-anew-has-a-gap",
        topic=WATCHES,
        statement="Who goes on watching at another node from what that node knows now does not hear what came in between.",
        model="registry",
        workload="registry",
        faults=("partition",),
        violates=("watch-gap",),
        settings={**SHORT, "bug": "watch-from-now"},
        source=_WATCHES,
    ),
    Claim(
        name="sessions-by-monotonic-clock-hold",
        topic=TTL,
        statement="Sessions whose time to live is measured by a monotonic clock do not care how wall clocks jump.",
        model="registry",
        workload="registry",
        faults=("clock",),
        settings=SHORT,
        source=_CLOCKS,
    ),
    Claim(
        name="sessions-by-wall-clock-break",
        topic=TTL,
        statement="Sessions whose time to live is measured by a wall clock end early or late when it jumps.",
        model="registry",
        workload="registry",
        faults=("clock",),
        violates=("early-expiry", "late-expiry"),
        settings={**SHORT, "options": {"clock": "wall"}},
        source=_CLOCKS,
    ),
    Claim(
        name="the-silent-are-found-and-the-answering-are-not",
        topic=PROBES,
        statement="Who is silent to probes is not told to be healthy for long, and then gone; who answers is, whatever failed before.",
        model="health",
        workload="health",
        faults=ALL,
        settings={**SHORT, "interval_s": 5.0},
        source=_PROBES,
    ),
    Claim(
        name="a-probe-cannot-tell-a-partition-from-a-death",
        topic=PROBES,
        statement="An instance that is cut off from who probes it is told to be critical, though it runs and would answer.",
        model="health",
        workload="health",
        faults=("partition",),
        violates=("false-alarm",),
        checkers={"health": {"excused": False}},
        settings={**SHORT, "interval_s": 8.0},
        source=_PROBES,
    ),
)
