"""The live view of a verification: runs that ended and are left, what was found so far, time left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from harness.cli.trials import planned
from harness.verification import CANARY, Outcome, Trial
from reports.wording import sentence


class TrialsView:
    """Hears of every run that ended. A line per run that was neither valid nor expected; without a terminal nothing else."""

    def __init__(self, trials: Sequence[Trial], console: Console) -> None:
        self._trials = trials
        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(
            *columns,
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("runs", total=planned(trials))
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def observe(self, trial: Trial, outcome: Outcome) -> None:
        """Take note of one run."""
        self._counts[outcome.verdict] += 1
        ended = self._counts.total()
        told = ", ".join(f"{number} {verdict}" for verdict, number in sorted(self._counts.items()))
        self._progress.update(self._task, completed=ended, total=ended + planned(self._trials), description=told)
        if outcome.verdict != "valid" and not trial.case.breaks and trial.case.row != CANARY.row:
            words = f"{outcome.verdict}: {trial.case.name} on {trial.cluster}, seed {outcome.seed}: {sentence(outcome.reason)}"
            self._console.print(Text(words), highlight=False)
