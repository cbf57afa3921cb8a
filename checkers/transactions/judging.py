"""From what a workload's analysis found to a verdict under a consistency model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkers.transactions.cycles import Cycle, Edge, Search, name_of
from checkers.transactions.graph import DEPENDENCIES, PREDICATES, RW_KINDS, Graph, Kind
from checkers.transactions.models import (
    ALIASES,
    ANOMALIES,
    CAUSAL,
    DEFAULT,
    MODELS,
    NON_CAUSAL,
    canonical,
    classes_for,
    forbids,
    refuted,
    weakest,
)
from checkers.transactions.telling import Explain, Finding, Teller, conjoined
from checkers.transactions.txns import Txns, is_ok
from checkers.transactions.visible import Views
from checkers.wording import count
from harness.errors import PlanError, suggest
from harness.verdict import Anomaly, Budget, Validity, Verdict

# Of each name this many anomalies are shown; counts are of all.
SHOWN_MAX = 8
# Dependencies that a read shows by what it returned (a ww: by the order of a list).
OBSERVED = (Kind.WW, Kind.WR, Kind.PREDICATE_WR, *RW_KINDS)
NOTHING_SEEN = Views(sights={}, wrong={}, circles={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a workload's analysis gives: what is wrong besides cycles (by name the micro-operations that show it, and their words); the
    dependencies and the order of time, and why a dependency holds. ``views`` judges what transactions saw, given a number of steps;
    ``always``: also where there are no cycles.
    """

    txns: Txns
    found: Mapping[str, Sequence[int]]
    tell: Callable[[str, int], Finding]
    graph: Graph
    explain: Explain
    views: Callable[[int], Views]
    always: bool = False


def model_named(model: str = DEFAULT) -> str:
    """The consistency model of that name. Raises PlanError with a suggestion if there is none."""
    name = canonical(model)
    if name not in MODELS:
        raise PlanError(f"unknown consistency model {model!r}: {suggest(model, [*MODELS, *ALIASES])}")
    return name


def judged(checker: str, analysis: Analysis, model: str, budget: Budget) -> Verdict:
    """The verdict: invalid if anything that was found refutes the model; unknown if there was nothing to judge, or too much."""
    core = analysis.graph.core()
    cycles, covered, uncovered = _searched(core, model, budget)
    found = Counter({name: len(analysis.found[name]) for name in ANOMALIES if analysis.found.get(name) is not None})
    found = Counter({name: number for name, number in found.items() if number})
    found.update(cycle.name for cycle in cycles)
    views = analysis.views(budget.steps_max) if core.size or found or analysis.always else NOTHING_SEEN
    found.update({name: len(views.wrong[name]) + len(views.circles[name]) for name in views.wrong})
    found = +found
    mine = Counter({name: number for name, number in found.items() if forbids(model, name)})
    stats = _stats(analysis, model, found, mine)
    stats["searched_for"] = covered
    anomalies = _anomalies(checker, analysis, mine, cycles, views)
    missed = [name for name in uncovered if forbids(model, name)]
    if anomalies:
        more = f" ({'; '.join(f'{name}: {number:,}' for name, number in mine.items())})" if mine.total() > 1 else ""
        validity, reason = Validity.INVALID, f"not {model}: {anomalies[0].reason}{more}"
    elif model == CAUSAL and views is not NOTHING_SEEN and NON_CAUSAL not in views.sights:
        validity = Validity.UNKNOWN
        reason = "the causal past of so many transactions of so many processes is too large to be judged"
    elif missed:
        validity = Validity.UNKNOWN
        none = f"no {conjoined(covered)}" if covered else "none of these"
        reason = f"the search for {conjoined(missed)} ran out of its budget of steps; it found {none}"
    elif not any(stats["edges"][kind.name.lower()] for kind in OBSERVED):
        validity = Validity.UNKNOWN
        many = count(len(analysis.txns), "transaction")
        reason = f"no transaction of {many} depends on another by what it read, so there was nothing to judge"
    else:
        validity = Validity.VALID
        edges = count(stats["dependencies"], "dependency", "dependencies")
        reason = f"nothing refutes {model}: {edges} between {count(stats['ok'], 'transaction')} make no forbidden cycle"
    return Verdict(checker=checker, validity=validity, reason=reason, anomalies=anomalies, stats=stats)


def _searched(core: Graph, model: str, budget: Budget) -> tuple[list[Cycle], list[str], list[str]]:
    """The cycles; the names of those that were searched for to the end, and of the others."""
    cycles: list[Cycle] = []
    covered, uncovered = list[str](), list[str]()
    for predicates in (False, True) if core.are(PREDICATES).any() else (False,):
        search = Search(core, budget.steps_max, predicates=predicates, told=tuple(cycles))
        wanted = classes_for(model, predicates=predicates)
        cycles += search.cycles(wanted)
        covered += [name_of(*pair, predicates=predicates) for pair in search.covered]
        uncovered += [name_of(*pair, predicates=predicates) for pair in wanted if pair not in search.covered]
    return cycles, covered, uncovered


def _anomalies(
    checker: str, analysis: Analysis, mine: Mapping[str, int], cycles: Sequence[Cycle], views: Views
) -> tuple[Anomaly, ...]:
    if not mine:
        return ()
    teller = Teller(analysis.txns, analysis.explain)
    anomalies = []
    for name in mine:
        for mop in [*analysis.found.get(name, ()), *views.wrong.get(name, ())][:SHOWN_MAX]:
            finding = analysis.tell(name, int(mop))
            ops, reason = teller.rows(finding.txns), teller.finding(finding)
            anomalies.append(Anomaly(checker=checker, name=name, ops=ops, reason=reason))
        anomalies += [_circle(checker, name, teller, edges) for edges in views.circles.get(name, ())[:SHOWN_MAX]]
    told: Counter[str] = Counter()
    for cycle in cycles:
        told[cycle.name] += 1
        if cycle.name in mine and told[cycle.name] <= SHOWN_MAX:
            anomalies.append(_circle(checker, cycle.name, teller, cycle.edges))
    return tuple(anomalies)


def _circle(checker: str, name: str, teller: Teller, edges: Sequence[Edge]) -> Anomaly:
    ops = teller.rows([edge.src for edge in edges])
    return Anomaly(checker=checker, name=name, ops=ops, reason=teller.cycle(edges), circle=teller.steps(edges))


def _stats(analysis: Analysis, model: str, found: Counter[str], mine: Counter[str]) -> dict[str, Any]:
    kinds = np.bincount(analysis.graph.kind, minlength=len(Kind)).tolist()
    not_ = refuted(found)
    least = weakest(not_)
    return {
        "model": model,
        "transactions": len(analysis.txns),
        "ok": int(is_ok(analysis.txns).sum()),
        "dependencies": sum(kinds[kind] for kind in DEPENDENCIES),
        "edges": {kind.name.lower(): kinds[kind] for kind in Kind if kind is not Kind.VIA},
        "anomalies": dict(mine),
        "allowed_anomalies": {name: number for name, number in found.items() if name not in mine},
        "refuted": list(not_),
        "not": list(least),
        "also_not": [name for name in not_ if name not in least],
    }
