"""``register``: a few registers that everybody reads, writes and compares-and-sets; what a linearizable store is tested with.

Contention on few keys is what reveals stale reads and lost writes; fresh values keep the check fast (see ``registers``).
``of_registers`` makes this and the other workloads on registers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.workloads.final import reads_of
from harness.workloads.registers import registers
from harness.workloads.workload import Workload

KEYS = 5
# Reads reveal what writes did wrong, so there are as many as of the others; cas shows whether a decision was made on stale data.
SHARES = {"read": 0.50, "write": 0.35, "cas": 0.15}


def of_registers(
    *,
    name: str,
    summary: str,
    shares: Mapping[str, float],
    keys: int,
    checkers: tuple[tuple[str, Mapping[str, Any]], ...],
    exponent: float = 0.0,
) -> Workload:
    """A workload on ``keys`` registers, if the user asks for no other number; the k-th is chosen in proportion to 1 / k**exponent."""
    return Workload(
        name=name,
        summary=summary,
        fs=tuple(shares),
        generator=lambda options: registers(
            [1 / rank**exponent for rank in range(1, options.keys_or(keys) + 1)],
            shares,
        ),
        final=lambda options: reads_of(range(options.keys_or(keys))),
        checkers=(
            *checkers,
            ("availability", {}),
            ("sanity", {}),
            ("stats", {}),
            ("latency", {}),
        ),
    )


REGISTER = of_registers(
    name="register",
    summary="reads, writes and compare-and-sets of fresh values on a few keys",
    shares=SHARES,
    keys=KEYS,
    checkers=(("linearizable", {"model": "cas-register"}),),
)
LIN_KV = replace(REGISTER, name="lin-kv", summary=f"{REGISTER.summary} (Maelstrom's lin-kv)")
