"""Finders of what a dead run can leave on a Linux machine: processes, mounts, named namespaces, tables of the packet filter.

Processes carry the mark in their environment, all else in its name. Each is looked at again at the moment of its removal, so that a
number or a name that somebody else has taken meanwhile is left alone. Elsewhere than on Linux there is nothing to find.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from harness import mark
from harness.clusters.clocks import marks
from harness.clusters.fabric.netlink import ACK, DUMP, NETFILTER, Netlink, Request, attribute, attributes, open_socket
from harness.clusters.fabric.nft import SUBSYSTEM
from harness.errors import ClusterError
from harness.heal import Leftover
from harness.mark import Mark

GET_TABLE, DELETE_TABLE = SUBSYSTEM | 1, SUBSYSTEM | 2
BATCH_BEGIN, BATCH_END = 0x10, 0x11
TABLE_NAME = 1  # attribute of a table
NAMED_NAMESPACES = Path("/run/netns")  # ip-netns(8)
DETACH = 2  # umount2(2): gone from the tree at once, from the kernel when nobody uses it any more
GONE_S = 10.0
_ESCAPED = re.compile(r"\\([0-7]{3})")  # proc(5), mountinfo: space, tab, newline and backslash


def processes() -> Iterator[Leftover]:
    """Living processes with a mark in their environment. This one and those above it have none."""
    for entry in _proc():
        owner = _mark_of(int(entry.name))
        if owner is not None:
            yield Leftover(
                kind="process",
                name=f"{entry.name} ({_command(entry)})",
                owner=owner,
                remove=partial(_end, int(entry.name), owner),
            )


def _proc() -> list[Path]:
    root = Path("/proc")
    return sorted(entry for entry in root.iterdir() if entry.name.isdigit()) if root.exists() else []


def _mark_of(pid: int) -> Mark | None:
    """The mark in the environment of a process; None if it has none, is gone, or is not ours to look at."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    prefix = f"{mark.VARIABLE}=".encode()
    for variable in environment.split(b"\0"):
        if variable.startswith(prefix):
            return mark.parse(variable[len(prefix) :].decode(errors="replace"))
    return None


def _command(entry: Path) -> str:
    with suppress(OSError):
        return (entry / "comm").read_text(encoding="utf-8", errors="replace").strip()
    return "?"


def _end(pid: int, owner: Mark) -> None:
    """SIGKILL to exactly that process, and wait until it is gone: the descriptor keeps its number from being anybody else's."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _mark_of(pid) != owner:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        if not _readable(descriptor, GONE_S):
            raise ClusterError(f"it still lives {GONE_S:g} s after SIGKILL")
    finally:
        os.close(descriptor)


def _readable(descriptor: int, patience_s: float) -> bool:
    """A descriptor of a process can be read when the process has ended."""
    return bool(select.select([descriptor], [], [], patience_s)[0])


def clocks() -> Iterator[Leftover]:
    """Wall clocks that are wrong by a controller's doing, in processes that have outlived it."""
    for pid, text in marks.found():
        owner = mark.parse(text)
        if owner is not None:
            yield Leftover(kind="clock", name=f"of process {pid}", owner=owner, remove=partial(_set_right, pid, text))


def _set_right(pid: int, owner: str) -> None:
    """In a process of its own, which alone waits for what happens to that one."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", marks.__name__, str(pid), owner],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    if done.returncode != 0:
        raise ClusterError((done.stdout or done.stderr).strip().splitlines()[-1])


def mounts() -> Iterator[Leftover]:
    """Mounts whose source or place is named by a mark; the innermost first."""
    for place, source in reversed(_mounted()):
        owner = mark.in_name(place) or mark.in_name(source)
        if owner is not None and not Path(place).is_relative_to(NAMED_NAMESPACES):
            yield Leftover(kind="mount", name=place, owner=owner, remove=partial(unmount, place))


def _mounted() -> list[tuple[str, str]]:
    """(place, source) of all mounts that this process sees, in the order in which they were made."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        fields = line.split(" ")
        found.append((_plain(fields[4]), _plain(fields[fields.index("-") + 2])))
    return found


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), text)


def unmount(place: str) -> None:
    """Take a mount away, whoever uses it. Nothing if there is none. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(place), DETACH) != 0:
        number = ctypes.get_errno()
        if place in [at for at, _ in _mounted()]:
            raise OSError(number, f"cannot unmount {place}: {os.strerror(number)}")


def namespaces() -> Iterator[Leftover]:
    """Network namespaces that have a name with a mark in it. Those without a name end with their processes."""
    if not NAMED_NAMESPACES.is_dir():
        return
    for entry in sorted(NAMED_NAMESPACES.iterdir()):
        owner = mark.in_name(entry.name)
        if owner is not None:
            yield Leftover(kind="namespace", name=entry.name, owner=owner, remove=partial(_forget, entry))


def _forget(entry: Path) -> None:
    unmount(str(entry))
    entry.unlink(missing_ok=True)


def tables() -> Iterator[Leftover]:
    """Tables of the machine's packet filter that are named by a mark. Only root may look."""
    try:
        netlink = Netlink(open_socket(NETFILTER))
    except (OSError, AttributeError):
        return
    with closing(netlink):
        try:
            answers = netlink.dump(
                Request(kind=GET_TABLE, flags=DUMP, payload=struct.pack(">BBH", 0, 0, 0), what="list the tables")
            )
        except OSError:  # not root, or a kernel without nftables: no table can be ours
            return
        listed = [(answer.payload[0], dict(attributes(answer.payload[4:]))) for answer in answers]
    for family, fields in listed:
        name = fields[TABLE_NAME].rstrip(b"\0").decode(errors="replace")
        owner = mark.in_name(name)
        if owner is not None:
            yield Leftover(
                kind="table",
                name=name,
                owner=owner,
                remove=partial(_delete_table, family, name),
            )


def _delete_table(family: int, name: str) -> None:
    edge = struct.pack(">BBH", 0, 0, SUBSYSTEM >> 8)
    payload = struct.pack(">BBH", family, 0, 0) + attribute(TABLE_NAME, name)
    with closing(Netlink(open_socket(NETFILTER))) as netlink, suppress(FileNotFoundError):
        netlink.transact(
            [
                Request(kind=BATCH_BEGIN, flags=0, payload=edge),
                Request(kind=DELETE_TABLE, flags=ACK, payload=payload, what=f"delete the table {name}"),
                Request(kind=BATCH_END, flags=0, payload=edge),
            ]
        )


FINDERS = {
    "clocks": clocks,
    "processes": processes,
    "mounts": mounts,
    "namespaces": namespaces,
    "tables of the packet filter": tables,
}
