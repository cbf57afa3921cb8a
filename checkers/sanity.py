"""Judges the run itself: was enough done, did the faults bite and heal? An empty history passes every other
checker.

Its answers are valid and unknown, never invalid: a run that proves nothing is nobody's fault but is no pass
either. Histories of other tools, whose nemesis lines (if any) are not ours, get the checks of the clients
alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from checkers.windows import Fault, Windows, windows_of
from checkers.wording import count
from harness.history import OK, Calls, History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME = "sanity"
# Below this, whatever the other checkers found proves little.
OK_MIN = 10


def make(*, ok_min: int = OK_MIN, faults: int | None = None) -> Checker:
    """Did the run prove anything? Options: ok_min operations that must have succeeded, and how many faults
    were planned (if known).
    """
    return Sanity(ok_min=ok_min, faults=faults)


@dataclass(slots=True, kw_only=True)
class Sanity:
    """See the module."""

    ok_min: int = OK_MIN
    faults: int | None = None
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls, windows = history.calls(), windows_of(history)
        foreign = bool(windows.strange) and not windows.faults and windows.heal is None
        doubts = [*_clients(calls, self.ok_min)]
        if not foreign:
            doubts += [*_faults(windows, self.faults), *_strange(windows), *_final(calls, windows)]
        ok = int((calls.outcome == OK).sum())
        stats = {"operations": len(calls), "ok": ok, "faults": len(windows.faults), "doubts": doubts}
        if doubts:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason="; ".join(doubts), stats=stats)
        return Verdict(
            checker=NAME, validity=Validity.VALID, reason=_fine(len(calls), ok, windows, foreign), stats=stats
        )


def _clients(calls: Calls, ok_min: int) -> Iterator[str]:
    if not len(calls):
        yield "no client operation was invoked"
        return
    ok = calls.outcome == OK
    for code in np.unique(calls.f).tolist():
        mine = calls.f == code
        if not ok[mine].any():
            f = calls.history.fs[code]
            yield f"not one of {count(int(mine.sum()), f'{f} operation')} succeeded"
    if int(ok.sum()) < ok_min:
        yield f"only {count(int(ok.sum()), 'operation')} succeeded, fewer than the {ok_min:,} that prove anything"


def _faults(windows: Windows, planned: int | None) -> Iterator[str]:
    if planned is not None and len(windows.faults) < planned:
        yield f"{count(planned, 'fault')} were planned, but {len(windows.faults):,} began"
    for fault in windows.faults:
        yield from _fault(fault)
    heal = windows.heal
    if heal is None and windows.faults:
        yield "the run ended before its healing phase"
    elif heal is not None and heal.done_ns is None:
        yield "the healing phase never ended"
    elif heal is not None and not heal.healed:
        yield f"healing left something behind{_because(heal.evidence)}"


def _fault(fault: Fault) -> Iterator[str]:
    if not fault.started:
        yield f"{fault.title} was begun, but nothing says that it took place"
    elif not fault.bit:
        yield f"{fault.title} had no effect{_because(fault.evidence)}"
    if fault.end_ns is None:
        yield f"{fault.title} was never ended"
    elif not fault.healed:
        yield f"{fault.title} was not healed{_because(fault.heal_evidence)}"


def _strange(windows: Windows) -> Iterator[str]:
    for op in windows.strange[:1]:
        yield f"the nemesis line {op.f!r} of index {op.index} is not understood"


def _final(calls: Calls, windows: Windows) -> Iterator[str]:
    if windows.final is None:
        return
    final = calls.where(calls.call > windows.final.row)
    if not len(final):
        yield "final reads were announced, but none was invoked"
    elif not (final.outcome == OK).any():
        yield f"not one of {count(len(final), 'final read')} succeeded"


def _because(evidence: str) -> str:
    return f": {evidence}" if evidence else ""


def _fine(operations: int, ok: int, windows: Windows, foreign: bool) -> str:
    clients = f"{ok:,} of {count(operations, 'operation')} succeeded"
    if foreign:
        return f"{clients}; of the faults of another tool nothing is known"
    if not windows.faults:
        return f"{clients}, without faults"
    many = len(windows.faults)
    return f"{clients}; {'the fault' if many == 1 else f'all {many:,} faults'} took effect and {'was' if many == 1 else 'were'} healed"
