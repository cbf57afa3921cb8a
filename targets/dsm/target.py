"""What the harness must know of the shared memories: several targets of one node program."""

from __future__ import annotations

from harness.protocols import Bug, Claim, Target
from targets.dsm.bugs import MESI_BUGS, MSI_BUGS, RELEASE_BUGS, STORE_BUFFER_BUGS
from targets.dsm.claims import MESI_CLAIMS, MSI_CLAIMS, RELEASE_CLAIMS, STORE_BUFFER_CLAIMS

# Model → (what it is, its workloads, its seeded bugs, its claims).
_MEMORIES: dict[str, tuple[str, tuple[str, ...], tuple[Bug, ...], tuple[Claim, ...]]] = {
    "msi": (
        "shared memory, page by page, with directories: one writer or many readers (MSI); sequentially consistent",
        ("memory", "litmus"),
        MSI_BUGS,
        MSI_CLAIMS,
    ),
    "mesi": (
        "the same with an exclusive state: who reads what nobody else reads may write it without asking (MESI)",
        ("memory", "litmus"),
        MESI_BUGS,
        MESI_CLAIMS,
    ),
    "release": (
        "shared memory under release consistency: several writers per page, settled at releases and acquires; coherent",
        ("coherent-memory", "litmus-rc"),
        RELEASE_BUGS,
        RELEASE_CLAIMS,
    ),
    "store-buffer": (
        "the memory of dsm/msi behind store buffers: total store order, in which two threads may miss each other's writes",
        ("coherent-memory", "litmus-tso"),
        STORE_BUFFER_BUGS,
        STORE_BUFFER_CLAIMS,
    ),
}
MSI, MESI, RELEASE, STORE_BUFFER = (
    Target(
        name=f"dsm/{model}",
        summary=summary,
        program="targets.dsm.memory:SharedMemory",
        client="targets.dsm.client:DsmClient",
        workloads=workloads,
        bugs=bugs,
        claims=claims,
        options={"model": model},
    )
    for model, (summary, workloads, bugs, claims) in _MEMORIES.items()
)
