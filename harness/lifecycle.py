"""A run from its first process to its last: start, safety phase, heal, liveness phase, final reads, stop.

Whatever ends a run (also an interrupt, also a bug of ours), every fault is healed and every node is stopped on the way out. From
then on no process of the target is needed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from harness import rng
from harness.errors import SplitbrainError
from harness.generator import NEMESIS_THREAD, Context, Generator
from harness.injector import Fault, Injector
from harness.journal import FaultJournal, HistoryJournal
from harness.op import Op
from harness.plan import Plan
from harness.protocols import Client, ClientSeat, Cluster
from harness.runner import Invoker, Runner
from harness.store import Run
from harness.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """All that a run needs besides its plan, put together by the composition root."""

    plan: Plan
    cluster: Cluster
    generator: Generator
    client: Callable[[ClientSeat], Client]
    faults: Mapping[str, Fault]
    run: Run
    observe: Callable[[Op], None] | None = None


async def conduct(experiment: Experiment) -> None:
    """Run the experiment to its end; the run's directory then holds all that happened.

    Raises what went wrong as one error (not as a group): TargetError, ClusterError, PluginError, or a bug of ours.
    """
    try:
        async with _recording(experiment) as runner:
            await runner.run()
    except BaseExceptionGroup as group:
        raise _first(group) from group


@asynccontextmanager
async def _recording(experiment: Experiment) -> AsyncIterator[Runner]:
    plan, cluster, loop = experiment.plan, experiment.cluster, asyncio.get_running_loop()
    durable = not getattr(cluster, "simulated", False)
    history = HistoryJournal(experiment.run.history, durable=durable)
    try:
        boot_s = loop.time()
        await cluster.start()
        began_s = loop.time()
        experiment.run.note_boot(began_s - boot_s)
        faults = FaultJournal(
            experiment.run.faults,
            lambda: int((loop.time() - began_s) * 1e9),
            durable=durable,
        )
        injector = Injector(cluster, experiment.faults, faults)
        try:
            yield Runner(
                generator=experiment.generator,
                context=Context.start(plan.concurrency, rng.stream(plan.seed, "generator")),
                invokers={**_workers(experiment), NEMESIS_THREAD: injector},
                journal=history,
                observe=experiment.observe,
                began_s=began_s,
            )
        finally:
            await injector.heal_all()
            faults.close()
    finally:
        try:
            await cluster.stop()
        finally:
            history.close()


def _workers(experiment: Experiment) -> dict[int, Invoker]:
    plan, cluster = experiment.plan, experiment.cluster
    return {
        thread: Worker(
            thread=thread,
            nodes=plan.nodes,
            connect=cluster.channel,
            client=experiment.client,
            rng=rng.stream(plan.seed, f"client/{thread}"),
            timeout_s=plan.op_timeout_s,
            workload=plan.workload,
            true_s=getattr(cluster, "true_s", time.time),  # virtual where time is
        )
        for thread in range(plan.concurrency)
    }


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show: one with a sentence for people if there is one, else the first."""
    flat: list[BaseException] = []
    rest: list[BaseException] = [group]
    while rest:
        error = rest.pop(0)
        if isinstance(error, BaseExceptionGroup):
            rest[:0] = error.exceptions
        else:
            flat.append(error)
    return next((error for error in flat if isinstance(error, SplitbrainError)), flat[0])
