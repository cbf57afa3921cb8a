"""The two containers of a node: the sandbox, which holds the network, and the node's own, which joins it.

Neither has a capability or a way out: no network but the cable that the run lays into the sandbox, no new privileges. The node's own has
limits on memory, processors and processes. Its data lie in a directory of the run, so they stay when it is killed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from harness.clusters.containers import labels
from harness.clusters.containers.engine import explained
from harness.clusters.containers.labels import Owner
from harness.errors import ClusterError

DATA = "/data"  # the node's directory, inside
PERIOD_US = 100_000  # of the processor's quota; a quota and a period can be changed later, which "nano cpus" cannot
PROCESSES_MAX = 512
LOG_MAX = {"max-size": "10m", "max-file": "1"}
BEING_REMOVED = 409  # "removal of container ... is already in progress"
REMOVED_AT_ONCE = 8
# The sandbox does nothing. As the first process of its pid namespace it ignores all signals but SIGKILL.
HOLD = ["python3", "-I", "-S", "-c", "import signal\nwhile True: signal.pause()"]
# The command line of each life comes as the first line of standard input, since a container's own never changes. Read byte by byte: what
# follows is for the program.
LAUNCH = """\
import json, os, sys
line = b""
while not line.endswith(b"\\n"):
    byte = os.read(0, 1)
    if not byte:
        sys.exit(0)
    line += byte
argv = json.loads(line)
try:
    os.execvp(argv[0], argv)
except OSError as error:
    sys.exit(f"cannot run {argv[0]!r}: {error.strerror}")
"""
LAUNCHER = ["python3", "-I", "-S", "-c", LAUNCH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one node may use."""

    memory_bytes: int
    cpus: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a node's containers are to be. ``data`` is its directory on this machine, ``hosts`` are all nodes' addresses by name."""

    owner: Owner
    node: str
    image: str
    limits: Limits
    data: Path
    hosts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A node's containers, by the engine's ids; ``namespace`` is a descriptor of their network, which the caller closes."""

    sandbox: str
    program: str
    namespace: int


def create(client: Any, wanted: Wanted) -> Pair:
    """Make both; the sandbox runs then, the node's own container has not been started. Raises ClusterError, SDK errors."""
    name = f"splitbrain-{wanted.owner.id[:8]}-{wanted.node}"
    confined = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
    held = client.create_host_config(network_mode="none", extra_hosts=dict(wanted.hosts), **confined)
    sandbox = client.create_container(
        wanted.image,
        HOLD,
        name=f"{name}-sandbox",
        hostname=wanted.node,
        host_config=held,
        labels=wanted.owner.labels(labels.SANDBOX, wanted.node),
    )["Id"]
    client.start(sandbox)
    namespace = _network_of(client.inspect_container(sandbox)["State"]["Pid"], sandbox)
    try:
        limited = client.create_host_config(
            network_mode=f"container:{sandbox}",
            binds={str(wanted.data): {"bind": DATA, "mode": "rw"}},
            mem_limit=wanted.limits.memory_bytes,
            memswap_limit=wanted.limits.memory_bytes,
            cpu_period=PERIOD_US,
            cpu_quota=int(wanted.limits.cpus * PERIOD_US),
            pids_limit=PROCESSES_MAX,
            log_config={"type": "json-file", "config": LOG_MAX},
            **confined,
        )
        program = client.create_container(
            wanted.image,
            LAUNCHER,
            name=name,
            host_config=limited,
            stdin_open=True,  # closed for good when we, who hold its other end, are gone: then the node ends by itself
            labels=wanted.owner.labels(labels.PROGRAM, wanted.node),
        )["Id"]
    except BaseException:
        os.close(namespace)
        raise
    return Pair(sandbox=sandbox, program=program, namespace=namespace)


def _network_of(pid: int, container: str) -> int:
    """A descriptor of the network of the container with that process number, which must be a process of this machine."""
    # Its control groups are named after it: else that number is a process of another machine, or there is none.
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
        if container in groups:
            return os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    except OSError as error:
        raise ClusterError(f"{ELSEWHERE} ({error.strerror})") from error
    raise ClusterError(ELSEWHERE)


ELSEWHERE = (
    "the containers of the Docker engine are not processes that can be seen from here, so no cable can be laid to them: run splitbrain on "
    "the engine's own host, as root and not in a container"
)


def remove_run(client: Any, run_id: str) -> None:
    """Remove every container of the run, running or not. Raises ClusterError."""
    with explained("cannot remove the containers of the run"), ThreadPoolExecutor(REMOVED_AT_ONCE) as threads:
        found = client.containers(all=True, filters=labels.of_run(run_id))
        list(threads.map(lambda container: remove_one(client, container["Id"]), found))


def remove_one(client: Any, container: str) -> None:
    """Kill and remove it, with what it kept; somebody else may be at it, too. Raises SDK errors."""
    try:
        client.remove_container(container, v=True, force=True)
    except NotFound:
        return
    except APIError as error:
        if error.response is None or error.response.status_code != BEING_REMOVED:
            raise
