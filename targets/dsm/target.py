"""What the harness must know of the shared memories: several targets of one node program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.protocols import Bug, Claim, Target
from targets.dsm.bugs import MESI_BUGS, MSI_BUGS, RELEASE_BUGS, STORE_BUFFER_BUGS
from targets.dsm.claims import MESI_CLAIMS, MSI_CLAIMS, RELEASE_CLAIMS, STORE_BUFFER_CLAIMS


def _memory(
    name: str,
    summary: str,
    *,
    workloads: tuple[str, ...],
    options: Mapping[str, Any],
    bugs: tuple[Bug, ...],
    claims: tuple[Claim, ...],
) -> Target:
    return Target(
        name=name,
        summary=summary,
        program="targets.dsm.memory:SharedMemory",
        client="targets.dsm.client:DsmClient",
        workloads=workloads,
        bugs=bugs,
        claims=claims,
        options=options,
    )


MSI = _memory(
    "dsm/msi",
    "shared memory, page by page, with directories: one writer or many readers (MSI); sequentially consistent",
    workloads=("memory", "litmus"),
    options={"model": "msi"},
    bugs=MSI_BUGS,
    claims=MSI_CLAIMS,
)
MESI = _memory(
    "dsm/mesi",
    "the same with an exclusive state: who reads what nobody else reads may write it without asking (MESI)",
    workloads=("memory", "litmus"),
    options={"model": "mesi"},
    bugs=MESI_BUGS,
    claims=MESI_CLAIMS,
)
RELEASE = _memory(
    "dsm/release",
    "shared memory under release consistency: several writers per page, settled at releases and acquires; coherent",
    workloads=("coherent-memory", "litmus-rc"),
    options={"model": "release"},
    bugs=RELEASE_BUGS,
    claims=RELEASE_CLAIMS,
)
STORE_BUFFER = _memory(
    "dsm/store-buffer",
    "the memory of dsm/msi behind store buffers: total store order, in which two threads may miss each other's writes",
    workloads=("coherent-memory", "litmus-tso"),
    options={"model": "store-buffer"},
    bugs=STORE_BUFFER_BUGS,
    claims=STORE_BUFFER_CLAIMS,
)
