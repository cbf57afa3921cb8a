"""When an instance must be told to pass, must not be told so, must be registered, must be gone: spans of time, from its life. Pure.

A check probes every ``interval``, waits ``timeout`` for an answer, and so many ``failures`` in a row make an instance critical; whoever has
been critical for ``deregister`` is deregistered. Nothing but what an instance was commanded, faults and ``late`` (time for a registry to
agree on what it found out, and on a leader that probes) may keep a registry from telling so:

* who has answered for interval + timeout + late passes, and does until failures - 1 intervals after it began to be silent: its first probe
  without an answer had not been answered when it began, and the last one began so much later. An instance answers from its ``serve`` or
  ``answer`` on, as long as later commands show that it still ran, or nothing failed;
* who has been silent for failures x interval + timeout + late does not pass;
* who has been silent for deregister + one more interval and timeout besides is not registered;
* who has not been silent for failures - 1 intervals + deregister since it was registered, while nothing failed, is registered.

Every span lies between two faults: what one fault did to probes is no longer counted when it is over. Faults of clocks are no excuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checkers.health.facts import ANSWER, MUTE, SERVE, WITHDRAW, Check, Life
from checkers.windows import Fault
from harness.history import FOREVER, OK, Calls

Span = tuple[int, int]  # ns: from the first to before the second
CLOCK_FAULTS = ("clock", "drift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Of one instance.

    ``gone_ns``: from then on it must be gone, for good. ``answering``: from when to when it certainly answered, faults or not; ``muted``:
    it certainly was silent; ``deaf``: besides, whatever it had answered before has come or is too late.
    """

    passing: Sequence[Span]
    not_passing: Sequence[Span]
    registered: Sequence[Span]
    gone_ns: int
    answering: Sequence[Span]
    muted: Sequence[Span]
    deaf: Sequence[Span]


def quiet_of(faults: Iterable[Fault]) -> list[Span]:
    """The spans in which there is no fault, but for those of clocks."""
    quiet, free_ns = [], 0
    held = [fault for fault in faults if fault.kind not in CLOCK_FAULTS]
    for fault in sorted(held, key=lambda one: one.start_ns):
        if fault.start_ns > free_ns:
            quiet.append((free_ns, fault.start_ns))
        free_ns = max(free_ns, FOREVER if fault.end_ns is None else fault.end_ns + 1)
    return [*quiet, (free_ns, FOREVER)]


def spans_of(
    calls: Calls, life: Life, check: Check, quiet: Sequence[Span], late_ns: int, *, excused: bool = True
) -> Spans:
    """All spans of ``life``, whose ``serve`` was acknowledged. ``excused``: faults are an excuse for what is told late or wrong."""
    free = quiet if excused else [(0, FOREVER)]
    times = calls.history.time_ns

    def is_ok(row: int, *fs: str) -> bool:
        return bool(calls.outcome[row] == OK) and calls.history.fs[calls.f[row]] in fs

    passing, answering, not_passing, gone, muted = [list[Span]() for _ in range(5)]
    patience_ns = check.interval_ns + check.timeout_ns + late_ns
    silence_ns = check.failures * check.interval_ns + check.timeout_ns
    grace_ns = (check.failures - 1) * check.interval_ns
    rest = life.commands
    while rest:
        wanted = (MUTE, WITHDRAW) if is_ok(rest[0], MUTE) else (SERVE, ANSWER)
        same = next((at for at, row in enumerate(rest) if not is_ok(row, *wanted)), len(rest))
        stretch, rest = rest[: max(same, 1)], rest[max(same, 1) :]
        if not same:
            continue  # of an outcome that is unknown, or the end
        since_ns, next_ns = int(times[calls.ret[stretch[0]]]), int(times[calls.call[rest[0]]]) if rest else FOREVER
        if wanted[0] == MUTE:
            muted.append((since_ns, next_ns))
            not_passing += _between(free, since_ns, next_ns, silence_ns + late_ns)
            gone += _between(free, since_ns, next_ns, silence_ns + check.deregister_ns + patience_ns)
            continue
        falls_silent = bool(rest) and is_ok(rest[0], MUTE)
        until_ns = next_ns if falls_silent else min(next_ns, _ran_until(quiet, int(times[calls.call[stretch[-1]]])))
        answering.append((since_ns, until_ns))
        for lo, hi in _between(free, since_ns, until_ns, patience_ns):
            end_ns = next((end for start, end in free if start <= lo < end), hi)
            passing.append((lo, min(until_ns + grace_ns, end_ns) if falls_silent and hi == until_ns else hi))
    return Spans(
        passing=merged(passing),
        not_passing=merged(not_passing),
        registered=_registered(calls, life, quiet, grace_ns + check.deregister_ns),
        gone_ns=min((lo for lo, _ in gone), default=FOREVER),
        answering=answering,
        muted=muted,
        deaf=[span for lo, hi in muted for span in _between(quiet, lo, hi, check.interval_ns + check.timeout_ns)],
    )


def for_good(span: Span, gone_ns: int) -> Span:
    """A span in which an instance does not pass, without an end if it lasts until that is gone: then no answer makes it pass again."""
    return (span[0], FOREVER) if span[0] <= gone_ns <= span[1] else span


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same times in order, those that touch as one."""
    found: list[Span] = []
    for lo, hi in sorted(spans):
        if found and lo <= found[-1][1]:
            found[-1] = (found[-1][0], max(hi, found[-1][1]))
        else:
            found.append((lo, hi))
    return found


def _between(quiet: Sequence[Span], since_ns: int, until_ns: int, patience_ns: int) -> list[Span]:
    """What is left of each quiet time between the two when ``patience_ns`` of it has passed."""
    pieces = [(max(since_ns, start) + patience_ns, min(until_ns, end)) for start, end in quiet]
    return [(lo, hi) for lo, hi in pieces if lo < hi]


def _ran_until(quiet: Sequence[Span], shown_ns: int) -> int:
    """Until when what ran at ``shown_ns`` certainly ran: until something failed."""
    return next((end for start, end in quiet if start <= shown_ns < end), shown_ns)


def _registered(calls: Calls, life: Life, quiet: Sequence[Span], reaped_ns: int) -> list[Span]:
    """From when to when the instance must be registered. ``reaped_ns``: so long after it fell silent it may be deregistered."""
    times = calls.history.time_ns
    start_ns = int(times[calls.call[life.commands[0]]])
    until_ns = next((end for start, end in quiet if start <= start_ns < end), start_ns)
    for row in life.commands[1:]:
        at_ns, f = int(times[calls.call[row]]), calls.history.fs[calls.f[row]]
        if f in (MUTE, WITHDRAW):
            until_ns = min(until_ns, at_ns if f == WITHDRAW else at_ns + reaped_ns)
    lo = int(times[calls.ret[life.commands[0]]])
    return [(lo, until_ns)] if lo < until_ns else []
