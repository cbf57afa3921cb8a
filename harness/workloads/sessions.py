"""``sessions``: the registers of ``register``, for a store whose reads may be stale but whose clients never go back in time.

What is judged: the four session guarantees, per client, with writes that took effect in the order of real time (a store that replicates
them by consensus); that all nodes agree in the end, and nothing acknowledged is lost; and, as a figure, how stale reads are.
"""

from __future__ import annotations

from dataclasses import replace

from harness.workloads.register import QUIET_S, REGISTER
from harness.workloads.workload import Workload

SESSIONS: Workload = replace(
    REGISTER,
    name="sessions",
    summary=f"{REGISTER.summary}; no client may go back in time, and all nodes must agree in the end",
    checkers=(
        ("sessions", {"order": "real-time"}),
        ("convergence", {}),
        ("staleness", {}),
        *REGISTER.checkers[1:],
    ),
    quiet_s=QUIET_S,
)
