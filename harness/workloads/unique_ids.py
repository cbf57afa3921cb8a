"""``unique-ids``: everybody asks for a fresh id, again and again (Maelstrom's unique-ids); no id may be given out twice."""

from __future__ import annotations

from harness.generator import Generator, repeat
from harness.workloads.workload import Workload, WorkloadOptions


def _generator(options: WorkloadOptions) -> Generator:  # noqa: ARG001 - there is nothing to choose
    return repeat({"f": "generate"})


def _final(options: WorkloadOptions) -> None:  # noqa: ARG001 - nothing is left to be read
    return None


UNIQUE_IDS = Workload(
    name="unique-ids",
    summary="requests for ids that nobody was given before",
    fs=("generate",),
    generator=_generator,
    final=_final,
    checkers=(
        ("unique-ids", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
