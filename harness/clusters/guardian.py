"""A small process that outlives us, to end what would outlive us: if this process dies, it sees to all that is in its care.

A node notices our death by the end of its input, unless it stands still: then it would stand there for ever. The guardian reads which
are in its care, and acts when its input ends. This one is a POSIX shell that kills process groups; for containers see ``containers.thaw``.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress

from harness.errors import ClusterError

SCRIPT = """
trap '' HUP INT TERM
groups=
while read -r verb group; do
    case $verb in
        guard) groups="$groups $group" ;;
        release)
            rest=
            for other in $groups; do [ "$other" = "$group" ] || rest="$rest $other"; done
            groups=$rest ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
"""
KILL_GROUPS = ("/bin/sh", "-c", SCRIPT)


class Guardian:
    """Made before the first process that it is to guard; ``dismiss`` it when none is left."""

    def __init__(self, argv: Sequence[str] = KILL_GROUPS) -> None:
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,  # an interrupt from the terminal is for us
            bufsize=0,
        )

    def guard(self, who: int | str) -> None:
        """From now on it is in its care: a process group, or what else it cares for. Raises ClusterError if the guardian is gone."""
        try:
            self._tell(f"guard {who}")
        except OSError as error:
            raise ClusterError(f"the process that guards the nodes against our death has ended: {error}") from error

    def release(self, group: int) -> None:
        """The group has ended: its number may soon be somebody else's."""
        with suppress(OSError):  # a guardian that is gone guards nothing any more
            self._tell(f"release {group}")

    def dismiss(self) -> None:
        """End the guardian; it kills what is still in its care. Idempotent."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
