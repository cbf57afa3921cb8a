"""``time``: everybody asks what time it is, again and again; the answer must be right within the bound that it states."""

from __future__ import annotations

from harness.generator import Generator, repeat
from harness.workloads.workload import Workload, WorkloadOptions

# The nodes whose clocks the others go by, of which one may be wrong; and for how long what they said is remembered.
REFERENCES, LIARS_MAX, AGE_S = ("n1", "n2", "n3"), 1, 2.0


def _generator(options: WorkloadOptions) -> Generator:  # noqa: ARG001 - there is nothing to choose
    return repeat({"f": "now"})


TIME = Workload(
    name="time",
    summary="questions for the time, answered with a bound on the error",
    fs=("now",),
    generator=_generator,
    final=lambda _: None,
    checkers=(
        ("time-bound", {"references": REFERENCES, "liars_max": LIARS_MAX, "age_s": AGE_S}),
        ("availability", {}),
        ("sanity", {}),
        ("stats", {}),
    ),
)
