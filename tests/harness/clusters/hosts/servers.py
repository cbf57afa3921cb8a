"""Five real SSH servers, each in a network namespace that is made here, with its own key, address and directory. Takes root, and Linux.

Between them stands a router in a namespace of its own, and one interface of this machine leads there, by which tests reach them: no rule
of the machine is touched, and the addresses are reserved for benchmarks (RFC 2544: 198.18.0.0/15), which lead nowhere else.
All of it is marked as ours: should this process be killed, ``splitbrain heal`` removes it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest

from harness import mark
from harness.clusters.hosts import inventory, pins

COUNT = 5
PORT = 2222
PATIENCE_S = 20.0
FORWARD = "open('/proc/sys/net/ipv4/ip_forward', 'w').write('1')"


def hindrance() -> str | None:
    """Why they cannot be made here; None if they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "SSH servers in namespaces take root, on Linux"
    missing = [name for name in ("sshd", "ssh-keygen", "ip") if _program(name) is None]
    return f"there is no {missing[0]}: apt-get install openssh-server iproute2" if missing else None


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


needs_servers = [
    pytest.mark.process,
    pytest.mark.ssh,
    pytest.mark.skipif(hindrance() is not None, reason=str(hindrance())),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """``hosts`` is the file that names them, their keys pinned beside it; ``interface`` this machine's way to them."""

    directory: Path
    hosts: Path
    addresses: tuple[str, ...]
    interface: str
    router: str  # the namespace between all

    def cable(self, *, up: bool) -> None:
        """Cut this machine off from all of them, without a word to either side; or no more."""
        _ip("-n", self.router, "link", "set", "out", "up" if up else "down")
        if up:  # the kernel has dropped the way along with the link
            _ip("-n", self.router, "route", "add", f"{self.addresses[0].rpartition('.')[0]}.254/32", "dev", "out")

    def namespace(self, number: int) -> str:
        return f"{self.router}-{number}"


def _ip(*words: str) -> None:
    subprocess.run([_program("ip") or "ip", *words], check=True, capture_output=True)


def start(stack: ExitStack) -> Servers:
    """They are there until the stack is closed."""
    directory = Path(tempfile.mkdtemp(prefix="splitbrain-sshd-"))
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    router, interface, net = _network(stack)
    addresses = tuple(f"{net}.{number}" for number in range(1, COUNT + 1))
    key = paramiko.RSAKey.generate(2048)
    key.write_private_key_file(str(directory / "key"))
    (directory / "authorized").write_text(f"ssh-rsa {key.get_base64()} tests\n")
    for number, address in enumerate(addresses, 1):
        serve(stack, directory, f"{router}-{number}", number, address)
    hosts = directory / "hosts.toml"
    rows = [
        f'[[hosts]]\nhost = "{address}"\ndata = "{directory}/data{number}"\n'
        for number, address in enumerate(addresses)
    ]
    defaults = f'[defaults]\nuser = "root"\nport = {PORT}\nkey = "{directory}/key"\npython = "{sys.executable}"\n'
    hosts.write_text(defaults + "".join(rows))
    keys = paramiko.HostKeys()
    pins.pin(inventory.pins_of(hosts), keys, pins.offers(inventory.read(hosts), keys))
    return Servers(directory=directory, hosts=hosts, addresses=addresses, interface=interface, router=router)


def _network(stack: ExitStack) -> tuple[str, str, str]:
    """A router in a namespace, this machine's interface to it, the first three bytes of its addresses."""
    router, interface = mark.mine().name, f"sbt{os.getpid()}"
    net = f"198.{18 + os.getpid() // 256 % 2}.{os.getpid() % 256}"
    gate, mine = f"{net}.253", f"{net}.254"
    _namespace(stack, router)
    _ip("netns", "exec", router, sys.executable, "-c", FORWARD)
    _ip("link", "add", interface, "type", "veth", "peer", "name", "out", "netns", router)
    _ip("-n", router, "address", "add", f"{gate}/32", "dev", "out")
    _ip("-n", router, "link", "set", "out", "up")
    _ip("-n", router, "route", "add", f"{mine}/32", "dev", "out")
    _ip("address", "add", f"{mine}/32", "dev", interface)
    _ip("link", "set", interface, "up")
    _ip("route", "add", f"{gate}/32", "dev", interface)
    _ip("route", "add", f"{net}.0/24", "via", gate, "src", mine)
    for host in range(1, COUNT + 1):
        name, own, to = f"{router}-{host}", f"{net}.{host}/32", f"to{host}"
        _namespace(stack, name)
        _ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", to, "netns", router)
        _ip("-n", router, "address", "add", f"{gate}/32", "dev", to)
        _ip("-n", router, "link", "set", to, "up")
        _ip("-n", router, "route", "add", own, "dev", to)
        _ip("-n", name, "address", "add", own, "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "route", "add", f"{gate}/32", "dev", "eth0")
        _ip("-n", name, "route", "add", "default", "via", gate)
    return router, interface, net


def _namespace(stack: ExitStack, name: str) -> None:
    _ip("netns", "add", name)
    stack.callback(_ip, "netns", "delete", name)


def serve(stack: ExitStack, directory: Path, namespace: str, number: int, address: str) -> subprocess.Popen[bytes]:
    """One server, with a key of its own if it has none yet."""
    key = directory / f"host{number}"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    settings = directory / f"sshd{number}"
    settings.write_text(
        f"Port {PORT}\nListenAddress {address}\nHostKey {key}\nAuthorizedKeysFile {directory}/authorized\nPidFile none\n"
        "UsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\n"
    )
    argv = [
        _program("ip") or "ip",
        "netns",
        "exec",
        namespace,
        _program("sshd") or "sshd",
        "-D",
        "-e",
        "-f",
        str(settings),
    ]
    log = (directory / f"log{number}").open("ab")
    server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=mark.marked(os.environ))
    stack.callback(log.close)
    stack.callback(_end, server)
    _wait(address, server)
    return server


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    patience = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        assert server.poll() is None, "the server has ended"
        with suppress(OSError), socket.create_connection((address, PORT), 1.0):
            return
        patience.wait(0.02)
    raise AssertionError(f"no server at {address}")


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait()


_shared: list[Servers] = []


def shared() -> Servers:
    """One set for all tests of this process."""
    if not _shared:
        with ExitStack() as stack:
            _shared.append(start(stack))
            atexit.register(stack.pop_all().close)
    return _shared[0]
