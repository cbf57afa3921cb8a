"""An order of the operations that explains a valid history, for people who want to see it.

Found by the search in plain Python, whichever algorithm decided, so that it is a second proof: every step of it is one of
the model's.
"""

from __future__ import annotations

from typing import Any

from checkers.linearizable import generic, wgl
from checkers.linearizable.limits import Limits
from checkers.linearizable.models import Model
from checkers.wording import Narrator
from harness.history import NO_KEY, Calls

KEYS_MAX = 20
# Of so many steps an order is found for histories of thousands of operations at the usual concurrency.
LIMITS = Limits(steps=5_000_000, configs=1_000_000)


def orders(calls: Calls, model: Model) -> list[dict[str, Any]]:
    """For the first keys: ``key``, and ``order``: [index of the invocation, what was done], or null if none was found."""
    say, found = Narrator(calls), []
    history = calls.history
    for case in generic.cases(calls, model)[:KEYS_MAX]:
        order = wgl.find_order(model, case.calls, LIMITS)
        rows = None if order is None else [case.rows[i] for i in order]
        told = None if rows is None else [[int(history.index[calls.call[row]]), say.whose(row)] for row in rows]
        found.append({"key": None if case.key == NO_KEY else history.keys[case.key], "order": told})
    return found
