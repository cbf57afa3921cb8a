"""What breaks a system, as pure decisions: which fault when, aimed at whom. How a fault is done belongs to the cluster.

    fault                    the contract of a kind of fault: Fault, Scene, Step
    targets grudges swarm    shared words: node specs and roles; who does not hear whom; how often which variant
    arguments                checks of hand-written arguments
    partition packet kill pause clock throttle memory drift    the kinds
    timing schedules         the random nemesis, and completing a hand-written schedule
    package                  from ``--nemesis partition,kill`` to kinds

Nothing here touches a clock, a loop, a socket or a file; dice come as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping

FAULTS: Mapping[str, str] = {
    "partition": "nemesis.partition:PARTITION",
    "packet": "nemesis.packet:PACKET",
    "kill": "nemesis.kill:KILL",
    "pause": "nemesis.pause:PAUSE",
    "clock": "nemesis.clock:CLOCK",
    "term": "nemesis.kill:TERM",
    "throttle": "nemesis.throttle:THROTTLE",
    "memory": "nemesis.memory:MEMORY",
    "drift": "nemesis.drift:DRIFT",
}
# What "all" leaves out: kinds that are a mild part of another one, for systems that promise to bear no more.
NAMED_ONLY = frozenset({"drift"})
