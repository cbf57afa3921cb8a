"""The checker ``time-bound``: who is told the time with a bound on its error, is it told the truth (Cristian 1989; Marzullo 1984)?

Operations: ``now`` completes with {"time_s", "bound_s"}, in seconds. The completion's ``true_s`` is the true time before the question and
after the answer, [earliest, latest]: the answer was right if some time between the two is no further from ``time_s`` than ``bound_s``.

* ``out-of-bound``: the answer was not right;
* ``vague``: the bound is greater than ``bound_max_s``: whoever says little enough is always right.

With ``references`` the answers go by the clocks of these nodes, of which at most ``liars_max`` may be wrong: where more of them had a
clock's fault during the question or in the ``age_s`` before it (so long answers of theirs are remembered), nothing was promised, and
what is wrong is counted alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.findings import Findings, unknown
from checkers.windows import Fault, windows_of
from checkers.wording import SECOND_NS, Narrator, count, text
from harness.history import OK, Calls, History
from harness.verdict import Budget, Checker, Verdict

NAME = "time-bound"
OUT_OF_BOUND, VAGUE, EXCUSED = "out-of-bound", "vague", "wrong-beyond-the-promise"
NOW = "now"
CLOCK_FAULTS = ("clock", "drift")
BOUND_MAX_S = 1.0


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no answer with a bound."""


def make(
    *, references: Sequence[str] = (), liars_max: int = 0, age_s: float = 0.0, bound_max_s: float = BOUND_MAX_S
) -> Checker:
    """Is the time right within the bound that is stated? Options: references (nodes whose clocks it goes by), of which liars_max may be
    wrong; age_s, for how long their answers are remembered; bound_max_s, beyond which a bound is worth nothing.
    """
    return TimeBound(references=tuple(references), liars_max=liars_max, age_s=age_s, bound_max_s=bound_max_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer and the truth, in seconds since the epoch. ``error_s``: how far off it certainly was."""

    row: int
    time_s: float
    bound_s: float
    earliest_s: float
    latest_s: float

    @property
    def error_s(self) -> float:
        return max(0.0, self.time_s - self.latest_s, self.earliest_s - self.time_s)


@dataclass(slots=True, kw_only=True)
class TimeBound:
    """See the module."""

    references: tuple[str, ...] = ()
    liars_max: int = 0
    age_s: float = 0.0
    bound_max_s: float = BOUND_MAX_S
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            answers = list(_answers(calls))
        except Unjudgeable as problem:
            return unknown(NAME, f"not a history of clocks: {problem}")
        wrong_clocks = [fault for fault in windows_of(history).faults if fault.kind in CLOCK_FAULTS]
        found = Findings(NAME, Narrator(calls), (EXCUSED,))
        promised = 0
        for answer in answers:
            kept = not self.references or self._liars(calls, answer.row, wrong_clocks) <= self.liars_max
            promised += kept
            if answer.error_s > answer.bound_s:
                found.add(OUT_OF_BOUND if kept else EXCUSED, [answer.row], _told(found.say, answer))
            elif answer.bound_s > self.bound_max_s:
                said = f"{found.say.who(answer.row)} was told the time to {answer.bound_s:g} s {found.say.ended(answer.row)}"
                found.add(VAGUE, [answer.row], f"{said}, which is more than {self.bound_max_s:g} s and worth nothing")
        stats = {"answers": len(answers), "promised": promised, **_figures(answers)}
        doubt = "" if promised else "no answer was given for which anything was promised"
        fine = f"{count(promised, 'answer')} right within their bounds"
        if promised:
            fine += f", of {stats['bound_median_s'] * 1000:.3g} ms in the median"
        return found.verdict(doubt=doubt, fine=fine + found.allowed_words(), stats=stats)

    def _liars(self, calls: Calls, row: int, faults: Sequence[Fault]) -> int:
        """How many references had a wrong clock when the answer, or one that it goes by, was given."""
        times = calls.history.time_ns
        start_ns = int(times[calls.call[row]]) - round(self.age_s * SECOND_NS)
        end_ns = int(times[calls.ret[row]])
        hit = {
            node
            for fault in faults
            if fault.start_ns <= end_ns and (fault.end_ns is None or fault.end_ns >= start_ns)
            for node in fault.targets
        }
        return len(hit & set(self.references))


def _answers(calls: Calls) -> Iterator[Answer]:
    """The answers, in the order of their questions. Raises Unjudgeable."""
    history = calls.history
    for row in range(len(calls)):
        f = history.fs[calls.f[row]]
        if f != NOW:
            raise Unjudgeable(f"the time is asked for by now, but the history also has {f!r}")
        if calls.outcome[row] != OK:
            continue
        said = history.values[calls.result[row]]
        true_s = history.extras.get(int(calls.ret[row]), {}).get("true_s")
        pair: Sequence[Any] = (said.get("time_s"), said.get("bound_s")) if isinstance(said, Mapping) else ()
        window: Sequence[Any] = true_s if isinstance(true_s, list | tuple) else ()
        if len(pair) != 2 or len(window) != 2 or not all(type(part) in (int, float) for part in (*pair, *window)):
            where = f"index {history.index[calls.ret[row]]}"
            raise Unjudgeable(
                f"{where} says {text(said)} at {text(true_s)}, which is no time with a bound and the truth"
            )
        yield Answer(row=row, time_s=pair[0], bound_s=pair[1], earliest_s=window[0], latest_s=window[1])


def _figures(answers: Sequence[Answer]) -> dict[str, float]:
    if not answers:
        return {}
    bounds, errors = ([getattr(answer, name) for answer in answers] for name in ("bound_s", "error_s"))
    return {
        "bound_median_s": round(float(np.median(bounds)), 6),
        "bound_most_s": round(max(bounds), 6),
        "error_most_s": round(max(errors), 6),
    }


def _told(say: Narrator, answer: Answer) -> str:
    way = "ahead of" if answer.time_s > answer.latest_s else "behind"
    promise = f"but is promised to be off by {answer.bound_s:.6f} s at most"
    return f"the time that {say.who(answer.row)} was told {say.ended(answer.row)} is {answer.error_s:.6f} s {way} the truth, {promise}"
