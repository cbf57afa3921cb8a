"""``memory``: a few locations that everybody reads and writes; every written value is fresh, so a read says which write it saw.

``memory`` is judged as a store of registers is, location by location: linearizable, and coherent by what the nodes log of their caches.
``coherent-memory`` asks for coherence alone: memories with store buffers or release consistency answer with what was true a while ago.
"""

from __future__ import annotations

from dataclasses import replace

from harness.workloads.register import of_registers

KEYS = 8
SHARES = {"read": 0.6, "write": 0.4}

MEMORY = of_registers(
    name="memory",
    summary="reads and writes of a few locations of a shared memory",
    shares=SHARES,
    keys=KEYS,
    checkers=(
        ("coherence", {}),
        ("linearizable", {"model": "register"}),
    ),
)
COHERENT_MEMORY = replace(
    MEMORY,
    name="coherent-memory",
    summary=f"{MEMORY.summary}, which need only be coherent",
    checkers=tuple(checker for checker in MEMORY.checkers if checker[0] != "linearizable"),
)
