"""Impostors at a secured cluster, until so many attempts have met a node: what had an effect, what went unnoticed, what the doors cost.

    python -m benchmarks.impostor [ATTEMPTS] [--cluster local|docker|process|sim]

``kv/mtls`` (on clusters without sockets ``kv/tokens``) under the workload ``register`` at 20 operations per second, five nodes; partitions
and crashes of leaders come and go. The run is judged by every checker of its workload and by ``security``. Then five nodes are started with
and without security, without load: the median time until all have answered ``init``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.cli.planning import cluster_of
from harness.cli.tables import targets
from harness.protocols import ClusterSpec
from tests.simulation import run

PER_S = 100.0
STARTS = 5
ON_SOCKETS = ("local", "docker")


def besieged(target: str, cluster: str, attempts: int) -> dict[str, Any]:
    """The results of a run in which an impostor makes about so many attempts."""
    lasts_s = attempts / PER_S * 1.15 + 6  # some meet nobody, since nodes are down
    faults: list[dict[str, Any]] = [{"kind": "impostor", "start_s": 2, "end_s": 2 + lasts_s, "args": {"per_s": PER_S}}]
    for number in range(int(lasts_s // 20)):
        at_s = 10.0 + 20 * number
        faults.append({"kind": "partition", "start_s": at_s, "end_s": at_s + 4, "args": {"shape": "isolate-leader"}})
        faults.append({"kind": "kill", "start_s": at_s + 6, "end_s": at_s + 9, "args": {"target": "leader"}})
    with tempfile.TemporaryDirectory() as directory:
        schedule = Path(directory) / "faults.json"
        schedule.write_text(json.dumps({"version": 1, "faults": faults}), encoding="utf-8")
        wishes = {"time_limit_s": lasts_s + 4, "rate": 20.0, "recovery_s": 10.0}
        return run(target, seed=1, cluster=cluster, schedule=schedule, **wishes).results


def start_s(target: str, cluster: str, security: str) -> float:
    """How long five nodes take to come up."""
    found = targets().get(target)
    spent = []
    for number in range(STARTS):
        with tempfile.TemporaryDirectory() as directory:
            spec = ClusterSpec(
                target=target,
                program=found.program,
                nodes=tuple(f"n{node}" for node in range(1, 6)),
                options={"security": security},
                seed=number,
                directory=Path(directory),
            )

            async def scenario(spec: ClusterSpec = spec) -> float:
                began_s = time.perf_counter()
                made = cluster_of(found, cluster)(spec)
                await made.start()
                took_s = time.perf_counter() - began_s
                await made.stop()
                return took_s

            spent.append(asyncio.run(scenario()))
    return statistics.median(spent)


def main() -> None:
    """The verdict in a few lines, then the cost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("attempts", type=int, nargs="?", default=10_000)
    parser.add_argument("--cluster", default="local")
    arguments = parser.parse_args()
    sockets = arguments.cluster in ON_SOCKETS
    target = "kv/mtls" if sockets else "kv/tokens"
    results = besieged(target, arguments.cluster, arguments.attempts)
    (judged,) = [verdict for verdict in results["checkers"] if verdict["checker"] == "security"]
    print(f"{target} on {arguments.cluster}: {results['verdict']}: {judged['reason']}")
    for name, value in judged["stats"].items():
        print(f"  {name}: {value}")
    if arguments.cluster == "sim":
        return
    for security in ("off", "tokens", *(("tls",) if sockets else ())):
        print(f"  five nodes up with security={security}: {start_s(target, arguments.cluster, security):.2f} s")


if __name__ == "__main__":
    main()
