"""The run as compact columns for the page's timeline: numbers and tables of printable texts, nothing that
needs escaping twice.

One row per client operation, in the order of invocation. Times are whole microseconds since the run began.
Tables are bounded: the page of a hundred thousand operations stays a few megabytes, and full values are in
the history file.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.history import NO_KEY, OK, Calls, Codes, Ints
from reports.faults import end_ns, faults, phases
from reports.figures import completion_ns
from reports.report import Report
from reports.roles import LEADING, line_ns, roles
from reports.wording import key_text, printable, sentence, value_text

COLUMNS_VERSION = 1
# The text of all values together; a run whose values are larger shows the beginning of each.
VALUES_CHARS_MAX = 4_000_000
_VALUE_CHARS = (300, 80, 24)
ERRORS_CHARS_MAX = 500_000
_ERROR_CHARS = (300, 60)
LOG_LINES_MAX = 20_000
LOG_LINE_CHARS_MAX = 240
_MICRO_NS = 1_000


def columns(report: Report, anomalies: Sequence[Mapping[str, Any]], focus_ns: int) -> dict[str, Any]:
    """Everything that the timeline needs, as JSON-able data. ``focus_ns`` is where the reader looks first.

    ``anomalies`` are rows {"name", "reason", "ops": calls, "witness": calls}, as the page numbers them.
    """
    return {
        "version": COLUMNS_VERSION,
        "timed": report.timed,
        "end": max(1, -(-end_ns(report) // _MICRO_NS)),
        "ops": _operations(report),
        "faults": _faults(report),
        "phases": [{"name": p.name, "start": _micro(p.start_ns), "end": _micro(p.end_ns)} for p in phases(report)],
        "roles": _roles(report),
        "logs": _logs(report, focus_ns),
        "anomalies": list(anomalies),
    }


def call_rows(report: Report, rows: Iterable[int]) -> list[int]:
    """Which calls (rows of the ops columns) these history rows begin or end; lines of the nemesis are none."""
    wanted = np.fromiter(rows, dtype=np.int64)
    call = report.history.calls().call
    if not len(wanted) or not len(call):
        return []
    other = report.history.pair[wanted]
    first = np.where(other == NO_KEY, wanted, np.minimum(wanted, other))
    at = np.minimum(np.searchsorted(call, first), len(call) - 1)
    return sorted(set(at[call[at] == first].tolist()))


def lanes(process: Ints | Codes, start: Ints, end: Ints, concurrency: int | None) -> Ints:
    """A lane for each call such that no two calls of a lane overlap; a process stays in its lane.

    A client whose operation ended ``info`` goes on as process number + concurrency (Jepsen's rule), so the
    remainder is its lane, if that is free of overlaps. Else a process takes the lowest lane that is free from
    its first call to its last.
    """
    order, first, which = np.unique(process, return_index=True, return_inverse=True)
    if not len(order):
        return np.zeros(0, dtype=np.int64)
    begins, ends = start[first], np.zeros(len(order), dtype=np.int64)
    np.maximum.at(ends, which, end)
    if concurrency:
        by_client = order.astype(np.int64) % concurrency
        at = np.lexsort((ends, begins, by_client))
        same = by_client[at][1:] == by_client[at][:-1]
        if not (same & (ends[at][:-1] > begins[at][1:])).any():
            return by_client[which]
    return _free_lanes(begins, ends)[which]


def _free_lanes(begins: Ints, ends: Ints) -> Ints:
    """The lowest free lane for each interval, in the order of their beginnings: as few lanes as overlaps allow."""
    lane_of = np.zeros(len(begins), dtype=np.int64)
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    used = 0
    for at in np.lexsort((ends, begins)).tolist():
        while busy and busy[0][0] <= begins[at]:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if not free:
            heapq.heappush(free, used)
            used += 1
        lane_of[at] = heapq.heappop(free)
        heapq.heappush(busy, (int(ends[at]), int(lane_of[at])))
    return lane_of


def _operations(report: Report) -> dict[str, Any]:
    history, calls = report.history, report.history.calls()
    argument, result = _shown(calls)
    start, done = report.time_ns[calls.call], completion_ns(report)
    open_ = done < 0
    pair = history.pair[calls.call]
    plan = report.results.get("plan")
    concurrency = plan.get("concurrency") if isinstance(plan, Mapping) else None
    ends = np.where(open_, end_ns(report), done)
    known = concurrency if type(concurrency) is int and 0 < concurrency <= len(calls) else None
    errors = _Table()
    error = [errors.code(history.errors.get(int(row))) if row >= 0 else NO_KEY for row in pair.tolist()]
    return {
        "lane": lanes(calls.process, start, ends, known).tolist(),
        "start": np.diff(start // _MICRO_NS, prepend=0).tolist(),
        "dur": np.where(open_, -1, done // _MICRO_NS - start // _MICRO_NS).tolist(),
        "process": calls.process.tolist(),
        "type": calls.outcome.tolist(),
        "f": calls.f.tolist(),
        "key": calls.key.tolist(),
        "arg": argument.tolist(),
        "res": result.tolist(),
        "node": calls.node.tolist(),
        "error": error,
        "line": np.diff(history.index[calls.call], prepend=0).tolist(),
        "fs": [sentence(f) for f in history.fs],
        "keys": _texts(history.keys, np.unique(calls.key), key_text),
        "values": _texts(history.values, np.union1d(argument, result), value_text),
        "nodes": [sentence(node) for node in history.nodes],
        "errors": errors.texts,
    }


def _shown(calls: Calls) -> tuple[Codes, Codes]:
    """Argument and result of each call where they say something, else NO_KEY; the same rule as in ``reports.witness``."""
    none = next((code for code, value in enumerate(calls.history.values) if value is None), NO_KEY)
    given = calls.argument != none
    echo = given & ((calls.result == calls.argument) | (calls.result == none))
    return (
        np.where(given, calls.argument, NO_KEY).astype(np.int32),
        np.where((calls.outcome != OK) | echo, NO_KEY, calls.result).astype(np.int32),
    )


class _Table:
    """Texts to codes: errors repeat a lot."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._chars = 0

    def code(self, value: Any) -> int:
        if value is None:
            return NO_KEY
        text = sentence(value, _ERROR_CHARS[self._chars > ERRORS_CHARS_MAX])
        code = self._codes.setdefault(text, len(self.texts))
        if code == len(self.texts):
            self.texts.append(text)
            self._chars += _weight(text)
        return code


def _texts(values: Sequence[Any], used: Iterable[Any], write: Callable[[Any, int], str]) -> list[str]:
    """A table of values as texts, bounded together; those that no client's operation shows are left empty."""
    wanted = [int(code) for code in used if code >= 0]
    texts: dict[int, str] = {}
    for chars_max in _VALUE_CHARS:
        texts = {code: write(values[code], chars_max) for code in wanted}
        if sum(map(_weight, texts.values())) <= VALUES_CHARS_MAX:
            break
    return [texts.get(code, "") for code in range(len(values))]


def _weight(text: str) -> int:
    """How long a text is in the page: beyond ASCII every character is an escape of six."""
    return len(text) if text.isascii() else 6 * len(text)


def _faults(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "kind": fault.kind,
            "targets": list(fault.targets),
            "what": fault.what,
            "start": _micro(fault.start_ns),
            "end": None if fault.end_ns is None else _micro(fault.end_ns),
            "bit": fault.bit,
            "healed": fault.healed,
        }
        for fault in faults(report)
    ]


def _roles(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "node": sentence(node),
            "changes": [[_micro(c.start_ns), c.role, c.term or ""] for c in changes],
            "leads": sorted({c.role for c in changes if c.role in LEADING}),
        }
        for node, changes in sorted(roles(report).items())
    ]


def _logs(report: Report, focus_ns: int) -> dict[str, Any]:
    """The nodes' log lines, merged by time. Of too many, those nearest to the focus are kept: that is where one looks."""
    merged: list[tuple[int, int, int, Mapping[str, Any], bool]] = []
    for number, lines in enumerate(report.node_logs.values()):
        last = 0
        for at, line in enumerate(lines):
            time_ns = line_ns(line)
            # A line without a time stays behind the one that it followed in its file.
            last = max(last, time_ns) if time_ns is not None else last
            merged.append((last, number, at, line, time_ns is not None))
    total = len(merged)
    merged.sort(key=lambda row: row[:3])
    if total > LOG_LINES_MAX:
        nearest = sorted(range(total), key=lambda at: abs(merged[at][0] - focus_ns))[:LOG_LINES_MAX]
        merged = [merged[at] for at in sorted(nearest)]
    return {
        "nodes": [sentence(node) for node in report.node_logs],
        "total": total,
        "time": [_micro(time_ns) for time_ns, *_ in merged],
        "node": [number for _, number, *_ in merged],
        "timed": [int(timed) for *_, timed in merged],
        "event": [_event(line) for _, _, _, line, _ in merged],
        "text": [_fields(line) for _, _, _, line, _ in merged],
    }


def _event(line: Mapping[str, Any]) -> str:
    return sentence(line.get("event"), 60)


def _fields(line: Mapping[str, Any]) -> str:
    """The fields of a log line besides time and event, or the line itself if it was not JSON."""
    if "event" not in line:
        return sentence(line.get("line"), LOG_LINE_CHARS_MAX)
    words = (
        f"{name}={value if isinstance(value, str) else value_text(value, LOG_LINE_CHARS_MAX)}"
        for name, value in line.items()
        if name not in ("t", "event")
    )
    return printable(" ".join(words), LOG_LINE_CHARS_MAX)


def _micro(time_ns: int) -> int:
    return time_ns // _MICRO_NS
