"""The changes that watches were told, against each other and against what was made. Adds what is wrong to the findings. Pure.

Changes are numbered from 1 on, without a gap. A watch says since which number it goes on, and must be told all that follow, in order.

* ``watch-gap``: a number is left out between ``since`` and ``upto``;
* ``watch-order``: numbers do not grow, or go back behind ``since`` (or are in an order that no order of operations allows: ``views``);
* ``watch-disagrees``: two watches were told different changes of one number;
* ``watch-phantom``: an entry comes twice without going, or goes without having come, or was never made, or not yet when that was told;
* ``watch-missed``: all changes up to one that came later are known, and an entry that had been made before is not among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checkers.findings import Findings
from checkers.registry.facts import Facts, Watch
from checkers.wording import count, name, text
from harness.history import OK, Calls
from harness.interning import identity

GAP, ORDER, DISAGREES, PHANTOM, MISSED = "watch-gap", "watch-order", "watch-disagrees", "watch-phantom", "watch-missed"
WRONG = frozenset({GAP, ORDER, DISAGREES, PHANTOM, MISSED})
UP, DOWN = "up", "down"
_NOUNS = {UP: "coming", DOWN: "going", "passing": "recovery", "critical": "failing"}
Change = tuple[str, Any, Any]  # what, service, session
Known = tuple[Change, int]  # and the row of a call that knew of it, or began before it
Told = dict[int, tuple[Change, int]]  # number → the change, and the row of the first watch that was told


def judge_watches(calls: Calls, facts: Facts, found: Findings) -> Told:
    """Add all that is wrong with watches; the changes that were told of."""
    told = list_of(facts.watches, found)
    _lives(facts, told, found)
    made: list[Known] = [((UP, *entry), facts.entries[entry].register) for entry in facts.entries]
    judge_early(calls, facts.watches, {entry: one.register for entry, one in facts.entries.items()}, found)
    judge_missed(calls, told, found, [known for known in made if calls.outcome[known[1]] == OK], made)
    return told


def list_of(watches: Sequence[Watch], found: Findings, noun: str = "session") -> Told:
    """The one list of changes (each of a ``noun``) of which every watch was told a part; adds what contradicts that."""
    told: Told = {}
    for watch in watches:
        _numbers(watch, found)
        for number, what, service, session in watch.changes:
            change = (what, identity(service), identity(session))
            known, row = told.setdefault(number, (change, watch.row))
            if known != change:
                says = f"{found.say.who(watch.row)} {found.say.ended(watch.row)}"
                reason = f"change {number} is {words(what, service, session, noun)} to {says}"
                found.add(DISAGREES, [row, watch.row], f"{reason}, and was another one to {found.say.who(row)}")
    return told


def _numbers(watch: Watch, found: Findings) -> None:
    who = f"{found.say.who(watch.row)}, who watched on from change {watch.since} {found.say.ended(watch.row)},"
    numbers = [change[0] for change in watch.changes]
    if watch.upto < watch.since or any(b <= a for a, b in zip([watch.since, *numbers], numbers, strict=False)):
        found.add(ORDER, [watch.row], f"{who} was told changes {text(numbers)} up to {watch.upto}, which go back")
        return
    missing = watch.upto - watch.since - len(numbers)
    if missing > 0:
        told = f"{who} was told {count(len(numbers), 'change')} up to {watch.upto}"
        found.add(GAP, [watch.row], f"{told}: {count(missing, 'change')} left out")


def _lives(facts: Facts, told: Told, found: Findings) -> None:
    """Every entry comes, then goes, in turn; those of which a number before is not known are left alone."""
    up: set[tuple[Any, Any]] = set()
    for number in range(1, known_upto(told) + 1):
        (what, service, session), row = told[number]
        entry = (service, session)
        shown = words(what, facts.shown.get(service, service), facts.shown.get(session, session))
        if entry not in facts.entries:
            found.add(PHANTOM, [row], f"change {number} is {shown}, which was never made")
        elif (what == UP) == (entry in up):
            why = "which was there already" if what == UP else "which was not there"
            found.add(PHANTOM, [row, facts.entries[entry].register], f"change {number} is {shown}, {why}")
        (up.add if what == UP else up.discard)(entry)


def judge_early(
    calls: Calls, watches: Sequence[Watch], begun: Mapping[tuple[Any, Any], int], found: Findings, noun: str = "session"
) -> None:
    """Add who was told of an entry before the call that made it (``begun``) had begun."""
    for watch in watches:
        for number, what, service, who in watch.changes:
            row = begun.get((identity(service), identity(who)))
            if row is not None and int(calls.ret[watch.row]) < int(calls.call[row]):
                told = f"{found.say.who(watch.row)} was told {found.say.ended(watch.row)} that change {number} is"
                made = f"before {found.say.whose(row)} had begun {found.say.began(row)}"
                found.add(PHANTOM, [watch.row, row], f"{told} {words(what, service, who, noun)}, {made}")


def judge_missed(calls: Calls, told: Told, found: Findings, certain: Sequence[Known], begun: Sequence[Known]) -> None:
    """A change that was certain when another one had not begun is part of a list that is known up to that one.

    ``certain``: changes with a row that knew of it when it ended; ``begun``: changes with a row before whose beginning they did not come.
    """
    numbers: dict[Change, int] = {}
    for number, (change, _) in sorted(told.items()):
        numbers.setdefault(change, number)
    known = known_upto(told)
    done = sorted((int(calls.ret[row]), change, row) for change, row in certain)
    at = 0
    unseen: list[Known] = []
    for change, row in sorted(begun, key=lambda one: int(calls.call[one[1]])):
        mine = numbers.get(change)
        while at < len(done) and done[at][0] < int(calls.call[row]):
            if done[at][1] not in numbers:
                unseen.append(done[at][1:])
            at += 1
        if mine is not None and mine <= known:
            for (what, *_), lost in unseen:
                made = (
                    f"{found.say.whose(lost)} had been acknowledged"
                    if what == UP
                    else f"a {_NOUNS[what]} was told to {found.say.who(lost)}"
                )
                reason = f"{made} {found.say.ended(lost)}, but is no change up to {mine}"
                found.add(MISSED, [lost, row], f"{reason}, which came after it")
            unseen = []


def known_upto(told: Mapping[int, Any]) -> int:
    """Up to which number all changes are known."""
    number = 0
    while number + 1 in told:
        number += 1
    return number


def words(what: str, service: Any, who: Any, noun: str = "session") -> str:
    """``the coming of session 7 under service 1``."""
    return f"the {_NOUNS.get(what, what)} of {noun} {name(who)} under service {name(service)}"
