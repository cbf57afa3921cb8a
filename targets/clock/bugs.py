"""The seeded bugs of the logical clocks: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by the checker ``clock-condition``, which the correct program satisfies under the same faults.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug

SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
_LAMPORT = "Lamport 1978, Time, clocks, and the ordering of events, IR1 and IR2"
_MATTERN = "Mattern 1988, Virtual time and global states of distributed systems"
_KULKARNI = "Kulkarni and others 2014, Logical physical clocks, figure 5"


def _bug(name: str, summary: str, source: str, *faults: str, **settings: Any) -> Bug:
    return Bug(
        name=name,
        summary=summary,
        checker="clock-condition",
        faults=faults,
        source=source,
        settings={**SHORT, **settings},
    )


_COMMON = (
    _bug("receive-ignores-clock", "the reading in a message is not looked at", _LAMPORT),
    _bug("stamp-before-tick", "a message carries the reading of the event before its sending", _LAMPORT),
    _bug(
        "late-message-not-counted",
        "a message that was overtaken by a later one, or is a copy, changes nothing",
        "Lamport 1978: every receive is an event",
        "packet",
    ),
    _bug(
        "clock-forgotten-at-restart",
        "a node that restarts begins to count anew",
        "Lamport 1978: the clock condition has no exception for crashes",
        "kill",
        "clock",
    ),
    _bug(
        "tick-not-atomic",
        "the clock is read, a message comes in, and the clock is written as if it had not",
        "the lost update",
    ),
)
_SINGLE_OR_VECTOR = (
    _bug("no-tick-on-send", "a send is no event", _LAMPORT),
    _bug("no-tick-on-receive", "a receive is no event", _LAMPORT),
    _bug(
        "saved-every-tenth",
        "only each tenth reading is on the disk",
        "Oki and Liskov 1988: what was shown must outlast a crash",
        "kill",
    ),
)
LAMPORT_BUGS = (
    *_COMMON,
    *_SINGLE_OR_VECTOR,
    _bug("receive-takes-theirs", "the clock follows whatever it is told, also back", _LAMPORT),
    _bug(
        "counter-of-one-byte", "after 255 comes 0", "RFC 1982, Serial number arithmetic: why numbers that wrap need it"
    ),
)
VECTOR_BUGS = (
    *_COMMON,
    *_SINGLE_OR_VECTOR,
    _bug("takes-theirs-whole", "the vector of a message takes the place of the node's own one", _MATTERN),
    _bug(
        "sends-differences",
        "a message carries only what changed since the last one to that node, which was lost or comes later",
        "Singhal and Kshemkalyani 1992: differences need channels that keep all messages in order",
        "packet",
        "partition",
    ),
    _bug("ticks-for-sender", "a receive counts as an event of the sender: orders are told that were not", _MATTERN),
    _bug(
        "delivery-counted-at-send",
        "a sender counts the receive that it expects: it knows of what has not happened",
        _MATTERN,
    ),
)
HYBRID_BUGS = (
    *_COMMON,
    _bug("wall-clock-believed", "the reading follows the wall clock, also back", _KULKARNI, "clock"),
    _bug("counter-reset", "events of one millisecond all have the same reading", _KULKARNI, "clock"),
    _bug(
        "far-ahead-not-merged",
        "a reading that is further ahead of the wall clock than clocks are believed to be wrong is not looked at, and its message is",
        "CockroachDB, --max-offset: there the message is refused",
        "clock",
    ),
)
