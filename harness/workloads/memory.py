"""``memory``: a few locations that everybody reads and writes; every written value is fresh, so a read says which write it saw.

``memory`` is judged as a store of registers is, location by location: linearizable, and coherent by what the nodes log of their caches.
``coherent-memory`` asks for coherence alone: memories with store buffers or release consistency answer with what was true a while ago.
"""

from __future__ import annotations

from dataclasses import replace

from harness.generator import Generator
from harness.workloads.final import reads_of
from harness.workloads.registers import registers
from harness.workloads.workload import Workload, WorkloadOptions

KEYS = 8
SHARES = {"read": 0.6, "write": 0.4}


def _keys(options: WorkloadOptions) -> int:
    return KEYS if options.keys is None else options.keys


def _generator(options: WorkloadOptions) -> Generator:
    return registers([1.0] * _keys(options), SHARES)


def _final(options: WorkloadOptions) -> Generator:
    return reads_of(range(_keys(options)))


MEMORY = Workload(
    name="memory",
    summary="reads and writes of a few locations of a shared memory",
    fs=tuple(SHARES),
    generator=_generator,
    final=_final,
    checkers=(
        ("coherence", {}),
        ("linearizable", {"model": "register"}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
        ("latency", {}),
    ),
)
COHERENT_MEMORY = replace(
    MEMORY,
    name="coherent-memory",
    summary=f"{MEMORY.summary}, which need only be coherent",
    checkers=tuple(checker for checker in MEMORY.checkers if checker[0] != "linearizable"),
)
