"""Whether a clock can be set wrong here, found out by doing it to a process of our own: ``python -S -m harness.clusters.clocks.trial``.

Ends with status 0, or with 1 and the reason in one line of output. Standard library alone.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from harness.clusters.clocks.bell import Bell
from harness.clusters.clocks.follower import Follower
from harness.clusters.clocks.page import Setting
from harness.clusters.clocks.vdso import Unfit

OFFSET_S = -3600.0
PATIENCE_S = 5.0


def _child() -> tuple[int, int, int]:
    """A process that tells its wall clock whenever it is asked: its number, where to ask, where to hear."""
    asked, ask = os.pipe()
    hear, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ask)
        while os.read(asked, 1):
            os.write(told, f"{time.time()!r}\n".encode())
        os._exit(0)
    os.close(asked)
    os.close(told)
    return pid, ask, hear


def _offset_s(ask: int, hear: int) -> float:
    os.write(ask, b"?")
    return float(os.read(hear, 100)) - time.time()


def _settle(follower: Follower, bell: Bell) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not follower.settled("trial") and time.monotonic() < until_s:
        bell.wait(until_s - time.monotonic())
        follower.attend()


def attempt() -> str | None:
    """Why it cannot be done; None if it can."""
    bell = Bell()
    pid, ask, hear = _child()
    follower = Follower("trial")
    try:
        follower.skew("trial", pid, Setting(since_s=time.time(), offset_s=OFFSET_S))
        _settle(follower, bell)
        why = follower.refused("trial")
        if why is not None:
            return why
        off_s = _offset_s(ask, hear)
        follower.unskew("trial")
        _settle(follower, bell)
        right_s = _offset_s(ask, hear)
    except (OSError, Unfit) as error:
        return str(getattr(error, "strerror", None) or error)
    finally:
        os.kill(pid, signal.SIGKILL)
    if abs(off_s - OFFSET_S) > PATIENCE_S or abs(right_s) > PATIENCE_S:
        return f"a clock that was to be off by {OFFSET_S:g} s was off by {off_s:.1f} s, and by {right_s:.1f} s after the heal"
    return None


if __name__ == "__main__":
    reason = attempt()
    if reason is not None:
        sys.stdout.write(reason + "\n")
    sys.exit(reason is not None)
