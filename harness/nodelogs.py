"""What node logs alone can tell of a run: a node that crashed by itself broke its promise, whatever the clients saw. Pure.

Jepsen only reports such crashes; runs that passed over them were mistaken for good ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.verdict import Anomaly, Validity, Verdict

NAME = "nodes"
Logs = Mapping[str, Sequence[Mapping[str, Any]]]


def judge_logs(logs: Logs) -> Verdict:
    """Invalid if a node crashed by itself: its runtime wrote so before it died."""
    crashes = tuple(_crashes(logs))
    if crashes:
        return Verdict(checker=NAME, validity=Validity.INVALID, reason=crashes[0].reason, anomalies=crashes)
    return Verdict(checker=NAME, validity=Validity.VALID, reason="no node crashed by itself")


def count_events(logs: Logs, event: str) -> int:
    """How many lines of all logs tell of ``event``."""
    return sum(line.get("event") == event for lines in logs.values() for line in lines)


def _crashes(logs: Logs) -> Iterator[Anomaly]:
    for node, lines in sorted(logs.items()):
        for line in lines:
            if line.get("event") == "crash":
                when = f" {line['t']:.3f} s into the run" if isinstance(line.get("t"), int | float) else ""
                what = line.get("error") or str(line.get("traceback", "")).strip().rsplit("\n", 1)[-1]
                reason = f"{node} crashed by itself{when}: {what}"
                yield Anomaly(checker=NAME, name="node-crash", ops=(), reason=reason)
