"""The process that follows all nodes of a run for their clocks: ``python -S -m harness.clusters.clocks.keeper DESCRIPTOR OWNER``.

It serves its controller over the socket ``DESCRIPTOR``, one message a request; when that closes it sets every clock right and ends.
``Desk`` is the same without a process of its own, for whoever already has a loop. Standard library alone.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from harness.clusters.clocks.bell import Bell
from harness.clusters.clocks.follower import Follower
from harness.clusters.clocks.page import Setting
from harness.clusters.clocks.vdso import Unfit
from harness.clusters.namespaces import wire

# A process that has not stood still by then is itself stopped or frozen, and gets its clock before it goes on.
SETTLED_S = 0.5
# When nobody is left to ask, so long for the last clocks to be right.
LEAVING_S = 5.0

Answer = Callable[[Mapping[str, Any]], None]


class Desk:
    """Requests about clocks, each answered once the node's processes are as they are to be."""

    def __init__(self, owner: str) -> None:
        self._follower = Follower(owner)
        self._waiting: list[tuple[float, str, Answer]] = []

    def skew(self, node: str, pid: int, setting: Mapping[str, float], answer: Answer) -> None:
        """Wrong clocks for the process ``pid`` and all below it. What is refused is answered as an error."""
        try:
            self._follower.skew(node, pid, Setting(**setting))
        except (OSError, Unfit) as error:
            answer({"error": getattr(error, "strerror", None) or str(error)})
            return
        self._wait(node, answer)

    def unskew(self, node: str, answer: Answer) -> None:
        """Right clocks for all of them."""
        self._follower.unskew(node)
        self._wait(node, answer)

    def unskew_all(self) -> None:
        for node in self._follower.names():
            self._follower.unskew(node)

    @property
    def settled(self) -> bool:
        return all(self._follower.settled(node) for node in self._follower.names())

    def _wait(self, node: str, answer: Answer) -> None:
        self._waiting.append((time.monotonic() + SETTLED_S, node, answer))
        self.attend()

    def attend(self) -> None:
        """When SIGCHLD came, or the time of ``next_s`` has."""
        self._follower.attend()
        now_s = time.monotonic()
        waiting, self._waiting = self._waiting, []
        for until_s, node, answer in waiting:
            refused = self._follower.refused(node)
            if refused is not None:
                answer({"error": refused})
            elif self._follower.settled(node) or now_s >= until_s:
                answer({"processes": self._follower.count(node), "settled": self._follower.settled(node)})
            else:
                self._waiting.append((until_s, node, answer))

    @property
    def next_s(self) -> float | None:
        """By the monotonic clock, when ``attend`` is due if nothing happens; None: never."""
        return min((until_s for until_s, _, _ in self._waiting), default=None)


def serve(control: socket.socket, owner: str) -> None:
    """Until the other end is closed."""
    bell, desk = Bell(), Desk(owner)
    until_s: float | None = None  # while it is not None we are leaving
    while until_s is None or not (desk.settled or time.monotonic() >= until_s):
        due_s = min((at_s for at_s in (desk.next_s, until_s) if at_s is not None), default=None)
        wait_s = None if due_s is None else max(0.0, due_s - time.monotonic())
        asked = bell.wait(wait_s, *([control.fileno()] if until_s is None else []))
        desk.attend()
        if asked and not _served(control, desk):
            until_s = time.monotonic() + LEAVING_S
            desk.unskew_all()


def _served(control: socket.socket, desk: Desk) -> bool:
    """One request; False if there will be none any more."""
    request, _ = wire.receive(control)
    if request is None:
        return False

    def answer(fields: Mapping[str, Any]) -> None:
        with suppress(OSError):  # nobody wants to know any more, which is noticed next
            wire.send(control, {"id": request["id"], **fields})

    if request["do"] == "skew":
        desk.skew(request["node"], request["pid"], request["setting"], answer)
    else:
        desk.unskew(request["node"], answer)
    return True


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the terminal's interrupt is for the controller, who then closes the socket
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
