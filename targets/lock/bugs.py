"""The seeded bugs of the locks: what is wrong, and what reveals it.

A bug's ``faults`` are those that reveal it, and its ``settings`` what the run needs besides: found within 50 random seeds of 20 seconds of
virtual time each, on the simulator, by the checker ``locks``, which the correct program satisfies under the same faults and settings.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug

# Some locks, so that on most nodes somebody holds one when a fault comes.
SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0, "workload_options": {"keys": 3}}
SNAPSHOTS: dict[str, Any] = {"snapshot_entries": 10, "snapshot_tail": 2}
# Holders that go by their own clocks, which go right: nobody begins to use what it does not hold, whatever fails.
BY_CLOCK: dict[str, Any] = {**SHORT, "options": {"holder": "clock"}}
BRIEF_LEASES: dict[str, Any] = {**SHORT, "options": {"holder": "clock", "lease_s": 0.5}}
# The resource, on n5, is reached from both sides, and the locks from one only.
_SIDES = {"shape": "bridge", "sides": [["n1", "n2"], ["n3", "n4"]], "bridge": "n5"}
BRIDGES = tuple({"kind": "partition", "start_s": start_s, "end_s": start_s + 5, "args": _SIDES} for start_s in (4, 13))
# Clients take their time, so that a lease can end between two uses.
SLOW: dict[str, Any] = {
    "time_limit_s": 20.0,
    "rate": 15.0,
    "workload_options": {"keys": 3},
    "options": {"lease_s": 0.4},
    "schedule": BRIDGES,
}
_KLEPPMANN = "Kleppmann 2016, How to do distributed locking"
_GRAY = "Gray and Cheriton 1989, Leases"


def _bug(name: str, summary: str, faults: tuple[str, ...], source: str, settings: dict[str, Any]) -> Bug:
    return Bug(name=name, summary=summary, checker="locks", faults=faults, source=source, settings=settings)


FENCED_BUGS = (
    _bug(
        "token-not-checked",
        "the resource does not look at tokens",
        ("partition",),
        _KLEPPMANN,
        SLOW,
    ),
    _bug(
        "token-by-wall-clock",
        "a token is the time at the node of the holder",
        ("clock",),
        f"{_KLEPPMANN}: a token increases every time",
        SHORT,
    ),
    _bug(
        "token-lost-in-snapshot",
        "a snapshot forgets which tokens were given out",
        ("kill",),
        "Raft ATC'14, section 7",
        {**SHORT, "options": SNAPSHOTS},
    ),
    _bug(
        "token-anew-with-leader",
        "a new leader counts tokens from the beginning",
        ("kill", "pause"),
        f"{_KLEPPMANN}: a counter on one node is not enough",
        SHORT,
    ),
    _bug(
        "expiry-keeps-token",
        "who gets a lock after a lease ended is given the token of the late holder",
        ("pause", "kill"),
        "Chubby OSDI'06, section 2.4: the sequencer's generation number",
        SHORT,
    ),
    _bug(
        "granted-before-quorum",
        "a lock is granted as soon as the leader alone knows",
        ("partition", "kill"),
        "Raft ATC'14, section 5.3",
        SHORT,
    ),
)
LEASE_BUGS = (
    _bug(
        "release-by-anybody",
        "a release frees the lock, whoever holds it: a late holder frees the next one's",
        ("pause", "partition"),
        "Redis, SET: the pattern with a random value, deleted only by who wrote it",
        BRIEF_LEASES,
    ),
    _bug(
        "lease-from-reply",
        "a holder counts its lease from the answer, not from when it asked",
        ("pause", "packet"),
        _GRAY,
        {**BRIEF_LEASES, "rate": 20.0, "interval_s": 1.0},
    ),
    _bug(
        "renewal-not-recorded",
        "a renewal is confirmed, and the lease ends all the same",
        ("pause",),
        _GRAY,
        BRIEF_LEASES,
    ),
    _bug(
        "holder-lost-in-snapshot",
        "a snapshot forgets who holds what",
        ("kill",),
        "Raft ATC'14, section 7",
        {**BY_CLOCK, "options": {"holder": "clock", **SNAPSHOTS}},
    ),
    _bug(
        "holder-forgotten-at-failover",
        "a new leader takes all locks for free",
        ("partition", "kill"),
        "Chubby OSDI'06, section 2.9: fail-overs",
        BY_CLOCK,
    ),
    _bug(
        "granted-before-quorum",
        "a lock is granted as soon as the leader alone knows",
        ("partition", "kill"),
        "Raft ATC'14, section 5.3",
        BY_CLOCK,
    ),
)
