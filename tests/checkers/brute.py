"""Linearizability by its definition: some legal order that respects real time exists, and all orders are tried. For tests only.

A twin of the clever algorithms: no memory of configurations, no rule that skips anything. Exponential; for a dozen operations.
"""

from __future__ import annotations

from collections.abc import Sequence

from checkers.linearizable import generic
from checkers.linearizable.models import Model, successors
from checkers.linearizable.wgl import Call
from checkers.substance import lack
from harness.history import FOREVER, History
from harness.verdict import Validity


def linearizable(model: Model, calls: Sequence[Call]) -> bool:
    """Whether the calls that completed, and any of those that did not, have a legal order."""
    return _extend(model, frozenset(calls), model.init)


def defined(model: Model, history: History) -> Validity:
    """The verdict on a history without keys, by the definition; what could show nothing proves nothing."""
    if not all(linearizable(model, case.calls) for case in generic.cases(history.calls(), model)):
        return Validity.INVALID
    return Validity.UNKNOWN if lack(history.calls(), blind=model.blind, reads=model.reads) else Validity.VALID


def _extend(model: Model, rest: frozenset[Call], state: object) -> bool:
    if all(call.ret == FOREVER for call in rest):
        return True  # what never completed need not have happened
    for call in rest:
        if any(other.ret < call.call for other in rest):
            continue  # another one ended before this one began, so it comes first
        afters = successors(model, state, call.f, call.argument, call.result)
        if any(_extend(model, rest - {call}, after) for after in afters):
            return True
    return False
