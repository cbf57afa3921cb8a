"""What every report is given: the results, the history, the node logs and the messages of one run. A report
reads nothing else.

Reports never open files, ask clocks or import the machine room: the same inputs give the same text, today
and next year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.history import History, Ints
from harness.messages import Message
from reports.wording import duration, seconds

LogLine = Mapping[
    str, Any
]  # {"t": seconds since the run began, "event": str, ...}, or {"t": None, "line": str} if it was not JSON

# A history file without times is laid out by its lines, one millisecond each, so that one axis serves both.
LINE_NS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run, as reports see it.

    ``results`` is the document of results.json (see ``reports.results_json``); keys that an older document
    lacks are treated as empty. ``node_logs`` maps a node to the lines of its log in order; ``messages`` are
    those of the packet log, none if there is no such log.
    """

    results: Mapping[str, Any]
    history: History
    node_logs: Mapping[str, Sequence[LogLine]] = field(default_factory=dict)
    messages: Sequence[Message] = ()

    @property
    def anomalies(self) -> list[Mapping[str, Any]]:
        """The anomalies of the results, the easiest to understand first.

        That is the one that the verdict's reason speaks of, then those with a witness, the smallest first.
        """
        found = [anomaly for anomaly in self.results.get("anomalies") or [] if isinstance(anomaly, Mapping)]
        return sorted(found, key=lambda anomaly: (not told_in(self.results, anomaly), *_size(anomaly)))

    @property
    def timed(self) -> bool:
        """Whether the history says when its lines were recorded (files of other tools need not)."""
        return not (self.history.time_ns < 0).any()

    @property
    def time_ns(self) -> Ints:
        """When each line was recorded, in ns since the run began; without times, ``LINE_NS`` per line.

        Never decreasing: the order of the lines is the truth, and a recorder's clock that jumped back is held
        until it catches up.
        """
        if not self.timed:
            return np.arange(len(self.history), dtype=np.int64) * LINE_NS
        return np.maximum.accumulate(self.history.time_ns)

    def moment(self, time_ns: int) -> str:
        """A moment of ``time_ns`` in words: ``12.345 s``, or ``line 12`` of a history without times."""
        return seconds(time_ns) if self.timed else f"line {time_ns // LINE_NS}"

    def since(self, began_ns: int, time_ns: int) -> str:
        """A moment as seen from an earlier one: ``+4.12 ms``; a line stays the line that it is."""
        if not self.timed:
            return self.moment(time_ns)
        return f"+{duration(time_ns - began_ns)}" if time_ns > began_ns else "0"


def told_in(results: Mapping[str, Any], anomaly: Mapping[str, Any]) -> bool:
    """Whether the sentence for the whole run tells of ``anomaly`` already. (The document may be anybody's.)"""
    whole, part = results.get("reason"), anomaly.get("reason")
    return part in whole if isinstance(whole, str) and isinstance(part, str) else part == whole


def _size(anomaly: Mapping[str, Any]) -> tuple[bool, int]:
    return not anomaly.get("witness"), len(anomaly.get("witness") or anomaly.get("ops") or ())
