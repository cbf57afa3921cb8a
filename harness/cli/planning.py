"""From what the user asked for to a plan: names resolved, defaults filled in, the schedule of faults drawn by the seed."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import rng
from harness.cli import tables
from harness.cli.models import judged
from harness.clusters import security
from harness.errors import PlanError, suggest
from harness.messages import OPTION
from harness.plan import NODES_MAX, Plan
from harness.powers import lacks_of, powers_of
from harness.protocols import Bug, Claim, Target
from harness.registry import load
from harness.schedule import SCHEDULE_VERSION, Schedule
from targets.node.codecs import DEFAULT, codec_named

SEEDS = 2**31  # a drawn seed is short enough to be typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for; None where the default is to be taken (a bug's or a claim's settings come before the defaults)."""

    target: str
    cluster: str = tables.AUTO
    workload: str | None = None
    nemesis: str | None = None
    schedule: Path | None = None
    bug: str | None = None
    claim: str | Claim | None = None  # the name of one that the target carries, or one of the user's own
    seed: int | None = None
    nodes: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)  # rate, concurrency, time_limit_s, ...
    options: Mapping[str, Any] = field(default_factory=dict)  # the target's own
    workload_options: Mapping[str, Any] = field(default_factory=dict)
    checkers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # besides the workload's


def make_plan(request: Request) -> Plan:
    """The frozen plan of a run. Raises PlanError."""
    target: Target = tables.targets().get(request.target)
    wanted = claim_of(target, request.claim) if isinstance(request.claim, str) else request.claim
    claim = judged(wanted) if wanted else None
    bug = _bug(target, request.bug or (claim.settings.get("bug") if claim else None))
    preset = _preset(bug, claim)
    faults = preset.pop("schedule", None)
    cluster, cluster_class = pick_cluster(request.cluster, target)
    preferred = preset.pop("workload", target.workloads[0])
    workload = request.workload or preferred
    if workload not in target.workloads:
        raise PlanError(f"target {target.name} has no workload {workload!r}: {suggest(workload, target.workloads)}")
    seed = secrets.randbelow(SEEDS) if request.seed is None else request.seed
    options = _options(target, {**target.options, **preset.pop("options", {}), **request.options})
    if not target.complete and (wrong := security.check(options, getattr(cluster_class, "securities", ()))):
        raise PlanError(wrong)
    workload_options = {**preset.pop("workload_options", {}), **request.workload_options}
    own = {**target.checkers.get("*", {}), **target.checkers.get(workload, {})}
    checkers = {**own, **preset.pop("checkers", {}), **request.checkers}
    count = preset.pop("nodes", 5) if request.nodes is None else request.nodes
    if not 1 <= count <= NODES_MAX:
        raise PlanError(f"--nodes must be 1 to {NODES_MAX}, not {count}")
    nodes = tuple(f"n{number}" for number in range(1, count + 1))
    _check_packet_log(options, cluster, cluster_class)
    check = getattr(cluster_class, "check", None)
    if check is not None:
        check(options, nodes)
    wishes = {name: value for name, value in request.settings.items() if value is not None}
    settings = {**preset, **wishes}
    fields: dict[str, Any] = {
        "target": target.name,
        "workload": workload,
        "cluster": cluster,
        "nodes": nodes,
        "seed": seed,
    }
    fields |= {
        "bug": bug.name if bug else None,
        "checkers": checkers,
        "options": options,
        "workload_options": workload_options,
        **settings,
    }
    bare = Plan(**fields)  # validates the numbers before a schedule is drawn from them
    kinds, schedule = _schedule(request, bare, target, claim or bug, faults, cluster_class)
    return Plan(**{**fields, "nemesis": kinds, "schedule": schedule})


def _check_packet_log(options: Mapping[str, Any], cluster: str, cluster_class: Any) -> None:
    """Raises PlanError where a packet log is wanted that nobody would write."""
    if options.get(OPTION) and not getattr(cluster_class, "logs_packets", False):
        raise PlanError(f"the cluster {cluster} keeps no packet log: all others do, docker as root alone")


def pick_cluster(name: str, target: Target | None = None) -> tuple[str, Any]:
    """The cluster called ``name``, or for "auto" the best that this machine offers, with the class that hosts ``target`` there."""
    registry = tables.clusters()
    hosts = target.hosts if target else {}
    if name != tables.AUTO:
        registry.check(name)
        if target and hosts and name not in hosts:
            able = " or ".join(f"--cluster {host}" for host in hosts)
            raise PlanError(f"{target.name} cannot run on the cluster {name}: {target.hosts_why}; {able} can")
        if why := registry.get(name).unavailable():
            raise PlanError(f"cluster {name} cannot run here: {why}")
        return name, cluster_of(target, name)
    known = registry.paths()
    hindrances = []
    for candidate in (candidate for candidate in tuple(hosts) or tables.AUTO_ORDER if candidate in known):
        why = registry.get(candidate).unavailable()
        if not why:
            return candidate, cluster_of(target, candidate)
        hindrances.append(f"{candidate}: {why}")
    otherwise = "" if hosts else ": --cluster sim can"
    raise PlanError(f"no cluster can run here ({'; '.join(hindrances)}){otherwise}")


def cluster_of(target: Target | None, cluster: str) -> Any:
    """The class that runs ``target`` on the cluster of that name."""
    host = target.hosts.get(cluster) if target else None
    return tables.clusters().get(cluster) if host is None else load(host)


def why_cluster(plan: Plan) -> str:
    """One line that says which cluster was taken, and why that one."""
    target: Target = tables.targets().get(plan.target)
    if target.hosts:
        return f"cluster {plan.cluster}: {target.hosts_why}"
    return f"cluster {plan.cluster}: the first of {', '.join(tables.AUTO_ORDER)} that can run here"


def _options(target: Target, options: Mapping[str, Any]) -> dict[str, Any]:
    """The target's options as the plan keeps them. Raises PlanError."""
    if target.complete:
        complete: Callable[[Mapping[str, Any]], dict[str, Any]] = load(target.complete)
        return complete(options)
    if "bin" in options:
        raise PlanError(
            f"target {target.name} is a program of its own and takes no --bin: --bin is for the target maelstrom"
        )
    try:
        codec_named(options.get("codec", DEFAULT))
    except ValueError as error:
        raise PlanError(f"option codec: {error}") from error
    for config in target.configs:
        try:
            load(config).of(options)
        except ValueError as error:
            raise PlanError(f"target {target.name}: {error}") from error
    return dict(options)


def repeat_command(plan: Plan, schedule: Path | None = None, claim: str | None = None) -> str:
    """The command line that makes this plan again, for a shell; ``claim`` is the name of that by which it was made."""
    argv = ["splitbrain", "run", plan.target, "--cluster", plan.cluster, "--workload", plan.workload]
    argv += ["--nodes", str(len(plan.nodes)), "--concurrency", str(plan.concurrency), "--rate", _number(plan.rate)]
    argv += ["--time-limit", _number(plan.time_limit_s), "--interval", _number(plan.interval_s)]
    argv += ["--op-timeout", _number(plan.op_timeout_s), "--recovery", _number(plan.recovery_s)]
    argv += ["--progress", _number(plan.progress_s), "--seed", str(plan.seed)]
    argv += ["--claim", claim] if claim else []
    if schedule or not claim:  # a claim may come with a schedule of its own
        argv += ["--schedule", str(schedule)] if schedule else ["--nemesis", ",".join(plan.nemesis) or "none"]
    argv += ["--bug", plan.bug] if plan.bug else []
    for name, value in plan.options.items():
        argv += ["--option", f"{name}={_value(value)}"]
    for name, value in plan.workload_options.items():
        argv += ["--workload-option", f"{name}={_value(value)}"]
    for name, options in plan.checkers.items():
        given = ",".join(f"{option}={_value(value)}" for option, value in options.items())
        argv += ["--checker", f"{name}:{given}" if given else name]
    return shlex.join(argv)


def _value(value: Any) -> str:
    """An option's value as it is typed: text as it is where it cannot be taken for JSON, all else as JSON."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value)


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


def claim_of(target: Target, name: str) -> Claim:
    """The claim of that name which the target carries. Raises PlanError."""
    claims = {claim.name: claim for claim in target.claims}
    if name not in claims:
        raise PlanError(f"target {target.name} has no claim {name!r}: {suggest(name, claims)}")
    return claims[name]


def _preset(bug: Bug | None, claim: Claim | None) -> dict[str, Any]:
    """What the bug or the claim needs of the plan; the claim's word goes first."""
    preset = dict(bug.settings) if bug else {}
    if claim:
        own = {name: value for name, value in claim.settings.items() if name != "bug"}
        for name in ("options", "workload_options"):
            own[name] = {**preset.get(name, {}), **own.get(name, {})}
        preset |= {"workload": claim.workload, "checkers": claim.checkers, **own}
    return preset


def _schedule(
    request: Request,
    plan: Plan,
    target: Target,
    of: Bug | Claim | None,
    faults: Sequence[Mapping[str, Any]] | None,
    cluster: Any,
) -> tuple[tuple[str, ...], Schedule]:
    from nemesis.package import parse_kinds
    from nemesis.schedules import complete_schedule, make_schedule, read_schedule

    dice = rng.stream(plan.seed, "nemesis")
    powers, lacks = powers_of(cluster), lacks_of(cluster)
    registry = tables.clusters()
    offered = {name: powers_of(registry.get(name)) for name in registry.names()}
    if request.schedule is not None:
        schedule = read_schedule(request.schedule, plan.nodes, target.roles, plan.time_limit_s, dice)
        names = sorted({fault.kind for fault in schedule.faults})
        return parse_kinds(
            ",".join(names) or "none", powers, nodes=len(plan.nodes), clusters=offered, lacks=lacks
        ), schedule
    if faults is not None and request.nemesis is None:
        document = {"version": SCHEDULE_VERSION, "faults": list(faults)}
        given = Schedule.from_json(document, f"claim {of.name}" if of else target.name)
        schedule = complete_schedule(given, plan.nodes, target.roles, plan.time_limit_s, dice)
        names = sorted({fault.kind for fault in schedule.faults})
        return parse_kinds(
            ",".join(names) or "none", powers, nodes=len(plan.nodes), clusters=offered, lacks=lacks
        ), schedule
    wanted = request.nemesis or (",".join(of.faults) or "none" if of else ",".join(target.faults) or "all")
    kinds = parse_kinds(wanted, powers, nodes=len(plan.nodes), clusters=offered, lacks=lacks)
    return kinds, make_schedule(kinds, plan.nodes, target.roles, plan.time_limit_s, plan.interval_s, dice)
