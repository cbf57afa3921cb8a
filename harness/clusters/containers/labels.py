"""Our mark on what the engine keeps: labels of containers, networks and images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import mark

OURS = "splitbrain"  # on everything, with the role as its value
RUN_ID, DIRECTORY, CONTROLLER, NODE = (f"{OURS}.{name}" for name in ("id", "run", "controller", "node"))
SANDBOX, PROGRAM, IMAGE, HELPER, NETWORK = "sandbox", "node", "image", "helper", "network"  # roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A run of this process. ``id`` is its own among all runs of all controllers."""

    id: str
    directory: Path

    def labels(self, role: str, node: str) -> dict[str, str]:
        """For something that the run makes."""
        return {
            OURS: role,
            RUN_ID: self.id,
            DIRECTORY: str(self.directory.absolute()),
            CONTROLLER: str(mark.mine()),
            NODE: node,
        }


def of_run(run_id: str) -> dict[str, list[str]]:
    """A filter for the engine: what this run has made."""
    return {"label": [f"{RUN_ID}={run_id}"]}


def controller(labels: Mapping[str, str]) -> mark.Mark | None:
    """Who made the thing with these labels; None if it is not ours."""
    return mark.parse(labels.get(CONTROLLER, "")) if OURS in labels else None
