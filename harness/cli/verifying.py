"""From claims to trials, and from trials to outcomes: what ``splitbrain verify`` and the plugin of pytest share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.claims import Case
from harness.cli import tables
from harness.cli.corpus import Corpus
from harness.cli.planning import pick_cluster
from harness.cli.trials import LedgerLine, run_trials
from harness.cli.trying import Attempt, plan_of
from harness.errors import PlanError
from harness.protocols import Target
from harness.verification import CANARY, Outcome, Profile, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How claims are to be verified: ``settings`` before a claim's own, ``bugs`` planted by target, ``known`` seeds tried first."""

    profile: Profile
    store: Path
    clusters: tuple[str, ...] = ()
    first_seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    bugs: Mapping[str, str] = field(default_factory=dict)
    known: Corpus = field(default_factory=dict)
    keep: bool = False

    def attempt(self, trial: Trial, seed: int) -> Attempt:
        """The run of this seed. The canary is always run as it is: nothing that was wished for may wake or tame it."""
        case, tame = trial.case, trial.case.row == CANARY.row
        return Attempt(
            case=case,
            cluster=trial.cluster,
            seed=seed,
            store=self.store,
            settings={} if tame else {**self.profile.settings(case), **self.settings},
            known=seed in trial.known,
            keep=self.keep,
            bug=None if tame else self.bugs.get(case.target),
        )


def make_trials(cases: Sequence[Case], wishes: Wishes, canary: Case = CANARY) -> tuple[Trial, list[Trial]]:
    """The canary's trial, and one per case and cluster. Raises PlanError, naming the claim, for what could not be run at all."""
    trials = [
        Trial(case, cluster, wishes.profile, tuple(wishes.known.get(case.name, {}).get(cluster, ())), wishes.first_seed)
        for case in cases
        for cluster in wishes.clusters or case.clusters or (_usual(case),)
    ]
    watching = Trial(canary, wishes.clusters[0] if wishes.clusters else "sim", wishes.profile)
    for trial in (watching, *trials):
        _possible(wishes.attempt(trial, trial.seeds[0]))
    return watching, trials


def conduct_trials(
    canary: Trial,
    trials: Sequence[Trial],
    wishes: Wishes,
    *,
    jobs: int,
    observe: Callable[[Trial, Outcome], None] = lambda _trial, _outcome: None,
) -> list[LedgerLine]:
    """Make all runs, in worker processes; returns the lines for the ledger of what the infrastructure failed to do."""
    return run_trials([canary, *trials], jobs=jobs, attempt=wishes.attempt, observe=observe)


def _usual(case: Case) -> str:
    """Where a claim is verified that does not say where: in the simulator, or else where its target can run at all. Raises PlanError."""
    target: Target = tables.targets().get(case.target)
    return "sim" if not target.hosts or "sim" in target.hosts else pick_cluster(tables.AUTO, target)[0]


def _possible(attempt: Attempt) -> None:
    try:
        pick_cluster(attempt.cluster)
        plan_of(attempt)
    except PlanError as error:
        raise PlanError(f"claim {attempt.case.name} on {attempt.cluster}: {error}") from error
