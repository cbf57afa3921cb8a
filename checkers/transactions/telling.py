"""The words for transactions and cycles. Facts in, sentences out; nothing is judged here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checkers.transactions.cycles import RW_KINDS, Cycle, Edge
from checkers.transactions.graph import Kind
from checkers.transactions.txns import READ, Txn
from checkers.transactions.values import Fact, Finding
from checkers.wording import Narrator, name, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a workload speaks of its edges: templates with {src}, {dst}, {key}, {before}, {after}."""

    ww: str
    wr: str
    rw: str
    rw_initial: str  # the earlier transaction read the key before anything had been written there


class Teller:
    """Sentences about the transactions of one history."""

    def __init__(self, say: Narrator, txns: Sequence[Txn], facts: Sequence[Fact], words: Words) -> None:
        self._say, self._txns, self._facts, self._words = say, txns, facts, words

    def finding(self, finding: Finding) -> str:
        """The sentence of an anomaly that is no cycle."""
        return finding.words.format(*(self._whose(number) for number in finding.txns))

    def cycle(self, cycle: Cycle) -> str:
        """The whole circle in one sentence, edge by edge."""
        labels = {edge.src: f"T{place}" for place, edge in enumerate(cycle.edges, start=1)}
        who = ", ".join(f"{label} is {self._whose(number)}" for number, label in labels.items())
        parts = [
            f"{labels[edge.src]} must come before {labels[edge.dst]}, since {self._edge(edge, labels)}"
            for edge in cycle.edges
        ]
        return f"{'; '.join(parts)}: so each must come before itself ({who})"

    def rows(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """The lines of these transactions."""
        return self._say.lines([self._txns[number].row for number in numbers])

    def _whose(self, number: int) -> str:
        row = self._txns[number].row
        return f"the transaction of {self._say.who(row)} {self._say.span(row)}"

    def _edge(self, edge: Edge, labels: dict[int, str]) -> str:
        src, dst = labels[edge.src], labels[edge.dst]
        if edge.kind is Kind.PROCESS:
            return f"the same process ran {src} first"
        if edge.kind is Kind.REALTIME:
            ended, began = self._say.ended(self._txns[edge.src].row), self._say.began(self._txns[edge.dst].row)
            return f"{src} had ended {ended} when {dst} began {began}"
        fact = self._facts[edge.fact]
        template = {Kind.WW: self._words.ww, Kind.WR: self._words.wr}.get(edge.kind, self._words.rw)
        if edge.kind in RW_KINDS and fact.before is None:
            template = self._words.rw_initial
        return template.format(
            src=src, dst=dst, key=name(fact.key), before=text(fact.before), after=text(self._after(edge, fact))
        )

    def _after(self, edge: Edge, fact: Fact) -> object:
        if fact.after is not None:
            return fact.after
        return next(
            (mop.value for mop in reversed(self._txns[edge.dst].mops) if mop.f != READ and mop.name == fact.name), None
        )
