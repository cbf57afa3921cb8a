"""Whether disks that fail can be made on this machine; and if not, what is missing and how to get it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping

from harness.clusters.disks import protocol

WAYS_OUT: Mapping[int, str] = {
    errno.ENOENT: "load it (modprobe fuse); a container needs it as a device (docker run --device /dev/fuse)",
    errno.ENODEV: "load it (modprobe fuse)",
    errno.EACCES: f"run as root, or let everybody use it (chmod 666 {protocol.DEVICE}), which is the default where udev makes it",
    errno.EPERM: "a container needs it as a device (docker run --device /dev/fuse)",
}


def unavailable(open_device: Callable[[str, int], int] = os.open) -> str | None:
    """One sentence, or None if they can be made. It opens the kernel's FUSE, and mounts nothing."""
    try:
        os.close(open_device(protocol.DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        way_out = WAYS_OUT.get(error.errno or 0)
        why = f"disks that fail need the kernel's FUSE, but {protocol.DEVICE} cannot be opened ({error.strerror})"
        return f"{why}: {way_out}" if way_out else why
    return None


def lacks() -> dict[str, str]:
    """The powers that this machine does not let a cluster have, and why."""
    why = unavailable()
    return {} if why is None else dict.fromkeys(("disk", "power"), why)


def lacks_of_mounts(user: Callable[[], int] = os.geteuid) -> dict[str, str]:
    """As ``lacks``, where disks are mounted on the machine's own tree, for the engine to see."""
    if user() != 0:
        return dict.fromkeys(
            ("disk", "power"), "disks that fail are mounted for the engine to see, which takes root (sudo)"
        )
    return lacks()
