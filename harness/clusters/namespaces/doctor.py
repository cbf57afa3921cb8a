"""Whether the local cluster can run on this machine, found out by trying; and if not, what is missing and how to get it."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from harness.clusters.namespaces import layout
from harness.clusters.namespaces.launch import Namespaces
from harness.clusters.namespaces.place import Plan
from harness.errors import ClusterError

# Switches by which a system forbids user namespaces to ordinary users: the file, the value that forbids, and the way out.
SWITCHES: tuple[tuple[str, str, str], ...] = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "run sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 as root, or run as root",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "run sysctl -w kernel.unprivileged_userns_clone=1 as root, or run as root",
    ),
    ("/proc/sys/user/max_user_namespaces", "0", "run sysctl -w user.max_user_namespaces=10000 as root, or run as root"),
)
# How a kernel refuses namespaces: it forbids them, or there are as many as there may be (ENOSPC: see user_namespaces(7)).
REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSPC)
IN_A_CONTAINER = "in a container it needs the capabilities SYS_ADMIN and NET_ADMIN (docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN)"


def unavailable() -> str | None:
    """One sentence, or None if all works. Makes a run's namespaces with one place, and ends them."""
    if sys.platform != "linux":
        return "the local cluster needs Linux namespaces; on other systems use docker, process or sim"
    refused: list[str | None] = []
    # A thread of its own, so that this can be asked from inside an event loop, too.
    thread = threading.Thread(target=lambda: refused.append(_tried()))
    thread.start()
    thread.join()
    return refused[0]


def _tried() -> str | None:
    return asyncio.run(_try())


async def _try() -> str | None:
    namespaces = Namespaces()
    try:
        await namespaces.start([Plan(name=layout.CLIENTS, address=None, directory=None, hosts="")], seed=0)
        refused = namespaces.shaper_refused
    except ClusterError as error:
        return explained(error, os.geteuid(), _read)
    finally:
        await namespaces.stop()
    if refused is not None:
        return f"the local cluster needs packet queues in the kernel (NETFILTER_NETLINK_QUEUE): {refused}"
    return None


def explained(error: BaseException, user: int, read: Callable[[str], str | None]) -> str:
    """Pure: the kernel's refusal with what would lift it."""
    sentence = f"the local cluster cannot run here: {error}"
    cause = error.__cause__
    if not isinstance(cause, OSError) or cause.errno not in REFUSALS:
        return sentence
    for path, forbids, way_out in SWITCHES:
        if read(path) == forbids:
            return f"{sentence}; {path} is {forbids}: {way_out}"
    if cause.errno == errno.ENOSPC:
        return f"{sentence}; as many namespaces exist as may: raise the limits in /proc/sys/user/max_*_namespaces"
    return f"{sentence}; {IN_A_CONTAINER}" if user == 0 else f"{sentence}; run as root, or allow user namespaces"


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return None
