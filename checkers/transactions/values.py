"""Who wrote which value of which key; and reads of what nobody should have read. Pure.

Every value of a key is written once, so a read says whose write it saw. Judged here, for lists and registers alike: ``phantom`` (nobody
wrote it), ``G1a`` (its transaction failed), ``G1b`` (its transaction wrote over it before it ended).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.transactions.graph import Builder, Kind
from checkers.transactions.models import G1A, G1B, PHANTOM
from checkers.transactions.txns import READ, Mop, Txn, Unjudgeable
from checkers.wording import name, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An anomaly that is no cycle: its name, the transactions that show it, and a sentence in which {0}, {1}, ... are these."""

    name: str
    txns: tuple[int, ...]
    words: str


def shown(value: Any) -> str:
    """A value in the words of a finding."""
    return text(value).replace("{", "{{").replace("}", "}}")


def named(key: Any) -> str:
    """A key in the words of a finding."""
    return name(key).replace("{", "{{").replace("}", "}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write; ``last``: its transaction wrote no other value to this key afterwards."""

    txn: Txn
    value: Any
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What an edge rests on: versions of a key. ``after`` is None where it is whatever the later transaction wrote last."""

    key: Any
    name: Hashable
    before: Any = None
    after: Any = None


@dataclass(slots=True)
class Facts:
    """Facts by number."""

    all: list[Fact] = field(default_factory=list)

    def add(self, fact: Fact) -> int:
        self.all.append(fact)
        return len(self.all) - 1


@dataclass(frozen=True, slots=True)
class Edges:
    """Adds edges together with the facts that they rest on."""

    builder: Builder
    facts: Facts

    def edge(self, src: int, dst: int, kind: Kind, fact: Fact) -> None:
        if src != dst:
            self.builder.edge(src, dst, kind, self.facts.add(fact))

    def all_to_all(self, sources: Sequence[int], targets: Sequence[int], kind: Kind, fact: Fact) -> None:
        self.builder.all_to_all(sources, targets, kind, self.facts.add(fact))


class Writes:
    """All writes of all transactions, also of those that failed. Raises Unjudgeable if a value of a key was written twice."""

    def __init__(self, txns: Sequence[Txn]) -> None:
        self._by_key: dict[Hashable, dict[Hashable, Write]] = {}
        self._judged: dict[Hashable, set[Hashable]] = {}  # key → the versions that a read was judged for
        self.keys: dict[Hashable, Any] = {}
        for txn in txns:
            last: dict[Hashable, int] = {mop.name: place for place, mop in enumerate(txn.mops) if mop.f != READ}
            for place, mop in enumerate(txn.mops):
                self.keys.setdefault(mop.name, mop.key)
                if mop.f != READ:
                    self._add(txn, mop, last=last[mop.name] == place)

    def _add(self, txn: Txn, mop: Mop, *, last: bool) -> None:
        mine = self._by_key.setdefault(mop.name, {})
        [value] = mop.ids
        if value in mine:
            raise Unjudgeable(
                f"{text(mop.value)} is written to key {name(mop.key)} more than once, so nobody knows which write a read of it saw"
            )
        mine[value] = Write(txn=txn, value=mop.value, last=last)

    def of(self, key: Hashable) -> Mapping[Hashable, Write]:
        """The writes of a key, by the identity of their values, in the order of invocations."""
        return self._by_key.get(key, {})

    def wrongly_read(self, txn: Txn, mop: Mop) -> Iterator[Finding]:
        """What is wrong about the versions that the read ``mop`` of ``txn`` shows; of each version it is told once."""
        judged, mine = self._judged.setdefault(mop.name, set()), self.of(mop.name)
        for place, version in enumerate(mop.ids):
            if version not in judged:
                judged.add(version)
                yield from self._judge(txn, mop, mop.values[place], mine.get(version))
        latest = mine.get(mop.ids[-1]) if mop.ids else None
        if latest is not None and not latest.last and not latest.txn.failed and latest.txn is not txn:
            wrote = f"{{1}}, which wrote {shown(latest.value)}, wrote to that key again before it ended"
            yield Finding(name=G1B, txns=(txn.number, latest.txn.number), words=f"{_what(mop)}, but {wrote}")

    def _judge(self, txn: Txn, mop: Mop, value: Any, write: Write | None) -> Iterator[Finding]:
        if write is None:
            words = f"{_what(mop)}, but nobody wrote {shown(value)} there"
            yield Finding(name=PHANTOM, txns=(txn.number,), words=words)
        elif write.txn.failed:
            words = f"{_what(mop)}, but {shown(value)} was written by {{1}}, which failed"
            yield Finding(name=G1A, txns=(txn.number, write.txn.number), words=words)


def _what(mop: Mop) -> str:
    return f"{{0}} read {shown(mop.value)} from key {named(mop.key)}"
