"""A disk that fails, mounted for a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.disks import doctor
from harness.clusters.namespaces import wire
from harness.clusters.namespaces.launch import environment
from harness.effects import DiskFault

mounted = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or doctor.unavailable() is not None,
    reason="mounting a disk on the machine's own tree needs Linux, root and the kernel's FUSE",
)


class Disk:
    """A mounted disk, and the controller's end of its conversation."""

    def __init__(self, place: Path) -> None:
        self.place, self._asked = place, 0
        place.mkdir()
        self._control, theirs = wire.pair()
        self._control.settimeout(20)
        with theirs:
            argv = [
                sys.executable,
                "-S",
                "-m",
                "harness.clusters.disks.server",
                str(theirs.fileno()),
                str(place),
                "test-disk",
            ]
            self._process = subprocess.Popen(argv, pass_fds=[theirs.fileno()], env=environment())
        assert wire.receive(self._control)[0] == {"born": str(place)}

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        self._asked += 1
        wire.send(self._control, {"id": self._asked, "do": do, **fields})
        answer, _ = wire.receive(self._control)
        assert answer is not None
        assert "error" not in answer, answer
        return answer

    def break_(self, *faults: DiskFault) -> None:
        self.ask("break", faults=[asdict(fault) for fault in faults])

    def end(self) -> None:
        self._control.close()
        assert self._process.wait(20) == 0
        assert not os.path.ismount(self.place)


@contextmanager
def disk(place: Path) -> Iterator[Disk]:
    made = Disk(place)
    try:
        yield made
    finally:
        made.end()
