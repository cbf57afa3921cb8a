"""How long to wait before a call is repeated. Pure; seconds.

Callers who all wait equally long come back together, and as often as they did: so pauses double with every attempt (exponential back-off,
Metcalfe and Boggs 1976, Ethernet, section 4), and each is drawn anew from nothing to that (full jitter: Brooker 2015, Exponential Backoff
And Jitter, AWS Architecture Blog).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

PAUSE_S, PAUSE_MAX_S = 0.1, 6.4
FIXED, BACK_OFF, JITTER = "fixed", "back-off", "jitter"


def doubled_s(attempt: int) -> float:
    """The pause after so many attempts (from 1 on) that failed, growing up to ``PAUSE_MAX_S``."""
    return min(PAUSE_MAX_S, PAUSE_S * 2.0 ** min(attempt - 1, 30))


PAUSES: Mapping[str, Callable[[int, random.Random], float]] = {
    FIXED: lambda _attempt, _dice: PAUSE_S,
    BACK_OFF: lambda attempt, _dice: doubled_s(attempt),
    JITTER: lambda attempt, dice: dice.uniform(0.0, doubled_s(attempt)),
}
