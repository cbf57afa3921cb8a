"""A wall clock that can be wrong: the arithmetic of skew, shared by every world in which nodes run.

Pure: the true time is handed in. The monotonic clock is no business of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """How wrong a clock is from ``since_s`` (true seconds since the epoch) on.

    It shows true + ``offset_s`` + (true - ``since_s``) * ``drift``. With ``strobe_period_s`` above 0 it shows that for one period, the
    truth for the next, and so on.
    """

    since_s: float
    offset_s: float = 0.0
    drift: float = 0.0
    strobe_period_s: float = 0.0

    @classmethod
    def parse(cls, body: Mapping[str, Any], now_s: float) -> Skew:
        """From the fields of an ``sb_skew`` message; without ``since_s`` the skew starts now. Raises ValueError or TypeError."""
        return cls(
            since_s=float(body.get("since_s", now_s)),
            offset_s=float(body.get("offset_s", 0.0)),
            drift=float(body.get("drift", 0.0)),
            strobe_period_s=float(body.get("strobe_period_s", 0.0)),
        )

    def fields(self) -> dict[str, float]:
        return asdict(self)

    def shown(self, true_s: float) -> float:
        """What the clock shows when it is really ``true_s``."""
        elapsed_s = true_s - self.since_s
        if self.strobe_period_s > 0 and elapsed_s // self.strobe_period_s % 2 == 1:
            return true_s
        return true_s + self.offset_s + elapsed_s * self.drift


class WallClock:
    """One node's wall clock over the true one."""

    __slots__ = ("_true_s", "skew")

    def __init__(self, true_s: Callable[[], float], skew: Skew | None = None) -> None:
        self._true_s, self.skew = true_s, skew

    def true_s(self) -> float:
        return self._true_s()

    def now_s(self) -> float:
        true_s = self._true_s()
        return true_s if self.skew is None else self.skew.shown(true_s)
