"""Schedules of faults: the random nemesis, and a hand-written schedule made explicit. Pure: all chance comes from the given dice."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import PlanError
from harness.schedule import PlannedFault, Rules, Schedule
from nemesis import targets
from nemesis.fault import Fault, Scene
from nemesis.package import load_faults
from nemesis.swarm import draw_weights
from nemesis.timing import Window, draw_windows

# Faults of these powers make a system that depends on a role choose another node for it.
_DISRUPTIVE = ("cut", "kill", "terminate", "pause", "throttle")


def make_schedule(  # noqa: PLR0917 - what a plan holds, in the order in which it is said
    kinds: Iterable[str],
    nodes: Sequence[str],
    roles: Sequence[str],
    time_limit_s: float,
    interval_s: float,
    rng: random.Random,
) -> Schedule:
    """The random nemesis: on average a fault per ``interval_s``, over all ``kinds`` together, each at least once if there is room.

    Half of the faults that can depose a leader are aimed at one of ``roles`` (leader first), and half of the others; so a run in which
    the system never lost its leader is the exception. The rest is drawn with weights that differ from run to run (``nemesis.swarm``).
    When faults may overlap: see ``nemesis.timing``. All end before ``time_limit_s``. The order of ``kinds`` does not matter.

    Raises PlanError if a kind is unknown or needs more nodes, or if the run is too short for any fault.
    """
    faults = load_faults(kinds)
    if not faults:
        return Schedule()
    for kind, fault in faults.items():
        if len(nodes) < fault.nodes_min:
            raise PlanError(
                f"{kind} faults need at least {fault.nodes_min} nodes, not {len(nodes)}: "
                f"ask for more --nodes, or leave {kind} out of --nemesis"
            )
    windows = draw_windows({kind: fault.power for kind, fault in faults.items()}, time_limit_s, interval_s, rng)
    weights = {kind: draw_weights(fault.variants, rng) for kind, fault in faults.items()}
    planned = []
    for number, (window, aim) in enumerate(zip(windows, _aims(windows, faults, roles, rng), strict=True), 1):
        scene = Scene(
            nodes=tuple(nodes), roles=tuple(roles), length_s=window.length_s, aim=aim, weights=weights[window.kind]
        )
        args = faults[window.kind].plan(scene, rng)
        planned.append(PlannedFault(id=number, kind=window.kind, start_s=window.start_s, end_s=window.end_s, args=args))
    return Schedule(faults=tuple(planned), source="random schedule")


def _aims(
    windows: Sequence[Window], faults: Mapping[str, Fault], roles: Sequence[str], rng: random.Random
) -> list[str | None]:
    """For each window the role to aim at, or None: a role for half of the disruptive faults, and for half of the others."""
    aimed: list[str | None] = [None] * len(windows)
    wanted = targets.aims(roles)
    for disruptive in (True, False) if wanted else ():
        places = [
            place for place, window in enumerate(windows) if (faults[window.kind].power in _DISRUPTIVE) is disruptive
        ]
        for place in rng.sample(places, (len(places) + 1) // 2):
            aimed[place] = rng.choice(wanted)
    return aimed


def rules(nodes: Sequence[str], roles: Sequence[str]) -> Rules:
    """What ``harness.schedule`` must know to judge hand-written faults: every known kind, for these nodes and roles."""

    def judge(fault: Fault, args: Mapping[str, Any], length_s: float) -> list[str]:
        if len(nodes) < fault.nodes_min:
            return [f"nodes: {fault.kind} faults need at least {fault.nodes_min} nodes, here are {len(nodes)}"]
        return fault.problems(args, Scene(nodes=tuple(nodes), roles=tuple(roles), length_s=length_s))

    return {
        kind: lambda args, length_s, fault=fault: judge(fault, args, length_s)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        for kind, fault in load_faults().items()
    }


def complete_schedule(
    schedule: Schedule, nodes: Sequence[str], roles: Sequence[str], time_limit_s: float, rng: random.Random
) -> Schedule:
    """``schedule`` with all that it leaves open drawn, so that only roles remain to be looked up. Raises PlanError with all problems."""
    schedule.validate(rules(nodes, roles), time_limit_s)
    faults = load_faults(fault.kind for fault in schedule.faults)
    completed = []
    for planned in schedule.faults:
        scene = Scene(nodes=tuple(nodes), roles=tuple(roles), length_s=planned.length_s)
        completed.append(replace(planned, args=faults[planned.kind].complete(planned.args, scene, rng)))
    return replace(schedule, faults=tuple(completed))


def read_schedule(
    path: Path, nodes: Sequence[str], roles: Sequence[str], time_limit_s: float, rng: random.Random
) -> Schedule:
    """The schedule of a file, judged as a whole and completed. Raises PlanError with all problems of the file."""
    schedule = Schedule.load(path, rules(nodes, roles), time_limit_s)
    return complete_schedule(schedule, nodes, roles, time_limit_s, rng)
