"""One run, described: frozen, validated with all errors at once, written to the run's directory before anything starts.

A plan holds every decision that was made before the run (also those that were drawn by its seed, such as the schedule of faults), so
that the same plan on the simulator is the same run, byte for byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from harness import __version__
from harness.errors import PlanError
from harness.schedule import Schedule

PLAN_VERSION = 1
NODES_MAX = 99
_OPTION = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run (target, workload, bug), where (cluster, nodes), how hard (concurrency, rate, time) and against which faults.

    ``rate`` is client operations per second over all clients. ``time_limit_s`` is the safety phase with faults; then everything is
    healed, and for ``recovery_s`` clients go on: progress must return within ``progress_s``. Then come the final reads.

    ``checkers`` (name to options) judge besides the workload's own; one that the workload has too gets these options in addition.
    """

    target: str
    workload: str
    cluster: str
    nodes: tuple[str, ...]
    concurrency: int = 10
    rate: float = 100.0
    time_limit_s: float = 60.0
    recovery_s: float = 10.0
    progress_s: float = 5.0
    op_timeout_s: float = 2.0
    seed: int = 0
    bug: str | None = None
    nemesis: tuple[str, ...] = ()
    interval_s: float = 5.0
    options: Mapping[str, Any] = field(default_factory=dict)
    workload_options: Mapping[str, Any] = field(default_factory=dict)
    checkers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schedule: Schedule = field(default_factory=Schedule)
    splitbrain: str = __version__

    def __post_init__(self) -> None:
        problems = [sentence for check, sentence in _RULES if not check(self)]
        if problems:
            raise PlanError("; ".join(problem.format(plan=self) for problem in problems))

    def to_json(self) -> dict[str, Any]:
        """The plan as a JSON document, with its format's version."""
        document = {name: getattr(self, name) for name in self.__slots__ if name != "schedule"}
        document |= {"nodes": list(self.nodes), "nemesis": list(self.nemesis), "schedule": self.schedule.to_json()}
        document |= {"options": dict(self.options), "workload_options": dict(self.workload_options)}
        document |= {"checkers": {name: dict(options) for name, options in self.checkers.items()}}
        return {"version": PLAN_VERSION, **document}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], where: str) -> Plan:
        """The plan that ``to_json`` wrote; ``where`` names the file in messages. Raises PlanError."""
        version = document.get("version")
        if version != PLAN_VERSION:
            raise PlanError(f"{where}: plan of version {version!r}, but this splitbrain reads version {PLAN_VERSION}")
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(document) - known - {"version"})
        if unknown:
            raise PlanError(f"{where}: unknown field {unknown[0]!r} in a plan")
        values = {name: value for name, value in document.items() if name in known}
        try:
            values["schedule"] = Schedule.from_json(values["schedule"], where)
            values["nodes"], values["nemesis"] = tuple(values["nodes"]), tuple(values["nemesis"])
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise PlanError(f"{where}: not a complete plan ({error})") from error

    def dumps(self) -> str:
        # Not sorted: the order of a fault's arguments is that of the history's lines, which must repeat byte for byte.
        return json.dumps(self.to_json(), indent=2) + "\n"


_RULES: tuple[tuple[Callable[[Plan], bool], str], ...] = (
    (lambda p: 1 <= len(p.nodes) <= NODES_MAX, "--nodes must be 1 to 99, not {plan.nodes}"),
    (lambda p: len(set(p.nodes)) == len(p.nodes), "node names must differ: {plan.nodes}"),
    (lambda p: 1 <= p.concurrency <= 10_000, "--concurrency must be 1 to 10000, not {plan.concurrency}"),
    (lambda p: 0 < p.rate <= 1e6, "--rate must be above 0 and at most 1000000 operations per second, not {plan.rate}"),
    (
        lambda p: 0 < p.time_limit_s <= 7 * 86400,
        "--time-limit must be above 0 s and at most a week, not {plan.time_limit_s}",
    ),
    (
        lambda p: 0 < p.op_timeout_s <= 3600,
        "--op-timeout must be above 0 s and at most an hour, not {plan.op_timeout_s}",
    ),
    (lambda p: 0 < p.recovery_s <= 3600, "--recovery must be above 0 s and at most an hour, not {plan.recovery_s}"),
    (
        lambda p: 0 < p.progress_s <= p.recovery_s,
        "--progress ({plan.progress_s} s) must be above 0 and at most --recovery",
    ),
    (lambda p: 0 < p.interval_s <= 86400, "--interval must be above 0 s and at most a day, not {plan.interval_s}"),
    (lambda p: all(_OPTION.match(name) for name in p.options), "option names must be lower-case words: {plan.options}"),
)
