"""Scenes and dice for tests of the nemesis."""

from __future__ import annotations

import random

from hypothesis import settings
from hypothesis import strategies as st

from harness.schedule import PlannedFault, Schedule
from nemesis.fault import Scene, Step
from nemesis.package import load_faults

KINDS = ("partition", "packet", "kill", "pause", "clock", "term", "throttle", "memory", "power")
EVERY_KIND = (*KINDS, "drift", "disk", "corrupt", "adversary", "impostor")  # also those that "all" leaves out
POWERS = ("cut", "shape", "kill", "pause", "skew", "terminate", "throttle", "memory", "power")
ROLES = ("leader", "follower", "candidate")

# The machine that runs tests may be busy: examples are limited, time is not.
quick = settings(deadline=None, max_examples=60)

counts = st.integers(min_value=2, max_value=9)
seeds = st.integers(min_value=0, max_value=2**32)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"n{number}" for number in range(1, count + 1))


def scene(count: int = 5, *, roles: tuple[str, ...] = ROLES, length_s: float = 6.0, aim: str | None = None) -> Scene:
    return Scene(nodes=names(count), roles=roles, length_s=length_s, aim=aim)


def dice(seed: int) -> random.Random:
    return random.Random(seed)


def random_roles(count: int, rng: random.Random) -> dict[str, str]:
    """What nodes might say of themselves: some say nothing, several may be leader, none may be."""
    return {node: rng.choice(ROLES) for node in names(count) if rng.random() < 0.8}


def steps_of(fault: PlannedFault, count: int, role_of: dict[str, str]) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    return load_faults()[fault.kind].resolve(fault.args, names(count), role_of)


def one(kind: str, args: object, *, start_s: float = 5.0, end_s: float = 12.0) -> Schedule:
    """A schedule of a single hand-written fault."""
    entry = {"kind": kind, "start_s": start_s, "end_s": end_s, "args": args}
    return Schedule.from_json({"version": 1, "faults": [entry]}, "test.json")
