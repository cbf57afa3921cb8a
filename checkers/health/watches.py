"""The changes that watches were told, against the lives of instances. Adds what is wrong to the findings. Pure.

As ``checkers.registry.watches`` has it, and with its names; here an instance comes (and is critical), passes and fails in turn, and goes
once, for good. What nobody may leave out is that an instance came, and that it passed, if somebody was told so.
"""

from __future__ import annotations

from collections.abc import Iterable

from checkers.findings import Findings
from checkers.health.facts import CRITICAL, PASSING, Facts, Name
from checkers.registry.watches import DOWN, PHANTOM, UP, Known, Told, judge_missed, known_upto, list_of, words
from harness.history import OK, Calls

# A change → the states in which it may come; None: it never came.
BEFORE: dict[str, tuple[str | None, ...]] = {
    UP: (None,),
    PASSING: (UP, CRITICAL),
    CRITICAL: (PASSING,),
    DOWN: (UP, PASSING, CRITICAL),
}


def judge_watches(calls: Calls, facts: Facts, passed: Iterable[tuple[Name, int]], found: Findings) -> Told:
    """Add all that is wrong with watches; the changes that were told of. ``passed``: instances, and a row that was told that they pass."""
    told = list_of(facts.watches, found, "instance")
    state: dict[Name, str] = {}

    def change(what: str, named: Name) -> str:
        service, instance = (facts.shown.get(one, one) for one in named)
        return words(what, service, instance, "instance")

    for number in range(1, known_upto(told) + 1):
        (what, *place), row = told[number]
        named: Name = (place[0], place[1])
        said = f"change {number} is {change(what, named)}"
        if named not in facts.lives:
            found.add(PHANTOM, [row], f"{said}, which was never served")
        elif state.get(named) not in BEFORE.get(what, ()):
            was = f"though the one before is {change(state[named], named)}" if named in state else "which had not come"
            found.add(PHANTOM, [row, facts.lives[named].commands[0]], f"{said}, {was}")
        state[named] = what
    served: list[Known] = [((UP, *named), life.commands[0]) for named, life in facts.lives.items()]
    certain = [known for known in served if calls.outcome[known[1]] == OK]
    certain += [((PASSING, *named), row) for named, row in passed]
    judge_missed(calls, told, found, certain, served)
    return told
