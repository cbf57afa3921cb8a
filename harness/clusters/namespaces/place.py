"""The init of one place: the first process of its pid namespace. It starts programs, passes on signals, reaps, hands out sockets.

It is forked from the supervisor and serves the controller over a local socket; when that closes it ends, and the kernel ends all else
in its pid namespace. Standard library alone.
"""

from __future__ import annotations

import errno
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from harness.clusters.duty import Duty
from harness.clusters.fabric import netlink_route as route
from harness.clusters.fabric import tbf
from harness.clusters.fabric.netlink import ROUTE, Netlink, open_socket
from harness.clusters.namespaces import kernel, layout, wire
from harness.clusters.namespaces.disk import Disk

CABLE = "eth0"
SETTINGS: tuple[tuple[str, str], ...] = (
    ("ipv4/conf/{}/rp_filter", "0"),
    ("ipv4/conf/{}/arp_ignore", "0"),
    ("ipv6/conf/{}/disable_ipv6", "0"),
    # Addresses that nobody else can have are usable at once (RFC 4862 section 5.4: duplicate detection would take a second).
    ("ipv6/conf/{}/accept_dad", "0"),
)
# Python ignores these; a program must not inherit that.
RESTORED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD)
# Names that Python's socket module has only from 3.12 on, or not at all: ip(7), ipv6(7).
IPV6_FREEBIND = 78
OF_NETWORKS = ("network", "socket", "rate")  # what a process that only joins somebody else's network can be asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a place is: its name, its addresses (None: it is where the clients are), the directory that is its own, its hosts;
    whether the directory's "data" lie on a disk that can fail.
    """

    name: str
    address: layout.Address | None
    directory: str | None
    hosts: str
    disk: bool = False


def found(plan: Plan, control: socket.socket, lent: int | None = None) -> None:
    """Make the namespaces in a forked process and become their init; returns at once in the caller.

    Where the network of somebody else's is ``lent`` (its descriptor), the process only joins that: it serves sockets there, and starts
    no programs.
    """
    if os.fork() != 0:
        return
    with fatal(control):
        if lent is not None:
            kernel.join(lent)
            keep_only(control)
            settle()
            _announce(plan, control)
            Init(plan, control, OF_NETWORKS).serve()
        keep_only(control)
        kernel.unshare(kernel.NEW_NET | kernel.NEW_UTS | kernel.NEW_MOUNT | kernel.NEW_IPC)
        disk = Disk(plan.name, Path(plan.directory), control) if plan.disk and plan.directory else None
        kernel.unshare(kernel.NEW_PID)
        if os.fork() != 0:
            os._exit(0)  # the init becomes a child of the supervisor
        socket.sethostname(plan.name)
        _furnish(plan)
        _announce(plan, control, [disk.mount()] if disk is not None else [])
        Init(plan, control).serve()


def _announce(plan: Plan, control: socket.socket, others: Sequence[int] = ()) -> None:
    """Hand over a descriptor of this place's network, and these."""
    namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
    wire.send(control, {"born": plan.name}, [namespace, *others])
    for descriptor in (namespace, *others):
        os.close(descriptor)


class fatal:  # noqa: N801 - a context manager that reads as a word
    """Whatever goes wrong in here is told to the other end, and is the end of this process."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> NoReturn:
        with suppress(OSError):
            wire.send(self._control, {"error": words(error), "errno": getattr(error, "errno", None)})
        os._exit(1)


def words(error: BaseException | None) -> str:
    """What went wrong, without the number that Python puts before it."""
    return str(getattr(error, "strerror", None) or error)


def keep_only(control: socket.socket) -> None:
    """Close what the fork has copied: a descriptor that stays open here would keep others from noticing an end."""
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor > 2 and descriptor != control.fileno():
            with suppress(OSError):  # the descriptor of the listing itself
                os.close(descriptor)


def _furnish(plan: Plan) -> None:
    """A view of the file system of its own: its processes, its hosts, of all nodes' directories only the one that is its."""
    kernel.mount("proc", "/proc", "proc")
    settle()
    if plan.directory is None:
        return
    own = os.open(plan.directory, os.O_PATH)
    siblings = Path(plan.directory).parent
    kernel.mount("tmpfs", str(siblings), "tmpfs")
    Path(plan.directory).mkdir()
    kernel.mount(f"/proc/self/fd/{own}", plan.directory, flags=kernel.BIND)
    os.close(own)
    hosts = siblings / "hosts"
    hosts.write_text(plan.hosts, encoding="ascii")
    if Path("/etc/hosts").exists():
        kernel.mount(str(hosts), "/etc/hosts", flags=kernel.BIND)
    os.chdir(plan.directory)


def settle() -> None:
    """Settings of this network namespace, which a new one may inherit from the machine."""
    for path, value in SETTINGS:
        for name in ("all", "default"):
            with suppress(FileNotFoundError):  # a kernel without IPv6
                Path(f"/proc/sys/net/{path.format(name)}").write_text(value, encoding="ascii")


class Init:
    """Serves requests until the other end is closed. What it starts is known by its process number in this namespace."""

    def __init__(self, plan: Plan, control: socket.socket, allowed: Sequence[str] | None = None) -> None:
        self._plan, self._control, self._allowed = plan, control, allowed
        self._netlink = Netlink(open_socket(ROUTE))
        self._programs: set[int] = set()
        self._actions: Mapping[str, Callable[[Mapping[str, Any], Sequence[int]], tuple[wire.Message, list[int]]]] = {
            "network": self._network,
            "spawn": self._spawn,
            "signal": self._signal,
            "socket": self._socket,
            "rate": self._rate,
            "pause": self._pause,
            "throttle": self._throttle,
            "squeeze": self._squeeze,
            "runs": self._runs,
            "self": self._self,
        }
        self._duty, self._stands = Duty(), False
        self._woken, wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def serve(self) -> NoReturn:
        while True:
            now_s = time.monotonic()
            self._attend(now_s)
            next_s = self._duty.next_s(now_s)
            wait_s = None if next_s is None else max(0.0, next_s - time.monotonic())
            ready, _, _ = select.select([self._control.fileno(), self._woken], [], [], wait_s)
            if self._woken in ready:
                with suppress(BlockingIOError):
                    os.read(self._woken, 4096)
                self._reap(os.WNOHANG)
            if self._control.fileno() in ready:
                request, descriptors = wire.receive(self._control)
                if request is None:
                    os._exit(0)
                self._serve_one(request, descriptors)

    def _attend(self, now_s: float) -> None:
        """Let all programs stand still or go on, as their duty says."""
        stands = self._duty.stands(now_s)
        if stands != self._stands:
            self._stands = stands
            self._to_all(signal.SIGSTOP if stands else signal.SIGCONT)

    @staticmethod
    def _to_all(number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(-1, number)

    def _serve_one(self, request: wire.Message, descriptors: Sequence[int]) -> None:
        made: list[int] = []
        try:
            if self._allowed is not None and request["do"] not in self._allowed:
                raise PermissionError(errno.EPERM, f"{self._plan.name} is somebody else's: it does not {request['do']}")
            answer, made = self._actions[request["do"]](request, descriptors)
        except OSError as error:
            answer = {"error": error.strerror or str(error), "errno": error.errno}
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        wire.send(self._control, {"id": request["id"], **answer}, made)
        for descriptor in made:
            os.close(descriptor)

    def _network(self, _request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """The cable is here: take the addresses, and the router as the way to everywhere."""
        loopback, cable = socket.if_nametoindex("lo"), socket.if_nametoindex(CABLE)
        address = self._plan.address
        if address is None:
            mine = [route.own(layout.CLIENTS4, loopback), route.own(layout.CLIENTS6, loopback)]
            mine += [route.address(cable, layout.CLIENTS_GATE4), route.address(cable, layout.CLIENTS_GATE6)]
        else:
            mine = [route.address(cable, address.v4), route.address(cable, address.v6)]
        ways = [
            route.route(f"{layout.GATE4}/32", cable),
            route.route("0.0.0.0/0", cable, via=layout.GATE4),
            route.route("::/0", cable, via=layout.GATE6),
        ]
        requests = [route.up(loopback), route.up(cable), *mine, *ways]
        self._netlink.transact(route.possible(requests, six=route.has_six()))
        return {}, []

    def _spawn(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """Start a program with these descriptors as its standard input, output and error."""
        argv = request["argv"]
        onto = [(os.POSIX_SPAWN_DUP2, descriptor, standard) for standard, descriptor in enumerate(descriptors)]
        pid = os.posix_spawnp(
            argv[0], argv, os.environ, file_actions=onto, setsid=True, setsigdef=RESTORED, setsigmask=[]
        )
        self._programs.add(pid)
        return {"pid": pid}, []

    def _signal(self, request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """To every process of the place at once; after SIGKILL, answered when all of them are reaped."""
        self._to_all(request["number"])
        if request["number"] == signal.SIGKILL:
            self._reap(0)
            self._duty.resume()  # what is started next is another life, which stands still only if it is throttled
            self._stands = False
        return {}, []

    def _pause(self, request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """All programs stand still for that long, or go on; answered when they do."""
        now_s = time.monotonic()
        self._duty.pause(now_s + request["lease_s"])
        self._attend(now_s)
        return {}, []

    def _throttle(self, request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """All programs run for that share of the time, or (None) all the time."""
        now_s = time.monotonic()
        self._duty.throttle(request["share"], now_s)
        self._attend(now_s)
        return {}, []

    def _squeeze(self, request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """Each program gets that much more memory (of its address space: getrlimit(2)), or (None) all that it asks for."""
        headroom = request["headroom_bytes"]
        for pid in self._programs:
            _, most = resource.prlimit(pid, resource.RLIMIT_AS)
            limit = most
            if headroom is not None:
                has = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
                limit = has + headroom
            with suppress(ProcessLookupError):  # it has just ended
                resource.prlimit(pid, resource.RLIMIT_AS, (limit, most))
        return {}, []

    def _runs(self, request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """Whether a program is not stopped."""
        if request["pid"] not in self._programs:
            return {"runs": None}, []
        line = Path(f"/proc/{request['pid']}/stat").read_text(encoding="ascii", errors="replace")
        return {"runs": line.rpartition(")")[2].split()[0] not in "Tt"}, []

    def _self(self, _request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """A descriptor of this process, above all others of the place: numbers of processes differ between here and there."""
        return {}, [os.pidfd_open(os.getpid())]

    def _reap(self, flags: int) -> None:
        """Take note of what has ended; without WNOHANG, wait until nothing lives."""
        while True:
            try:
                pid, status = os.waitpid(-1, flags)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._programs:
                self._programs.discard(pid)
                wire.send(self._control, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _socket(self, request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """A socket of this place's network, bound to an address."""
        sock = socket.socket(request["family"], request["type"])
        if request["family"] == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        sock.bind((request["host"], request["port"]))
        return {}, [sock.detach()]

    def _rate(self, request: Mapping[str, Any], _descriptors: Sequence[int]) -> tuple[wire.Message, list[int]]:
        """Limit what leaves this place by its cable."""
        index = socket.if_nametoindex(CABLE)
        limited = request["bytes_per_s"]
        with suppress(FileNotFoundError):  # there was no limit to lift
            self._netlink.transact([tbf.unlimit(index) if limited is None else tbf.limit(index, limited)])
        return {}, []
