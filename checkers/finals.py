"""Which operations are a run's final reads: those that carry ``final``, or Jepsen's ``final?``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.history import NO_KEY, Calls

MARKS = ("final", "final?")


def is_final(calls: Calls) -> npt.NDArray[np.bool_]:
    """Per call, whether its invocation or its completion is marked as final."""
    history = calls.history
    marked = [row for row, extra in history.extras.items() if any(extra.get(mark) is True for mark in MARKS)]
    flags = np.zeros(len(history) + 1, dtype=np.bool_)  # one more, which is what a missing completion picks
    flags[marked] = True
    other = history.pair[calls.call]
    found: npt.NDArray[np.bool_] = flags[calls.call] | flags[np.where(other == NO_KEY, len(history), other)]
    return found
