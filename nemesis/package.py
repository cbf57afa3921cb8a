"""From what the user asked for (``--nemesis partition,kill``) to kinds of faults that the cluster can do."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping

from harness.errors import PlanError, suggest
from harness.registry import Registry, load
from nemesis import FAULTS, NAMED_ONLY
from nemesis.fault import Fault

ALL, NONE = "all", "none"
_POWER_WORDS: Mapping[str, str] = {
    "cut": "cut links",
    "shape": "shape packets",
    "kill": "kill nodes",
    "pause": "pause nodes",
    "skew": "skew clocks",
    "terminate": "ask nodes to end",
    "throttle": "throttle nodes",
    "memory": "limit nodes' memory",
    "disk": "break disks",
    "power": "lose what was not synced",
    "intrude": "send impostors",
}


def load_faults(kinds: Iterable[str] | None = None) -> dict[str, Fault]:
    """The kinds of these names (None: every kind, also those of other distributions), in the order of their table.

    Raises PlanError for an unknown name, with a suggestion; PluginError if one cannot be loaded.
    """
    known = _known()
    wanted = list(known) if kinds is None else list(kinds)
    for kind in wanted:
        if kind not in known:
            raise PlanError(f"unknown fault {kind!r}: {suggest(kind, known)}")
    return {kind: load(path) for kind, path in known.items() if kind in wanted}


@functools.cache
def _known() -> Mapping[str, str]:
    """Where each kind lives. Remembered: looking through all installed distributions is slow, and they do not change meanwhile."""
    return Registry("fault", FAULTS).paths()


def parse_kinds(
    text: str,
    powers: Collection[str],
    *,
    nodes: int | None = None,
    clusters: Mapping[str, Collection[str]] | None = None,
    lacks: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """The kinds that ``--nemesis text`` means on a cluster with these ``powers``, each once, in the order of their table.

    "all" is every kind (but ``NAMED_ONLY``) that the cluster, and this number of ``nodes`` if it is given, allows; "none" is none;
    otherwise names with commas. ``clusters`` (name → powers) lets a message name who could do what this cluster cannot;
    ``lacks`` (power → why) are those of its powers that it does not have on this machine.
    Raises PlanError with all problems.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == [NONE]:
        return ()
    faults = load_faults()
    if names == [ALL]:
        wanted = {kind: fault for kind, fault in faults.items() if kind not in NAMED_ONLY}
        return tuple(
            kind
            for kind, fault in wanted.items()
            if not _hindrances(kind, fault, powers, nodes, clusters=clusters, lacks=lacks)
        )
    problems = [] if names else [f'--nemesis is empty: write "{ALL}", "{NONE}" or some of {", ".join(faults)}']
    for name in dict.fromkeys(names):
        if name in (ALL, NONE):
            problems.append(f'--nemesis "{name}" stands alone, not in a list with others')
        elif name not in faults:
            problems.append(f"--nemesis: unknown fault {name!r}: {suggest(name, faults)}")
        else:
            problems += _hindrances(name, faults[name], powers, nodes, clusters=clusters, lacks=lacks)
    if problems:
        raise PlanError("; ".join(problems))
    return tuple(kind for kind in faults if kind in names)


def _hindrances(
    kind: str,
    fault: Fault,
    powers: Collection[str],
    nodes: int | None,
    *,
    clusters: Mapping[str, Collection[str]] | None,
    lacks: Mapping[str, str] | None,
) -> list[str]:
    """Why this cluster cannot do this fault."""
    found = []
    if fault.power not in powers:
        able = [name for name, offered in (clusters or {}).items() if fault.power in offered]
        who = f": {', '.join(able)} can (--cluster {able[0]})" if able else ""
        found.append(f"this cluster cannot {_POWER_WORDS.get(fault.power, fault.power)}, which {kind} faults need{who}")
    elif fault.power in (lacks or {}):
        found.append(f"{kind}: {(lacks or {})[fault.power]}")
    if nodes is not None and nodes < fault.nodes_min:
        found.append(f"{kind} faults need at least {fault.nodes_min} nodes, not {nodes}")
    return found
