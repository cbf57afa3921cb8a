"""Runs a program as an ordinary user, also where the tests are root and the interpreter lies in root's home.

The home is opened to that user in a mount namespace of the program alone, and so is the kernel's FUSE, as it is where udev makes its
device: the machine's own permissions stay as they are.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from harness.clusters.disks.protocol import DEVICE
from harness.clusters.namespaces import kernel

NOBODY = 65534


def run_as_ordinary_user(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path, groups: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Its output as text. Nothing but the interpreter is opened to the user: what else it needs must be readable by all, or by
    one of these groups, which the user is in.
    """
    return subprocess.run(
        list(argv),
        env=dict(env),
        cwd=cwd,
        preexec_fn=partial(_become, groups) if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        check=False,
    )


def _become(groups: Sequence[int]) -> None:
    kernel.unshare(kernel.NEW_MOUNT)
    kernel.mount("none", "/", flags=kernel.PRIVATE | kernel.RECURSIVE)
    _open_fuse()
    prefix = Path(sys.base_prefix).resolve()
    closed = [parent for parent in reversed(prefix.parents) if not parent.stat().st_mode & 0o001]
    if closed:
        held = os.open(prefix, os.O_PATH)
        kernel.mount("tmpfs", str(closed[0]), "tmpfs")
        closed[0].chmod(0o755)
        prefix.mkdir(parents=True)
        kernel.mount(f"/proc/self/fd/{held}", str(prefix), flags=kernel.BIND)
        os.close(held)
    os.setgroups(groups)
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _open_fuse() -> None:
    """A device node that everybody may open, in the place of the machine's."""
    device, held = Path(DEVICE), Path("/mnt")
    if device.exists() and held.is_dir():
        kernel.mount("tmpfs", str(held), "tmpfs")
        os.mknod(held / "fuse", stat.S_IFCHR, device.stat().st_rdev)
        (held / "fuse").chmod(0o666)
        kernel.mount(str(held / "fuse"), DEVICE, flags=kernel.BIND)
