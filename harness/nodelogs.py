"""What node logs alone can tell of a run: a node that crashed by itself broke its promise, whatever the clients saw. Pure.

Jepsen only reports such crashes; runs that passed over them were mistaken for good ones. A node whose disk refuses may end of that refusal,
as many a system does rather than go on without its disk: it is a crash as by the fault ``kill``, and what clients see of it is judged.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from harness.verdict import Anomaly, Validity, Verdict

NAME = "nodes"
# The fault whose victims' disks refuse, and what Python says of that (EIO, ENOSPC).
REFUSING = "disk"
_REFUSAL = re.compile(rf"OSError: \[Errno ({errno.EIO}|{errno.ENOSPC})\]")
Logs = Mapping[str, Sequence[Mapping[str, Any]]]


def judge_logs(logs: Logs, *, refused: Collection[str] = ()) -> Verdict:
    """Invalid if a node crashed by itself: its runtime wrote so before it died. ``refused``: nodes whose disks refused during the run."""
    crashes, excused = [], []
    for node, line in _crashes(logs):
        what = line.get("error") or str(line.get("traceback", "")).strip().rsplit("\n", 1)[-1]
        if node in refused and _REFUSAL.match(what):
            excused.append(node)
            continue
        when = f" {line['t']:.3f} s into the run" if isinstance(line.get("t"), int | float) else ""
        crashes.append(
            Anomaly(checker=NAME, name="node-crash", ops=(), reason=f"{node} crashed by itself{when}: {what}")
        )
    stats = {"refused": len(excused)}
    if crashes:
        reason = crashes[0].reason
        return Verdict(checker=NAME, validity=Validity.INVALID, reason=reason, anomalies=tuple(crashes), stats=stats)
    but = f", but for {len(excused)} times when its disk refused ({', '.join(sorted(set(excused)))})" if excused else ""
    return Verdict(checker=NAME, validity=Validity.VALID, reason=f"no node crashed by itself{but}", stats=stats)


def count_events(logs: Logs, event: str) -> int:
    """How many lines of all logs tell of ``event``."""
    return sum(line.get("event") == event for lines in logs.values() for line in lines)


def _crashes(logs: Logs) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for node, lines in sorted(logs.items()):
        yield from ((node, line) for line in lines if line.get("event") == "crash")
