"""What the kernel tells of processes and threads in /proc (proc(5)): who started whom, who follows whom, what state they are in."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def tasks(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]
    return []


def tree(root: int) -> Iterator[int]:
    """The process and all below it, the parents first."""
    pids, seen = [root], set()
    while pids:
        pid = pids.pop(0)
        if pid in seen:
            continue
        seen.add(pid)
        yield pid
        for task in tasks(pid):
            with suppress(OSError):
                pids += [int(word) for word in Path(f"/proc/{pid}/task/{task}/children").read_text("ascii").split()]


def _status(number: int, name: str) -> str | None:
    with suppress(OSError):
        for line in Path(f"/proc/{number}/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(f"{name}:"):
                return line.split(":", 1)[1].strip()
    return None


def group(number: int) -> int | None:
    """Of which process it is a thread; None if it is gone."""
    text = _status(number, "Tgid")
    return int(text) if text is not None else None


def state(number: int) -> str:
    return (_status(number, "State") or "X")[0]


def tracer(number: int) -> int:
    return int(_status(number, "TracerPid") or 0)


def why_not_followed(number: int) -> str:
    debugger = tracer(number)
    if debugger:
        return f"process {debugger} debugs it"
    return f"{os.strerror(errno.EPERM)}: it takes the same user, or root (the capability SYS_PTRACE)"
