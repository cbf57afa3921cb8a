"""``set``: everybody adds elements to one set, each element once; what is not there at the end was lost.

The oldest question to a replicated store, and the one with the simplest answer: of what it has acknowledged, how much is gone? Now and then
the set is read, so that it shows how long an element stays invisible. Reads are few: each returns the whole set.

``linearizable-set`` does the same with a store that promises that nothing stays invisible.
"""

from __future__ import annotations

from dataclasses import replace

from harness.generator import Generator
from harness.workloads.elements import Elements, Mix
from harness.workloads.final import reads_of
from harness.workloads.workload import Workload, WorkloadOptions

KEYS = 1
MIX = Mix(first="read", second="add", share=0.05, puts="add")


def _generator(options: WorkloadOptions) -> Generator:
    return Elements(MIX, options.keys_or(KEYS))


def _final(options: WorkloadOptions) -> Generator:
    return reads_of(range(options.keys_or(KEYS)))


SET = Workload(
    name="set",
    summary="adds of ever new elements to a set, few reads, and what is left of it at the end",
    fs=("add", "read"),
    generator=_generator,
    final=_final,
    checkers=(
        ("set", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
LINEARIZABLE_SET = replace(
    SET,
    name="linearizable-set",
    summary=f"{SET.summary}; every read must be up to date",
    checkers=(("set", {"linearizable": True}), *SET.checkers[1:]),
)
