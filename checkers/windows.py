"""The faults and phases of a run, as its history tells them: when each fault held, whether it bit, whether it
was healed.

Reads the nemesis's lines and nothing else; judging what they say is left to the checkers. The shapes are
those that ``harness.injector`` writes: ``start-KIND`` and ``stop-KIND`` pairs that carry the fault's id, and
the marks ``heal`` and ``final``. Histories of other tools have nemesis lines of any shape: what is not ours
is listed as ``strange``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from checkers.wording import listed, name, text
from harness.history import History
from harness.op import Op

START, STOP, HEAL, FINAL = "start-", "stop-", "heal", "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. Times in ns since the run began; ``end_ns`` is None if nothing ended it.

    ``bit`` and ``evidence`` are what probes saw of its effect; ``started`` says whether its start was ever
    completed. ``healed`` and ``heal_evidence`` are what they saw of its end.
    """

    id: Any
    kind: str
    targets: tuple[str, ...] = ()
    start_ns: int
    end_ns: int | None = None
    started: bool = False
    bit: bool = False
    evidence: str = ""
    healed: bool = False
    heal_evidence: str = ""

    @property
    def title(self) -> str:
        """``fault 2 (kill of n1 and n3)``."""
        of = f" of {listed(map(name, self.targets))}" if self.targets else ""
        return f"fault {text(self.id)} ({self.kind}{of})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The beginning of a phase. ``done_ns`` is when it was reached (None: never); ``healed`` and ``evidence``
    belong to ``heal``.
    """

    start_ns: int
    done_ns: int | None
    row: int
    healed: bool = False
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """All of a run's faults, in the order in which they began, and its phases."""

    faults: tuple[Fault, ...]
    heal: Mark | None
    final: Mark | None
    strange: tuple[Op, ...]


def windows_of(history: History) -> Windows:
    """The windows of ``history``; empty where it has no nemesis lines."""
    faults: dict[str, Fault] = {}
    marks: dict[str, Mark] = {}
    strange = []
    for op, done in history.nemesis():
        said = _said(op, done)
        if op.f in {HEAL, FINAL}:
            marks.setdefault(op.f, _mark(history, op, done, said))
        elif op.f.startswith(START) and "id" in said:
            faults[text(said["id"])] = _begun(op, done, said)
        elif op.f.startswith(STOP) and text(said.get("id")) in faults:
            known = text(said["id"])
            faults[known] = _ended(faults[known], op, done, said)
        else:
            strange.append(op)
    heal = marks.get(HEAL)
    return Windows(
        faults=tuple(_healed(fault, heal) for fault in faults.values()),
        heal=heal,
        final=marks.get(FINAL),
        strange=tuple(strange),
    )


def _said(op: Op, done: Op | None) -> dict[str, Any]:
    """What start and completion say together; the completion repeats and adds."""
    return {
        key: value
        for line in (op, done)
        if line and isinstance(line.value, Mapping)
        for key, value in line.value.items()
    }


def _mark(history: History, op: Op, done: Op | None, said: Mapping[str, Any]) -> Mark:
    return Mark(
        start_ns=op.time_ns,
        done_ns=None if done is None else done.time_ns,
        row=int(history.rows_of([op.index])[0]),
        healed=done is not None and said.get("healed") is True,
        evidence=_words(said.get("evidence")),
    )


def _begun(op: Op, done: Op | None, said: Mapping[str, Any]) -> Fault:
    targets = said.get("targets")
    return Fault(
        id=said["id"],
        kind=op.f.removeprefix(START),
        targets=tuple(map(str, targets)) if isinstance(targets, list | tuple) else (),
        start_ns=op.time_ns,
        started=done is not None,
        bit=done is not None and said.get("bit") is True,
        evidence=_words(said.get("evidence")),
    )


def _ended(fault: Fault, op: Op, done: Op | None, said: Mapping[str, Any]) -> Fault:
    """A stop may also know of a bite that the start could not see yet: a drifting clock shows only with time."""
    return replace(
        fault,
        end_ns=op.time_ns if done is None else done.time_ns,
        bit=fault.bit or (done is not None and said.get("bit") is True),
        evidence=_words(said.get("bit_evidence")) or fault.evidence,
        healed=done is not None and said.get("healed") is True,
        heal_evidence=_words(said.get("evidence")),
    )


def _healed(fault: Fault, heal: Mark | None) -> Fault:
    """The mark ``heal`` ends what no stop has ended. It does not take back that a stop found its fault still
    there.
    """
    if fault.end_ns is not None or heal is None or heal.done_ns is None:
        return fault
    return replace(fault, end_ns=heal.done_ns, healed=heal.healed, heal_evidence=heal.evidence)


def _words(evidence: Any) -> str:
    return evidence if isinstance(evidence, str) else ""
