"""The checker ``list-append``: transactions that read lists and append elements to them, each element once per key.

A read shows all earlier versions of its key, so the order of versions can be read off the longest read. From it follow all dependencies:

* ww: the writer of a version before the writer of the next one;
* wr: the writer of the last element that a transaction read before that transaction;
* rw: a transaction before the writer of the element after the last one that it read.

An append that succeeded and stands in no read came after every version that was read: it is in the list, and a read that lacks it is of an
earlier version. (Not used for models that allow lost updates.)

Other anomalies, by Elle's names: ``internal`` (a read that contradicts what its own transaction read or appended before),
``duplicate-elements`` (twice in one read), ``incompatible-order`` (two reads of which neither begins with the other), ``dirty-update`` (an
element of a transaction that succeeded behind one of a transaction that failed), ``lost-update`` (two transactions read the same version of
a key and both appended to it), ``phantom``, ``G1a`` and ``G1b`` (see ``values``).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.transactions.graph import Builder, Kind
from checkers.transactions.judging import Analysis, judged, model_named
from checkers.transactions.models import DEFAULT, DIRTY_UPDATE, DUPLICATES, INCOMPATIBLE, INTERNAL, LOST_UPDATE, Model
from checkers.transactions.telling import Words
from checkers.transactions.txns import READ, Mop, Txn, Unjudgeable, txns_of
from checkers.transactions.updates import lost_updates
from checkers.transactions.values import Edges, Fact, Facts, Finding, Writes, named, shown
from checkers.wording import name, text
from harness.history import History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME, APPEND = "list-append", "append"
WORDS = Words(
    ww="{dst} appended {after} to key {key} after {src}'s {before}",
    wr="{dst} read {src}'s append of {before} to key {key}",
    rw="{src} read key {key} up to {before} and did not see {dst}'s append of {after}",
    rw_initial="{src} read key {key} as empty and did not see {dst}'s append of {after}",
)


def make(*, model: str = DEFAULT) -> Checker:
    """Does any anomaly refute a consistency model? Option model: its name, such as strict-serializable (the default), serializable,
    snapshot-isolation, read-committed.
    """
    return ListAppend(model=model_named(model))


@dataclass(slots=True, kw_only=True)
class ListAppend:
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
    calls, txns = txns_of(history, APPEND, _elements)
    writes = Writes(txns)
    findings: list[Finding] = []
    reads: dict[Hashable, list[_Read]] = {}
    for txn in txns:
        if txn.ok:
            findings += _internal(txn)
            for read in _reads(txn):
                findings += writes.wrongly_read(txn, read.mop)
                reads.setdefault(read.mop.name, []).append(read)
    builder, facts = Builder(len(txns)), Facts()
    for key in writes.keys:
        mine = reads.get(key, [])
        longest = max(mine, key=lambda read: len(read.mop.ids), default=None)
        wrong = list(_disordered(mine, longest))
        findings += wrong
        if not wrong:
            findings += _dirty(writes, key, longest)
            _Key(writes, key, mine, longest.mop if longest else None, Edges(builder, facts)).depend(
                unseen=model.forbids(LOST_UPDATE)
            )
    first = [read for mine in reads.values() for read in mine if read.external]
    findings += lost_updates([(read.txn, read.mop, read.mop.ids) for read in first])
    return Analysis(calls=calls, txns=txns, findings=findings, builder=builder, facts=facts, words=WORDS)


def _elements(key: Any, value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise Unjudgeable(f"a read of key {name(key)} returned {text(value)}, which is no list")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One read that succeeded. ``external``: its transaction had neither read the key before nor appended to it."""

    txn: Txn
    mop: Mop
    external: bool


def _reads(txn: Txn) -> Iterator[_Read]:
    touched: set[Hashable] = set()
    for mop in txn.mops:
        if mop.f == READ:
            yield _Read(txn=txn, mop=mop, external=mop.name not in touched)
        touched.add(mop.name)


def _internal(txn: Txn) -> Iterator[Finding]:
    """Reads that do not follow from what the transaction did before, or that show what it did only later."""
    seen: dict[Hashable, tuple[Hashable, ...]] = {}  # key → what the last read returned and what was appended since
    own: dict[Hashable, tuple[Hashable, ...]] = {}  # the same for keys that were not read yet: what was appended
    future = {(mop.name, mop.ids[0]) for mop in txn.mops if mop.f != READ}
    for mop in txn.mops:
        if mop.f != READ:
            known = seen if mop.name in seen else own
            known[mop.name] = (*known.get(mop.name, ()), *mop.ids)
            future.discard((mop.name, mop.ids[0]))
            continue
        expected, tail = seen.get(mop.name), own.pop(mop.name, ())
        wrong = mop.ids != expected if expected is not None else bool(tail) and mop.ids[-len(tail) :] != tail
        if future and any((mop.name, element) in future for element in mop.ids):
            yield _contradiction(txn, mop, " before it appended some of that itself")
        elif wrong:
            yield _contradiction(txn, mop, ", which contradicts what it had itself read or appended there before")
        seen[mop.name] = mop.ids


def _contradiction(txn: Txn, mop: Mop, why: str) -> Finding:
    words = f"{{0}} read {shown(mop.value)} from key {named(mop.key)}{why}"
    return Finding(name=INTERNAL, txns=(txn.number,), words=words)


def _disordered(reads: Sequence[_Read], longest: _Read | None) -> Iterator[Finding]:
    """Reads that show an element twice, or that are no beginning of the longest one."""
    order = longest.mop.ids if longest else ()
    whole = len(set(order)) == len(order)
    for read in reads:
        mop, number = read.mop, read.txn.number
        begins = mop.ids == order[: len(mop.ids)]
        what = f"{{0}} read {shown(mop.value)} from key {named(mop.key)}" if not (begins and whole) else ""
        if len(set(mop.ids)) < len(mop.ids) if what else False:
            words = f"{what}, in which an element stands more than once"
            yield Finding(name=DUPLICATES, txns=(number,), words=words)
        if not begins and longest is not None:
            words = f"{what} and {{1}} read {shown(longest.mop.value)}: neither begins with the other"
            yield Finding(name=INCOMPATIBLE, txns=(number, longest.txn.number), words=words)


def _dirty(writes: Writes, key: Hashable, longest: _Read | None) -> Iterator[Finding]:
    aborted = None
    for element in longest.mop.ids if longest else ():
        write = writes.of(key).get(element)
        if write is not None and write.txn.failed:
            aborted = write
        elif write is not None and aborted is not None and write.txn.ok:
            what = f"{{0}} appended {shown(write.value)} to key {named(writes.keys[key])}"
            words = f"{what} behind {shown(aborted.value)} of {{1}}, which had failed"
            yield Finding(name=DIRTY_UPDATE, txns=(write.txn.number, aborted.txn.number), words=words)
            return


class _Key:
    """One list, of which all reads are beginnings of the ``longest``."""

    def __init__(
        self, writes: Writes, key: Hashable, reads: Sequence[_Read], longest: Mop | None, edges: Edges
    ) -> None:
        self._key, self._shown, self._edges = key, writes.keys[key], edges
        self._written = writes.of(key)
        self._reads = [read for read in reads if read.external]
        self._elements = longest.values if longest else ()
        self._ids = longest.ids if longest else ()
        found = [self._written.get(element) for element in self._ids]
        self._authors = [write.txn.number if write else -1 for write in found]

    def depend(self, *, unseen: bool) -> None:
        """All dependencies; ``unseen``: also on appends that no read shows, which is sound where none may be lost."""
        elements, authors = self._elements, self._authors
        for place in range(1, len(elements)):
            self._edge(authors[place - 1], authors[place], Kind.WW, elements[place - 1], elements[place])
        for read in self._reads:
            length, number = len(read.mop.ids), read.txn.number
            before = elements[length - 1] if length else None
            if length:
                self._edge(authors[length - 1], number, Kind.WR, before)
            if length < len(elements):
                self._edge(number, authors[length], Kind.RW, before, elements[length])
        if unseen:
            self._depend_unseen()

    def _depend_unseen(self) -> None:
        """What stands in no read came after all that does, and nobody who read it all saw it."""
        seen = set(self._ids)
        late = [*dict.fromkeys(w.txn.number for value, w in self._written.items() if w.txn.ok and value not in seen)]
        if late:
            whole = [*dict.fromkeys(read.txn.number for read in self._reads if len(read.mop.ids) == len(self._ids))]
            fact = Fact(key=self._shown, name=self._key, before=self._elements[-1] if self._elements else None)
            self._edges.all_to_all(whole, late, Kind.RW, fact)
            if self._authors and self._authors[-1] >= 0:
                self._edges.all_to_all(self._authors[-1:], late, Kind.WW, fact)

    def _edge(self, src: int, dst: int, kind: Kind, before: Any, after: Any = None) -> None:
        if src >= 0 and dst >= 0:
            self._edges.edge(src, dst, kind, Fact(key=self._shown, name=self._key, before=before, after=after))
