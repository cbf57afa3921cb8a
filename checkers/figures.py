"""Figures about calls: which were invoked when, how they ended, how long they took. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from harness.history import FAIL, INFO, OK, Calls, History, Ints

SECOND_NS, MILLISECOND_NS = 1_000_000_000, 1_000_000
QUANTILES = (0.5, 0.9, 0.99, 1.0)

Quantiles = Mapping[str, Mapping[str, float]]  # function → {"0.5": milliseconds, ...}


def timed(history: History) -> Calls:
    """The client operations, or none of them if the history has no times."""
    calls = history.calls()
    has_times = len(history) > 0 and int(history.time_ns.min()) >= 0
    return calls if has_times else calls.where(np.zeros(len(calls), dtype=np.bool_))


def begun(calls: Calls, start_ns: int, end_ns: int | None) -> Calls:
    """The operations invoked from ``start_ns`` on and before ``end_ns`` (None: to the end)."""
    times = calls.history.time_ns[calls.call]
    inside = times >= start_ns
    return calls.where(inside if end_ns is None else inside & (times < end_ns))


def in_flight(calls: Calls, start_ns: int, end_ns: int | None) -> Calls:
    """The operations that were open at some moment of the window; one of unknown outcome is open from its
    invocation on.
    """
    history = calls.history
    begins = history.time_ns[calls.call]
    done = (calls.outcome == OK) | (calls.outcome == FAIL)
    ends = np.where(done, history.time_ns[np.where(done, calls.ret, 0)], np.iinfo(np.int64).max)
    over = ends < start_ns
    return calls.where(~over if end_ns is None else ~over & (begins <= end_ns))


def ok_times_ns(calls: Calls) -> Ints:
    """When the operations that succeeded completed, ascending."""
    times: Ints = np.sort(calls.history.time_ns[calls.ret[calls.outcome == OK]])
    return times


def tally(calls: Calls) -> dict[str, int]:
    """How many ended ok, fail and info."""
    return {word: int((calls.outcome == code).sum()) for word, code in (("ok", OK), ("fail", FAIL), ("info", INFO))}


def latency_ms(calls: Calls) -> Quantiles:
    """From invocation to completion, per function.

    Only what succeeded counts: of the rest the time says how patient the client was.
    """
    ok = calls.where(calls.outcome == OK)
    times = calls.history.time_ns
    took_ms = (times[ok.ret] - times[ok.call]) / MILLISECOND_NS
    return {ok.history.fs[code]: _quantiles(took_ms[ok.f == code]) for code in np.unique(ok.f).tolist()}


def _quantiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    found = np.quantile(values, QUANTILES, method="inverted_cdf")
    return {f"{quantile:g}": round(float(value), 6) for quantile, value in zip(QUANTILES, found, strict=True)}
