"""The controller's side of a run's namespaces: starts the launcher, collects what the supervisor hands over, ends it all.

The controller itself stays outside. It needs sockets, not a life, in there: descriptors of sockets that were made inside keep
belonging to their network namespace. So the command line, its threads and its terminal are as on every other cluster, an ordinary
user needs no second program, and whoever dies first takes everything inside along (see ``namespaces``). To the kernel, the parent
whose death counts is the thread that started the launcher: it must live as long as the run.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import harness
from harness import mark
from harness.clusters.fabric.netlink import Netlink
from harness.clusters.fabric.netlink_route import has_six
from harness.clusters.fabric.nft import Filter
from harness.clusters.namespaces import place, wire
from harness.clusters.namespaces.conversation import Conversation
from harness.errors import ClusterError

# How often an end is looked for, and when it is forced.
LOOK_S, END_S = 0.001, 5.0


def environment() -> dict[str, str]:
    """Ours, marked, with a path on which this program's packages are found when they are run from their source tree."""
    root = str(Path(harness.__file__).resolve().parent.parent)
    path = os.environ.get("PYTHONPATH")
    return mark.marked({**os.environ, "PYTHONPATH": os.pathsep.join([root, path] if path else [root])})


class Namespaces:
    """The namespaces of one run: ``places`` and the servers of their ``disks`` by name; the router's ``filter``, ``route``, ``shaper``.

    Made by ``start``.
    """

    def __init__(self) -> None:
        self.places: dict[str, Conversation] = {}
        self.disks: dict[str, Conversation] = {}
        self.filter: Filter
        self.route: Netlink
        self.shaper: Conversation
        self.tap: socket.socket
        self.shaper_refused: str | None = None  # why packets cannot be shaped here
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor: Conversation
        self._close: list[Any] = []

    async def start(
        self, plans: Sequence[place.Plan], seed: int, lent: Mapping[str, int] | None = None, *, tap: bool = False
    ) -> None:
        """Make these places, which all have the same hosts. Raises ClusterError; then nothing is left of them.

        Places in ``lent`` are no new ones: they join the network of that descriptor, which stays the caller's. With ``tap`` there is one
        on the router (``fabric.packet_log``).
        """
        try:
            self._launch()
            names = list(lent or {})
            for first in range(0, len(names), wire.DESCRIPTORS_MAX):
                some = names[first : first + wire.DESCRIPTORS_MAX]
                await self._supervisor.call("lend", [(lent or {})[name] for name in some], names=some)
            # What all places have in common travels once: a message has room for a hundred of them.
            places = [{name: value for name, value in asdict(plan).items() if name != "hosts"} for plan in plans]
            await self._supervisor.call("build", places=places, hosts=plans[0].hosts, seed=seed, tap=tap)
            self.filter.setup()
        except BaseException as error:
            await self.stop()
            if isinstance(error, OSError):
                raise ClusterError(f"cannot make the namespaces of the run: {error.strerror or error}") from error
            raise

    def _launch(self) -> None:
        ours, theirs = wire.pair()
        with theirs:
            # A session of its own: the terminal's interrupt is for us. Blocks for the milliseconds of a fork.
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-m", "harness.clusters.namespaces.supervisor", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment(),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._supervisor = Conversation(ours, "the supervisor of the namespaces", self._handed_over)
        self._close.append(self._supervisor)

    def _handed_over(self, message: wire.Message, descriptors: list[int]) -> None:
        sock = socket.socket(fileno=descriptors[0])
        match message.get("tool"):
            case None if "disk" in message:
                self.disks[message["disk"]] = Conversation(sock, f"the disk of {message['disk']}")
                self._close.append(self.disks[message["disk"]])
            case None:
                self.places[message["place"]] = Conversation(sock, f"the init of {message['place']}")
                self._close.append(self.places[message["place"]])
            case "filter":
                self.filter = Filter(sock, six=has_six())
                self._close.append(self.filter)
            case "route":
                self.route = Netlink(sock)
                self._close.append(self.route)
            case "tap":
                self.tap = sock
                self._close.append(sock)
            case _:
                self.shaper, self.shaper_refused = Conversation(sock, "the shaper"), message["refused"]
                self._close.append(self.shaper)

    async def stop(self) -> None:
        """End every process inside; returns when they are gone. Idempotent."""
        close, self._close = self._close, []
        for one in reversed(close):
            one.close()
        process, self._process = self._process, None
        if process is None:
            return
        loop = asyncio.get_running_loop()
        until_s = loop.time() + END_S
        while process.poll() is None:
            if loop.time() > until_s:
                process.kill()  # the kernel does the rest
            await asyncio.sleep(LOOK_S)

    @property
    def why_lost(self) -> str | None:
        """Why nothing can be asked in there any more; None while something can."""
        return "they were never made, or ended" if self._process is None else self._supervisor.why_ended

    @property
    def pid(self) -> int | None:
        """The launcher's process number; None when there is none."""
        return self._process.pid if self._process is not None else None
