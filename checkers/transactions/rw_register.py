"""The checker ``rw-register``: transactions that read registers and overwrite them, each value once per key; null is the initial one.

A register shows only its latest version, so their order must be inferred, and only what is certain is used:

* the initial version comes before all others;
* a transaction that reads a version and then writes the key writes a later one (if it were an earlier one, the transaction would have to
  come before the writer of what it read: a G1c. Not used for read-uncommitted, which allows that);
* under models that respect real time: what is written after another write has ended is a later version.

From it follow the dependencies: wr, a value's writer before its reader; ww, between writers of versions known to be in order; rw, a reader
before the writers of later versions. What a transaction overwrites itself is no version.

Other anomalies: ``internal`` (a read that contradicts its own transaction's reads and writes), ``lost-update`` (two transactions read the
same version and both wrote), ``phantom``, ``G1a`` and ``G1b`` (see ``values``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.transactions.graph import Builder, Kind
from checkers.transactions.judging import Analysis, judged, model_named
from checkers.transactions.models import DEFAULT, INTERNAL, Level, Model, Time
from checkers.transactions.telling import Words
from checkers.transactions.txns import READ, Mop, Txn, Unjudgeable, txns_of
from checkers.transactions.updates import lost_updates
from checkers.transactions.values import Edges, Fact, Facts, Finding, Write, Writes, named, shown
from harness.history import History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME, WRITE = "rw-register", "w"
WORDS = Words(
    ww="{dst} overwrote {src}'s {before} of key {key} with {after}",
    wr="{dst} read {src}'s write of {before} to key {key}",
    rw="{src} read {before} from key {key}, which {dst}'s write of {after} came after",
    rw_initial="{src} read key {key} as never written, and {dst} wrote {after} to it",
)


def make(*, model: str = DEFAULT) -> Checker:
    """Does any anomaly refute a consistency model? Option model: its name, such as strict-serializable (the default), serializable,
    snapshot-isolation, read-committed.
    """
    return RwRegister(model=model_named(model))


@dataclass(slots=True, kw_only=True)
class RwRegister:
    """See the module."""

    model: Model
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            return judged(NAME, analysed(history, self.model), self.model, budget)
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))


def analysed(history: History, model: Model) -> Analysis:
    """All dependencies and other anomalies; ``model`` says which inferences are sound. Raises Unjudgeable."""
    calls, txns = txns_of(history, WRITE, lambda _, value: () if value is None else (value,))
    if any(mop.f != READ and mop.value is None for txn in txns for mop in txn.mops):
        raise Unjudgeable(
            "null is written to a register, so nobody knows whether a read of null saw that or nothing at all"
        )
    writes = Writes(txns)
    findings: list[Finding] = []
    reads: dict[Hashable, list[tuple[Txn, Mop]]] = {}
    for txn in txns:
        if txn.ok:
            findings += _internal(txn)
            for mop in _external(txn):
                findings += writes.wrongly_read(txn, mop)
                reads.setdefault(mop.name, []).append((txn, mop))
    builder, facts = Builder(len(txns)), Facts()
    for key in writes.keys:
        _Key(writes, key, reads.get(key, []), Edges(builder, facts)).depend(model)
    findings += lost_updates([(txn, mop, _version(mop)) for mine in reads.values() for txn, mop in mine])
    return Analysis(calls=calls, txns=txns, findings=findings, builder=builder, facts=facts, words=WORDS)


def _external(txn: Txn) -> Iterator[Mop]:
    """The first read of each key that the transaction had not written before."""
    touched: set[Hashable] = set()
    for mop in txn.mops:
        if mop.f == READ and mop.name not in touched:
            yield mop
        touched.add(mop.name)


def _version(mop: Mop) -> Hashable:
    """What it read or wrote; None for the initial version."""
    return mop.ids[0] if mop.ids else None


def _internal(txn: Txn) -> Iterator[Finding]:
    known: dict[Hashable, Hashable] = {}
    future = {(mop.name, mop.ids[0]) for mop in txn.mops if mop.f != READ}
    for mop in txn.mops:
        value = _version(mop)
        if mop.f != READ:
            future.discard((mop.name, value))
        elif (mop.name, value) in future:
            yield _contradiction(txn, mop, " before it wrote that itself")
        elif known.get(mop.name, value) != value:
            yield _contradiction(txn, mop, ", which contradicts what it had itself read or written there before")
        known[mop.name] = value


def _contradiction(txn: Txn, mop: Mop, why: str) -> Finding:
    words = f"{{0}} read {shown(mop.value)} from key {named(mop.key)}{why}"
    return Finding(name=INTERNAL, txns=(txn.number,), words=words)


class _Key:
    """One register: its versions are the last writes of transactions that succeeded, or that somebody read."""

    def __init__(self, writes: Writes, key: Hashable, reads: Sequence[tuple[Txn, Mop]], edges: Edges) -> None:
        self._key, self._shown, self._edges = key, writes.keys[key], edges
        self._readers: dict[Hashable, list[int]] = {}  # version → who read it
        for txn, mop in reads:
            self._readers.setdefault(_version(mop), []).append(txn.number)
        self._versions = {
            value: write
            for value, write in writes.of(key).items()
            if write.last and not write.txn.failed and (write.txn.ok or value in self._readers)
        }

    def depend(self, model: Model) -> None:
        """All that is certain about this key."""
        for value, write in self._versions.items():
            for reader in self._readers.get(value, []):
                self._edges.edge(write.txn.number, reader, Kind.WR, self._fact(write.value))
        authors = [write.txn.number for write in self._versions.values()]
        if authors and None in self._readers:
            self._edges.all_to_all(self._readers[None], authors, Kind.RW, self._fact(None))
        if model.level >= Level.READS:
            self._follow_reads()
        if model.time is Time.REAL:
            self._follow_time()

    def _fact(self, before: Any, after: Any = None) -> Fact:
        return Fact(key=self._shown, name=self._key, before=before, after=after)

    def _follow_reads(self) -> None:
        """What a transaction wrote comes after what it had read."""
        mine = {write.txn.number: write for write in self._versions.values()}
        for value, readers in self._readers.items():
            before = self._versions.get(value)
            if before is None:
                continue
            next_ones = [reader for reader in readers if reader in mine and reader != before.txn.number]
            fact = self._fact(before.value)
            self._edges.all_to_all(readers, next_ones, Kind.RW, fact)
            self._edges.all_to_all([before.txn.number], next_ones, Kind.WW, fact)

    def _follow_time(self) -> None:
        """What was written after a write had ended is a later version; of these the first ones suffice, which nothing lies before.

        (That the writers stand in this order the graph knows anyway, by real time itself.)
        """
        by_call = sorted(self._versions.items(), key=lambda item: item[1].txn.call)
        calls = [write.txn.call for _, write in by_call]
        for value, write in by_call:
            readers = self._readers.get(value, [])
            for later in _first_after(by_call, calls, write.txn.ret) if readers else ():
                fact = self._fact(write.value, later.value)
                for reader in readers:
                    self._edges.edge(reader, later.txn.number, Kind.LATE, fact)


def _first_after(by_call: Sequence[tuple[Hashable, Write]], calls: Sequence[int], ret: int) -> list[Write]:
    """The writes that began after ``ret``, but not after one of them had ended: as many as were under way at once."""
    found: list[Write] = []
    earliest: float = float("inf")
    for place in range(bisect_right(calls, ret), len(calls)):
        write = by_call[place][1]
        if write.txn.call > earliest:
            break
        earliest = min(earliest, write.txn.ret)
        found.append(write)
    return found
