"""A loop's way to hear of SIGCHLD: a descriptor that can be read when something has happened to a process that it waits for."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress


class Bell:
    """One per process: it takes the signal's handler and Python's wake-up descriptor. Made in the main thread."""

    def __init__(self) -> None:
        self.descriptor, self._rope = os.pipe()
        for end in (self.descriptor, self._rope):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._rope, warn_on_full_buffer=False)

    def wait(self, patience_s: float | None, *others: int) -> list[int]:
        """Until something happens, one of the other descriptors can be read (which is told), or the patience is over."""
        ready, _, _ = select.select([self.descriptor, *others], [], [], patience_s)
        if self.descriptor in ready:
            with suppress(BlockingIOError):
                os.read(self.descriptor, 4096)
        return [other for other in others if other in ready]
