"""A base image without a registry: this machine's own Python, with its standard library and the shared libraries that they need.

About 40 to 70 MB and a second or two to pack. Inside are Python and a handful of small programs, no package manager. Linux with the
GNU C library alone: needed libraries are what ``ldd`` names.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable
from pathlib import Path

from harness.errors import ClusterError

# Parts of the standard library that no node needs: tests, graphics, pip's own seed.
SKIPPED = frozenset(
    [
        *("test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"),
        *("__pycache__", "site-packages", "dist-packages"),
    ]
)
TOOLS = ("sh", "cat", "ls", "sleep", "kill", "env")  # what a person wants who looks into a container
# Opened by the C library at run time, so ldd does not name them: names of hosts and users; unwinding of threads that are cancelled.
OPENED_LATER = ("libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1")
MERGED = ("bin", "sbin", "lib", "lib64")  # links into /usr, as on Debian: /lib/x and /usr/lib/x are the same file
DIRECTORIES = ("root", "var", "proc", "sys", "dev", "run", "etc", "usr/local")
TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
RECIPE = 1  # changes when what is packed does


def fingerprint() -> str:
    """The same for images with the same content, as far as that can be told without packing one."""
    python = interpreter()
    said = f"{RECIPE} {sys.version} {platform.machine()} {python} {python.stat().st_size} {python.stat().st_mtime_ns}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def interpreter() -> Path:
    """The Python that is packed: the one that this program runs on, without the virtual environment around it."""
    base: str = getattr(sys, "_base_executable", None) or sys.executable
    return Path(base).resolve()


def pack() -> bytes:
    """The file system of the image as a tar. Raises ClusterError where shared libraries cannot be listed."""
    python = interpreter()
    library = _library(Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("platstdlib")))
    tools = [Path(found) for found in map(shutil.which, TOOLS) if found is not None]
    programs = {python, *tools, *(path for path in library if ".so" in path.name)}
    needed = _libraries(programs)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        _furnish(tar)
        placed = {_inside(path): path for path in {*library, *needed, *tools, python}}
        for name, path in sorted(placed.items()):
            tar.add(path.resolve(), arcname=name.lstrip("/"), recursive=False)
        for name in ("/usr/bin/python3", "/usr/local/bin/python3"):
            if name not in placed:
                _link(tar, name.lstrip("/"), _inside(python))
    return buffer.getvalue()


def _library(*roots: Path) -> set[Path]:
    """The files of the standard library."""
    found = set()
    for root in set(roots):
        for directory, below, files in os.walk(root):
            below[:] = [name for name in below if name not in SKIPPED and not name.startswith("config-")]
            found |= {Path(directory, name) for name in files}
    return found


def _libraries(programs: Iterable[Path]) -> set[Path]:
    """The shared libraries that these programs are linked with, and those that the C library opens later."""
    ldd = shutil.which("ldd")
    if ldd is None:
        raise ClusterError("a base image cannot be made here: there is no ldd; name one with --image")
    done = subprocess.run([ldd, *map(str, sorted(programs))], capture_output=True, text=True, check=False)
    found = set()
    for line in done.stdout.splitlines():
        words = line.split()
        if line.startswith((" ", "\t")) and words:
            path = words[2] if len(words) > 2 and words[1] == "=>" else words[0]
            if path.startswith("/"):
                found.add(Path(path))
    if not found:
        raise ClusterError(f"a base image cannot be made here: ldd names no libraries ({done.stderr.strip()[:200]})")
    beside = {path.parent for path in found}
    return found | {folder / name for folder in beside for name in OPENED_LATER if (folder / name).exists()}


def _inside(path: Path) -> str:
    """Where a file of this machine lies in the image."""
    first = path.parts[1]
    return f"/usr{path}" if first in MERGED else str(path)


def _furnish(tar: tarfile.TarFile) -> None:
    for name in MERGED:
        _directory(tar, f"usr/{name}", 0o755)
        _link(tar, name, f"usr/{name}")
    for name in DIRECTORIES:
        _directory(tar, name, 0o755)
    _directory(tar, "tmp", 0o1777)
    for name, text in TEXTS.items():
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(text), 0o644
        tar.addfile(entry, io.BytesIO(text.encode()))


def _directory(tar: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)
