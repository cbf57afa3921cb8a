"""``echo``: everybody sends something and wants it back (Maelstrom's echo). The least that a node must be able to do."""

from __future__ import annotations

from typing import Any

from harness.generator import Context, Generator, gen
from harness.workloads.workload import Workload, WorkloadOptions

# As Maelstrom's: so many different texts, so that an answer to another request is usually a wrong one.
TEXTS = 128


def _generator(options: WorkloadOptions) -> Generator:  # noqa: ARG001 - there is nothing to choose
    return gen(_echo)


def _echo(ctx: Context) -> dict[str, Any]:
    return {"f": "echo", "value": f"Please echo {int(ctx.rng.random() * TEXTS)}"}


def _final(options: WorkloadOptions) -> None:  # noqa: ARG001 - nothing is left to be read
    return None


ECHO = Workload(
    name="echo",
    summary="requests whose answers must say the same",
    fs=("echo",),
    generator=_generator,
    final=_final,
    checkers=(
        ("echo", {}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
