"""The operations that show an anomaly, ready to be drawn and listed, and the order of their events.

Time in a witness is order: what makes a history impossible is which operation ended before which began. So a
drawing spaces the events evenly and says the true times in its table; a fault's edges fall between the events
that surround them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.history import NEMESIS_PROCESS
from harness.op import Op, OpType
from reports.faults import Fault
from reports.report import Report
from reports.wording import call_text, key_text, sentence, value_text

WITNESS_OPS_MAX = 60
LABEL_CHARS_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessOp:
    """One operation of a witness, all texts printable.

    It spans history rows ``first``..``last`` (None if no completion was recorded). ``argument`` and
    ``result`` are None where there is nothing to say. ``shows`` marks the operations that the checker names
    as evidence among a larger witness.
    """

    client: str
    node: str
    f: str
    key: str | None
    argument: str | None
    result: str | None
    outcome: OpType
    error: str
    first: int
    last: int | None
    first_index: int
    start_ns: int
    end_ns: int | None
    shows: bool = False

    @property
    def label(self) -> str:
        parts = (None if part is None else _short(part) for part in (self.key, self.argument, self.result))
        return call_text(_short(self.f), *parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """``ops`` in the order of their invocations; ``left_out`` says how many more the witness has."""

    ops: tuple[WitnessOp, ...]
    left_out: int

    @property
    def events(self) -> list[int]:
        """The history rows at which something of the witness happens, in order."""
        return sorted({row for op in self.ops for row in (op.first, op.last) if row is not None})


def witness(report: Report, anomaly: Mapping[str, Any]) -> Witness:
    """The operations of an anomaly's witness, or, where the checker has none, those that show the anomaly."""
    shown = set(anomaly_rows(report, anomaly.get("ops") or ()))
    rows = anomaly_rows(report, anomaly.get("witness") or ()) or sorted(shown)
    pair = report.history.pair
    firsts = list(dict.fromkeys(min(row, int(pair[row])) if pair[row] >= 0 else row for row in rows))
    firsts.sort()
    marked = {row for row in firsts if row in shown or int(pair[row]) in shown}
    if len(marked) == len(firsts):
        marked = set()  # a mark that everything bears says nothing
    return Witness(
        ops=tuple(_op(report, row, shows=row in marked) for row in firsts[:WITNESS_OPS_MAX]),
        left_out=max(0, len(firsts) - WITNESS_OPS_MAX),
    )


def place(events: Sequence[int], row: int) -> float:
    """Where a history row lies among ``events``: the event's number, or halfway between its neighbours."""
    at = bisect_left(events, row)
    return float(at) if at < len(events) and events[at] == row else at - 0.5


def during(faults: Iterable[Fault], events: Sequence[int]) -> list[Fault]:
    """The faults that hold while something of the witness happens."""
    if not events:
        return []
    return [fault for fault in faults if fault.first < events[-1] and (fault.last is None or fault.last > events[0])]


def anomaly_rows(report: Report, indices: Iterable[Any]) -> list[int]:
    """History rows of recorded indices; what is no index of this history is left out."""
    index = report.history.index
    wanted = [number for number in indices if isinstance(number, int) and not isinstance(number, bool)]
    at = np.searchsorted(index, wanted)
    found = zip(wanted, at.tolist(), strict=True)
    return [row for number, row in found if row < len(index) and int(index[row]) == number]


def _op(report: Report, row: int, *, shows: bool) -> WitnessOp:
    history = report.history
    last = int(history.pair[row]) if history.pair[row] >= 0 else None
    times = report.time_ns
    op, done = history[row], None if last is None else history[last]
    outcome = OpType.INFO if done is None else done.type
    return WitnessOp(
        client="nemesis" if history.process[row] == NEMESIS_PROCESS else f"c{history.process[row]}",
        node=sentence(op.node),
        f=sentence(op.f),
        key=None if op.key is None else key_text(op.key),
        argument=None if op.value is None else value_text(op.value),
        result=None if done is None else _result(op, done),
        outcome=outcome,
        error="" if done is None or done.error is None else sentence(done.error),
        first=row,
        last=last,
        first_index=int(history.index[row]),
        start_ns=int(times[row]),
        end_ns=None if last is None else int(times[last]),
        shows=shows,
    )


def _result(op: Op, done: Op) -> str | None:
    """What an operation returned, if that is news: an ok read of nothing is, a write's echo of its argument is not."""
    if done.type is not OpType.OK or (op.value is not None and done.value == op.value):
        return None
    if done.value is None and op.value is not None:
        return None
    return value_text(done.value)


def _short(text: str) -> str:
    return text if len(text) <= LABEL_CHARS_MAX else text[: LABEL_CHARS_MAX - 1] + "…"
