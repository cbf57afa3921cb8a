"""The disk of a place: mounted over its data by the place's init, served by a process of its own.

The server is in the place's mount namespace, as a mount must be, but not in its pid namespace: a kill of all that is in there spares it.
It stands in the place's data directory from before the mount, so that what is durable lies there when the place is gone.
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import NoReturn

from harness.clusters.disks import server
from harness.clusters.namespaces import wire


class Disk:
    """Made in the place's mount namespace, outside its pid namespace: forks the server there. Raises OSError."""

    def __init__(self, name: str, directory: Path, control: socket.socket) -> None:
        self._name, self._data = name, directory / "data"
        self._data.mkdir(exist_ok=True)
        os.chdir(self._data)  # before anything is laid over it; the init goes elsewhere
        self._connection = server.device()
        self._ours, theirs = wire.pair()
        mounted, self._mount = os.pipe()
        if os.fork() == 0:
            control.close()
            self._serve(theirs, mounted)
        theirs.close()
        os.close(mounted)

    def mount(self) -> int:
        """Over the data; a descriptor of the conversation with who serves it."""
        server.mount(self._connection, str(self._data), f"splitbrain-disk-{self._name}")
        os.close(self._connection)
        os.close(self._mount)
        return self._ours.detach()

    def _serve(self, control: socket.socket, mounted: int) -> NoReturn:
        """Until the other end of the conversation is closed."""
        try:
            self._ours.close()
            os.close(self._mount)
            server.settle_in(".")
            os.read(mounted, 1)  # its end: the init has mounted (before that, nothing can be read), or is dead
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            server.Server(self._connection, control, self._name).serve()
        finally:
            os._exit(0)
