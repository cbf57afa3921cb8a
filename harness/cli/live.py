"""The live view of a run: counts what is recorded and keeps a few lines on the terminal up to date."""

from __future__ import annotations

import math
import time
from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from harness.op import Op, OpType
from harness.plan import Plan
from reports.live import Progress, render

REFRESH_S = 0.2
# Rate and latency are those of the last seconds, so that what a fault does is seen at once.
WINDOW_NS = 5_000_000_000
PHASES = {"heal": "recovering", "final": "final reads"}


class LiveView:
    """An observer of a run's ops; a context manager, so that the terminal is left tidy. Shows nothing without a terminal."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._counts = dict.fromkeys((OpType.OK, OpType.FAIL, OpType.INFO), 0)
        self._open: dict[int | str, int] = {}
        self._recent: deque[tuple[int, int]] = deque()
        self._faults: dict[int, str] = {}
        self._phase = "breaking things" if plan.nemesis else "running"
        self._shown_s = 0.0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def observe(self, op: Op) -> None:
        """Take note of one recorded op; redraws the view a few times per second of real time."""
        if self._live is None:
            return
        self._nemesis(op) if op.is_nemesis else self._client(op)
        now_s = time.monotonic()
        if now_s - self._shown_s >= REFRESH_S:
            self._shown_s = now_s
            self._live.update(render(self._progress(op.time_ns)), refresh=True)

    def _client(self, op: Op) -> None:
        if op.type is OpType.INVOKE:
            self._open[op.process] = op.time_ns
            return
        self._counts[op.type] += 1
        self._recent.append((op.time_ns, op.time_ns - self._open.pop(op.process, op.time_ns)))

    def _nemesis(self, op: Op) -> None:
        self._phase = PHASES.get(op.f, self._phase)
        if op.f == "heal":
            self._faults.clear()
        elif isinstance(op.value, dict) and "targets" in op.value:
            self._faults[op.value["id"]] = f"{op.value['kind']}: {op.value.get('evidence', '')}"
        elif op.f.startswith("stop-"):
            self._faults.pop(op.value["id"], None)

    def _progress(self, now_ns: int) -> Progress:
        while self._recent and self._recent[0][0] < now_ns - WINDOW_NS:
            self._recent.popleft()
        latencies = sorted(latency for _, latency in self._recent)
        window_s = min(now_ns, WINDOW_NS) / 1e9
        return Progress(
            elapsed_s=now_ns / 1e9,
            time_limit_s=self._plan.time_limit_s + self._plan.recovery_s,
            phase=self._phase,
            ok=self._counts[OpType.OK],
            fail=self._counts[OpType.FAIL],
            info=self._counts[OpType.INFO],
            in_flight=len(self._open),
            rate=len(latencies) / window_s if window_s else 0.0,
            p50_ns=_quantile(latencies, 0.5),
            p99_ns=_quantile(latencies, 0.99),
            faults=tuple(self._faults.values()),
        )


def _quantile(ordered: list[int], q: float) -> float | None:
    return float(ordered[math.ceil(q * len(ordered)) - 1]) if ordered else None
