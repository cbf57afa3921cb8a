"""The checker ``sessions``: what is promised to whom, and whether some order of versions keeps all of it.

An anomaly is certain: no store that keeps the promised guarantees could have shown it. Where only several guarantees together
are refuted, its sentence names them all and its name is the one that a reader noticed. Without more knowledge of
the order of versions, that writes were put in a wrong order shows only through reads; with ``order="value"`` it shows by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.linearizable.encode import Unjudgeable
from checkers.sessions import orders, telling
from checkers.sessions.chains import (
    GUARANTEES,
    MW,
    NODE,
    PROCESS,
    SESSIONS,
    THREAD,
    Chain,
    demands,
    real_time_chain,
    session_chains,
    sessions_of,
    steps_back,
    touched_by,
)
from checkers.sessions.circles import Demands, Step
from checkers.versions import NONE, Bools, Versions, odd_sights, versions_of
from checkers.wording import Narrator, count, listed, name
from harness.errors import PlanError, suggest
from harness.history import NO_KEY, History, Ints
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "sessions"
# Of so many the verdict tells the story; the counts are of all.
ANOMALIES_MAX = 8


def make(
    *,
    guarantees: Sequence[str] | str = GUARANTEES,
    session: str = PROCESS,
    order: str = orders.ANY,
    concurrency: int | None = None,
) -> Checker:
    """Are the session guarantees kept? Options: guarantees, those that are promised; session: whom they are promised to ("process",
    "thread" with its concurrency, "node"); order: what is known of the order of versions ("any", "real-time", "value").

    Raises PlanError for an unknown name, or a missing concurrency.
    """
    guarantees = (guarantees,) if isinstance(guarantees, str) else tuple(guarantees)
    for kind, given, known in (
        ("session", [session], SESSIONS),
        ("order", [order], orders.ORDERS),
        ("guarantee", guarantees, GUARANTEES),
    ):
        for word in given:
            if word not in known:
                raise PlanError(f"unknown {kind} {word!r}: {suggest(str(word), known)}")
    if not guarantees:
        raise PlanError(f"no guarantee is to be judged; choose some of {listed(GUARANTEES)}")
    if session == THREAD and not (type(concurrency) is int and concurrency > 0):
        raise PlanError(
            f"a session per thread needs the run's concurrency (process = thread + n × concurrency), not {concurrency!r}"
        )
    return Sessions(guarantees=guarantees, session=session, order=order, concurrency=concurrency)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Case:
    """A history as the checker sees it: ``touched`` is the version that each call read or wrote, ``fit`` the keys that can be judged."""

    versions: Versions
    touched: Ints
    session: Ints
    fit: Bools
    chains: list[Chain]


@dataclass(slots=True, kw_only=True)
class Sessions:
    """See the module."""

    guarantees: tuple[str, ...] = GUARANTEES
    session: str = PROCESS
    order: str = orders.ANY
    concurrency: int | None = None
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            versions = versions_of(history)
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))
        rank, fit = self._rank(versions)
        case = self._case(versions, fit)
        odd = list(odd_sights(versions, NAME))
        if self.order == orders.VALUE:
            found, by_guarantee = self._counted(case, rank)
        else:
            found, by_guarantee = self._circles(case, rank)
        stats = self._stats(case, by_guarantee, len(odd))
        anomalies = (*odd[:ANOMALIES_MAX], *found)
        if anomalies:
            more = sum(by_guarantee.values()) + len(odd) - 1
            others = f" (and {more:,} more)" if more else ""
            return Verdict(
                checker=NAME,
                validity=Validity.INVALID,
                reason=anomalies[0].reason + others,
                anomalies=anomalies,
                stats=stats,
            )
        doubt = self._doubt(case, stats)
        if doubt:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=doubt, stats=stats)
        return Verdict(checker=NAME, validity=Validity.VALID, reason=self._summary(stats), stats=stats)

    def _rank(self, versions: Versions) -> tuple[Ints, Bools]:
        """Per version its place in the order that is known, or guessed; and the keys that can be judged."""
        if self.order == orders.VALUE:
            return orders.by_value(versions)
        return orders.guessed(versions, touched_by(versions)), orders.unique_keys(versions)

    def _case(self, versions: Versions, fit: Bools) -> _Case:
        touched = touched_by(versions)
        session = sessions_of(versions.calls, self.session, self.concurrency)
        judged = (touched != NONE) & fit[versions.key]
        chains = session_chains(versions, session, judged, self.guarantees, self.session != NODE)
        return _Case(versions=versions, touched=touched, session=session, fit=fit, chains=chains)

    def _counted(self, case: _Case, rank: Ints) -> tuple[list[Anomaly], dict[str, int]]:
        """The order is known, so every step back is an anomaly by itself."""
        versions = case.versions
        seen = np.zeros(len(versions.code), dtype=np.bool_)
        seen[versions.sight] = True
        # A write that nobody knows to have happened, and whose value nobody saw, need not have happened.
        happened = versions.certain | seen[np.maximum(versions.made, 0)]
        ranks = rank[np.maximum(case.touched, 0)]
        back: list[tuple[int, Step]] = []
        by_guarantee = dict.fromkeys(self.guarantees, 0)
        for chain in case.chains:
            for first, then in zip(*(column.tolist() for column in steps_back(chain, ranks)), strict=True):
                if happened[then]:
                    rule = chain.rules[int(versions.made[then] != NONE)]
                    by_guarantee[rule] += 1
                    back.append((then, Step(rule=rule, first=first, then=then)))
        say = Narrator(versions.calls)
        shown = sorted(back, key=lambda found: (found[0], found[1].rule))[:ANOMALIES_MAX]
        return [telling.of_step_back(versions, say, step, NAME) for _, step in shown], by_guarantee

    def _circles(self, case: _Case, rank: Ints) -> tuple[list[Anomaly], dict[str, int]]:
        """No order is known, so only demands that contradict each other are an anomaly."""
        versions, chains = case.versions, case.chains
        if self.order == orders.REAL_TIME:
            judged = (case.touched != NONE) & case.fit[versions.key]
            # Real time says more than monotonic-writes does, and blames nobody.
            promised = [guarantee for guarantee in self.guarantees if guarantee != MW]
            chains = session_chains(versions, case.session, judged, promised, self.session != NODE)
            chains.append(real_time_chain(versions, judged))
        doubtful = _doubtful_keys(versions, case.touched, chains, rank) & case.fit
        by_guarantee = dict.fromkeys(self.guarantees, 0)
        if not doubtful.any():
            return [], by_guarantee
        graph, say = Demands(versions, case.touched, chains, doubtful), Narrator(versions.calls)
        anomalies: list[Anomaly] = []
        for knot in graph.knots():
            if len(anomalies) < ANOMALIES_MAX:
                circle = graph.circle(knot)
                anomalies.append(telling.of_circle(versions, say, circle, NAME))
            else:  # only counted, so any circle will do
                circle = graph.circle(knot, starts_max=1)
            by_guarantee[telling.broken(circle)[0]] += 1
        return anomalies, by_guarantee

    def _stats(self, case: _Case, by_guarantee: dict[str, int], odd: int) -> dict[str, Any]:
        asked = {rule: number for chain in case.chains for rule, number in demands(chain, case.versions)}
        used = case.touched != NONE
        return {
            "session": self.session,
            "order": self.order,
            "sessions": len(np.unique(case.session[used & (case.session != NONE)])),
            "keys": case.versions.keys,
            "judged_keys": int(case.fit.sum()),
            "judged": {rule: asked[rule] for rule in self.guarantees},
            "broken": by_guarantee,
            "unexplained_reads": odd,
        }

    def _doubt(self, case: _Case, stats: dict[str, Any]) -> str:
        """Why the guarantees cannot be asserted; empty if they can."""
        unfit = np.flatnonzero(~case.fit)
        if len(unfit):
            why = (
                "has a value that is no number"
                if self.order == orders.VALUE
                else "was given one value twice, or the null that it began with"
            )
            which = _key(case.versions, int(unfit[0]))
            return f"{len(unfit):,} of {count(case.versions.keys, 'key')} cannot be judged: {which} {why}"
        idle = [rule for rule in self.guarantees if not stats["judged"][rule]]
        if idle:
            return f"{listed(idle)} {'was' if len(idle) == 1 else 'were'} never put to the test: {_needs(idle[0], self.session)}"
        return ""

    def _summary(self, stats: dict[str, Any]) -> str:
        steps = count(sum(stats["judged"].values()), "step")
        where = f"{count(stats['sessions'], 'session')} on {count(stats['judged_keys'], 'key')}"
        how = (
            "never went back to an older version"
            if self.order == orders.VALUE
            else "can be explained by one order of versions per key"
        )
        return f"{steps} of {where} {how} ({listed(self.guarantees)})"


def _doubtful_keys(versions: Versions, touched: Ints, chains: Iterable[Chain], rank: Ints) -> Bools:
    """The keys for which the guessed order does not meet all demands: another one may."""
    doubtful = np.zeros(versions.keys, dtype=np.bool_)
    ranks = rank[np.maximum(touched, 0)]
    for chain in chains:
        doubtful[versions.key[steps_back(chain, ranks)[1]]] = True
    swaps = versions.made[versions.sight_call] != NONE
    call = versions.sight_call[swaps]
    doubtful[versions.key[call[rank[versions.sight[swaps]] >= rank[versions.made[call]]]]] = True
    return doubtful


def _needs(guarantee: str, session: str) -> str:
    before, after = telling.VERBS[guarantee]
    return f"no {session} {after} a key after it had {before.replace('wrote', 'written')} it"


def _key(versions: Versions, key: int) -> str:
    code = int(versions.calls.key[versions.key == key][0])
    return "the register" if code == NO_KEY else f"key {name(versions.calls.history.keys[code])}"
