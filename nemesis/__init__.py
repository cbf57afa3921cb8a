"""What breaks a system, as pure decisions: which fault when, aimed at whom. How a fault is done belongs to the cluster.

    fault                    the contract of a kind of fault: Fault, Scene, Step
    targets grudges swarm    shared words: node specs and roles; who does not hear whom; how often which variant
    arguments                checks of hand-written arguments
    partition packet kill pause clock throttle memory drift power disk adversary impostor    the kinds
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
    "power": "nemesis.power:POWER",
    "drift": "nemesis.drift:DRIFT",
    "disk": "nemesis.disk:DISK",
    "corrupt": "nemesis.disk:CORRUPT",
    "adversary": "nemesis.adversary:ADVERSARY",
    "impostor": "nemesis.impostor:IMPOSTOR",
}
# What "all" leaves out: a kind that is a mild part of another one, for systems that promise to bear no more (drift); and what not every
# correct system promises to bear: a disk that refuses (what to do then is each system's own policy), data that are damaged (only
# checksums see that), an adversary that chooses delays by what it sees, and impostors, who get in wherever nobody is asked who he is.
# Losing what was not synced is the contract of every disk, so "power" is a part of "all".
NAMED_ONLY = frozenset({"drift", "disk", "corrupt", "adversary", "impostor"})
