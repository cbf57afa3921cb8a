"""A process's copy of the vDSO: where it lies, read and written from outside. Standard library alone.

The mapping may not be written to by the process itself. The kernel lets a debugger do so all the same, by /proc/PID/mem or, where it is
built to refuse that (PROC_MEM_NO_FORCE, from Linux 6.12 on), by ptrace(2), word by word.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from harness.clusters.clocks import ptrace, vdso
from harness.clusters.clocks.page import Page, Write
from harness.clusters.clocks.vdso import Unfit

_BASE_OF_VDSO = 33  # AT_SYSINFO_EHDR of getauxval(3)
_PAIR = struct.Struct("<QQ")
_WORD = 8
_REFUSED = (errno.EIO, errno.EPERM, errno.EACCES)


@cache
def own_page() -> Page:
    """What this machine's kernel maps into every 64-bit process, as it stands in this one. Raises Unfit."""
    try:
        with Memory(os.getpid()) as memory:
            (length,) = (end - start for start, end in _mappings(os.getpid()) if start == memory.base)
            page = Page(vdso.read(memory.read(0, length)))
    except (OSError, ValueError) as error:
        raise Unfit(f"this process's own vDSO cannot be read ({error})") from error
    if page.owner(page.image.data) is not None:
        raise Unfit("this process's own clock is wrong")
    return page


def _mappings(pid: int) -> Iterable[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        start, _, end = line.split(" ", 1)[0].partition("-")
        yield int(start, 16), int(end, 16)


class Memory:
    """The vDSO of one program in one process; what the process executes next has another. Places are distances from its beginning."""

    def __init__(self, pid: int) -> None:
        """Raises OSError; ProcessLookupError for a process without one, which runs nothing (any more)."""
        self.pid = pid
        auxiliary = Path(f"/proc/{pid}/auxv").read_bytes()
        found = dict(_PAIR.iter_unpack(auxiliary[: len(auxiliary) // _PAIR.size * _PAIR.size]))
        if _BASE_OF_VDSO not in found:
            raise ProcessLookupError(errno.ESRCH, f"process {pid} has no vDSO")
        self.base = found[_BASE_OF_VDSO]
        self._file = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._file)

    def read(self, at: int, size: int) -> bytes:
        """Raises OSError; ProcessLookupError when the process has ended, or executes another program by now."""
        data = os.pread(self._file, size, self.base + at)
        if len(data) != size:
            raise ProcessLookupError(errno.ESRCH, f"process {self.pid} is gone")
        return data

    def write(self, writes: Iterable[Write]) -> bool:
        """Write without the help of a debugger; whether the kernel let us. Raises OSError."""
        try:
            for at, data in writes:
                if os.pwrite(self._file, data, self.base + at) != len(data):
                    raise ProcessLookupError(errno.ESRCH, f"process {self.pid} is gone")
        except OSError as error:
            if error.errno in _REFUSED:
                return False
            raise
        return True

    def poke(self, writes: Iterable[Write], thread: int) -> None:
        """Write by way of a stopped thread of it that this thread of ours follows. Raises OSError."""
        for at, data in writes:
            first = at // _WORD * _WORD
            end = -(-(at + len(data)) // _WORD) * _WORD
            words = bytearray(self.read(first, end - first))
            words[at - first : at - first + len(data)] = data
            for distance in range(0, len(words), _WORD):
                word = int.from_bytes(words[distance : distance + _WORD], "little")
                ptrace.poke(thread, self.base + first + distance, word)
