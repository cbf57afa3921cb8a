"""How a life of a node is started, on every cluster of real processes: what its command line is made of, and our own runtime's."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import TargetError
from harness.protocols import Body, ClusterSpec
from targets.node import stdio
from targets.node.wallclock import Skew

# A Python node answers ``init`` after 0.2 s; with a big runtime of another language, or on a machine with dozens of processes per core, a
# hundred times later. One that dies is noticed at once, so that this is only how long one that hangs is borne.
INIT_S = 60.0
# A node that can answer acknowledges a change of its clock within this.
SKEW_S = 1.0
# A node that is asked to end has this long to do so by itself, as under an init system that is in a hurry.
GRACE_S = 5.0
# How much of a line that is no message an error shows.
LINE_SHOWN = 200

# The command line of each life comes as the first line of standard input, so that all can be made ready for it before. Read byte by
# byte: what follows is for the program.
LAUNCH = """\
import json, os, sys
line = b""
while not line.endswith(b"\\n"):
    byte = os.read(0, 1)
    if not byte:
        sys.exit(0)
    line += byte
argv = json.loads(line)
try:
    os.execvp(argv[0], argv)
except OSError as error:
    sys.exit(f"cannot run {argv[0]!r}: {error.strerror}")
"""
HARNESS = stdio.HARNESS  # the harness's own name in messages


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStart:
    """All that a command line for one life of one node can be made of. ``epoch_s``: monotonic time from which its log counts."""

    spec: ClusterSpec
    node: str
    data: Path
    incarnation: int
    epoch_s: float
    skew: Skew | None


def python_node(start: NodeStart) -> list[str]:
    """The command line of our own node runtime."""
    argv = [sys.executable, "-m", "targets.node", start.spec.program]
    argv += ["--data", str(start.data), "--seed", str(start.spec.seed)]
    argv += ["--incarnation", str(start.incarnation), "--epoch", repr(start.epoch_s)]
    argv += ["--through"] if start.spec.disks else []
    for name, value in start.spec.options.items():
        argv += ["--option", f"{name}={json.dumps(value)}"]
    if start.skew is not None:
        argv += ["--skew", json.dumps(start.skew.fields())]
    return argv


async def first_answer(
    ask: Callable[[str, Body, float], Awaitable[Body | None]],
    node: str,
    nodes: Sequence[str],
    secrets: Mapping[str, Any],
    patience_s: float = INIT_S,
) -> str | None:
    """Tell a node that has been started who is who. None: it is up; else what became of it ("it ...")."""
    reply = await ask(node, {"type": "init", "node_id": node, "node_ids": list(nodes), **secrets}, patience_s)
    if reply is not None and reply.get("type") == "init_ok":
        return None
    return f"answered {reply}" if reply else f"did not answer init within {patience_s:g} s"


def not_started(target: str, node: str, why: str, words: str, log: object) -> TargetError:
    """``words`` are the last ones of its log."""
    return TargetError(f"node {node} of {target} did not start: it {why}; {words} (see {log})")
