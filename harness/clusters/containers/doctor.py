"""Whether the docker cluster can run on this machine, found out by trying; and if not, what is missing and how to get it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.clusters.containers.engine import PING_S, address, connect, is_local
from harness.clusters.namespaces import doctor as namespaces
from harness.errors import ClusterError

INSTALL = "install one (apt-get install docker.io) and start it (systemctl start docker, or dockerd)"
ALLOWED = (
    "run splitbrain as root (sudo), or let this user speak to the engine (usermod -aG docker USER, and log in again)"
)


def unavailable() -> str | None:
    """One sentence, or None if all works. Asks the engine, and makes a run's namespaces without any container."""
    if sys.platform != "linux":
        return "the docker cluster takes sockets from its containers' networks, which needs Linux; on other systems use process or sim"
    try:
        connect(PING_S).close()
    except ClusterError as error:
        return explained(str(error), os.geteuid())
    if not is_local():
        return (
            f"the docker cluster needs the sockets of its containers' networks, but the engine at {address()} is not on this machine: "
            "run splitbrain there, or unset DOCKER_HOST"
        )
    return (
        namespaces.unavailable() if os.geteuid() == 0 else None
    )  # others have a helper container, which tells by itself


def _there(path: Path) -> bool:
    """Whether there is such a file; one in a directory that is closed to us may well be there."""
    try:
        return path.exists()
    except PermissionError:
        return True


def explained(refusal: str, user: int) -> str:
    """Pure but for a look at the socket: why no engine answers, with the way out."""
    if is_local() and not _there(Path(address().removeprefix("unix://"))):
        return f"{refusal}: {INSTALL}"
    if user != 0 and "ermission" in refusal:
        return f"{refusal}: {ALLOWED}"
    return (
        f"{refusal}: start it (systemctl start docker, or dockerd)"
        if is_local()
        else f"{refusal}: set DOCKER_HOST right"
    )
