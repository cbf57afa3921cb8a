"""A node program that tells what it sees of the machine from inside its place, and does there what it is asked to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from targets.node.echo import Echo
from targets.node.env import Body, Env, Message

IP_RECVERR, IPV6_RECVERR = 11, 25


class Inside(Echo):
    """Also answers: see, reach {host}, leave-child, burst {host, port, datagrams}."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        env.on("see", self._on_see)
        env.on("reach", self._on_reach)
        env.on("leave-child", self._on_leave_child)
        env.on("burst", self._on_burst)

    def _on_see(self, _message: Message) -> Body:
        return {
            "type": "see_ok",
            "host": socket.gethostname(),
            "processes": sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()),
            "pid": os.getpid(),
            "interfaces": sorted(name for _, name in socket.if_nameindex()),
            "siblings": sorted(entry.name for entry in Path.cwd().parent.iterdir()),
            "n2": socket.getaddrinfo("n2", 1, type=socket.SOCK_DGRAM)[0][4][0],
            "namespaces": {
                kind: Path(f"/proc/self/ns/{kind}").readlink().name for kind in ("net", "pid", "mnt", "uts", "ipc")
            },
        }

    def _on_reach(self, message: Message) -> Body:
        """Send a datagram, and see what the network says about it."""
        family, _, _, _, where = socket.getaddrinfo(message["body"]["host"], 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(20)
            # Also those errors that a socket for datagrams would rather not be bothered with: ip(7), ipv6(7).
            six = family == socket.AF_INET6
            sock.setsockopt(socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP, IPV6_RECVERR if six else IP_RECVERR, 1)
            try:
                sock.connect(where)
                sock.send(b"?")
                sock.recv(1)
            except OSError as error:
                return {"type": "reach_ok", "refused": error.errno}
        return {"type": "reach_ok", "refused": None}

    def _on_leave_child(self, _message: Message) -> Body:
        """Start a process that outlives this one, in a session of its own."""
        child = subprocess.Popen(
            [sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True, stdout=subprocess.DEVNULL
        )
        return {"type": "leave-child_ok", "pid": child.pid}

    def _on_burst(self, message: Message) -> Body:
        """Send datagrams of 1,000 bytes at once; those that the interface has no room for are not sent."""
        body = message["body"]
        with socket.socket(socket.AF_INET6 if ":" in body["host"] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            for number in range(body["datagrams"]):
                with suppress(OSError):
                    sock.sendto(number.to_bytes(4, "big").ljust(1000, b"."), (body["host"], body["port"]))
        return {"type": "burst_ok"}
