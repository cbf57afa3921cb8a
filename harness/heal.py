"""What dead runs have left, found and removed: by another process, from a run's directory or from nothing at all.

Everything that a run makes outside its own process carries its controller's mark (``harness.mark``). A finder looks for marked things of
one kind and says how each is removed. What belongs to a controller that lives is never touched; nor, unless asked to, what belongs to
one that cannot be seen from here (another machine, another boot, another pid namespace).

A run's directory is made whole, too: operations that were open become "unknown whether it happened", faults that were applied become
healed once nothing of the run is left.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import mark, store
from harness.errors import PlanError, SplitbrainError
from harness.journal import Appender, recover_history
from harness.mark import Life, Mark

HEALED_BY = "nothing of the run is left: splitbrain heal"
OPEN_STATES = ("intent", "applied", "verified", "not-healed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One thing that a run made. ``remove`` raises SplitbrainError or OSError; it does nothing where the thing has gone meanwhile."""

    kind: str  # "container", "network", "process", "mount", "namespace", "table", "clock"
    name: str
    owner: Mark
    remove: Callable[[], None] = field(compare=False)
    run: str = ""  # the run's directory, where the thing tells it

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "run": self.run, "controller": str(self.owner)}


Finder = Callable[[], Iterable[Leftover]]


@dataclass(slots=True)
class Healing:
    """What was done. ``kept`` says why, ``failed`` what went wrong; ``runs`` are directories that were made whole."""

    removed: list[Leftover] = field(default_factory=list)
    kept: list[tuple[Leftover, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The document of ``splitbrain heal --json``."""
        return {
            "version": 1,
            "removed": [thing.to_json() for thing in self.removed],
            "kept": [{**thing.to_json(), "why": why} for thing, why in self.kept],
            "failed": [{"what": what, "why": why} for what, why in self.failed],
            "runs": self.runs,
        }


WHY_KEPT: Mapping[Life, str] = {
    Life.LIVES: "its controller lives",
    Life.UNSEEN: "its controller cannot be seen from here: --all removes it",
}


def sweep(
    finders: Mapping[str, Finder],
    *,
    unseen: bool = False,
    run: Path | None = None,
    progress: Callable[[str], None] = lambda _sentence: None,
) -> Healing:
    """Remove what dead controllers have left, or only what the run in this directory did.

    ``unseen``: also what belongs to controllers that nobody here can see. One thing that cannot be removed does not keep others from it.
    """
    healing = Healing()
    for kind, finder in finders.items():
        try:
            found = list(finder())
        except (SplitbrainError, OSError) as error:
            healing.failed.append((f"looking for {kind}", str(error)))
            continue
        for thing in found:
            if run is not None and not _of(thing, run):
                continue
            life = thing.owner.life()
            if life is Life.LIVES or (life is Life.UNSEEN and not unseen):
                healing.kept.append((thing, WHY_KEPT[life]))
                continue
            try:
                thing.remove()
            except (SplitbrainError, OSError) as error:
                healing.failed.append((f"{thing.kind} {thing.name}", str(error)))
            else:
                healing.removed.append(thing)
                progress(f"removed {thing.kind} {thing.name}")
    return healing


def _of(thing: Leftover, run: Path) -> bool:
    """Whether the run in this directory made the thing: it says so, or its controller is the run's."""
    if thing.run:
        return Path(thing.run).resolve() == run.resolve()
    return thing.owner == store.Run(run).controller()


def make_whole(run: store.Run, *, unseen: bool = False) -> dict[str, Any] | None:
    """Close the records of a run whose controller has died; None if there was nothing to close.

    Call it when nothing of the run is left. Raises PlanError for a run that still goes on, HistoryError, ClusterError.
    """
    owner = run.controller()
    life = owner.life() if owner is not None else Life.UNSEEN
    if life is Life.LIVES and owner != mark.mine():
        assert owner is not None
        raise PlanError(
            f"{run.path} still goes on: its controller is process {owner.pid} (kill -TERM {owner.pid} ends and heals it)"
        )
    if life is Life.UNSEEN and not unseen:
        return None
    opened = recover_history(run.history) if run.history.exists() and not run.results.exists() else 0
    closed = close_journal(run.faults) if run.faults.exists() else []
    if not opened and not closed:
        return None
    return {"run": str(run.path), "operations": opened, "faults": closed}


def close_journal(path: Path) -> list[int]:
    """Note in a fault journal that the faults which it left open are healed; returns their ids. A torn last line is cut off. Idempotent."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("rb+") as file:
            file.truncate(whole)
    lines = [json.loads(line) for line in data[:whole].splitlines()]
    states = {line["id"]: line for line in lines if "id" in line}
    left = sorted(fault for fault, line in states.items() if line["state"] in OPEN_STATES)
    if not left:
        return []
    last_ns = max(line["time"] for line in states.values())
    appender = Appender(path)
    try:
        for fault in left:
            line = {"time": last_ns, "state": "healed", "id": fault, "evidence": HEALED_BY}
            appender.write(json.dumps(line).encode() + b"\n")
        appender.sync()
    finally:
        appender.close()
    return left


def runs_to_make_whole(directories: Sequence[store.Run]) -> list[store.Run]:
    """Those whose controller is known, and does not live."""
    chosen = []
    for run in directories:
        owner = run.controller()
        if owner is not None and owner.life() is not Life.LIVES:
            chosen.append(run)
    return chosen
