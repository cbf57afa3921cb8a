"""What calls do to a state that is one integer: the sequential objects inside the compiled search.

``step_of(form, state, f, argument, result, known)`` returns the state after the call, or ILLEGAL; ``known`` is 0 for a call that
never completed, whose result means nothing. ``custom`` stands for the step of a model of one's own, see ``models.IntForm``; what it
is called with must not overflow 64 bits.
"""

from __future__ import annotations

ILLEGAL = -(1 << 62)
# How the state after a call is found: looked up among those that the model was asked for, or computed here.
TABLED, CUSTOM, COUNTER, FETCH_AND_ADD, REENTRANT = range(5)
ADD, READ = range(2)
ACQUIRE, RELEASE = range(2)
# A re-entrant lock: who holds it, times this, and how often. 0 is free.
DEPTHS = 1 << 20


def step_of(form: int, state: int, f: int, argument: int, result: int, known: int) -> int:  # noqa: PLR0917 - kernels take no keywords
    """Kernel's part: see the module."""
    if form == COUNTER:
        if f == ADD:
            return state + argument
        return state if known == 0 or result == state else ILLEGAL
    if form == FETCH_AND_ADD:
        if known == 1 and result != state:
            return ILLEGAL
        return state + argument if f == ADD else state
    if form == REENTRANT:
        return reentrant(state, f, argument, known)
    return custom(state, f, argument, result, known)


def reentrant(state: int, f: int, who: int, known: int) -> int:
    owner, depth = state // DEPTHS, state % DEPTHS
    if f == ACQUIRE and (depth == 0 or owner == who):
        return who * DEPTHS + depth + 1
    if f == RELEASE and depth > 0 and owner == who:
        return state - 1 if depth > 1 else 0
    return state if known == 0 else ILLEGAL


def custom(state: int, f: int, argument: int, result: int, known: int) -> int:  # noqa: ARG001 - see the module
    """The step of a model of one's own stands here when there is one."""
    return ILLEGAL
