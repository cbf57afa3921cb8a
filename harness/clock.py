"""The one place where the harness reads the machine's wall clock. Durations come from the running event loop, which may be virtual."""

from __future__ import annotations

import time


def wall_s() -> float:
    """Seconds since the epoch by this machine's clock, which no fault of ours ever moves."""
    return time.time()
