"""From what a workload's analysis found to a verdict under a consistency model. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkers.transactions.cycles import Cycle, Exhausted, Search
from checkers.transactions.graph import Builder, Graph, Kind
from checkers.transactions.models import DEFAULT, MODELS, Model, Time
from checkers.transactions.telling import Teller, Words
from checkers.transactions.txns import Txn, spans
from checkers.transactions.values import Facts, Finding
from checkers.wording import Narrator, count
from harness.errors import PlanError, suggest
from harness.history import Calls
from harness.verdict import Anomaly, Budget, Validity, Verdict

# Of each name this many anomalies are shown; counts are of all.
SHOWN_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a workload's analysis gives: its transactions, what is wrong besides cycles, and the dependencies."""

    calls: Calls
    txns: Sequence[Txn]
    findings: Sequence[Finding]
    builder: Builder
    facts: Facts
    words: Words


def model_named(model: str = DEFAULT) -> Model:
    """The consistency model of that name. Raises PlanError with a suggestion if there is none."""
    if model not in MODELS:
        raise PlanError(f"unknown consistency model {model!r}: {suggest(model, MODELS)}")
    return MODELS[model]


def judged(checker: str, analysis: Analysis, model: Model, budget: Budget) -> Verdict:
    """The verdict: invalid if anything that was found refutes the model; unknown if there was nothing to judge, or too much."""
    graph = _graph(analysis, model.time)
    stats = _stats(analysis, graph, model)
    cycles, exhausted = _cycles(graph, model, budget)
    findings = [finding for finding in analysis.findings if model.forbids(finding.name)]
    found = Counter([*(finding.name for finding in findings), *(cycle.name for cycle in cycles)])
    allowed = Counter(finding.name for finding in analysis.findings if not model.forbids(finding.name))
    stats |= {"anomalies": dict(found), "allowed_anomalies": dict(allowed), "refuted": _refuted(findings, cycles)}
    teller = Teller(Narrator(analysis.calls), analysis.txns, analysis.facts.all, analysis.words)
    anomalies = _anomalies(checker, teller, findings, cycles)
    if anomalies:
        more = f" ({'; '.join(f'{name}: {number:,}' for name, number in found.items())})" if found.total() > 1 else ""
        validity, reason = Validity.INVALID, f"not {model.name}: {anomalies[0].reason}{more}"
    elif exhausted:
        validity, reason = Validity.UNKNOWN, "the search for cycles ran out of its budget of steps"
    elif not stats["dependencies"]:
        validity = Validity.UNKNOWN
        reason = f"no transaction of {count(len(analysis.txns), 'transaction')} depends on another, so there was nothing to judge"
    else:
        validity = Validity.VALID
        edges = count(stats["dependencies"], "dependency", "dependencies")
        reason = (
            f"nothing refutes {model.name}: {edges} between {count(stats['ok'], 'transaction')} make no forbidden cycle"
        )
    return Verdict(checker=checker, validity=validity, reason=reason, anomalies=anomalies, stats=stats)


def _graph(analysis: Analysis, time: Time) -> Graph:
    """The dependencies, and the order of time that the model respects."""
    txns = analysis.txns
    alive = np.array([not txn.failed for txn in txns], dtype=np.bool_)
    if time >= Time.PROCESS:
        analysis.builder.process_order([txn.process for txn in txns], [txn.ok for txn in txns])
    if time >= Time.REAL:
        analysis.builder.real_time(*spans(txns))
    graph = analysis.builder.graph()
    # What failed did not happen: it comes before and after nothing.
    mortal = np.concatenate([alive, np.ones(graph.size - len(txns), dtype=np.bool_)])
    return graph.only(mortal[graph.src] & mortal[graph.dst])


def _cycles(graph: Graph, model: Model, budget: Budget) -> tuple[list[Cycle], bool]:
    """The cycles that refute the model, and whether the search was cut short."""
    found: list[Cycle] = []
    try:
        found.extend(Search(graph, budget.steps_max).cycles(model.level, model.time))
    except Exhausted:
        return found, True
    return found, False


def _anomalies(
    checker: str, teller: Teller, findings: Sequence[Finding], cycles: Sequence[Cycle]
) -> tuple[Anomaly, ...]:
    shown: Counter[str] = Counter()
    anomalies = []
    for finding in findings:
        shown[finding.name] += 1
        if shown[finding.name] <= SHOWN_MAX:
            ops, reason = teller.rows(finding.txns), teller.finding(finding)
            anomalies.append(Anomaly(checker=checker, name=finding.name, ops=ops, reason=reason))
    for cycle in cycles:
        shown[cycle.name] += 1
        if shown[cycle.name] <= SHOWN_MAX:
            ops, reason = teller.rows([edge.src for edge in cycle.edges]), teller.cycle(cycle)
            anomalies.append(Anomaly(checker=checker, name=cycle.name, ops=ops, reason=reason))
    return tuple(anomalies)


def _stats(analysis: Analysis, graph: Graph, model: Model) -> dict[str, Any]:
    kinds = Counter(graph.kind.tolist())
    return {
        "model": model.name,
        "transactions": len(analysis.txns),
        "ok": sum(txn.ok for txn in analysis.txns),
        "dependencies": sum(kinds[kind] for kind in (Kind.WW, Kind.WR, Kind.RW, Kind.LATE)),
        "edges": {kind.name.lower(): kinds[kind] for kind in Kind if kind is not Kind.VIA},
    }


def _refuted(findings: Sequence[Finding], cycles: Sequence[Cycle]) -> list[str]:
    """All models that what was found refutes."""
    return [
        model.name
        for model in MODELS.values()
        if any(model.forbids(finding.name) for finding in findings)
        or any(cycle.level <= model.level and cycle.time <= model.time for cycle in cycles)
    ]
