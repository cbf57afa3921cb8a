"""Real time in sorted columns: what had ended before something else began."""

from __future__ import annotations

import numpy as np

from harness.columns import Ints


def greatest_before(ret: Ints, value: Ints, call: Ints) -> Ints:
    """For each entry of ``call``: the place of one with the greatest ``value`` among those whose ``ret`` comes before it; -1 for none.

    ``ret`` and ``value`` are columns of one length. The time is that of sorting.
    """
    if not len(ret):
        return np.full(len(call), -1)
    order = np.argsort(ret, kind="stable")
    values = value[order]
    grows = np.concatenate([[True], values[1:] > np.maximum.accumulate(values)[:-1]])
    best = np.maximum.accumulate(np.where(grows, np.arange(len(order)), 0))
    over = np.searchsorted(ret[order], call)
    found: Ints = np.where(over > 0, order[best[over - 1]], -1).astype(np.int64)
    return found
