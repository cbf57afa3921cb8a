"""Whether a history could have shown anything wrong. One that could not is legal, whatever the system did, and proves nothing."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from checkers.wording import count, listed
from harness.history import FAIL, OK, Calls


def lack(calls: Calls, *, blind: Collection[str], reads: Collection[str]) -> str:
    """Why a history proves nothing; empty if that cannot be said.

    ``blind``: functions that succeed in every state and tell nothing of it; ``reads``: those that never change it.
    """
    if not len(calls):
        return "there was no client operation to judge"
    fs = calls.history.fs
    ok = calls.outcome == OK
    if not ok.any():
        return f"not one of {count(len(calls), 'operation')} succeeded, so there was nothing to judge"
    tells, changes = (np.array([f not in those for f in fs], dtype=np.bool_)[calls.f] for those in (blind, reads))
    if not (ok & tells).any():
        done = listed(sorted({str(fs[code]) for code in np.unique(calls.f[ok]).tolist()}))
        return f"nothing was read: only {done} succeeded, which tells nothing of what is there, so there was nothing to judge"
    if not (changes & (calls.outcome != FAIL)).any():
        return "nothing was ever changed, so there was nothing to judge"
    return ""
