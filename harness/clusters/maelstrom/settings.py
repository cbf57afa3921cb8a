"""What a user of the host may choose, checked before anything starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.clusters.maelstrom.latency import DISTRIBUTIONS
from harness.clusters.maelstrom.topology import TOPOLOGIES
from harness.errors import PlanError, suggest

LATENCY_MS_MAX = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``bin`` and ``args`` are the command line of every node. ``latency_ms`` is the mean latency between nodes, ``latency_dist`` its
    distribution; ``topology`` is what nodes are told in the workload broadcast; with ``packet_log`` messages are logged.
    """

    bin: str
    args: tuple[str, ...] = ()
    latency_ms: float = 0.0
    latency_dist: str = "constant"
    topology: str = "grid"
    packet_log: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """The settings that these options of a plan make. Raises PlanError with all that is wrong."""
        unknown = [name for name in options if name not in cls.__slots__]
        problems = [f"no option of this target is called {name!r}: {suggest(name, cls.__slots__)}" for name in unknown]
        if not options.get("bin"):
            problems.append(
                "which program the nodes are must be said: --bin PATH, and --bin-arg for each of its arguments"
            )
        problems += [
            words.format(options[name])
            for name, (holds, words) in _RULES.items()
            if name in options and not holds(options[name])
        ]
        if problems:
            raise PlanError("; ".join(problems))
        return cls(**{**options, "bin": _found(str(options["bin"])), "args": tuple(options.get("args", ()))})


def complete(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as a plan keeps them: the binary by its whole path, so that they mean the same wherever they are read again."""
    return {**options, "bin": Settings.of(options).bin}


def _found(program: str) -> str:
    """The whole path of a program: a name is looked for on PATH, a path from here. Raises PlanError."""
    path = Path(program)
    if path.name == program and not path.exists():
        if found := shutil.which(program):
            return str(Path(found).absolute())
        raise PlanError(f"--bin {program}: there is no such file here, and no such program on PATH")
    if not path.is_file():
        raise PlanError(f"--bin {program}: there is no such file")
    if not os.access(path, os.X_OK):
        raise PlanError(f"--bin {program}: the file is not executable: chmod +x {program}")
    return str(path.absolute())


def _is_latency(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LATENCY_MS_MAX


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "args": (
        lambda value: isinstance(value, list | tuple) and all(isinstance(word, str) for word in value),
        "args must be a list of texts, not {!r}",
    ),
    "latency_ms": (_is_latency, f"latency_ms must be 0 to {LATENCY_MS_MAX} milliseconds, not {{!r}}"),
    "latency_dist": (
        lambda value: value in DISTRIBUTIONS,
        f"latency_dist must be one of {', '.join(DISTRIBUTIONS)}, not {{!r}}",
    ),
    "packet_log": (lambda value: isinstance(value, bool), "packet_log must be true or false, not {!r}"),
    "topology": (lambda value: value in TOPOLOGIES, f"topology must be one of {', '.join(TOPOLOGIES)}, not {{!r}}"),
}
