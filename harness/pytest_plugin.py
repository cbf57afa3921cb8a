"""The plugin of pytest: a test asserts a claim in three lines, and its failure text is the witness.

    def test_the_store_is_linearizable(splitbrain):
        splitbrain.holds("kv/raft", workload="register", faults=["partition", "kill"], seeds=3)

    def test_it_keeps_what_it_promises(splitbrain):
        splitbrain.holds("kv/raft", claim="crashes-forget-nothing")

    def test_local_reads_are_stale(splitbrain):
        splitbrain.breaks("kv/local-reads", workload="register", faults=["partition"], violates=["stale-read"])

Installed with splitbrain (entry point pytest11). A run that is unknown fails the test as an invalid one does: it is never a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.claims import Case
    from harness.cli.trying import Judged

SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitbrain:
    """What the fixture gives. Runs are kept below ``store`` as ``splitbrain run`` keeps them."""

    store: Path

    def holds(self, target: str, *, cluster: str = "sim", **claim: Any) -> None:
        """Fail unless every run is valid.

        ``claim`` is the name of one that the target carries, or else workload, model, faults, checkers and further settings of the plan
        (rate, time_limit_s, nodes, bug, ...); ``seeds`` says how many runs, of seeds 0 and up. Raises PlanError for what cannot be run.
        """
        __tracebackhide__ = True
        case = _case(target, claim)
        for judged in self._runs(case, cluster):
            if judged.outcome.verdict != "valid":
                pytest.fail(_words(case, judged), pytrace=False)

    def breaks(self, target: str, *, violates: Sequence[str] = (), cluster: str = "sim", **claim: Any) -> None:
        """Fail unless a run, of those of ``seeds`` seeds, shows one of the anomalies ``violates`` (a carried claim names its own)."""
        __tracebackhide__ = True
        case = _case(target, {**claim, "violates": tuple(violates)} if violates else claim)
        seen: list[str] = []
        for judged in self._runs(case, cluster):
            if judged.outcome.shows(case.claim):
                return
            seen.append(f"seed {judged.outcome.seed}: {judged.outcome.verdict}: {judged.outcome.reason}")
        wanted = " or ".join(case.claim.violates) or "an anomaly: name it in violates"
        pytest.fail(f"no run of {case.name} showed {wanted}\n" + "\n".join(seen), pytrace=False)

    def _runs(self, case: Case, cluster: str) -> Iterator[Judged]:
        from harness.cli.trying import Attempt, judge_attempt

        for seed in range(case.claim.seeds):
            yield judge_attempt(Attempt(case=case, cluster=cluster, seed=seed, store=self.store, settings={}))


@pytest.fixture
def splitbrain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Splitbrain:
    """Asserts claims of targets by runs: ``splitbrain.holds(...)``, ``splitbrain.breaks(...)``."""
    chosen = request.config.getoption("--splitbrain-store")
    return Splitbrain(store=Path(chosen) if chosen else tmp_path_factory.mktemp("splitbrain"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """--splitbrain-store: where runs are kept, for a look at their reports."""
    parser.getgroup("splitbrain").addoption(
        "--splitbrain-store", metavar="DIR", help="Where runs are kept.  [default: a temporary directory]"
    )


def _case(target: str, wanted: Mapping[str, Any]) -> Case:
    """The claim as ``harness.claims`` has it. Raises PlanError."""
    from harness.claims import Case
    from harness.cli import tables
    from harness.cli.planning import claim_of
    from harness.protocols import Claim

    known = tables.targets().get(target)
    given = dict(wanted)
    seeds = given.pop("seeds", SEEDS)
    if "claim" in given:
        carried = claim_of(known, given.pop("claim"))
        claim = replace(carried, seeds=seeds, settings={**carried.settings, **given})
        return Case(target=target, claim=claim)
    plain: dict[str, Any] = {"name": "asserted", "topic": "", "statement": "", "model": ""}
    plain["workload"] = known.workloads[0]
    plain |= {name: given.pop(name) for name in ("model", "workload", "checkers", "violates") if name in given}
    faults = tuple(given.pop("faults", ()))
    return Case(target=target, claim=Claim(**plain, faults=faults, settings=given, seeds=seeds))


def _words(case: Case, judged: Judged) -> str:
    from reports.terminal import render

    head = f"{case.name} does not hold: seed {judged.outcome.seed} is {judged.outcome.verdict}"
    return f"{head}\n\n{render(judged.report)}"
