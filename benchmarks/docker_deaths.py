"""Kills the controller of runs on containers at many moments, heals, and looks at what is left: ``python -m benchmarks.docker_deaths``.

Every line of the fault journal is one moment, all others are drawn: from before the first container to after the last fault. A moment
passes if after ``splitbrain heal`` no container, network, volume, namespace, mount, table, rule, route or interface is there that was
not there before, every fault is closed, and the history holds every operation that any node has carried out. Prints a line per moment;
the exit code is 1 if one failed. With ``--alone`` the whole machine must be as before; without, only what carries the controller's mark
is looked for, and what else has changed is named.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from harness.clusters.containers.settings import FABRICS, OWN
from tests.integration.container_deaths import LINES, die

AFTER_MAX_S = 25.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Kills controllers of runs on containers.")
    parser.add_argument("--moments", type=int, default=50, help="how many in all")
    parser.add_argument("--seed", type=int, default=1, help="of the drawn moments")
    parser.add_argument("--fabric", choices=FABRICS, default=OWN, help="what carries the nodes' packets")
    parser.add_argument(
        "--alone", action="store_true", help="nobody else uses the engine or makes namespaces meanwhile"
    )
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    moments: list[tuple[int | None, float]] = [(line, 0.0) for line in range(1, LINES + 1)][: arguments.moments]
    moments += [(None, dice.uniform(0.2, AFTER_MAX_S)) for _ in range(arguments.moments - len(moments))]
    failed = 0
    for at_line, after_s in moments:
        what = f"line {at_line} of the fault journal" if at_line is not None else f"{after_s:5.2f} s"
        with tempfile.TemporaryDirectory() as scratch:
            try:
                death = die(
                    Path(scratch), at_line=at_line, after_s=after_s, fabric=arguments.fabric, alone=arguments.alone
                )
            except AssertionError as error:
                failed += 1
                print(f"{what:<32} FAILED: {error}", flush=True)
            else:
                removed = len(death.healed["removed"])
                open_ops = sum(run["operations"] for run in death.healed["runs"])
                print(
                    f"{what:<32} {removed:3} things removed, {death.operations:5} operations ({open_ops} were open), "
                    f"{death.lines:3} lines of the fault journal"
                    + (f"; others changed {', '.join(death.others)} meanwhile" if death.others else ""),
                    flush=True,
                )
    print(f"{len(moments) - failed} of {len(moments)} moments left nothing")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
