"""How long operations took: quantiles per function, over the run and over time. Reports, and is always valid."""

from __future__ import annotations

from dataclasses import dataclass, field

from checkers.figures import SECOND_NS, begun, latency_ms, timed
from harness.history import History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME = "latency"
# The run is cut into at most so many equal parts, none shorter than a second.
PARTS_MAX = 60


def make() -> Checker:
    """How long did operations take? Reports quantiles per function, over the run and over time."""
    return Latency()


@dataclass(slots=True, kw_only=True)
class Latency:
    """See the module."""

    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = timed(history)
        whole = latency_ms(calls)
        end_ns = int(history.time_ns.max(initial=0))
        step_ns = max(SECOND_NS, -(-(end_ns + 1) // PARTS_MAX))
        parts = [
            {"start_s": start_ns / SECOND_NS, "end_s": (start_ns + step_ns) / SECOND_NS, "latency_ms": latency_ms(part)}
            for start_ns in range(0, end_ns + 1, step_ns)
            if len(part := begun(calls, start_ns, start_ns + step_ns))
        ]
        slowest = max(((took["1"], f) for f, took in whole.items()), default=None)
        reason = (
            "no operation succeeded, or the history has no times"
            if slowest is None
            else f"the slowest operation that succeeded, a {slowest[1]}, took {slowest[0]:,.3f} ms"
        )
        return Verdict(
            checker=NAME, validity=Validity.VALID, reason=reason, stats={"latency_ms": whole, "over_time": parts}
        )
