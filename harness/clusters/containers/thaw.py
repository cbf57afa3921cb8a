"""The guardian of containers that stand still: ``python -m harness.clusters.containers.thaw``. See ``guardian``.

A container that is frozen, or whose processes are stopped, does not notice that the controller has died. So it is made to go on then: its
input has ended, and it ends by itself. Its remains are for ``splitbrain heal``, as those of the others.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

from docker.errors import APIError

from harness.clusters.containers.engine import connect
from harness.errors import ClusterError

# Whoever sends these means the controller, which will tell by its end.
FOR_THE_CONTROLLER = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
COMMAND = (sys.executable, "-m", "harness.clusters.containers.thaw")


def main() -> None:
    """Read lines "guard CONTAINER" until the input ends, then let each go on."""
    for number in FOR_THE_CONTROLLER:
        signal.signal(number, signal.SIG_IGN)
    containers = {line.split()[1] for line in sys.stdin}
    with suppress(ClusterError):  # an engine that has ended, too, has taken them with it
        client = connect()
        for container in containers:
            for let_go in (client.unpause, lambda which: client.kill(which, "SIGCONT")):
                with suppress(APIError):  # it does not stand still in this way, or is gone
                    let_go(container)


if __name__ == "__main__":
    main()
