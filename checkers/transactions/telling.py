"""The words for transactions and cycles. Facts in, sentences out; nothing is judged here.

A transaction is called T and the index of its first line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checkers.transactions.cycles import Edge
from checkers.transactions.graph import Kind
from checkers.transactions.txns import Txns
from checkers.wording import Narrator, listed, name, text
from harness.verdict import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An anomaly that is no cycle: its name, the transactions that show it, and a sentence in which {0}, {1}, ... are these."""

    name: str
    txns: tuple[int, ...]
    words: str


def shown(value: object) -> str:
    """A value in the words of a finding."""
    return text(value).replace("{", "{{").replace("}", "}}")


def named(key: object) -> str:
    """A key in the words of a finding."""
    return name(key).replace("{", "{{").replace("}", "}}")


# Why a dependency holds: a sentence in which {src} and {dst} are its transactions.
Explain = Callable[[Edge], str]


class _Mention(list[str]):
    """A transaction in a sentence: introduced where it is first mentioned, and then called by its name."""

    def __format__(self, _: str) -> str:
        return self.pop() if len(self) > 1 else self[0]


class Teller:
    """Sentences about the transactions of one history."""

    def __init__(self, txns: Txns, explain: Explain) -> None:
        self._say, self._txns, self._explain = Narrator(txns.calls), txns, explain

    def finding(self, finding: Finding) -> str:
        """The sentence of an anomaly that is no cycle."""
        whose = (_Mention([self.label(txn), f"{self.label(txn)} ({self._whose(txn)})"]) for txn in finding.txns)
        return finding.words.format(*whose)

    def cycle(self, edges: Sequence[Edge]) -> str:
        """The whole circle in one sentence, edge by edge."""
        parts = [
            f"{self.label(edge.src)} must come before {self.label(edge.dst)}, because {self._why(edge)}"
            for edge in edges
        ]
        met = dict.fromkeys(edge.src for edge in edges)
        who = "; ".join(f"{self.label(txn)}: {self._whose(txn)}" for txn in met)
        return f"{'; '.join(parts)}: a contradiction ({who})"

    def steps(self, edges: Sequence[Edge]) -> tuple[Step, ...]:
        """The same circle as data, each transaction by the index of its first line."""
        return tuple(
            Step(
                src=self._line(e.src),
                dst=self._line(e.dst),
                kind=e.kind.name.rpartition("_")[2].lower(),
                why=self._why(e),
            )
            for e in edges
        )

    def rows(self, txns: Sequence[int]) -> tuple[int, ...]:
        """The lines of these transactions."""
        return self._say.lines(txns)

    def label(self, txn: int) -> str:
        return label(self._txns, txn)

    def _line(self, txn: int) -> int:
        return int(self._txns.calls.history.index[self._txns.calls.call[txn]])

    def _whose(self, txn: int) -> str:
        return f"{self._say.who(txn)}, {self._say.span(txn)[1:-1]}"

    def _why(self, edge: Edge) -> str:
        src, dst = self.label(edge.src), self.label(edge.dst)
        if edge.kind is Kind.PROCESS:
            return f"the same process ran {src} first"
        if edge.kind is Kind.REALTIME:
            return f"{src} had ended {self._say.ended(edge.src)} when {dst} began {self._say.began(edge.dst)}"
        return self._explain(edge).format(src=src, dst=dst)


def label(txns: Txns, txn: int) -> str:
    """What a transaction is called."""
    return f"T{txns.calls.history.index[txns.calls.call[txn]]}"


def conjoined(parts: Sequence[str]) -> str:
    """``a``, ``a and b``; of many the first few."""
    return listed(parts if len(parts) <= 8 else [*parts[:7], f"{len(parts) - 7} more"])
