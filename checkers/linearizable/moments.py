"""Moments for the calls of a set, found in one sweep through time: the kernel. See ``changing`` for the rest of the argument.

The sweep passes invocations and responses in their order and keeps what the set holds. A call is placed between its invocation and its
response, so whatever order comes out respects real time; every read shows what is there when it is placed, so it is legal. If the sweep
gets to the end it has found a legal order: that is all that a "good" rests on. It is lazy:

* a call that is legal now and changes nothing (a read of just what is there, a fitting answer) is placed at once, which is never a loss;
* all else waits for its response, or until a read needs it.

Before a call is placed at its response, the reads that could not be placed afterwards are. *Before x is removed*, those that show x:
x does not come back. *Before x is added*, those without x that end before the removal of x can come, which is not before it was called,
nor before every read that shows x was: they have no later moment. Nor have those that show more of what is held than another
read with x, since what is held is only removed. *Before a read*, those that either of these asks for, for all that it
adds and removes. These are no choices. Where two reads each ask for the other, or a call that is needed was not invoked, the sweep is
stuck. That proves nothing, since which of two reads comes first, if both could, is a guess.

An element that was removed in vain before it was added, at the latest moment for that, stays for ever.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Narrow, Tiny
from checkers.linearizable.touches import ADD, FOUND, LATE, MISSED, NONE, REMOVE, SHOW, TWICE

# So many numbers are looked through, one after the other.
FEW = 16
# What an element is: it was not added yet, it is in the set, or it is gone for good.
OUT, IN, GONE = range(3)
# What ``asked_for`` says where it names no read.
NOTHING, STUCK = -1, -2
# Entries of the tally: elements in the set, reads that wait, and where the sweep was stuck: the position, and the element in its way.
HELD, WAITING, STUCK_AT, STUCK_BY, THOROUGH = range(5)


class World(NamedTuple):
    """All that the sweep knows. A SHOW is a read of the whole set; what it is about is its number, of the others it is the element.

    Per position, ``at``: the call that begins there (plus 1), or the one that ends there (its number plus 1, negative). Per call,
    ``kind`` and ``about``, whether it is ``placed``, and the next one that waits for the same element (``following``). Per read of the
    whole set, when it begins and until when it has a moment (``begins``, ``until``), where its elements begin in ``element`` (``first``,
    one more; ascending for each), how many of them are held (``common``), and its place among the reads that wait (``queued``; NONE). Per
    element, the call of its addition and of its removal (``added``, ``removed``; NONE: there is none, or it was in vain), the last read
    that finds it begins (``last``), how many are still to find it (``left``), its ``status``, its ``place`` among those held, and the
    first call that waits for a change (``asking``). Lists: the elements ``held``, the reads that wait (``reads``), and a ``stack`` of
    reads.
    """

    at: Narrow
    kind: Tiny
    about: Narrow
    placed: Narrow
    following: Narrow
    begins: Narrow
    until: Narrow
    first: Narrow
    element: Narrow
    common: Narrow
    queued: Narrow
    added: Narrow
    removed: Narrow
    last: Narrow
    left: Narrow
    status: Narrow
    place: Narrow
    asking: Narrow
    held: Narrow
    reads: Narrow
    stack: Narrow
    tally: Narrow


class Times(NamedTuple):
    """From when to when calls were (LATE: nobody knows); and per element when its removal ended, LATE to begin with."""

    call: Narrow
    ret: Narrow
    leaves: Narrow


def copy_shows(shown: Narrow, first_of: Narrow, element_of: Narrow, first: Narrow, element: Narrow) -> int:
    """Kernel: the elements of the lists that were shown, one list after the other, into ``element``; each begins at ``first``."""
    for show in range(len(shown)):
        at = first_of[shown[show]]
        for place in range(first[show], first[show + 1]):
            element[place] = element_of[at]
            at += 1
    return 0


def lay_out(t: Times, w: World) -> int:
    """Kernel: what is known before the sweep; TWICE if an element was added or removed twice."""
    for i in range(len(w.kind)):
        if w.kind[i] != NONE:
            w.at[t.call[i]] = i + 1
            if t.ret[i] != LATE:
                w.at[t.ret[i]] = -i - 1
            if note(i, t, w) == TWICE:
                return TWICE
    for element in range(len(w.added)):
        # What is found after its removal was removed in vain, before it was added.
        if w.added[element] != NONE and t.leaves[element] < max(w.last[element], w.added[element]):
            w.added[element] = max(w.added[element], w.removed[element])
            w.removed[element], t.leaves[element] = NONE, LATE
    for show in range(len(w.begins)):
        # A read comes after all that it shows was added, and before any of it is removed.
        begin, end = w.begins[show], w.until[show]
        for at in range(w.first[show], w.first[show + 1]):
            begin = max(begin, w.added[w.element[at]])
            end = min(end, t.leaves[w.element[at]])
        for at in range(w.first[show], w.first[show + 1]):
            w.last[w.element[at]] = max(w.last[w.element[at]], begin)
        w.until[show] = end
    return 0


def note(i: int, t: Times, w: World) -> int:
    """Kernel: what one call says; TWICE if its element was added or removed before."""
    kind, about = w.kind[i], w.about[i]
    if kind == SHOW:
        w.begins[about], w.until[about] = t.call[i], t.ret[i]
        for at in range(w.first[about], w.first[about + 1]):
            w.last[w.element[at]] = max(w.last[w.element[at]], t.call[i])
            w.left[w.element[at]] += 1
    elif kind == FOUND:
        w.last[about] = max(w.last[about], t.call[i])
        w.left[about] += 1
    elif kind == ADD:
        if w.added[about] != NONE:
            return TWICE
        w.added[about] = t.call[i]
    elif kind == REMOVE:
        if w.removed[about] != NONE:
            return TWICE
        w.removed[about], t.leaves[about] = t.call[i], t.ret[i]
    return 0


def sweep_moments(w: World) -> int:
    """Kernel: 1 if every call that ended has its moment, 0 if the sweep was stuck, as ``tally`` says."""
    for position in range(len(w.at)):
        event = w.at[position]
        if event > 0:
            begin(event - 1, w)
        elif event < 0:
            call = -event - 1
            if w.placed[call] == 0 and finish(call, position, w) == 0:
                w.tally[STUCK_AT] = position
                return 0
    return 1


def begin(call: int, w: World) -> None:
    """Kernel: the call was invoked; place it at once if it changes nothing, else let it wait."""
    kind, about = w.kind[call], w.about[call]
    if kind == SHOW:
        held, first, end = 0, w.first[about], w.first[about + 1]
        for at in range(first, end):
            if w.status[w.element[at]] == IN:
                held += 1
        if held == end - first and held == w.tally[HELD]:
            find_all(about, w)
        else:
            w.common[about] = held
            w.queued[about] = w.tally[WAITING]
            w.reads[w.tally[WAITING]] = about
            w.tally[WAITING] += 1
    elif kind in (FOUND, MISSED):
        if (w.status[about] == IN) == (kind == FOUND):
            w.placed[call] = 1
            if kind == FOUND:
                w.left[about] -= 1
        else:
            w.following[call] = w.asking[about]
            w.asking[about] = call


def finish(call: int, position: int, w: World) -> int:
    """Kernel: the call ends here and must be placed; 0 if that is impossible."""
    kind, about = w.kind[call], w.about[call]
    if kind == SHOW:
        return 1 if w.queued[about] == NONE else force(SHOW, about, position, w)
    if kind in (ADD, FOUND):
        if w.status[about] == OUT:
            return force(ADD, about, position, w)
        w.tally[STUCK_BY] = about
        return 1 if kind == ADD or w.status[about] == IN else 0
    if kind == REMOVE and w.status[about] == OUT:
        return remove_unseen(about, position, w)
    if kind == REMOVE and (w.status[about] == GONE or w.removed[about] == NONE):
        return 1
    return force(REMOVE, about, position, w)


def remove_unseen(element: int, position: int, w: World) -> int:
    """Kernel: the removal of an element ends that was not added yet: add it first, if nobody will look for it later, or else remove it in
    vain.
    """
    begun = w.added[element] != NONE and w.added[element] < position
    if begun and w.left[element] == 0:
        w.status[element] = GONE  # it came and went at one moment
        return 1
    if begun and w.last[element] < position:
        if force(ADD, element, position, w) == 0:
            return 0
        if w.status[element] == IN:
            return force(REMOVE, element, position, w)
        return 1
    w.removed[element] = NONE
    return 1


def force(kind: int, about: int, position: int, w: World) -> int:
    """Kernel: place an addition, a removal or a read, after the reads that it asks for, and those that they ask for; 0 if that is
    impossible.
    """
    depth = 0
    while True:
        goal, what = (kind, about) if depth == 0 else (SHOW, w.stack[depth - 1])
        if goal != SHOW and w.status[what] != (OUT if goal == ADD else IN):
            return 1  # a read that was asked for has brought it about
        first = NOTHING
        if goal != SHOW:
            first = asked_for(goal, what, NONE, position, w)
        elif w.queued[what] != NONE:
            first = asked_by(what, position, w)
        if first == STUCK:
            return 0
        if first != NOTHING:
            if (kind == SHOW and first == about) or is_on_stack(first, depth, w):
                return 0  # each asks for the other
            w.stack[depth] = first
            depth += 1
            continue
        if goal != SHOW:
            change(what, goal, w)
        elif w.queued[what] != NONE:
            turn_into(what, w)
        if depth == 0:
            return 1
        depth -= 1


def is_on_stack(show: int, depth: int, w: World) -> bool:
    """Kernel: whether the read waits for others."""
    for at in range(depth):  # noqa: SIM110 - a kernel knows no generators
        if w.stack[at] == show:
            return True
    return False


def asked_by(show: int, position: int, w: World) -> int:
    """Kernel: a read that must come before this one; NOTHING, or STUCK."""
    for at in range(w.tally[HELD]):
        element = w.held[at]
        if not is_shown(element, show, w):
            first = asked_for(REMOVE, element, show, position, w)
            if first != NOTHING:
                return first
    for at in range(w.first[show], w.first[show + 1]):
        element = w.element[at]
        if w.status[element] != IN:
            first = asked_for(ADD, element, show, position, w)
            if first != NOTHING:
                return first
    return NOTHING


def asked_for(kind: int, element: int, show: int, position: int, w: World) -> int:
    """Kernel: a read, other than ``show``, that must come before the element is added or removed; NOTHING, or STUCK."""
    begun = w.added[element] if kind == ADD else w.removed[element]
    if begun == NONE or begun > position or w.status[element] == GONE:
        w.tally[STUCK_BY] = element
        return STUCK
    if kind == ADD:
        return asked_before_adding(element, show, w)
    for at in range(w.tally[WAITING]):
        other = w.reads[at]
        if other != show and is_shown(element, other, w):
            return other
    if w.left[element] > 0:
        w.tally[STUCK_BY] = element
        return STUCK
    return NOTHING


def asked_before_adding(element: int, show: int, w: World) -> int:
    """Kernel: a read without the element, other than ``show``, that has no moment after it; NOTHING."""
    until = stays_until(element, w)
    least = LATE
    for at in range(w.tally[WAITING]):
        other = w.reads[at]
        if w.common[other] < least and is_shown(element, other, w):
            least = w.common[other]
    for at in range(w.tally[WAITING]):
        other = w.reads[at]
        if other == show or is_shown(element, other, w):
            continue
        if w.until[other] < until or w.common[other] > least:
            return other
        if w.tally[THOROUGH] == 1 and must_precede(element, other, w):
            return other
    return NOTHING


def stays_until(element: int, w: World) -> int:
    """Kernel: no removal of the element can come before."""
    return LATE if w.removed[element] == NONE else max(w.removed[element], w.last[element])


def must_precede(element: int, show: int, w: World) -> bool:
    """Kernel: whether some read with the element shows another one, too, before whose addition this read must come."""
    for at in range(w.tally[WAITING]):
        other = w.reads[at]
        if is_shown(element, other, w):
            for item in range(w.first[other], w.first[other + 1]):
                later = w.element[item]
                if stays_until(later, w) > w.until[show] and not is_shown(later, show, w):
                    return True
    return False


def is_shown(element: int, show: int, w: World) -> bool:
    """Kernel: whether the read shows the element."""
    return stands_in(w.element, w.first[show], w.first[show + 1], element)


def stands_in(column: Narrow, low: int, end: int, number: int) -> bool:
    """Kernel: whether the number stands in this part of the column, which is ascending."""
    high = end
    while high - low > FEW:
        middle = (low + high) // 2
        if column[middle] <= number:
            low = middle
        else:
            high = middle
    found = 0
    for at in range(low, high):  # no branch that anybody would have to foresee
        found += column[at] == number
    return found > 0


def turn_into(show: int, w: World) -> None:
    """Kernel: remove and add what stands between the set and this read, which takes place then."""
    at = 0
    while at < w.tally[HELD]:
        element = w.held[at]
        if is_shown(element, show, w):
            at += 1
        else:
            change(element, REMOVE, w)
    for at in range(w.first[show], w.first[show + 1]):
        if w.status[w.element[at]] == OUT:
            change(w.element[at], ADD, w)


def change(element: int, kind: int, w: World) -> None:
    """Kernel: add or remove the element, and place whatever fits then."""
    if kind == ADD:
        w.status[element], w.place[element] = IN, w.tally[HELD]
        w.held[w.tally[HELD]] = element
        w.tally[HELD] += 1
    else:
        w.status[element] = GONE
        w.tally[HELD] -= 1
        other = w.held[w.tally[HELD]]
        w.held[w.place[element]] = other
        w.place[other] = w.place[element]
    call = w.asking[element]
    while call != NONE:
        w.placed[call] = 1
        if w.kind[call] == FOUND:
            w.left[element] -= 1
        call = w.following[call]
    w.asking[element] = NONE
    step, at = 1 if kind == ADD else -1, 0
    while at < w.tally[WAITING]:
        show = w.reads[at]
        if is_shown(element, show, w):
            w.common[show] += step
        size = w.first[show + 1] - w.first[show]
        if w.common[show] == size and size == w.tally[HELD]:
            find_all(show, w)
            w.queued[show] = NONE
            w.tally[WAITING] -= 1
            other = w.reads[w.tally[WAITING]]
            w.reads[at] = other
            if other != show:
                w.queued[other] = at
        else:
            at += 1


def find_all(show: int, w: World) -> None:
    """Kernel: the read takes place, and finds all that it shows."""
    for at in range(w.first[show], w.first[show + 1]):
        w.left[w.element[at]] -= 1


def find_suspect(w: World, since: Narrow, until: Narrow, start: Narrow, element: int) -> int:
    """Kernel: an element from ``element`` on that a read misses although it began ``since`` (the element was in then) and ended ``until``
    (it still was); NONE if there is none. ``start`` is the first read that begins since.
    """
    for suspect in range(element, len(since)):
        show = start[suspect]
        while show < len(w.begins) and w.begins[show] < until[suspect]:
            if w.until[show] <= until[suspect] and not is_shown(suspect, show, w):
                return suspect
            show += 1
    return NONE
