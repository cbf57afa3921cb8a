"""The checker ``closed-predicate``: transactions that find by predicates what there is, in a universe that is known (``predicates``).

Whoever finds nothing of a key has found a version of it that does not match. Where there is but one such version, this is the one; so
there are dependencies on what was *not* found, and phantoms have names: G-single, G-nonadjacent and G2, each also with the order of a
process and of real time. Besides:

* ``predicate-read-miss``: a predicate found nothing of a key of which every version matches;
* ``predicate-read-mismatch``: it found what does not match.

What was found was read: so it makes dependencies of items. Exact for (strict) serializability. Source: elle.closed-predicate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from checkers.transactions.cycles import Edge
from checkers.transactions.graph import Kind
from checkers.transactions.judging import NOTHING_SEEN, Analysis, judged, model_named
from checkers.transactions.models import (
    DEFAULT,
    FUTURE_READ,
    G1A,
    INTERNAL,
    MISMATCHED,
    MISSED,
    PHANTOM,
)
from checkers.transactions.predicates import FIND, INIT, READ, Mop, Version, World, world_of
from checkers.transactions.telling import Finding, named, shown
from checkers.transactions.times import timed
from checkers.transactions.txns import TXN, Txns, Unjudgeable, sessions_of
from harness.history import OK, Calls, History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME = "closed-predicate"


def make(*, model: str = DEFAULT) -> Checker:
    """Does any anomaly, also of reads by predicates, refute a consistency model? Option model: its name, such as strict-serializable (the
    default), serializable, repeatable-read, snapshot-isolation, read-committed.
    """
    return ClosedPredicate(model=model_named(model))


@dataclass(slots=True, kw_only=True)
class ClosedPredicate:
    """See the module."""

    model: str
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        calls = calls.where(np.array([f in (TXN, INIT) for f in history.fs], dtype=np.bool_)[calls.f])
        try:
            world = world_of(calls)
        except (Unjudgeable, TypeError, IndexError) as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))
        verdict = judged(NAME, _Reading(calls, world).analysis(), self.model, budget)
        ok = (txn for txn, fine in zip(world.txns, calls.outcome == OK, strict=True) if fine)
        if verdict.validity is Validity.VALID and not any(mop.f in (READ, FIND) for txn in ok for mop in txn):
            reason = "no transaction that succeeded read anything, so there was nothing to judge"
            return replace(verdict, validity=Validity.UNKNOWN, reason=reason)
        return verdict


class _Reading:
    """What transactions read, as dependencies (with the words for each) and findings."""

    def __init__(self, calls: Calls, world: World) -> None:
        self._calls, self._world = calls, world
        self._why: dict[tuple[int, int, Kind], str] = {}
        self._findings: list[Finding] = []
        for key, versions in world.keys.items():
            first, last = versions[0].writer, versions[-1].writer
            if first is not None and last is not None:
                self._depend(
                    first, last, Kind.WW, f"{{dst}} changed {{src}}'s key {named(key)} to {_said(versions[-1].value)}"
                )
        for txn in np.flatnonzero(calls.outcome == OK).tolist():
            self._read(txn, world.txns[txn])

    def analysis(self) -> Analysis:
        found: dict[str, list[int]] = {}
        for at, finding in enumerate(self._findings):
            found.setdefault(finding.name, []).append(at)
        return Analysis(
            txns=_bare(self._calls),
            found=found,
            tell=lambda _, at: self._findings[at],
            graph=timed(self._calls, [(src, dst, int(kind)) for src, dst, kind in self._why]),
            explain=self._explain,
            views=lambda _: NOTHING_SEEN,
        )

    def _explain(self, edge: Edge) -> str:
        return self._why[edge.src, edge.dst, edge.kind]

    def _depend(self, src: int, dst: int, kind: Kind, why: str) -> None:
        if src != dst:
            self._why.setdefault((src, dst, kind), why)

    def _find(self, anomaly: str, words: str, *txns: int) -> None:
        self._findings.append(Finding(name=anomaly, txns=txns, words=words))

    def _read(self, txn: int, mops: Any) -> None:
        own: dict[str, int | None] = {}
        known: dict[str, int | None] = {}
        for mop in mops:
            if mop.f == READ:
                self._saw(txn, mop.key, mop.value, own, known)
            elif mop.f == FIND:
                for key, value in mop.found.items():
                    if not mop.matches(value):
                        words = f"{{0}} found {value} at key {named(key)}, which does not match {shown_words(mop)}"
                        self._find(MISMATCHED, words, txn)
                    self._saw(txn, key, value, own, known)
                for key in self._world.keys.keys() - mop.found.keys():
                    self._did_not_see(txn, mop, key, own)
            else:
                own[mop.key] = mop.value

    def _saw(
        self, txn: int, key: str, value: int | None, own: Mapping[str, int | None], known: dict[str, int | None]
    ) -> None:
        """A key's value, null for nothing there, as a read or a predicate showed it."""
        what = f"{{0}} read {_said(value)} from key {named(key)}"
        expected = own.get(key, known.get(key, value))
        if expected != value:
            self._find(INTERNAL, f"{what}, which contradicts what it had itself read or written there before", txn)
            return
        if key in own:
            return
        known[key] = value
        versions = self._world.keys.get(key, (Version(value=None, writer=None),))
        places = [place for place, version in enumerate(versions) if version.value == value]
        if not places:
            self._saw_none(txn, key, value, versions[0])
        elif versions[places[0]].writer == txn:
            self._find(FUTURE_READ, f"{what} before it wrote that itself", txn)
        elif len(places) == 1:
            self._chose(
                txn,
                key,
                versions,
                places[0],
                "{reader} read " + f"{_said(value)} from key {named(key)}",
                predicate=False,
            )

    def _saw_none(self, txn: int, key: str, value: int | None, first: Version) -> None:
        """A read that showed no version of its key."""
        what = f"{{0}} read {_said(value)} from key {named(key)}"
        writer = self._world.failed.get((key, value))
        if value is None and first.writer is not None:
            # It saw what was before the beginning: an old state, but no false one.
            why = f"{{src}} read nothing from key {named(key)}, and {{dst}} made {_said(first.value)} of that"
            self._depend(txn, first.writer, Kind.RW, why)
        elif writer is None:
            self._find(PHANTOM, f"{what}, but nobody wrote that there", txn)
        else:
            self._find(G1A, f"{what}, which was written by {{1}}, which failed", txn, writer)

    def _did_not_see(self, txn: int, mop: Mop, key: str, own: Mapping[str, int | None]) -> None:
        assert mop.matches is not None
        versions = self._world.keys[key]
        if key in own:
            value = own[key]
            if value is not None and mop.matches(value):
                self._find(
                    INTERNAL,
                    f"{{0}} found nothing at key {named(key)} by {shown_words(mop)}, where it had itself written {value}",
                    txn,
                )
            return
        # Its own version comes only after the read.
        seen = [place for place, version in enumerate(versions) if version.writer != txn or version.writer is None]
        places = [place for place in seen if not _matches(mop, versions[place])]
        if not places:
            words = f"{{0}} found nothing at key {named(key)} by {shown_words(mop)}, which each of its versions matches"
            self._find(MISSED, words, txn)
        elif len(places) == 1:
            why = f"{{reader}} found nothing at key {named(key)} by {shown_words(mop)}, so it saw {_said(versions[places[0]].value)} there"
            self._chose(txn, key, versions, places[0], why, predicate=True)

    def _chose(
        self, txn: int, key: str, versions: tuple[Version, ...], place: int, why: str, *, predicate: bool
    ) -> None:
        """``txn`` saw one version: it comes after who wrote that, and before who wrote the next one."""
        writer = versions[place].writer
        if writer is not None:
            kind = Kind.PREDICATE_WR if predicate else Kind.WR
            self._depend(writer, txn, kind, f"{why.replace('{reader}', '{dst}')}, which {{src}} had left there")
        if place + 1 < len(versions):
            following = versions[place + 1]
            assert following.writer is not None
            kind = Kind.PREDICATE_RW if predicate else Kind.RW
            then = f"and {{dst}} made {_said(following.value)} of that"
            self._depend(txn, following.writer, kind, f"{why.replace('{reader}', '{src}')}, {then}")


def _matches(mop: Mop, version: Version) -> bool:
    """What is not there, not yet or no longer, matches no predicate."""
    assert mop.matches is not None
    return version.value is not None and mop.matches(version.value)


def shown_words(mop: Mop) -> str:
    """A predicate in the words of a finding."""
    return mop.words.replace("{", "{{").replace("}", "}}")


def _said(value: int | None) -> str:
    return "nothing" if value is None else shown(value)


def _bare(calls: Calls) -> Txns:
    """Transactions without their micro-operations: those are not columns here."""
    none, byte = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int8)
    return Txns(
        calls=calls,
        session=sessions_of(calls.process),
        starts=np.zeros(len(calls) + 1, dtype=np.int32),
        write=byte,
        key=none,
        value=none,
        first=np.zeros(1, dtype=np.int32),
        element=none,
        keys=none,
        odd=(),
        written="",
    )
