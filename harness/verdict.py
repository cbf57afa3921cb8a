"""What a checker answers. Standard library only; imports nothing of ours.

Three values, worst wins when they are merged: ``valid < unknown < invalid``. A checker that ran out of budget, crashed, or had
too little to judge says ``unknown``: that is never a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from harness.history import History


class Validity(IntEnum):
    """The three answers, worst last."""

    VALID = 0
    UNKNOWN = 1
    INVALID = 2

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a circle: the operation of line ``src`` must come before that of line ``dst``.

    ``kind`` is the field's word for the dependency ("ww", "rw", "realtime"), ``why`` a clause that a stranger understands.
    """

    src: int
    dst: int
    kind: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One broken promise.

    ``name`` is the field's word for it ("nonlinearizable", "lost-update"). ``ops`` are indices of history lines that show it.
    ``reason`` is one sentence that a stranger understands. ``witness`` are the indices of the smallest sub-history that is
    still broken (invocations and completions), in history order; empty where the checker has none. ``circle`` are the steps of a
    contradiction, head to tail, the last one ending where the first begins; empty where the anomaly is none.
    """

    checker: str
    name: str
    ops: tuple[int, ...]
    reason: str
    witness: tuple[int, ...] = ()
    circle: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A checker's answer. ``reason`` is one sentence; ``stats`` are JSON-able figures of what was judged."""

    checker: str
    validity: Validity
    reason: str
    anomalies: tuple[Anomaly, ...] = ()
    stats: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a check may cost, counted so that a history gets the same verdict on every machine.

    ``steps_max`` counts search steps (states tried), ``configs_max`` remembered configurations, ``memory_max_mb`` the size of the
    tables that hold them, in MiB. Not ``told``: only whether the history is valid is asked, so a checker may leave out anomalies, their
    witnesses and their words.
    """

    steps_max: int = 50_000_000
    configs_max: int = 5_000_000
    memory_max_mb: int = 1024
    told: bool = True


class Checker(Protocol):
    """A pure function of a history: no clock, no dice, no files, no network.

    Options (a model's name, a bound in seconds) are bound by the checker's factory; see ``checkers.CHECKERS``.
    """

    name: str

    def check(self, history: History, budget: Budget) -> Verdict:
        """Judge ``history``. Never raises for what a history contains: what it cannot judge is unknown, with the reason."""
        ...


@runtime_checkable
class ReadsNodeLogs(Protocol):
    """A checker that judges, beside the history, what nodes say of themselves. Without their logs it answers unknown."""

    def with_logs(self, logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Checker:
        """The same checker, knowing the lines of each node's log."""
        ...


def worst(verdicts: Iterable[Verdict]) -> Validity:
    """The worst of ``verdicts``; nothing judged is unknown."""
    return max((v.validity for v in verdicts), default=Validity.UNKNOWN)
