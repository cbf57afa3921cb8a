"""The words of verdicts: who did what to which key, and when. Facts in, phrases out; nothing is judged here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from harness.history import FOREVER, NO_KEY, OK, Calls, History

VALUE_CHARS_MAX = 60
SECOND_NS = 1_000_000_000


def text(value: Any) -> str:
    """A value as short JSON; null for None."""
    try:
        whole = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):  # EDN has maps whose keys are vectors; JSON has no text for them
        whole = repr(value)
    return whole if len(whole) <= VALUE_CHARS_MAX else f"{whole[:VALUE_CHARS_MAX]}…"


def name(key: Any) -> str:
    """A key as people write it: a plain word without its quotes."""
    plain = isinstance(key, str) and key.isprintable() and 0 < len(key) <= VALUE_CHARS_MAX
    return str(key) if plain else text(key)


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 key``, ``1,204 keys``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(parts: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *front, last = parts
    return f"{', '.join(front)} and {last}" if front else last


def _digits(calls: Calls) -> int:
    """Decimals of a second that tell the beginning of a usual call from its end: a simulated one is over in
    microseconds.
    """
    done = calls.ret != FOREVER
    times = calls.history.time_ns
    usual_ns = float(np.median(times[calls.ret[done]] - times[calls.call[done]])) if done.any() else 0.0
    digits = 3 if usual_ns <= 0 else 1 + math.ceil(-math.log10(usual_ns / SECOND_NS))
    return min(max(digits, 2), 9)


class Narrator:
    """Phrases about the calls of one history. Where a file has no times, indices stand in for them."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.history: History = calls.history
        times = self.history.time_ns
        self._timed = len(times) > 0 and int(times.min()) >= 0 and int(times.max()) > 0

    @cached_property
    def _digits(self) -> int:
        return _digits(self.calls)

    def who(self, row: int) -> str:
        """``process 3 on n2``."""
        node = int(self.calls.node[row])
        place = "" if node == NO_KEY else f" on {name(self.history.nodes[node])}"
        return f"process {self.calls.process[row]}{place}"

    def what(self, row: int) -> str:
        """The call as a noun: ``read of 7``, ``write of 9``, ``cas from 3 to 5``, ``acquire``."""
        f = str(self.history.fs[self.calls.f[row]])
        argument = self.history.values[self.calls.argument[row]]
        if f == "cas" and isinstance(argument, list | tuple) and len(argument) == 2:
            return f"cas from {text(argument[0])} to {text(argument[1])}"
        if argument is not None:
            return f"{f} of {text(argument)}"
        if self.calls.outcome[row] == OK:
            result = self.history.values[self.calls.result[row]]
            if result is not None or f == "read":
                return f"{f} of {text(result)}"
        return f

    def whose(self, row: int) -> str:
        """``process 1's write of 9``."""
        return f"process {self.calls.process[row]}'s {self.what(row)}"

    def key(self, row: int, preposition: str) -> str:
        """`` from key x``; nothing where the history has no keys."""
        code = int(self.calls.key[row])
        return "" if code == NO_KEY else f" {preposition} key {name(self.history.keys[code])}"

    def began(self, row: int) -> str:
        """``at 3.900 s``: when the call was invoked."""
        return self.at(int(self.calls.call[row]))

    def ended(self, row: int) -> str:
        """``at 3.900 s``: when the call completed, which it must have done."""
        return self.at(int(self.calls.ret[row]))

    def span(self, row: int) -> str:
        """``(4.210 s – 4.250 s)``: from invocation to completion."""
        call, ret = int(self.calls.call[row]), int(self.calls.ret[row])
        if ret == FOREVER:
            return f"({self.moment(call)} – unknown)"
        if self._timed:
            return f"({self.moment(call)} – {self.moment(ret)})"
        return f"(index {self.history.index[call]} – {self.history.index[ret]})"

    def at(self, row: int) -> str:
        return f"at {self.moment(row)}"

    def moment(self, row: int) -> str:
        """A history row as a point in time, or as its index."""
        if self._timed:
            return f"{int(self.history.time_ns[row]) / SECOND_NS:.{self._digits}f} s"
        return f"index {self.history.index[row]}"

    def lines(self, rows: Iterable[int]) -> tuple[int, ...]:
        """The recorded indices of these calls, invocations and completions, in history order."""
        found = set()
        for row in rows:
            call = int(self.calls.call[row])
            found.add(call)
            if int(self.history.pair[call]) != NO_KEY:
                found.add(int(self.history.pair[call]))
        return tuple(int(self.history.index[line]) for line in sorted(found))
