"""The processes of a container, as the kernel of this machine groups them: who they are, whether they may run, how much memory they get.

Control groups of version 1 and 2 (cgroups(7)). ``pid`` is the number, on this machine, of the container's first process.
"""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def processes(pid: int) -> list[int]:
    """All processes of the container; none if it has ended."""
    with suppress(OSError):
        return [int(line) for line in (_directory(pid) / "cgroup.procs").read_text(encoding="ascii").split()]
    return []


def tell(pid: int, number: signal.Signals) -> None:
    """The signal to each of them; from outside, SIGSTOP stops also the first."""
    for one in processes(pid):
        with suppress(ProcessLookupError):
            os.kill(one, number)


def runs(pid: int) -> bool | None:
    """Whether the first process may run: neither stopped nor frozen. None if it has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
        return state not in "Tt" and not _frozen(_directory(pid))
    except (OSError, IndexError):
        return None


def squeeze(pid: int, headroom_bytes: int | None) -> None:
    """Each process gets that much more memory (of its address space: getrlimit(2)), or (None) all that it asks for."""
    for one in processes(pid):
        with suppress(OSError):  # it has just ended
            _, most = resource.prlimit(one, resource.RLIMIT_AS)
            limit = most
            if headroom_bytes is not None:
                pages = int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[0])
                limit = pages * resource.getpagesize() + headroom_bytes
            resource.prlimit(one, resource.RLIMIT_AS, (limit, most))


def _directory(pid: int) -> Path:
    """The directory of the control group that freezes them. Raises OSError."""
    lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    groups = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}
    if "freezer" in groups:
        return ROOT / "freezer" / groups["freezer"].lstrip("/")
    return ROOT / groups.get("", "/").lstrip("/")


def _frozen(directory: Path) -> bool:
    first, second = directory / "freezer.state", directory / "cgroup.events"
    if first.exists():
        return first.read_text(encoding="ascii").strip() != "THAWED"
    return "frozen 1" in second.read_text(encoding="ascii")
