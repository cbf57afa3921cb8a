"""From what the user asked for to a plan: names resolved, defaults filled in, the schedule of faults drawn by the seed."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import rng
from harness.cli import tables
from harness.errors import PlanError, suggest
from harness.plan import NODES_MAX, Plan
from harness.powers import powers_of
from harness.protocols import Bug, Target
from harness.schedule import Schedule

SEEDS = 2**31  # a drawn seed is short enough to be typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for; None where the default is to be taken (a bug's settings come before the defaults)."""

    target: str
    cluster: str = tables.AUTO
    workload: str | None = None
    nemesis: str | None = None
    schedule: Path | None = None
    bug: str | None = None
    seed: int | None = None
    nodes: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)  # rate, concurrency, time_limit_s, ...
    options: Mapping[str, Any] = field(default_factory=dict)  # the target's own


def make_plan(request: Request) -> Plan:
    """The frozen plan of a run. Raises PlanError."""
    target: Target = tables.targets().get(request.target)
    bug = _bug(target, request.bug)
    cluster, cluster_class = pick_cluster(request.cluster)
    workload = request.workload or target.workloads[0]
    if workload not in target.workloads:
        raise PlanError(f"target {target.name} has no workload {workload!r}: {suggest(workload, target.workloads)}")
    seed = secrets.randbelow(SEEDS) if request.seed is None else request.seed
    bug_settings = dict(bug.settings) if bug else {}
    options = {**target.options, **bug_settings.pop("options", {}), **request.options}
    workload_options = bug_settings.pop("workload_options", {})
    bug_nodes = bug_settings.pop("nodes", 5)
    count = bug_nodes if request.nodes is None else request.nodes
    if not 1 <= count <= NODES_MAX:
        raise PlanError(f"--nodes must be 1 to {NODES_MAX}, not {count}")
    nodes = tuple(f"n{number}" for number in range(1, count + 1))
    settings = {**bug_settings, **{name: value for name, value in request.settings.items() if value is not None}}
    fields: dict[str, Any] = {
        "target": target.name,
        "workload": workload,
        "cluster": cluster,
        "nodes": nodes,
        "seed": seed,
    }
    fields |= {"bug": bug.name if bug else None, "options": options, "workload_options": workload_options, **settings}
    bare = Plan(**fields)  # validates the numbers before a schedule is drawn from them
    kinds, schedule = _schedule(request, bare, target, bug, powers_of(cluster_class))
    return Plan(**{**fields, "nemesis": kinds, "schedule": schedule})


def pick_cluster(name: str) -> tuple[str, type]:
    """The cluster called ``name``, or for "auto" the best that this machine offers."""
    registry = tables.clusters()
    if name != tables.AUTO:
        cluster = registry.get(name)
        if why := cluster.unavailable():
            raise PlanError(f"cluster {name} cannot run here: {why}")
        return name, cluster
    known = registry.paths()
    hindrances = []
    for candidate in (candidate for candidate in tables.AUTO_ORDER if candidate in known):
        cluster = registry.get(candidate)
        why = cluster.unavailable()
        if not why:
            return candidate, cluster
        hindrances.append(f"{candidate}: {why}")
    raise PlanError(f"no cluster can run here ({'; '.join(hindrances)}): --cluster sim can")


def repeat_command(plan: Plan, schedule: Path | None = None) -> str:
    """The command line that makes this plan again, for a shell."""
    argv = ["splitbrain", "run", plan.target, "--cluster", plan.cluster, "--workload", plan.workload]
    argv += ["--nodes", str(len(plan.nodes)), "--concurrency", str(plan.concurrency), "--rate", _number(plan.rate)]
    argv += ["--time-limit", _number(plan.time_limit_s), "--interval", _number(plan.interval_s)]
    argv += ["--op-timeout", _number(plan.op_timeout_s), "--recovery", _number(plan.recovery_s)]
    argv += ["--progress", _number(plan.progress_s), "--seed", str(plan.seed)]
    argv += ["--schedule", str(schedule)] if schedule else ["--nemesis", ",".join(plan.nemesis) or "none"]
    argv += ["--bug", plan.bug] if plan.bug else []
    for name, value in plan.options.items():
        argv += ["--option", f"{name}={value}"]
    return shlex.join(argv)


def _number(value: float) -> str:
    """As a person would write it, and exact: 60 rather than 60.0."""
    return str(int(value)) if value == int(value) else repr(value)


def _bug(target: Target, name: str | None) -> Bug | None:
    if name is None:
        return None
    bugs = {bug.name: bug for bug in target.bugs}
    if name not in bugs:
        raise PlanError(f"target {target.name} has no seeded bug {name!r}: {suggest(name, bugs)}")
    return bugs[name]


def _schedule(
    request: Request, plan: Plan, target: Target, bug: Bug | None, powers: frozenset[str]
) -> tuple[tuple[str, ...], Schedule]:
    from nemesis.package import parse_kinds
    from nemesis.schedules import make_schedule, read_schedule

    dice = rng.stream(plan.seed, "nemesis")
    registry = tables.clusters()
    offered = {name: powers_of(registry.get(name)) for name in registry.names()}
    if request.schedule is not None:
        schedule = read_schedule(request.schedule, plan.nodes, target.roles, plan.time_limit_s, dice)
        names = sorted({fault.kind for fault in schedule.faults})
        return parse_kinds(",".join(names) or "none", powers, nodes=len(plan.nodes), clusters=offered), schedule
    wanted = request.nemesis or (",".join(bug.faults) or "none" if bug else "all")
    kinds = parse_kinds(wanted, powers, nodes=len(plan.nodes), clusters=offered)
    return kinds, make_schedule(kinds, plan.nodes, target.roles, plan.time_limit_s, plan.interval_s, dice)
