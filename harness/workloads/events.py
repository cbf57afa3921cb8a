"""``events``: nodes have events, and tell each other (a node's clock must know what happened before what).

A client asks its node for an event of its own (``local``) or for a message to another node (``tell``); both are completed with the clock's
reading. What nodes receive they write into their logs with the rest, where the checker finds it.
"""

from __future__ import annotations

from harness.generator import Generator, mix, repeat
from harness.workloads.workload import Workload, WorkloadOptions


def _generator(options: WorkloadOptions) -> Generator:  # noqa: ARG001 - there is nothing to choose
    return mix([repeat({"f": "local"}), repeat({"f": "tell"})])


EVENTS = Workload(
    name="events",
    summary="events of nodes and messages between them, with the readings of their clocks",
    fs=("local", "tell"),
    generator=_generator,
    final=lambda _: None,
    checkers=(
        ("clock-condition", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
