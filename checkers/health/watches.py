"""The changes that watches were told, against the lives of instances. Adds what is wrong to the findings. Pure.

As ``checkers.registry.watches`` has it, and with its names; here an instance comes (and is critical), passes and fails in turn, and goes
once, for good. What nobody may leave out, or put behind what began later, is that an instance came, and that it passed, if somebody was
told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from checkers.findings import Findings
from checkers.health.facts import CRITICAL, PASSING, Facts, Name
from checkers.registry.watches import (
    DOWN,
    ORDER,
    PHANTOM,
    UP,
    Known,
    Told,
    judge_early,
    judge_missed,
    known_upto,
    list_of,
    words,
)
from harness.history import FAIL, OK, Calls

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
    served = {named: life.commands[0] for named, life in facts.lives.items() if calls.outcome[life.commands[0]] != FAIL}
    judge_early(calls, facts.watches, served, found, "instance")
    state: dict[Name, str] = {}

    def change(what: str, named: Name) -> str:
        service, instance = (facts.shown.get(one, one) for one in named)
        return words(what, service, instance, "instance")

    for number in range(1, known_upto(told) + 1):
        (what, *place), row = told[number]
        named: Name = (place[0], place[1])
        said = f"change {number} is {change(what, named)}"
        if named not in served:
            found.add(PHANTOM, [row], f"{said}, which was never served")
        elif state.get(named) not in BEFORE.get(what, ()):
            was = f"though the one before is {change(state[named], named)}" if named in state else "which had not come"
            found.add(PHANTOM, [row, served[named]], f"{said}, {was}")
        state[named] = what
    begun: list[Known] = [((UP, *named), row) for named, row in served.items()]
    certain = [known for known in begun if calls.outcome[known[1]] == OK]
    certain += [((PASSING, *named), row) for named, row in passed]
    judge_missed(calls, told, found, certain, begun)
    _judge_order(calls, told, found, certain=certain, begun=begun, change=change)
    return told


def _judge_order(
    calls: Calls,
    told: Told,
    found: Findings,
    *,
    certain: Sequence[Known],
    begun: Sequence[Known],
    change: Callable[[str, Name], str],
) -> None:
    """Add changes that were certain when another one had not begun, and stand behind it. An instance comes once, but passes again and
    again: which recovery was the first is known only as far as all changes are.
    """
    known, numbers = known_upto(told), dict[tuple[str, Any, Any], int]()
    for number, (one, _) in sorted(told.items()):
        if one[0] == UP or number <= known:
            numbers.setdefault(one, number)
    done = sorted((int(calls.ret[row]), row, numbers[one]) for one, row in certain if one in numbers)
    last, at = (0, 0), 0  # the number of what stands last of all that was certain, and who knew of it
    for one, row in sorted(begun, key=lambda known: int(calls.call[known[1]])):
        while at < len(done) and done[at][0] < int(calls.call[row]):
            last, at = max(last, (done[at][2], done[at][1])), at + 1
        if numbers.get(one, last[0]) < last[0]:
            what, *place = told[last[0]][0]
            before = f"change {last[0]} is {change(what, (place[0], place[1]))}, of which {found.say.who(last[1])} knew"
            after = f"but change {numbers[one]} is {change(UP, (one[1], one[2]))}, which began {found.say.began(row)}"
            found.add(ORDER, [last[1], row, told[last[0]][1]], f"{before} {found.say.ended(last[1])}, {after}")
