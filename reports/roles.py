"""Which role each node played when, read from the nodes' own logs.

A line tells a role if its ``event`` is one of ``ROLES`` (alone or after "became"), or if it has a ``role``. A
node that starts anew has no role until it says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.report import LogLine, Report
from reports.wording import SECOND_NS, sentence, value_text

# Words of Raft, of primary-backup replication, and of atomic commit.
ROLES = frozenset(
    {
        "leader",
        "follower",
        "candidate",
        "pre-candidate",
        "learner",
        "primary",
        "backup",
        "secondary",
        "standby",
        "coordinator",
    }
)
LEADING = frozenset({"leader", "primary", "coordinator"})
_WITHOUT_ROLE = frozenset({"start", "started", "init", "restart", "restarted", "boot", "crash"})
_WORD = re.compile(r"(?:became?|becomes?|is|now|turned)[-_ ]+(?:an?[-_ ]+|the[-_ ]+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """From ``start_ns`` on ``node`` plays ``role`` ("" if unknown) in ``term`` (None if it did not say)."""

    node: str
    start_ns: int
    role: str
    term: str | None


def line_ns(line: LogLine) -> int | None:
    """When a log line was written, in ns since the run began; None if it does not say."""
    time_s = line.get("t")
    if isinstance(time_s, bool) or not isinstance(time_s, int | float) or not math.isfinite(time_s):
        return None
    return int(time_s * SECOND_NS)


def roles(report: Report) -> dict[str, list[Role]]:
    """Each node's changes of role in the order of its log; nodes that never told one are left out."""
    told = {node: _changes(node, lines) for node, lines in report.node_logs.items()}
    return {node: changes for node, changes in told.items() if any(change.role for change in changes)}


def elections(report: Report) -> int | None:
    """How often some node came to lead; None if no log speaks of roles."""
    told = roles(report)
    if not told:
        return None
    return len({(c.node, c.start_ns, c.term) for changes in told.values() for c in changes if c.role in LEADING})


def _changes(node: str, lines: Sequence[LogLine]) -> list[Role]:
    changes: list[Role] = []
    for line in lines:
        role, start_ns = _role(line), line_ns(line)
        if role is None or start_ns is None:
            continue
        term = line.get("term")
        change = Role(
            node=sentence(node),
            start_ns=start_ns,
            role=role,
            term=None if term is None else value_text(term, 20),
        )
        if not changes or (changes[-1].role, changes[-1].term) != (change.role, change.term):
            changes.append(change)
    return changes


def _role(line: Mapping[str, Any]) -> str | None:
    """The role that a line tells, "" for a node that started or crashed, None for other lines."""
    event = line.get("event")
    if isinstance(event, str):
        word = _WORD.sub("", event.strip().lower(), count=1).replace("_", "-")
        if word in ROLES:
            return word
        if word in _WITHOUT_ROLE:
            return ""
    role = line.get("role")
    return role.lower() if isinstance(role, str) and role.lower() in ROLES else None
