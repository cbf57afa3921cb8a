"""What no node's log may hold, whatever clients saw: panics, failed assertions, no memory left, tracebacks, crashes, data races. Pure.

Jepsen has this as a checker that a test may ask for (log-file-pattern); here every run is judged by it. A node of which memory or disk was
taken may say so, and die of it: lines of such nodes are counted, and are no finding. What else a target's logs may hold, it says itself
(``Target.expected_logs``). A crash that the node runtime reports by itself is ``nodelogs``' business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from harness.verdict import Anomaly, Validity, Verdict

NAME = "log-patterns"
# Of each name so many lines are told, each cut to so many characters.
TOLD_MAX, CHARS_MAX = 5, 200
# Faults by which a node is denied what it needs: what it then says of that is no surprise.
DENYING = frozenset({"memory", "disk", "corrupt"})
PATTERNS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in (
        (
            "data-race",
            r"WARNING: (?:DATA RACE|ThreadSanitizer)|ERROR: (?:Address|Memory|Leak)Sanitizer|runtime error: .*\.(?:c|cc|cpp|h):\d",
        ),
        (
            "out-of-memory",
            r"(?i)\bout of memory\b|OutOfMemory|\boom[-_ ]?kill|Cannot allocate memory|\bMemoryError\b|\bstd::bad_alloc\b",
        ),
        ("assertion", r"\bAssertionError\b|(?i:\bassert(?:ion)?\b.{0,200}\bfailed\b)|\bassertion failed\b"),
        (
            "panic",
            r"(?i:\bpanic: |\bpanicked at\b|\"level\":\s*\"(?:panic|fatal)\"|\bkernel panic\b)|^fatal error: |^goroutine \d+ \[running\]",
        ),
        ("segfault", r"(?i:segmentation fault|\bcore dumped\b)|\bSIG(?:SEGV|ABRT|BUS|ILL)\b|\*\*\* stack smashing"),
        ("traceback", r"^Traceback \(most recent call last\)|^Exception in thread |\bUnhandled exception\b"),
    )
}
Logs = Mapping[str, Sequence[Mapping[str, Any]]]


def judge_patterns(logs: Logs, *, expected: Sequence[str] = (), denied: Collection[str] = ()) -> Verdict:
    """Invalid if a line of a log tells of what may not be. ``expected``: regular expressions of lines that may; ``denied``: nodes of which
    memory or disk was taken during the run.
    """
    allowed = [re.compile(pattern) for pattern in expected]
    counts, excused = Counter[str](), 0
    anomalies = []
    for node, name, text in _finds(logs):
        if node in denied or any(pattern.search(text) for pattern in allowed):
            excused += 1
            continue
        counts[name] += 1
        if counts[name] <= TOLD_MAX:
            shown = text if len(text) <= CHARS_MAX else f"{text[:CHARS_MAX]}…"
            anomalies.append(
                Anomaly(checker=NAME, name=name, ops=(), reason=f"the log of {node} holds a line of {name}: {shown}")
            )
    stats = {"lines": sum(map(len, logs.values())), "found": dict(counts), "excused": excused}
    if anomalies:
        more = f" ({'; '.join(f'{name}: {number:,}' for name, number in counts.items())})" if counts.total() > 1 else ""
        reason = anomalies[0].reason + more
        return Verdict(checker=NAME, validity=Validity.INVALID, reason=reason, anomalies=tuple(anomalies), stats=stats)
    lines = f"{stats['lines']:,} line{'' if stats['lines'] == 1 else 's'} of node logs"
    fine = f"{lines} tell of no panic, failed assertion, lack of memory, traceback, crash or data race"
    return Verdict(
        checker=NAME,
        validity=Validity.VALID,
        reason=fine + (f", but for {excused:,} that may be" if excused else ""),
        stats=stats,
    )


def _finds(logs: Logs) -> Iterator[tuple[str, str, str]]:
    """(node, name, text), the first name that fits each line."""
    for node, lines in sorted(logs.items()):
        for line in lines:
            if line.get("event") == "crash":
                continue
            for text in (value for value in line.values() if isinstance(value, str)):
                name = next((name for name, pattern in PATTERNS.items() if pattern.search(text)), None)
                if name is not None:
                    yield node, name, text.strip()
                    break
