"""The checker ``locks``: does one lock ever have two holders, and is the resource behind it safe? By names:

* ``mutual-exclusion``: two processes were certain of the same lock at once (see ``holds`` for what is certain);
* ``intrusion``: the resource accepted a use while another process was certain of the lock, from its beginning to its end;
* ``token-order``: an acquire was given a fencing token that is not greater than that of an acquire that had ended before it began, or
  one that was given out before;
* ``stale-token``: the resource accepted a use with a smaller token than that of a use that it had accepted before.

A lock with leases cannot keep the first two promises if clocks or processes stand still (jepsen.io on etcd 3.4.3; Kleppmann 2016). With
``fenced`` the lock promises the tokens alone, and the first two are counted but are no anomalies: the resource refuses whoever comes late.

A lock without leases whose holder has crashed is taken for released: there is nobody any more who relies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from checkers.findings import Findings, unknown
from checkers.locks.holds import ACQUIRE, USE, Hold, Tokens, Unjudgeable, holds_of, names_of, tokens_of
from checkers.precedence import greatest_before
from checkers.wording import Narrator, count, name
from harness.history import NO_KEY, OK, Calls, History
from harness.verdict import Budget, Checker, Verdict

NAME = "locks"
MUTUAL_EXCLUSION, INTRUSION, TOKEN_ORDER, STALE_TOKEN = "mutual-exclusion", "intrusion", "token-order", "stale-token"


def make(*, fenced: bool = False) -> Checker:
    """Does one lock ever have two holders? Option fenced: it may, if the tokens keep the resource behind it safe."""
    return Locks(fenced=fenced)


@dataclass(slots=True, kw_only=True)
class Locks:
    """See the module."""

    fenced: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            names = names_of(calls)
            holds = holds_of(calls, names)
        except Unjudgeable as problem:
            return unknown(NAME, f"not a history of locks: {problem}")
        given, shown = (list(tokens_of(calls, names, f)) for f in (ACQUIRE, USE))
        found = Findings(NAME, Narrator(calls), (MUTUAL_EXCLUSION, INTRUSION) if self.fenced else ())
        uses = [row for row in range(len(calls)) if names[row] == USE and calls.outcome[row] == OK]
        _overlaps(calls, holds, found)
        _intrusions(calls, holds, uses, found)
        for tokens in given:
            _token_order(calls, tokens, found)
        for tokens in shown:
            _stale_tokens(calls, tokens, found)
        stats = {
            "acquired": int(sum(names[row] == ACQUIRE and calls.outcome[row] == OK for row in range(len(calls)))),
            "holds": len(holds),
            "with_lease": sum(hold.lease_s is not None for hold in holds),
            "tokens": sum(len(tokens.rows) for tokens in given),
            "uses": len(uses),
            "uses_with_token": sum(len(tokens.rows) for tokens in shown),
        }
        many = count(len(holds), "hold")
        fine = f"{many} of {count(len({hold.key for hold in holds}), 'lock')}, no two of different processes at once"
        if self.fenced:
            fine = f"{many}, and the resource accepted {count(stats['uses_with_token'], 'use')} in the order of their tokens"
        return found.verdict(doubt=self._doubt(holds, shown), fine=fine + found.allowed_words(), stats=stats)

    def _doubt(self, holds: Sequence[Hold], shown: Sequence[Tokens]) -> str:
        holders: dict[int, set[int]] = {}
        for hold in holds:
            holders.setdefault(hold.key, set()).add(hold.process)
        if not any(len(processes) > 1 for processes in holders.values()):
            return "no lock was ever held by two processes, not even one after the other, so there was nothing to judge"
        if self.fenced and not any(len(tokens.rows) > 1 for tokens in shown):
            return "the resource accepted no two uses that showed a token, so it is not known whether it looks at them"
        return ""


def _overlaps(calls: Calls, holds: Sequence[Hold], found: Findings) -> None:
    """Holds that begin while another process certainly holds the lock. In the order of beginnings: of each lock the hold that ends last,
    and of those by other processes than its own the one that ends last.
    """
    best: dict[int, list[Hold]] = {}
    for hold in holds:
        known = best.setdefault(hold.key, [])
        other = next((other for other in known if other.process != hold.process), None)
        if other is not None and hold.start < other.end:
            say = found.say
            first = f"{say.who(other.row)} held {_lock(say, other)} from {say.moment(int(calls.ret[other.row]))}{_until(say, other)}"
            reason = f"{first}, but {say.who(hold.row)} acquired it {say.ended(hold.row)}"
            found.add(MUTUAL_EXCLUSION, [other.row, hold.row], reason)
        ranked = sorted([*known, hold], key=lambda one: -one.end)
        second = next((one for one in ranked if one.process != ranked[0].process), None)
        best[hold.key] = ranked[:1] if second is None else [ranked[0], second]


def _intrusions(calls: Calls, holds: Sequence[Hold], uses: Sequence[int], found: Findings) -> None:
    by_key: dict[int, list[Hold]] = {}
    for hold in holds:
        by_key.setdefault(hold.key, []).append(hold)
    for key, mine in by_key.items():
        starts, ends = np.array([hold.start for hold in mine]), np.array([hold.end for hold in mine])
        rows = [row for row in uses if calls.key[row] == key]
        places = greatest_before(starts, ends, 2 * calls.call[rows])
        for row, place in zip(rows, places.tolist(), strict=True):
            hold = mine[place]
            if place >= 0 and hold.process != calls.process[row] and hold.end > 2 * calls.ret[row]:
                say = found.say
                who = f"{say.who(row)} was let at the resource {say.span(row)}"
                reason = f"{who}, while {say.who(hold.row)} held {_lock(say, hold)} from {say.moment(int(calls.ret[hold.row]))}"
                found.add(INTRUSION, [hold.row, row], reason + _until(say, hold))


def _token_order(calls: Calls, tokens: Tokens, found: Findings) -> None:
    say, rows, values = found.say, np.array(tokens.rows), np.array(tokens.tokens)
    before = greatest_before(calls.ret[rows], values, calls.call[rows])
    first: dict[int, int] = {}
    for at, row in enumerate(tokens.rows):
        token = tokens.tokens[at]
        if before[at] >= 0 and token <= values[before[at]]:
            other = int(rows[before[at]])
            what = f"{say.who(row)} was given the token {token}{say.key(row, 'for')} {say.span(row)}"
            found.add(
                TOKEN_ORDER,
                [other, row],
                f"{what}, after {say.who(other)} had been given {values[before[at]]} {say.ended(other)}",
            )
        elif token in first:
            reason = f"the token {token}{say.key(row, 'for')} was given out twice: to {say.who(first[token])} and {say.who(row)}"
            found.add(TOKEN_ORDER, [first[token], row], reason)
        first.setdefault(token, row)


def _stale_tokens(calls: Calls, tokens: Tokens, found: Findings) -> None:
    say, rows, values = found.say, np.array(tokens.rows), np.array(tokens.tokens)
    before = greatest_before(calls.ret[rows], values, calls.call[rows])
    for at in np.flatnonzero(before >= 0).tolist():
        if values[at] < values[before[at]]:
            row, other = int(rows[at]), int(rows[before[at]])
            what = f"the resource{say.key(row, 'behind')} accepted {say.who(row)}'s use with token {values[at]} {say.span(row)}"
            found.add(
                STALE_TOKEN,
                [other, row],
                f"{what}, after it had accepted {say.who(other)}'s with token {values[before[at]]}",
            )


def _lock(say: Narrator, hold: Hold) -> str:
    """``lock x``, or ``the lock`` where there is but one."""
    return f"lock {name(say.history.keys[hold.key])}" if hold.key != NO_KEY else "the lock"


def _until(say: Narrator, hold: Hold) -> str:
    if hold.lease_s is not None:
        return f", by a lease of {hold.lease_s:g} s since {say.moment(int(say.calls.call[hold.row]))}"
    return f" to {say.moment(hold.end // 2)}" if hold.end < 2 * len(say.history) else " on"
