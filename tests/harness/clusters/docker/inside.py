"""A node program that tells what it sees from inside its container, and does there what it is asked to."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from targets.node.echo import Echo
from targets.node.env import Body, Env, Message


class Inside(Echo):
    """Also answers: see, keep {text}, kept, eat {mb}, spin."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self._env = env
        for name in ("see", "keep", "kept", "eat", "reach"):
            env.on(name, getattr(self, f"_on_{name}"))

    def _on_see(self, _message: Message) -> Body:
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return {
            "type": "see_ok",
            "host": socket.gethostname(),
            "interfaces": sorted(name for _, name in socket.if_nameindex()),
            "n2": socket.getaddrinfo("n2", 1, type=socket.SOCK_DGRAM)[0][4][0],
            "status": {key: value.strip() for key, _, value in (line.partition(":") for line in status)},
            "cpus": self._cpus(),
        }

    def _cpus(self) -> float:
        """The processor's quota, as control groups of either version tell it."""
        first, second = Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/cpu")
        if first.exists():
            quota, period = first.read_text(encoding="ascii").split()
        else:
            quota, period = (
                (second / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period")
            )
        return int(quota) / int(period)

    def _on_keep(self, message: Message) -> Body:
        self._env.storage.replace("kept", message["body"]["text"].encode())
        return {"type": "keep_ok"}

    def _on_kept(self, _message: Message) -> Body:
        return {"type": "kept_ok", "text": self._env.storage.read("kept").decode(), "pid": os.getpid()}

    def _on_eat(self, message: Message) -> Body:
        """Take memory and touch every page of it."""
        self._eaten = bytearray(message["body"]["mb"] << 20)
        for page in range(0, len(self._eaten), 4096):
            self._eaten[page] = 1
        return {"type": "eat_ok"}

    def _on_reach(self, message: Message) -> Body:
        """Whether a connection to that host can be begun at all."""
        with socket.socket(socket.AF_INET6 if ":" in message["body"]["host"] else socket.AF_INET) as sock:
            sock.settimeout(20)  # that nobody is there is said after three seconds, and later on a busy machine
            try:
                sock.connect((message["body"]["host"], 9))
            except OSError as error:
                return {"type": "reach_ok", "refused": error.errno}
        return {"type": "reach_ok", "refused": None}
