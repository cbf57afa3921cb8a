"""What logical clocks promise, and what a single number cannot: the textbook's sentence with both its halves."""

from __future__ import annotations

from harness.protocols import Claim
from targets.clock.bugs import SHORT

ALL = ("partition", "packet", "kill", "pause", "clock", "power")
TOPIC = "happened-before"
_ROW = "catalogue row 11"
LAMPORT_CLAIMS = (
    Claim(
        name="what-happened-before-reads-less",
        topic=TOPIC,
        statement="What happened before another event has a smaller reading of a Lamport clock, whatever becomes of messages and nodes.",
        model="clock-condition",
        workload="events",
        faults=ALL,
        settings=SHORT,
        source=f"Lamport 1978, Time, clocks, and the ordering of events; {_ROW}",
    ),
    Claim(
        name="what-reads-less-need-not-have-happened-before",
        topic=TOPIC,
        statement="A smaller reading of a Lamport clock does not tell that its event happened before: counter-examples are counted.",
        model="happened-before",
        workload="events",
        faults=("packet",),
        violates=("false-order",),
        checkers={"clock-condition": {"converse": True}},
        settings=SHORT,
        seeds=5,
        source=f"Mattern 1988, Virtual time and global states of distributed systems; {_ROW}",
    ),
)
VECTOR_CLAIMS = (
    Claim(
        name="what-reads-less-and-nothing-else-happened-before",
        topic=TOPIC,
        statement="One event happened before another one if and only if its vector is less, whatever becomes of messages and nodes.",
        model="happened-before",
        workload="events",
        faults=ALL,
        settings=SHORT,
        source=f"Fidge 1988; Mattern 1988, Virtual time and global states of distributed systems; {_ROW}",
    ),
)
HYBRID_CLAIMS = (
    Claim(
        name="what-happened-before-reads-less-by-any-wall-clock",
        topic=TOPIC,
        statement="What happened before another event has a smaller hybrid reading, however wrong wall clocks are.",
        model="clock-condition",
        workload="events",
        faults=ALL,
        settings=SHORT,
        source=f"Kulkarni and others 2014, Logical physical clocks; {_ROW}",
    ),
    Claim(
        name="a-wall-clock-alone-is-no-logical-clock",
        topic=TOPIC,
        statement="Readings of wall clocks that jump do not grow along messages.",
        model="clock-condition",
        workload="events",
        faults=("clock",),
        violates=("clock-condition",),
        settings={**SHORT, "bug": "wall-clock-believed"},
        source=f"Lamport 1978, Time, clocks, and the ordering of events; {_ROW}",
    ),
)
