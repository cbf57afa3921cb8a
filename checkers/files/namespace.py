"""The names of all files together: is there one order of all answers that respects real time, and in which each is true?

Each name alone may be in order where all together are not: a rename that was seen half, a list that mixes two moments. So the whole
namespace is one object, searched like any other (``checkers.linearizable``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from checkers.files.steps import Step
from checkers.linearizable.check import decide
from checkers.linearizable.generic import GenericCase
from checkers.linearizable.limits import Found
from checkers.linearizable.models import UNKNOWN, Model, State
from checkers.linearizable.wgl import Call
from checkers.wording import Narrator, count
from harness.files import ABSENT, CREATE, DELETE, EXISTS, LIST, RENAME, STAT
from harness.history import NO_KEY
from harness.verdict import Budget, Validity

NAME = "nonlinearizable"
HAS, LACKS = "has", "lacks"  # what a stat, or an operation that failed for that, says of one name
_LOOKS = frozenset({LIST, HAS, LACKS})
_CHANGES = frozenset({CREATE, DELETE, RENAME})


def _step(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    """``state``: the names that there are. A change that is not possible has no effect, which only one of unknown outcome may have."""
    match f:
        case "list":
            return state == result, state
        case "has":
            return argument in state, state
        case "lacks":
            return argument not in state, state
        case "create":
            possible, after = argument not in state, state | {argument}
        case "delete":
            possible, after = argument in state, state - {argument}
        case _:
            old, new = argument
            possible, after = old in state and new not in state, (state - {old}) | {new}
    return possible or result is UNKNOWN, after if possible else state


NAMES: Final = Model(
    name="namespace",
    summary="names of files: create, delete, rename, list, has, lacks",
    init=frozenset(),
    step=_step,
    fs=_LOOKS | _CHANGES,
    reads=_LOOKS,
)


def namespace_calls(steps: Sequence[Step]) -> tuple[list[Call], list[int]]:
    """What says something about names, as calls of the model, and the row of each."""
    found, rows = [], []
    for step in steps:
        said = _said(step)
        if said is not None:
            f, argument, result = said
            found.append(Call(call=step.call, ret=step.ret, f=f, argument=argument, result=result))
            rows.append(step.row)
    return found, rows


def _said(step: Step) -> tuple[str, Any, Any] | None:
    if step.f in _CHANGES and step.happened:
        argument = (step.path, step.argument) if step.f == RENAME else step.path
        return step.f, argument, None if step.ok else UNKNOWN
    if step.f == LIST and step.ok:
        return LIST, None, step.result
    if step.f == STAT and step.ok:
        return HAS, step.path, None
    if step.answer == EXISTS and step.f in (CREATE, RENAME):
        return HAS, step.path if step.f == CREATE else step.argument, None
    if step.answer == ABSENT and step.f in (DELETE, RENAME, STAT):
        return LACKS, step.path, None
    return None


def case_of(steps: Sequence[Step], budget: Budget) -> GenericCase:
    """The namespace, searched: ``found`` says what came of it."""
    said, rows = namespace_calls(steps)
    case = GenericCase(key=NO_KEY, size=len(said), model=NAMES, calls=said, rows=rows)
    if said:
        decide([case], budget)
    else:
        case.found = Found(validity=Validity.VALID, steps=0, explained=0, completed=0)
    return case


def told(case: GenericCase, say: Narrator) -> tuple[list[int], str]:
    """The rows that show that there is no order, and a sentence."""
    assert case.found is not None
    assert case.found.stuck is not None
    rows = [case.rows[at] for at in case.witness(case.found.stuck)]
    row = case.rows[case.found.stuck]
    others = count(len(rows) - 1, "other operation")
    what = f"{say.who(row)}'s {say.what(row)}{say.key(row, 'of')} {say.span(row)}"
    return rows, f"no order that respects real time explains {what} together with {others} on names of files"


def undecided(case: GenericCase, budget: Budget) -> str:
    """How far the search came."""
    found = case.found
    done = f"{found.explained:,} of {found.completed:,}" if found else f"none of {case.size:,}"
    return f"the namespace is undecided within the budget ({budget.steps_max:,} steps): a legal order was found for {done} answers"
