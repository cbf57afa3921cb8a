"""Which algorithm decides a set, by what is done with it: ``growing``, ``elements`` or ``changing``; the search if elements come twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from checkers.linearizable import changing, elements, generic, growing
from checkers.linearizable.models import Model
from checkers.linearizable.touches import NONE
from checkers.wording import Narrator
from harness.history import OK, Calls

SetCase = growing.GrowingCase | elements.ElementsCase | changing.ChangingCase | generic.GenericCase


def cases(calls: Calls, model: Model) -> Sequence[SetCase]:
    """Every key of ``calls``. Raises Unjudgeable."""
    asked, read = (_are(calls, names) for names in (("remove", "contains"), ("read",)))
    if not asked.any():
        return growing.cases(calls)
    found: list[SetCase] = []
    say, answers = Narrator(calls), _answers(calls)
    for key, rows in growing.parts(calls):
        if not asked[rows].any():
            found.append(growing.case_of(key, rows, calls, say))
            continue
        part = calls if len(rows) == len(calls) else calls.take(rows)
        if (read[rows] & (part.outcome == OK)).any():
            case: SetCase | None = changing.case_of(key, part, rows, model, answers)
        else:
            case = elements.case_of(key, part, rows, answers)
        found.append(case or generic.case_of(key, part, rows.tolist(), model))
    return found


def _are(calls: Calls, names: Sequence[str]) -> np.ndarray:
    """Which calls are of these functions."""
    mask: np.ndarray = np.array([f in names for f in calls.history.fs] or [False], dtype=np.bool_)[calls.f]
    return mask


def _answers(calls: Calls) -> tuple[int, int]:
    """The codes of true and false among the results of contains; NONE if it never occurs."""
    results = calls.result[_are(calls, ("contains",)) & (calls.outcome == OK)]
    codes = np.flatnonzero(np.bincount(results)).tolist()
    values = {value: code for code in codes if type(value := calls.history.values[code]) is bool}
    return values.get(True, NONE), values.get(False, NONE)
