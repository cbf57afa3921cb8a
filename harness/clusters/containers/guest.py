"""The first process of a sandbox whose network the engine has made: it hands the controller sockets of that network, and does nothing else.

``python3 -m harness.clusters.containers.guest NAME``, inside the container, as the controller's own user and without a capability. It
calls at the door, a local socket in the directory ``HALL``, and ends when the other side hangs up: so the sandbox ends with the run.
Standard library alone.
"""

from __future__ import annotations

import socket
import sys
from typing import NoReturn

from harness.clusters.namespaces import place, wire

HALL, DOOR = "/run/splitbrain", "door"


def main(name: str) -> NoReturn:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.connect(f"{HALL}/{DOOR}")
    with place.fatal(door):
        wire.send(door, {"born": name})
        place.Init(place.Plan(name=name, address=None, directory=None, hosts=""), door, ("socket",)).serve()


if __name__ == "__main__":
    main(sys.argv[1])
