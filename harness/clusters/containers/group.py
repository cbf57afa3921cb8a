"""The processes of a container, as the kernel of this machine groups them: who they are, whether they may run, how much memory they get.

Control groups of version 1 and 2 (cgroups(7)). A container's group is named after it and ends with it, so that what is done to its
processes reaches no others, whoever has their numbers by then.
"""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

from harness.errors import ClusterError

ROOT = Path("/sys/fs/cgroup")


class Group:
    """One life of a container. ``pid`` is the number, on this machine, of its first process."""

    def __init__(self, pid: int, container: str, *, root: Path = ROOT, proc: Path = Path("/proc")) -> None:
        """Raises ClusterError if that process is not in the group of this container, or has ended."""
        self._pid, self._proc = pid, proc
        try:
            self._directory = root / _group((proc / str(pid) / "cgroup").read_text(encoding="utf-8"))
        except OSError as error:
            raise ClusterError(f"process {pid} of a container has ended: {error.strerror}") from error
        if container not in str(self._directory):
            raise ClusterError(f"process {pid} is not in the control group of container {container[:12]}")

    @property
    def pid(self) -> int:
        """The number of its first process on this machine."""
        return self._pid

    def processes(self) -> list[int]:
        """Those that live."""
        with suppress(OSError):  # it has ended, and its group with it
            return [int(line) for line in (self._directory / "cgroup.procs").read_text(encoding="ascii").split()]
        return []

    def tell(self, number: signal.Signals) -> None:
        """The signal to each of them; from outside, SIGSTOP stops also the first."""
        for one in self.processes():
            with suppress(ProcessLookupError):
                os.kill(one, number)

    def ask_to_end(self) -> None:
        """SIGTERM to the first process, as ``docker stop`` sends it: the others are its own to end."""
        if self._pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)

    def runs(self) -> bool | None:
        """Whether the first process may run: neither stopped nor frozen. None if it has ended."""
        try:
            line = (self._proc / str(self._pid) / "stat").read_text(encoding="ascii", errors="replace")
            return line.rpartition(")")[2].split()[0] not in "Tt" and not self._frozen()
        except (OSError, IndexError):
            return None

    def squeeze(self, headroom_bytes: int | None) -> None:
        """Each process gets that much more memory (of its address space: getrlimit(2)), or (None) all that it asks for."""
        for one in self.processes():
            with suppress(OSError):  # it has just ended
                _, most = resource.prlimit(one, resource.RLIMIT_AS)
                limit = most
                if headroom_bytes is not None:
                    pages = int((self._proc / str(one) / "statm").read_text(encoding="ascii").split()[0])
                    limit = pages * resource.getpagesize() + headroom_bytes
                resource.prlimit(one, resource.RLIMIT_AS, (limit, most))

    def _frozen(self) -> bool:
        first, second = self._directory / "freezer.state", self._directory / "cgroup.events"
        if first.exists():
            return first.read_text(encoding="ascii").strip() != "THAWED"
        return "frozen 1" in second.read_text(encoding="ascii")


def _group(text: str) -> Path:
    """The group that freezes a process, below the root, from the text of its /proc/PID/cgroup. Pure."""
    groups = {controllers: path for _, controllers, path in (line.split(":", 2) for line in text.splitlines())}
    if "freezer" in groups:  # version 1: a tree for each controller
        return Path("freezer", groups["freezer"].lstrip("/"))
    return Path(groups.get("", "/").lstrip("/"))
