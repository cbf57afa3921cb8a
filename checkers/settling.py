"""From when on an eventual promise must be kept: once every fault is healed, and some time for replicas to tell each other."""

from __future__ import annotations

import numpy as np

from checkers.windows import Windows
from harness.history import NO_KEY, History

SECOND_NS = 1_000_000_000


def unhealed(windows: Windows) -> str:
    """Why the promise does not hold yet; empty if it does."""
    heal = windows.heal
    if heal is None:
        return "the run had faults but no healing phase" if windows.faults else ""
    if heal.done_ns is None or not heal.healed or not all(fault.healed for fault in windows.faults):
        return "not everything was healed, so nothing can be said about what nodes agree on in the end"
    return ""


def untimed(history: History, settle_s: float) -> str:
    """Why nobody can tell what had time to settle; empty if one can."""
    missing = settle_s > 0 and len(history) > 0 and int(history.time_ns.min()) < 0
    return "the history has no times, so nobody knows what had settled" if missing else ""


def first_settled(history: History, windows: Windows, settle_ns: int) -> int:
    """The first row of ``history`` that is ``settle_ns`` after the heal; 0 if nothing was healed, one past the last if it is not there."""
    heal = windows.heal
    done = NO_KEY if heal is None else int(history.pair[heal.row])
    if done == NO_KEY:
        return 0
    late = np.flatnonzero(history.time_ns[done + 1 :] >= history.time_ns[done] + settle_ns)
    return done + 1 + int(late[0]) if len(late) else len(history)
