"""From a history to verdicts: every checker of the run, each guarded. Pure apart from the checkers that it is given.

A checker that crashes is ``unknown``, never a pass (jepsen.checker/check-safe).
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable

from harness.history import OK, History
from harness.verdict import Budget, Checker, Validity, Verdict


def judge(history: History, checkers: Iterable[Checker], budget: Budget) -> list[Verdict]:
    """One verdict per checker, in order."""
    return [_check_safely(history, checker, budget) for checker in checkers]


def substance(history: History) -> Verdict:
    """Whether a history file says anything at all: one in which nothing succeeded passes every checker, and must not."""
    calls = history.calls()
    ok = int((calls.outcome == OK).sum())
    if ok:
        return Verdict(
            checker="substance", validity=Validity.VALID, reason=f"{ok:,} of {len(calls):,} operations succeeded"
        )
    return Verdict(
        checker="substance",
        validity=Validity.UNKNOWN,
        reason=f"not one of {len(calls):,} client operations succeeded: there is nothing to judge",
    )


def _check_safely(history: History, checker: Checker, budget: Budget) -> Verdict:
    try:
        verdict = checker.check(history, budget)
    except MemoryError:
        return _unknown(checker, "ran out of memory")
    except Exception as error:  # noqa: BLE001 - a checker of anybody may throw anything
        trace = traceback.format_exc()
        return _unknown(checker, f"the checker crashed ({type(error).__name__}: {error})", {"traceback": trace})
    if verdict.validity is Validity.INVALID and not verdict.anomalies:
        return _unknown(checker, f"the checker said invalid but showed no anomaly: {verdict.reason}")
    return verdict


def _unknown(checker: Checker, reason: str, stats: dict[str, str] | None = None) -> Verdict:
    return Verdict(checker=checker.name, validity=Validity.UNKNOWN, reason=reason, stats=stats or {})
