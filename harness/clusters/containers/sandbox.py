"""The two containers of a node: the sandbox, which holds the network, and the node's own, which joins it.

Neither has a capability or a way out: no network but the cable that the run lays into the sandbox, no new privileges. The node's own has
limits on memory, processors and processes. Its data lie in a directory of the run, so they stay when it is killed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from harness.clusters.containers import labels
from harness.clusters.containers.engine import explained
from harness.clusters.containers.labels import Owner
from harness.clusters.starts import LAUNCH
from harness.errors import ClusterError

CONFINED: Mapping[str, Any] = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
DATA = "/data"  # the node's directory, inside
PERIOD_US = 100_000  # of the processor's quota; a quota and a period can be changed later, which "nano cpus" cannot
PROCESSES_MAX = 512
LOG_MAX = {"max-size": "10m", "max-file": "1"}
BEING_REMOVED = 409  # "removal of container ... is already in progress"
REMOVED_AT_ONCE = 8
# The sandbox does nothing. As the first process of its pid namespace it ignores all signals but SIGKILL.
HOLD = ["python3", "-I", "-S", "-c", "import signal\nwhile True: signal.pause()"]
LAUNCHER = ["python3", "-I", "-S", "-c", LAUNCH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one node may use."""

    memory_bytes: int
    cpus: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a sandbox stands on: its network, by the engine's name, with its address there; what runs in it; as whom both run.

    By default there is no network but the one that is laid into it later, and nothing runs but a process that waits.
    """

    network: str = "none"
    address: str | None = None
    image: str = ""  # "": the node's
    command: tuple[str, ...] = tuple(HOLD)
    binds: Mapping[str, Any] = field(default_factory=dict)
    user: str = ""  # UID:GID; "": the image's own, which is root


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a node's containers are to be. ``data`` is its directory on this machine, ``hosts`` are all nodes' addresses by name."""

    owner: Owner
    node: str
    image: str
    limits: Limits
    ground: Ground
    data: Path
    hosts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A node's containers, by the engine's ids; ``pid`` is the number of the sandbox's first process, on the engine's machine."""

    sandbox: str
    program: str
    pid: int


def create(client: Any, wanted: Wanted) -> Pair:
    """Make both; the sandbox runs then, the node's own container has not been started. Raises ClusterError, SDK errors."""
    ground = replace(wanted.ground, image=wanted.ground.image or wanted.image)
    sandbox = create_sandbox(client, wanted.owner, wanted.node, ground, wanted.hosts)
    client.start(sandbox)
    limited = client.create_host_config(
        network_mode=f"container:{sandbox}",
        binds={str(wanted.data): {"bind": DATA, "mode": "rw"}},
        mem_limit=wanted.limits.memory_bytes,
        memswap_limit=wanted.limits.memory_bytes,
        cpu_period=PERIOD_US,
        cpu_quota=int(wanted.limits.cpus * PERIOD_US),
        pids_limit=PROCESSES_MAX,
        log_config={"type": "json-file", "config": LOG_MAX},
        **CONFINED,
    )
    program = client.create_container(
        wanted.image,
        LAUNCHER,
        name=name_of(wanted.owner, wanted.node),
        user=wanted.ground.user,
        host_config=limited,
        stdin_open=True,  # closed for good when we, who hold its other end, are gone: then the node ends by itself
        labels=wanted.owner.labels(labels.PROGRAM, wanted.node),
    )["Id"]
    return Pair(sandbox=sandbox, program=program, pid=client.inspect_container(sandbox)["State"]["Pid"])


def name_of(owner: Owner, what: str) -> str:
    """What the engine is to call something that the run makes."""
    return f"splitbrain-{owner.id[:8]}-{what}"


def create_sandbox(client: Any, owner: Owner, node: str, ground: Ground, hosts: Mapping[str, str]) -> str:
    """The engine's id of a sandbox that has not been started. Raises SDK errors."""
    addressed = None
    if ground.address is not None:
        endpoint = client.create_endpoint_config(ipv4_address=ground.address)
        addressed = client.create_networking_config({ground.network: endpoint})
    held = client.create_host_config(
        network_mode=ground.network, extra_hosts=dict(hosts), binds=dict(ground.binds), **CONFINED
    )
    found: str = client.create_container(
        ground.image,
        list(ground.command),
        name=f"{name_of(owner, node)}-sandbox",
        hostname=node,
        user=ground.user,
        host_config=held,
        networking_config=addressed,
        labels=owner.labels(labels.SANDBOX, node),
    )["Id"]
    return found


def network_of(pair: Pair) -> int:
    """A descriptor of the network of a sandbox, whose process must be one of this machine. Raises ClusterError."""
    # Its control groups are named after it: else that number is a process of another machine, or there is none.
    try:
        groups = Path(f"/proc/{pair.pid}/cgroup").read_text(encoding="utf-8")
        if pair.sandbox in groups:
            return os.open(f"/proc/{pair.pid}/ns/net", os.O_RDONLY)
    except OSError as error:
        raise ClusterError(f"{ELSEWHERE} ({error.strerror})") from error
    raise ClusterError(ELSEWHERE)


ELSEWHERE = (
    "the containers of the Docker engine are not processes that can be seen from here, so no cable can be laid to them: run splitbrain on "
    "the engine's own host, as root and not in a container"
)


def remove_run(client: Any, run_id: str) -> None:
    """Remove every container of the run, running or not, and its networks. Raises ClusterError."""
    with explained("cannot remove what the run has made"), ThreadPoolExecutor(REMOVED_AT_ONCE) as threads:
        found = client.containers(all=True, filters=labels.of_run(run_id))
        list(threads.map(lambda container: remove_one(client, container["Id"]), found))
        networks = client.networks(filters=labels.of_run(run_id))
        list(threads.map(lambda network: remove_network(client, network["Id"]), networks))


def remove_one(client: Any, container: str) -> None:
    """Kill and remove it, with what it kept; somebody else may be at it, too. Raises SDK errors."""
    try:
        client.remove_container(container, v=True, force=True)
    except NotFound:
        return
    except APIError as error:
        if error.response is None or error.response.status_code != BEING_REMOVED:
            raise


def remove_network(client: Any, network: str) -> None:
    """Remove it; somebody else may be at it, too. Raises SDK errors."""
    with suppress(NotFound):
        client.remove_network(network)
