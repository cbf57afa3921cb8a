"""Wrong clocks on this machine, whoever left them: each says in the process itself whose doing it is. Found and set right from nothing.

``python -S -m harness.clusters.clocks.marks PID OWNER`` sets one right, if it is still that owner's; status 0, or 1 and a line that says
why not. Standard library alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from harness.clusters.clocks.bell import Bell
from harness.clusters.clocks.follower import Follower
from harness.clusters.clocks.memory import Memory, own_page
from harness.clusters.clocks.vdso import Unfit

PATIENCE_S = 5.0


def found() -> Iterator[tuple[int, str]]:
    """Processes whose wall clock is wrong by our doing, and the mark of the controller that did it. Those that may be looked at."""
    try:
        own_page()
    except Unfit:  # then nobody can have done it here
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            owner = owner_of(int(entry.name))
            if owner is not None:
                yield int(entry.name), owner


def owner_of(pid: int) -> str | None:
    """Whose doing the clock of this process is; None if it is right, or cannot be seen from here."""
    try:
        with Memory(pid) as memory:
            page = own_page()
            return page.owner(memory.read(0, len(page.image.data)))
    except (OSError, Unfit):
        return None


def cure(pid: int, owner: str) -> str | None:
    """Set its clock right if it is that owner's doing; why that did not go, or None. To be called in a process that does nothing else."""
    if owner_of(pid) != owner:
        return None
    bell, follower = Bell(), Follower(owner)
    until_s = time.monotonic() + PATIENCE_S
    try:
        follower.cure(pid)
        while not follower.settled(str(pid)) and time.monotonic() < until_s:
            bell.wait(until_s - time.monotonic())
            follower.attend()
    except (OSError, Unfit) as error:
        return str(getattr(error, "strerror", None) or error)
    why = follower.refused(str(pid))
    if why is None and owner_of(pid) is not None:
        return f"it has not stood still within {PATIENCE_S:g} s"
    return why


if __name__ == "__main__":
    reason = cure(int(sys.argv[1]), sys.argv[2])
    if reason is not None:
        sys.stdout.write(reason + "\n")
    sys.exit(reason is not None)
