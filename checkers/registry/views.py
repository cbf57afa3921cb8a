"""The whole view: one order of all changes, and a moment of it for every lookup. Adds what is wrong to the findings. Pure.

Watches tell the order of all changes, by their numbers. What began after another change was over comes after it, and each lookup shows the
entries of its service between two changes, at a moment between its beginning and its end:

* ``watch-order``: a change that began after another one was over has a lower number. One is over when the call that made it has ended, or
  when a watch was told of it;
* ``mixed-view``: what a lookup found was the view at no moment at which it can have looked: entries of several moments, say;
* ``view-went-back``: it was the view only before a moment that a lookup had shown which was over when this one began.

With no other anomaly, there is an order of changes and lookups in which each is right and none comes before one that was over before it
began: places in one order that are right two by two are right together. Beyond the last change up to which all are known nothing is judged.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from checkers.findings import Findings
from checkers.registry.facts import Facts, last_line
from checkers.registry.watches import DOWN, ORDER, UP, Told, known_upto, words
from checkers.wording import count, listed, name
from harness.history import FOREVER, Calls

MIXED, BACK = "mixed-view", "view-went-back"
Change = tuple[bool, Hashable, Hashable]  # whether it comes, service, session


def judge_views(calls: Calls, facts: Facts, told: Told, found: Findings) -> None:
    """Add all that is wrong with the order of changes and with what lookups saw of it, where watches were told one list of changes."""
    upto = known_upto(told)
    order = _order(calls, facts, told, upto)
    shown = facts.shown

    def named(place: int) -> str:
        comes, service, session = order.changes[place]
        return f"change {place + 1}, {words(UP if comes else DOWN, shown.get(service, service), shown.get(session, session))},"

    wrong = inversions(order)
    for a, b in wrong:
        rows = [facts.entries[order.changes[place][1:]].register for place in (a, b)]
        found.add(ORDER, rows, f"{named(a)} had not begun when {named(b)} was over {found.say.at(order.latest[b])}")
    if wrong:
        return
    looks = [
        Look(row, service, int(calls.call[row]), int(calls.ret[row]), sessions)
        for service, rows in facts.lookups.items()
        for row, sessions in rows
    ]
    for misfit in misfits(order, looks):
        look, after = misfit.look, misfit.after
        sessions = sorted(name(shown.get(one, one)) for one in look.found)
        saw = (
            f"found {'sessions' if len(sessions) > 1 else 'session'} {listed(sessions)}" if sessions else "found nobody"
        )
        service = name(shown.get(look.service, look.service))
        who = f"{found.say.who(look.number)}, who looked up service {service} {found.say.span(look.number)}, {saw}:"
        if after is not None:
            earlier = f"that was the view only before what {found.say.who(after.number)} had found"
            found.add(BACK, [after.number, look.number], f"{who} {earlier} {found.say.ended(after.number)}")
        elif misfit.first == misfit.last:
            found.add(MIXED, [look.number], f"{who} that is not the view after {count(misfit.first, 'change')}")
        else:
            seen = f"whichever of the changes {misfit.first + 1} to {misfit.last} it had seen"
            found.add(MIXED, [look.number], f"{who} that was never the view, {seen}")


def _order(calls: Calls, facts: Facts, told: Told, upto: int) -> Order:
    heard: dict[int, int] = {}  # number → the line at which somebody was told of it first
    for watch in facts.watches:
        for number, *_ in watch.changes:
            heard[number] = min(heard.get(number, FOREVER), int(calls.ret[watch.row]))
    changes, earliest, latest = [], [], []
    for number in range(1, upto + 1):
        (what, service, session), _ = told[number]
        entry = facts.entries[service, session]
        causes = [entry.register] if what == UP else entry.ends
        changes.append((what == UP, service, session))
        earliest.append(int(calls.call[entry.register]))
        latest.append(min(heard[number], *(last_line(calls, row) for row in causes)) if causes else heard[number])
    return Order(changes=changes, earliest=earliest, latest=latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All changes up to the last that is known, in order. Of each: ``earliest``, the line after which it happened, ``latest``, that before
    which it did (FOREVER if nobody knows).
    """

    changes: Sequence[Change]
    earliest: Sequence[int]
    latest: Sequence[int]


@dataclass(frozen=True, slots=True)
class Look:
    """A lookup of ``service`` between the lines ``call`` and ``ret``; ``number`` is the caller's."""

    number: int
    service: Hashable
    call: int
    ret: int
    found: frozenset[Hashable]


@dataclass(frozen=True, slots=True)
class Misfit:
    """A lookup with no place. Between ``first`` and ``last`` changes may have happened; ``after``: the lookup that shows so many."""

    look: Look
    first: int
    last: int
    after: Look | None


def inversions(order: Order) -> list[tuple[int, int]]:
    """Pairs (a, b) of places, a before b, where a began after b was over: for each such a the b that was over first."""
    found = []
    over, at = FOREVER, -1
    for place in reversed(range(len(order.changes))):
        if order.earliest[place] > over:
            found.append((place, at))
        if order.latest[place] < over:
            over, at = order.latest[place], place
    return found[::-1]


def misfits(order: Order, looks: Sequence[Look]) -> list[Misfit]:
    """The lookups without a place, each as early as can be: so nobody who comes later is pushed on without need."""
    begun = list(accumulate(order.earliest, max))
    over = list(accumulate(reversed(order.latest), min))[::-1]
    views = _views(order.changes)
    always_empty = {frozenset[Hashable](): [(0, len(order.changes))]}
    found: list[Misfit] = []
    done: list[tuple[int, int, int]] = []  # (its end, its place, who) of lookups that have one and may not be over yet
    shown, shower = 0, None  # the greatest place of those that are over
    by_number = {look.number: look for look in looks}
    for look in sorted(looks, key=lambda one: one.call):
        while done and done[0][0] < look.call:
            _, there, number = heapq.heappop(done)
            if there > shown:
                shown, shower = there, by_number[number]
        first, last = bisect_left(over, look.call), bisect_left(begun, look.ret)
        where = views.get(look.service, always_empty).get(look.found, [])
        place = _least(where, max(first, shown), last)
        if place is None and last == len(order.changes):
            continue  # it may have come after all that is known
        if place is None:
            found.append(Misfit(look, first, last, None if _least(where, first, last) is None else shower))
        else:
            heapq.heappush(done, (look.ret, place, look.number))
    return found


def _views(changes: Sequence[Change]) -> Mapping[Hashable, Mapping[frozenset[Hashable], list[tuple[int, int]]]]:
    """Service → its view → the places from which to which it was that, in order. Place n is that after n changes."""
    views: dict[Hashable, dict[frozenset[Hashable], list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    now: dict[Hashable, tuple[frozenset[Hashable], int]] = {}
    for place, (comes, service, session) in enumerate(changes, start=1):
        view, since = now.get(service, (frozenset(), 0))
        views[service][view].append((since, place - 1))
        now[service] = (view | {session} if comes else view - {session}, place)
    for service, (view, since) in now.items():
        views[service][view].append((since, len(changes)))
    return views


def _least(where: Sequence[tuple[int, int]], first: int, last: int) -> int | None:
    """The least place from ``first`` to ``last`` in one of these stretches."""
    at = bisect_right(where, (first, FOREVER)) - 1
    for since, until in where[max(at, 0) : at + 2]:
        place = max(since, first)
        if place <= min(until, last):
            return place
    return None
