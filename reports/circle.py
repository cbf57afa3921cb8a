"""A contradiction told step by step: operations (mostly transactions) of which each must come before the next, the last before the first.

What the checker found out stands in the anomaly's ``circle``; documents of other makers may hold anything there: what makes no circle
is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from reports.report import Report
from reports.witness import Witness, WitnessOp, anomaly_rows, witness
from reports.wording import key_text, sentence, value_text

STEPS_MAX = 40
MICRO_OPS_MAX = 24
# What a dependency of this kind means: T1 → T2.
KINDS = {
    "ww": "the second wrote the version after the first one's",
    "wr": "the second read what the first had written",
    "rw": "the second overwrote what the first had read",
    "process": "one process ran them in this order",
    "realtime": "the first had ended before the second began",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CircleStep:
    """``src`` must come before ``dst`` (labels), because of ``why``; ``meaning`` explains the kind, empty for one that we do not know."""

    src: str
    dst: str
    kind: str
    meaning: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An operation of the circle; ``did`` are its micro-operations, or itself, in a few words each."""

    label: str
    op: WitnessOp
    did: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """``members`` in the order in which the steps meet them first. All texts are printable."""

    members: tuple[Member, ...]
    steps: tuple[CircleStep, ...]
    left_out: int


def circle(report: Report, anomaly: Mapping[str, Any]) -> Circle | None:
    """The circle of an anomaly; None if it has none."""
    told = anomaly.get("circle")
    steps = (
        [step for step in told if _is_step(step)] if isinstance(told, Sequence) and not isinstance(told, str) else []
    )
    if not steps or any(one["dst"] != other["src"] for one, other in pairwise([*steps, steps[0]])):
        return None
    lines = list(dict.fromkeys(step["src"] for step in steps))
    rows = anomaly_rows(report, lines)
    found: Witness = witness(report, {"witness": lines})
    if len(rows) != len(lines) or len(found.ops) != len(lines):
        return None
    by_line = {op.first_index: op for op in found.ops}
    if by_line.keys() != set(lines):
        return None
    return Circle(
        members=tuple(Member(label=f"T{line}", op=by_line[line], did=_did(report, by_line[line])) for line in lines),
        steps=tuple(_step(step) for step in steps[:STEPS_MAX]),
        left_out=max(0, len(steps) - STEPS_MAX),
    )


def _is_step(step: Any) -> bool:
    return isinstance(step, Mapping) and all(type(step.get(end)) is int for end in ("src", "dst"))


def _step(step: Mapping[str, Any]) -> CircleStep:
    kind = step.get("kind")
    return CircleStep(
        src=f"T{step['src']}",
        dst=f"T{step['dst']}",
        kind=sentence(kind, 20),
        meaning=KINDS.get(kind, "") if isinstance(kind, str) else "",
        why=sentence(step.get("why")),
    )


def _did(report: Report, op: WitnessOp) -> tuple[str, ...]:
    """A transaction's micro-operations, with what they returned, if its end is known: ``r 3 → [1, 2]``, ``append 3 ← 4``."""
    row = op.first if op.last is None else op.last
    value = report.history[row].value
    if not isinstance(value, list | tuple) or not value or not all(map(_is_micro, value)):
        return (op.label,)
    shown = tuple(_micro(micro) for micro in value[:MICRO_OPS_MAX])
    return shown if len(value) <= MICRO_OPS_MAX else (*shown, f"and {len(value) - MICRO_OPS_MAX} more")


def _is_micro(micro: Any) -> bool:
    return isinstance(micro, list | tuple) and len(micro) == 3 and isinstance(micro[0], str)


def _micro(micro: Sequence[Any]) -> str:
    f, key, value = micro
    arrow = "→" if f == "r" else "←"
    return f"{sentence(f, 20)} {key_text(key, 60)} {arrow} {value_text(value, 80)}"
