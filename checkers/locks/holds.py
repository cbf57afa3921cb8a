"""Who certainly held a lock, and when, as far as its clients know. Facts; ``check`` judges. Pure.

Operations, per key (a lock's name, and that of the resource behind it):

* ``acquire`` completes with null, with a fencing token (a whole number), or with {"token": number, "lease_s": seconds}, each optional;
* ``renew`` prolongs a lease; it completes with null or {"lease_s": seconds};
* ``release``;
* ``use`` works on the resource behind the lock; its value is null, a fencing token, or {"token": number}. If it succeeds, the resource
  has accepted it.

A hold begins at the latest when its acquire succeeds. It ends at the earliest when its process begins to release the lock (or to acquire
it again), when its process crashes (an operation of unknown outcome ends a process), or, with a lease, so long after the acquire (or
renew) *began*: nobody may rely on a lease for longer, for the grant may have come at once. Until then the holder is certain of its lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkers.wording import SECOND_NS, text
from harness.history import FOREVER, INFO, NO_KEY, OK, Calls

ACQUIRE, RENEW, RELEASE, USE = "acquire", "renew", "release", "use"
FS = frozenset({ACQUIRE, RENEW, RELEASE, USE})


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no operation of a lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold of the lock ``key``: by the call ``row`` (acquire or renew). ``start`` and ``end`` are twice the lines of the history: odd
    numbers lie between two lines. ``lease_s``: the lease that ends it, None if something else did.
    """

    key: int
    row: int
    process: int
    start: int
    end: int
    lease_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens that calls of one kind on one key carried: rows of the calls, in the order of invocations."""

    key: int
    rows: tuple[int, ...]
    tokens: tuple[int, ...]


def names_of(calls: Calls) -> list[str]:
    """The function of each call. Raises Unjudgeable if one is none of a lock."""
    names = [calls.history.fs[code] for code in calls.f.tolist()]
    if strange := sorted(set(names) - FS):
        raise Unjudgeable(
            f"a lock has the operations acquire, renew, release and use, but the history also has {strange[0]!r}"
        )
    return names


def token_of(calls: Calls, row: int, *, given: bool) -> int | None:
    """The token that an acquire was ``given``, or that a use showed."""
    value = _value(calls, row, result=given)
    token = value.get("token") if isinstance(value, Mapping) else value
    return token if type(token) is int else None


def holds_of(calls: Calls, names: list[str]) -> list[Hold]:
    """All certain holds, in the order in which they begin. Raises Unjudgeable."""
    died = _deaths(calls)
    found = []
    following = _next_attempts(calls, names)
    for row in range(len(calls)):
        if names[row] not in (ACQUIRE, RENEW) or calls.outcome[row] != OK:
            continue
        lease_s = _lease(calls, row)
        ends = [following[row], died.get(int(calls.process[row]), FOREVER)]
        leased = FOREVER if lease_s is None else _line_after(calls, row, lease_s)
        if names[row] == RENEW and lease_s is None:
            continue  # what it prolonged has no end by itself
        start, end = 2 * int(calls.ret[row]), min(*ends, leased)
        if start < end:
            hold = Hold(
                key=int(calls.key[row]),
                row=row,
                process=int(calls.process[row]),
                start=start,
                end=end,
                lease_s=lease_s if end == leased else None,
            )
            found.append(hold)
    return sorted(found, key=lambda hold: hold.start)


def tokens_of(calls: Calls, names: list[str], f: str) -> Iterator[Tokens]:
    """Per key the tokens that ``f`` was given (acquire) or showed (use), of the calls that succeeded."""
    for key in dict.fromkeys(calls.key.tolist()):
        rows = [
            row for row in range(len(calls)) if names[row] == f and calls.key[row] == key and calls.outcome[row] == OK
        ]
        carried = [(row, token_of(calls, row, given=f == ACQUIRE)) for row in rows]
        known = [(row, token) for row, token in carried if token is not None]
        if known:
            yield Tokens(key=key, rows=tuple(row for row, _ in known), tokens=tuple(token for _, token in known))


def _value(calls: Calls, row: int, *, result: bool) -> Any:
    code = int((calls.result if result else calls.argument)[row])
    return None if code == NO_KEY else calls.history.values[code]


def _lease(calls: Calls, row: int) -> float | None:
    value = _value(calls, row, result=True)
    lease_s = value.get("lease_s") if isinstance(value, Mapping) else None
    if lease_s is not None and (type(lease_s) not in (int, float) or not lease_s >= 0):
        raise Unjudgeable(
            f"the lease of index {calls.history.index[calls.call[row]]} is {text(lease_s)}, which is no time in seconds"
        )
    return lease_s


def _line_after(calls: Calls, row: int, lease_s: float) -> int:
    """The end of a lease that began with the call: just before the first line of its time or later."""
    times = calls.history.time_ns
    began = int(times[calls.call[row]])
    if began < 0:
        raise Unjudgeable("there are leases, but the history has no times")
    return 2 * int(np.searchsorted(times, began + round(lease_s * SECOND_NS))) - 1


def _deaths(calls: Calls) -> dict[int, int]:
    """Process → twice the line at which its last operation ended with an unknown outcome."""
    rows = np.flatnonzero((calls.outcome == INFO) & (calls.history.pair[calls.call] != NO_KEY))
    return {int(calls.process[row]): 2 * int(calls.history.pair[calls.call[row]]) for row in rows.tolist()}


def _next_attempts(calls: Calls, names: list[str]) -> list[int]:
    """For each call twice the line at which its process next begins to release or to acquire the same lock."""
    following: dict[tuple[int, int], int] = {}
    found = [FOREVER] * len(calls)
    for row in range(len(calls) - 1, -1, -1):
        name = (int(calls.process[row]), int(calls.key[row]))
        found[row] = following.get(name, FOREVER)
        if names[row] in (ACQUIRE, RELEASE):
            following[name] = 2 * int(calls.call[row])
    return found
