"""The system calls that Python has no names for (before 3.12): namespaces, mounts, the signal at the parent's death. Linux alone."""

from __future__ import annotations

import ctypes
import os
import signal

NEW_MOUNT, NEW_UTS, NEW_IPC, NEW_USER, NEW_PID, NEW_NET = (
    0x20000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
BIND, RECURSIVE, PRIVATE, NO_SUID, NO_DEVICES = 0x1000, 0x4000, 0x40000, 0x2, 0x4
_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_TIMERSLACK = 1, 29


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Move this process into new namespaces; of a new pid namespace the next child is the first process. Raises OSError."""
    _checked(_libc().unshare(flags), "cannot make namespaces")


def join(namespace: int) -> None:
    """Move this process into the namespace of that descriptor, of whatever kind it is. Raises OSError."""
    _checked(_libc().setns(namespace, 0), "cannot enter a namespace")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """See mount(2). Raises OSError."""
    *words, given = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    _checked(_libc().mount(*words, ctypes.c_ulong(flags), given), f"cannot mount {kind or source} on {target}")


def unmount(target: str) -> None:
    """Take the mount away at once, whoever uses it; nothing if there is none."""
    _libc().umount2(os.fsencode(target), _DETACH)


def die_with_parent() -> None:
    """From now on SIGKILL comes when the thread that forked this process ends. A change of user would undo it."""
    _checked(_libc().prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "cannot ask for a signal")


def exact_timers() -> None:
    """Wake up when asked to, not up to 50 microseconds later."""
    _checked(_libc().prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0), "cannot set the timer slack")
