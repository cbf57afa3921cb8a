"""The checker ``total-queue``: does all that was put into a queue come out? By Jepsen's names, and one more:

* ``lost``: its enqueue was acknowledged, and it never came out, though later the queue was found empty;
* ``duplicated``: it came out more often than it was put in;
* ``unexpected``: it came out, though nobody had put it in, or not yet, or its enqueue had failed;
* ``recovered``: whether its enqueue took effect is unknown, and it came out. That is no anomaly, and neither is its absence;
* ``reordered``: it was put in before another element was, and came out after that one did (in real time; first deliveries count).

What ``delivery`` promises decides which of these are anomalies: exactly-once (none may be), at-least-once (elements may be duplicated),
at-most-once (they may be lost). Order is asked for with ``ordered``.

A dequeue of unknown outcome may have taken one element, and nobody knows which one. So if more elements are missing than there are such
dequeues, some are certainly lost, and the checker says how many at least; if not, the missing ones may have been taken, and nothing is
wrong. A drain of unknown outcome may have taken all that is missing. Without a look at a queue that found it empty after an element was
acknowledged, that element may still be inside, and the verdict is unknown.

Elements may repeat: they are counted. The time is that of sorting. Source: Jepsen's checker total-queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from checkers.findings import SHOWN_MAX, Findings, unknown
from checkers.precedence import greatest_before
from checkers.queues.facts import ENQUEUE, Element, Queue, Unjudgeable, queues_of
from checkers.wording import Narrator, count, listed, text
from harness.errors import PlanError
from harness.history import FAIL, INFO, OK, Calls, History
from harness.verdict import Budget, Checker, Verdict

NAME = "total-queue"
LOST, DUPLICATED, UNEXPECTED, RECOVERED, REORDERED = "lost", "duplicated", "unexpected", "recovered", "reordered"
# A promise → what it allows.
DELIVERIES = {"exactly-once": frozenset[str](), "at-least-once": {DUPLICATED}, "at-most-once": {LOST}}


def make(*, delivery: str = "at-least-once", ordered: bool = False) -> Checker:
    """Does all that was put into a queue come out? Options: delivery (exactly-once, at-least-once, at-most-once) and ordered (first in,
    first out, in real time). Raises PlanError for another delivery.
    """
    if delivery not in DELIVERIES:
        raise PlanError(f"delivery is {delivery!r}; it must be one of {', '.join(DELIVERIES)}")
    return TotalQueue(delivery=delivery, ordered=ordered)


@dataclass(slots=True, kw_only=True)
class TotalQueue:
    """See the module."""

    delivery: str = "at-least-once"
    ordered: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            queues = queues_of(calls)
        except (Unjudgeable, TypeError, ValueError) as problem:
            return unknown(NAME, f"not a history of queues: {problem}")
        allowed = {RECOVERED, *DELIVERIES[self.delivery], *(() if self.ordered else (REORDERED,))}
        found = Findings(NAME, Narrator(calls), allowed)
        accounts = [account_of(queue) for queue in queues]
        for find in (_lost, _strange, _reordered):
            for account in accounts:
                find(account, found)
        found.counts[RECOVERED] = sum(account.recovered for account in accounts)
        return _verdict(calls, accounts, found)


def _verdict(calls: Calls, accounts: Sequence[Account], found: Findings) -> Verdict:
    enqueues = calls.where(np.array([name == ENQUEUE for name in calls.history.fs], dtype=np.bool_)[calls.f])
    acknowledged = int((enqueues.outcome == OK).sum())
    delivered = sum(len(account.queue.taken) for account in accounts)
    gone = sum(len(account.gone) for account in accounts)
    inside = sum(len(account.missing) for account in accounts) - gone
    unsure = sum(len(account.queue.unknown) + len(account.queue.boundless) for account in accounts)
    stats = {
        "queues": len(accounts),
        "acknowledged": acknowledged,
        "delivered": delivered,
        "unknown_enqueues": int((enqueues.outcome == INFO).sum()),
        "unknown_dequeues": unsure,
        "maybe_taken": gone - found.counts[LOST],
        "maybe_inside": inside,
    }
    elements = count(acknowledged, "acknowledged element")
    if found.counts[LOST]:
        fine = f"{found.counts[LOST]:,} of {elements} were lost, which may be"
    else:
        fine = f"all of {elements} came out"
        if gone:
            fine += f", but for {gone:,} that may have gone to {count(unsure, 'dequeue')} of unknown outcome"
    return found.verdict(doubt=_doubt(acknowledged, delivered, inside), fine=fine + _allowed(found), stats=stats)


def _doubt(acknowledged: int, delivered: int, inside: int) -> str:
    if not acknowledged or not delivered:
        return "nothing was acknowledged and came out again, so there was nothing to judge"
    if inside:
        return f"{inside:,} of {count(acknowledged, 'acknowledged element')} never came out, but nobody found the queue empty after them"
    return ""


def _allowed(found: Findings) -> str:
    """What was seen that is allowed."""
    seen = [f"{number:,} {name}" for name, number in found.counts.items() if name not in (LOST, RECOVERED)]
    return f" ({listed(seen)}, which may be)" if seen else ""


@dataclass(slots=True, kw_only=True)
class Account:
    """What went in and came out of one queue, set against each other. Rows of calls.

    ``missing``: acknowledged enqueues that no delivery needs; ``strange``: deliveries that no enqueue explains, with their elements;
    ``recovered``: how many deliveries need an enqueue of unknown outcome.
    """

    queue: Queue
    missing: list[int] = field(default_factory=list)
    strange: list[tuple[int, Element]] = field(default_factory=list)
    recovered: int = 0

    @property
    def gone(self) -> list[int]:
        """Of the missing those after whose acknowledgement the queue was found empty."""
        last = max(self.queue.empty, default=-1)
        return [row for row in self.missing if self.queue.calls.ret[row] < last]

    @property
    def lost(self) -> int:
        """How many of them at least are lost: what is not certain may be with a dequeue of unknown outcome."""
        return 0 if self.queue.boundless else max(0, len(self.gone) - len(self.queue.unknown))


def account_of(queue: Queue) -> Account:
    """Each delivery, in the order of their ends, is given an enqueue that began before, one that was acknowledged if there is any.

    The later a delivery ends, the more enqueues can explain it. So this explains as many deliveries as can be explained, and by as many
    acknowledged enqueues as can be used.
    """
    calls, account = queue.calls, Account(queue=queue)
    for element in queue.elements.values():
        acked, maybe = deque[int](), deque[int]()
        waiting = deque(element.enqueues)
        for row in element.deliveries:
            while waiting and calls.call[waiting[0]] < calls.ret[row]:
                put = waiting.popleft()
                if calls.outcome[put] != FAIL:
                    (acked if calls.outcome[put] == OK else maybe).append(put)
            if acked:
                acked.popleft()
            elif maybe:
                maybe.popleft()
                account.recovered += 1
            else:
                account.strange.append((row, element))
        account.missing += [*acked, *(put for put in waiting if calls.outcome[put] == OK)]
    return account


def _lost(account: Account, found: Findings) -> None:
    queue, say, gone = account.queue, found.say, account.gone
    if account.lost and not queue.unknown:
        for row in gone:
            what = f"{say.whose(row)}{say.key(row, 'to')} was acknowledged {say.ended(row)}"
            found.add(LOST, [row], f"{what}, but the element never came out, though the queue was later found empty")
    elif account.lost:
        shown = gone[:SHOWN_MAX]
        elements = listed(text(queue.calls.history.values[queue.calls.argument[row]]) for row in shown)
        more = f" and {len(gone) - len(shown):,} more" if len(gone) > len(shown) else ""
        what = f"{count(len(gone), 'acknowledged element')}{say.key(gone[0], 'of')} never came out ({elements}{more})"
        why = f"and only {count(len(queue.unknown), 'dequeue')} of unknown outcome can have taken one each"
        some = f"so at least {account.lost:,} {'is' if account.lost == 1 else 'are'} lost"
        found.add(LOST, shown, f"{what}, {why}, {some}", times=account.lost)


def _strange(account: Account, found: Findings) -> None:
    calls, say = account.queue.calls, found.say
    for row, element in account.strange:
        what = f"{say.who(row)} got {text(element.value)}{say.key(row, 'from')} {say.ended(row)}"
        possible = [put for put in element.enqueues if calls.outcome[put] != FAIL]
        before = [put for put in possible if calls.call[put] < calls.ret[row]]
        if not element.enqueues:
            found.add(UNEXPECTED, [row], f"{what}, which nobody had enqueued")
        elif not possible:
            put = element.enqueues[0]
            found.add(UNEXPECTED, [row, put], f"{what}, although {say.whose(put)} had failed")
        elif not before:
            put = possible[0]
            found.add(UNEXPECTED, [row, put], f"{what}, before its enqueue began {say.began(put)}")
        else:
            other = next((other for other in element.deliveries if other != row), row)
            times = "once" if len(before) == 1 else f"{len(before):,} times"
            why = f"though it was enqueued only {times} and {say.who(other)} had got it {say.ended(other)}"
            found.add(DUPLICATED, [*before, other, row], f"{what}, {why}")


def _reordered(account: Account, found: Findings) -> None:
    """Elements that were overtaken: another one was put in after them and had come out before the dequeue that got them began.

    For each element, by the time at which its dequeue begins: of all whose delivery is over by then, the one that was put in last.
    """
    queue, calls, say = account.queue, account.queue.calls, found.say
    # Of elements that repeat nobody knows which enqueue a delivery belongs to.
    plain = [e for e in queue.elements.values() if len(e.enqueues) == 1 and e.deliveries]
    if not plain:
        return
    put = np.array([e.enqueues[0] for e in plain])
    got = np.array([e.deliveries[0] for e in plain])
    latest = greatest_before(calls.ret[got], calls.call[put], calls.call[got])
    overtaken = (latest >= 0) & (calls.call[put[latest]] > calls.ret[put])
    for at in np.flatnonzero(overtaken).tolist():
        other = int(latest[at])
        x, y = text(plain[at].value), text(plain[other].value)
        rows = [int(row) for row in (put[at], put[other], got[other], got[at])]
        first = f"the enqueue of {x}{say.key(rows[0], 'to')} ended {say.ended(rows[0])}, before that of {y} began {say.began(rows[1])}"
        second = (
            f"but {y} had come out {say.ended(rows[2])}, before the dequeue that got {x} began {say.began(rows[3])}"
        )
        found.add(REORDERED, rows, f"{first}, {second}")
