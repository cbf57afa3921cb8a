"""``splitbrain heal``, of what one controller has left: ``python -m tests.healing PID --store DIR --json``.

It does all that it does, but finds nothing of others: tests that run beside this one leave things on purpose, and look at them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest.mock import patch

from harness import heal_machine
from harness.cli.main import run_command
from harness.clusters.containers import leftovers
from harness.heal import Finder, Leftover


@contextmanager
def healing_only(pid: int) -> Iterator[None]:
    """Meanwhile only things of controllers with this number are found."""
    with ExitStack() as stack:
        for table in (heal_machine.FINDERS, leftovers.FINDERS):
            stack.enter_context(patch.dict(table, {kind: partial(_of, pid, find) for kind, find in table.items()}))
        yield


def _of(pid: int, find: Finder) -> Iterator[Leftover]:
    return (thing for thing in find() if thing.owner.pid == pid)


if __name__ == "__main__":
    with healing_only(int(sys.argv[1])):
        sys.exit(run_command(["heal", *sys.argv[2:]]))
