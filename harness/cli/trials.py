"""Many runs at once: trials hand out seeds, worker processes make the runs, outcomes come back as they end."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from harness.cli.trying import Attempt, attempt_run
from harness.verification import Outcome, Trial

LedgerLine = Mapping[str, Any]
Running = dict["Future[tuple[Outcome, list[dict[str, Any]]]]", Trial]


def run_trials(
    trials: Sequence[Trial],
    *,
    jobs: int,
    attempt: Callable[[Trial, int], Attempt],
    observe: Callable[[Trial, Outcome], None],
) -> list[LedgerLine]:
    """Make every run that ``trials`` ask for, ``jobs`` at a time; each trial's ``outcomes`` are in the order of its seeds afterwards.

    ``attempt`` says what a seed's run is, ``observe`` hears of each that ended. Returns the lines for the ledger.
    """
    ledger: list[LedgerLine] = []
    with _pool(jobs) as pool:
        running: Running = {}
        while _fill(pool, running, trials, jobs, attempt):
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                trial = running.pop(future)
                outcome, lines = future.result()
                trial.outcomes.append(outcome)
                ledger.extend(lines)
                observe(trial, outcome)
    for trial in trials:
        order = {seed: place for place, seed in enumerate(trial.seeds)}
        trial.outcomes.sort(key=lambda outcome: order[outcome.seed])
    return ledger


def planned(trials: Sequence[Trial]) -> int:
    """How many runs are still to end, at most."""
    return sum(trial.running + (0 if trial.done else trial.left) for trial in trials)


def _fill(
    pool: ProcessPoolExecutor,
    running: Running,
    trials: Sequence[Trial],
    jobs: int,
    attempt: Callable[[Trial, int], Attempt],
) -> bool:
    """Give the workers all that they can take; whether any is at work."""
    while len(running) < jobs:
        asked = next(((trial, seed) for trial in trials if (seed := trial.next_seed()) is not None), None)
        if asked is None:
            break
        trial, seed = asked
        running[pool.submit(attempt_run, attempt(trial, seed))] = trial
    return bool(running)


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Workers in process groups of their own: a terminal's interrupt reaches this process, which tells each of them to end, once."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(max_workers=jobs, mp_context=context, initializer=_begin)
    try:
        yield pool
    except BaseException:
        for process in list(pool._processes.values()):  # noqa: SLF001 - before Python 3.14 the executor cannot end what runs
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def _begin() -> None:
    """In a worker: being told to end is an interrupt, after which a run heals all that it has broken."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
