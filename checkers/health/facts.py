"""What a history tells of instances that are probed: their lives, and who was told what of them. Facts. Pure.

Operations: ``serve`` (key: the service; value: the instance, which begins to answer probes; completed with {"instance", "interval_s",
"timeout_s", "failures", "deregister_s"}), ``answer`` (value: the instance, which still runs, and answers from now on), ``mute`` (value: it
still runs, and is silent from now on), ``withdraw`` (value: it is taken back), ``instances`` (key; completed with [instance, "passing" or
"critical"] of all that are registered), ``healthy`` (key; completed with the instances that pass) and ``watch`` (completed with {"since",
"changes", "upto"}, each change [number, "up", "passing", "critical" or "down", service, instance]). Whoever commands an instance does one
thing after another, and after an outcome that is unknown nothing any more. An instance that has ended never comes back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.registry.facts import Unjudgeable, Watch, watch_of
from checkers.wording import SECOND_NS, text
from harness.history import FAIL, NO_KEY, OK, Calls
from harness.interning import identity

SERVE, ANSWER, MUTE, WITHDRAW = "serve", "answer", "mute", "withdraw"
HEALTHY, INSTANCES, WATCH = "healthy", "instances", "watch"
COMMANDS = frozenset({SERVE, ANSWER, MUTE, WITHDRAW})
FS = COMMANDS | {HEALTHY, INSTANCES, WATCH}
PASSING, CRITICAL = "passing", "critical"
Name = tuple[Any, Any]  # (service, instance), as ``identity`` makes them comparable


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """When a probe's answer counts, in ns and in numbers."""

    interval_ns: int
    timeout_ns: int
    failures: int
    deregister_ns: int


@dataclass(slots=True, kw_only=True)
class Life:
    """One instance: the rows of what it was commanded, its ``serve`` first, none of them at once. ``check`` is None if that was not
    acknowledged.
    """

    service: Any
    instance: Any
    check: Check | None
    commands: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one ``healthy`` or ``instances`` (``whole``) told: instance → status."""

    row: int
    whole: bool
    told: Mapping[Any, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """``readings``: of each service, in the order of history."""

    lives: Mapping[Name, Life]
    readings: Mapping[Any, Sequence[Reading]]
    watches: Sequence[Watch]
    shown: Mapping[Any, Any]  # service or instance, as it stands in the history


def facts_of(calls: Calls) -> Facts:
    """All of it. Raises Unjudgeable."""
    history = calls.history
    lives: dict[Any, Life] = {}
    readings: dict[Any, list[Reading]] = defaultdict(list)
    watches: list[Watch] = []
    shown: dict[Any, Any] = {}
    for row in range(len(calls)):
        f, outcome = history.fs[calls.f[row]], int(calls.outcome[row])
        if f not in FS:
            raise Unjudgeable(f"a registry of instances that are probed has no operation {f!r}")
        service = None if calls.key[row] == NO_KEY else history.keys[calls.key[row]]
        given = history.values[calls.argument[row]]
        result = None if calls.result[row] == NO_KEY else history.values[calls.result[row]]
        for thing in (service, given):
            shown[identity(thing)] = thing
        who = identity(given)
        if f == SERVE:
            if who in lives:
                raise Unjudgeable(f"instance {text(given)} was served twice")
            check = _check(result) if outcome == OK else None
            lives[who] = Life(service=service, instance=given, check=check)
        if f in COMMANDS and who in lives:
            lives[who].commands.append(row)
        elif f in (HEALTHY, INSTANCES) and outcome == OK:
            reading = _reading(calls, row, result, whole=f == INSTANCES)
            readings[identity(service)].append(reading)
            shown.update((identity(one), one) for one in _names(result, reading))
        elif f == WATCH and outcome == OK:
            watches.append(watch_of(calls, row, result))
    for life in lives.values():
        _one_by_one(calls, life)
    named = {(identity(life.service), who): life for who, life in lives.items()}
    return Facts(lives=named, readings=readings, watches=watches, shown=shown)


def _one_by_one(calls: Calls, life: Life) -> None:
    life.commands = [row for row in life.commands if calls.outcome[row] != FAIL or row == life.commands[0]]
    for before, row in zip(life.commands, life.commands[1:], strict=False):
        if int(calls.ret[before]) > int(calls.call[row]):
            raise Unjudgeable(f"instance {text(life.instance)} was commanded two things at once")


def _check(result: Any) -> Check:
    try:
        times = [result[name] for name in ("interval_s", "timeout_s", "deregister_s")]
        failures = result["failures"]
        right = all(type(one) in (int, float) and 0 < one < float("inf") for one in times) and type(failures) is int
    except (TypeError, KeyError):
        right = False
    if not right or failures < 1:
        raise Unjudgeable(f"a serve was answered with {text(result)}, which tells no check")
    interval_ns, timeout_ns, deregister_ns = (round(one * SECOND_NS) for one in times)
    return Check(interval_ns=interval_ns, timeout_ns=timeout_ns, failures=failures, deregister_ns=deregister_ns)


def _reading(calls: Calls, row: int, result: Any, *, whole: bool) -> Reading:
    try:
        told = (
            {identity(one): status for one, status in result}
            if whole
            else dict.fromkeys(map(identity, result), PASSING)
        )
        right = isinstance(result, list | tuple) and set(told.values()) <= {PASSING, CRITICAL}
    except (TypeError, ValueError):
        right = False
    if not right:
        what = "instances with a status" if whole else "instances"
        raise Unjudgeable(
            f"the reading of index {calls.history.index[calls.ret[row]]} told {text(result)}, which is no list of {what}"
        )
    return Reading(row=row, whole=whole, told=told)


def _names(result: Any, reading: Reading) -> list[Any]:
    return [one[0] for one in result] if reading.whole else list(result)
