"""``register``: a few registers that everybody reads, writes and compares-and-sets; what a linearizable store is tested with.

Contention on few keys is what reveals stale reads and lost writes; fresh values keep the check fast (see ``registers``).
"""

from __future__ import annotations

from dataclasses import replace

from harness.generator import Generator
from harness.workloads.final import reads_of
from harness.workloads.registers import registers
from harness.workloads.workload import Workload, WorkloadOptions

KEYS = 5
# Reads reveal what writes did wrong, so there are as many as of the others; cas shows whether a decision was made on stale data.
SHARES = {"read": 0.50, "write": 0.35, "cas": 0.15}


def _keys(options: WorkloadOptions) -> int:
    return KEYS if options.keys is None else options.keys


def _generator(options: WorkloadOptions) -> Generator:
    return registers([1.0] * _keys(options), SHARES)


def _final(options: WorkloadOptions) -> Generator:
    return reads_of(range(_keys(options)))


REGISTER = Workload(
    name="register",
    summary="reads, writes and compare-and-sets of fresh values on a few keys",
    fs=tuple(SHARES),
    generator=_generator,
    final=_final,
    checkers=(
        ("linearizable", {"model": "cas-register"}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
        ("latency", {}),
    ),
)
LIN_KV = replace(REGISTER, name="lin-kv", summary=f"{REGISTER.summary} (Maelstrom's lin-kv)")
