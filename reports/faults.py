"""The faults and phases of a run, read from the nemesis's lines of the history and from the results.

The history says when and with what evidence; results that list a fault which the history lacks (it was
planned and never began) add it as one that did not bite. Histories of other tools have nemesis values of any
shape: what cannot be read is left empty.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.history import Ints
from harness.op import Op
from reports.report import Report
from reports.wording import SECOND_NS, sentence, value_text

_START, _STOP = "start", "stop"
# What a packet may have met that tells of a fault: see harness.protocols.CanCount.
_MET = ("cut", "lost", "dropped", "delayed", "duplicated", "reordered", "corrupted")
_UNNAMED = "nemesis"  # the kind of a fault that is only called "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, all texts printable.

    It holds from history row ``first`` to ``last`` (None: the run ended first); times in ns since the run
    began. ``bit`` and ``healed`` are None where nobody said so.
    """

    id: str | None
    kind: str
    targets: tuple[str, ...]
    first: int
    last: int | None
    start_ns: int
    end_ns: int | None
    what: str = ""
    bit: bool | None = None
    evidence: str = ""
    healed: bool | None = None
    heal_evidence: str = ""
    met: str = ""  # what the packets of its links have met


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of the run: "faults" (safety is at stake), "healed" (everything is repaired: progress is due),
    "final" (last reads).
    """

    name: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where the nemesis's lines stand: in a part of a longer history, index and row differ."""

    rows: Mapping[int, int]
    times: Ints

    @classmethod
    def of(cls, report: Report) -> _Lines:
        nemesis = np.flatnonzero(~report.history.clients)
        return cls({int(report.history.index[row]): int(row) for row in nemesis}, report.time_ns)

    def row(self, op: Op) -> int:
        return self.rows[op.index]

    def time_ns(self, op: Op) -> int:
        return int(self.times[self.rows[op.index]])


def end_ns(report: Report) -> int:
    """When the last line of the history, or the last fault of the results, was recorded."""
    last = int(report.time_ns.max()) if len(report.history) else 0
    return max([last, *(_ns(row.get("end_s")) or 0 for row in _rows(report))])


def faults(report: Report) -> list[Fault]:
    """All faults of the run in the order in which they began."""
    recorded = _recorded(report)
    told = _told(report)
    seen: Counter[str] = Counter()
    merged = []
    for fault in recorded:
        row = told.get((fault.kind, seen[fault.kind]))
        seen[fault.kind] += 1
        merged.append(fault if row is None else _fill(fault, row))
    missing = [row for (kind, number), row in told.items() if number >= seen[kind]]
    return sorted([*merged, *(_of_row(report, row) for row in missing)], key=lambda fault: fault.start_ns)


def phases(report: Report) -> list[Phase]:
    """The phases of the run, one after the other without a gap; without marks it is all "faults"."""
    marks = [("faults", 0)]
    lines = _Lines.of(report)
    for op, _ in report.history.nemesis():
        name = {"heal": "healed", "final": "final"}.get(op.f)
        if name is not None and all(name != known for known, _ in marks):
            marks.append((name, lines.time_ns(op)))
    ends = [start for _, start in marks[1:]] + [end_ns(report)]
    return [Phase(name=name, start_ns=start, end_ns=end) for (name, start), end in zip(marks, ends, strict=True)]


def _recorded(report: Report) -> list[Fault]:
    lines = _Lines.of(report)
    found: list[Fault] = []
    for op, done in report.history.nemesis():
        if op.f == "heal":
            found = [fault if fault.last is not None else _ended(fault, done or op, lines) for fault in found]
        word, _, kind = op.f.partition("-")
        if word == _START:
            found.append(_begun(op, done, lines, kind))
        elif word == _STOP:
            open_at = _open(found, _id(op), kind)
            if open_at is not None:
                found[open_at] = _ended(found[open_at], done or op, lines)
    return found


def _begun(op: Op, done: Op | None, lines: _Lines, kind: str) -> Fault:
    said = _map(op) | (_map(done) if done is not None else {})
    targets = said.get("targets")
    return Fault(
        id=_id(op),
        kind=sentence(said.get("kind") or kind or _UNNAMED),
        targets=tuple(sentence(node) for node in targets) if isinstance(targets, list | tuple) else (),
        first=lines.row(op),
        last=None,
        start_ns=lines.time_ns(op),
        end_ns=None,
        what=_what(said) if said else ("" if op.value is None else value_text(op.value)),
        bit=_flag(said.get("bit")),
        evidence=sentence(said.get("evidence")),
    )


def _ended(fault: Fault, op: Op, lines: _Lines) -> Fault:
    said = _map(op)
    # Some effects show only with time (a drifting clock): the stop may know of a bite that the start could
    # not see.
    bit = _flag(said.get("bit"))
    return replace(
        fault,
        last=lines.row(op),
        end_ns=lines.time_ns(op),
        bit=fault.bit if bit is None else bit,
        evidence=sentence(said.get("bit_evidence")) or fault.evidence,
        healed=_flag(said.get("healed")),
        heal_evidence=sentence(said.get("evidence")),
        met=_met(said.get("packets")),
    )


def _open(found: list[Fault], id_: str | None, kind: str) -> int | None:
    """The fault that a stop ends: the one with its id, else the last open one of its kind."""
    for at in range(len(found) - 1, -1, -1):
        fault = found[at]
        if fault.last is None and (fault.id == id_ if id_ is not None else fault.kind == (kind or _UNNAMED)):
            return at
    return None


def _what(said: Mapping[str, Any]) -> str:
    """What was done, from the planned arguments: ``shape halves, sides n1 n2 | n3 n4 n5``."""
    args = said.get("args")
    if not isinstance(args, Mapping):
        return ""
    return ", ".join(_said(sentence(str(name)), value) for name, value in args.items())


def _said(name: str, value: Any) -> str:
    """An argument by its name; ``down_s`` are seconds."""
    if name.endswith("_s") and isinstance(value, int | float):
        return f"{name.removesuffix('_s')} {value} s"
    return f"{name} {_argument(value)}"


def _argument(value: Any) -> str:
    """An argument as people write it: names in a row, sides with a bar between them, who does not hear whom."""
    match value:
        case str():
            return sentence(value)
        case list() if value and all(isinstance(name, str) for name in value):
            return sentence(" ".join(value))
        case list() if value and all(isinstance(side, list) for side in value):
            return sentence(" | ".join(" ".join(map(str, side)) for side in value))
        case dict() if value and all(isinstance(whom, list) for whom in value.values()):
            return sentence("; ".join(f"{who} deaf to {' '.join(map(str, whom))}" for who, whom in value.items()))
    return value_text(value, 80)


def _met(rows: Any) -> str:
    """What the packets of the fault's links have met, all links together: ``1,204 cut, 30 lost on 12 links``."""
    rows = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    sums = {what: sum(row[what] for row in rows if isinstance(row.get(what), int)) for what in _MET}
    said = ", ".join(f"{number:,} {what}" for what, number in sums.items() if number)
    return f"{said} on {len(rows)} link{'s' if len(rows) > 1 else ''}" if said else ""


def _rows(report: Report) -> list[Mapping[str, Any]]:
    return [row for row in report.results.get("faults") or [] if isinstance(row, Mapping)]


def _told(report: Report) -> dict[tuple[str, int], Mapping[str, Any]]:
    """(kind, how many of this kind came before) → row of the results: both lists are in the order of time."""
    seen: Counter[str] = Counter()
    told = {}
    for row in _rows(report):
        kind = sentence(row.get("kind") or _UNNAMED)
        told[kind, seen[kind]] = row
        seen[kind] += 1
    return told


def _fill(fault: Fault, row: Mapping[str, Any]) -> Fault:
    """The results know what the judge made of the fault: they fill what the history left open."""
    return replace(
        fault,
        bit=_flag(row.get("bit")) if fault.bit is None else fault.bit,
        healed=_flag(row.get("healed")) if fault.healed is None else fault.healed,
        targets=fault.targets or _names(row.get("targets")),
    )


def _of_row(report: Report, row: Mapping[str, Any]) -> Fault:
    start, end = _ns(row.get("start_s")), _ns(row.get("end_s"))
    time_ns = report.time_ns
    return Fault(
        id=None,
        kind=sentence(row.get("kind") or _UNNAMED),
        targets=_names(row.get("targets")),
        first=int(np.searchsorted(time_ns, start or 0)),
        last=None if end is None else int(np.searchsorted(time_ns, end)),
        start_ns=start or 0,
        end_ns=end,
        bit=_flag(row.get("bit")),
        evidence=sentence(row.get("evidence")),
        healed=_flag(row.get("healed")),
        heal_evidence=sentence(row.get("healed_evidence")),
    )


def _ns(time_s: Any) -> int | None:
    return int(time_s * SECOND_NS) if isinstance(time_s, int | float) and math.isfinite(time_s) else None


def _names(targets: Any) -> tuple[str, ...]:
    return (
        tuple(sentence(node) for node in targets)
        if isinstance(targets, Iterable) and not isinstance(targets, str)
        else ()
    )


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _map(op: Op) -> dict[str, Any]:
    return dict(op.value) if isinstance(op.value, Mapping) else {}


def _id(op: Op) -> str | None:
    said = _map(op)
    return value_text(said["id"]) if said.get("id") is not None else None
