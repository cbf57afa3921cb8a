"""Transactions in tests are drawings: one line per process, a bar per transaction, what stands further left happened earlier.

    p0  |ax1 ry_|     |rx1.2|
    p1       |ax2!       |ax3 >

A bar ends with ``|`` (ok), ``!`` (fail) or ``>`` (info). In it: ``ax1`` appends 1 to the list x, ``wx1`` writes 1 to the register x,
``rx1.2`` read the list [1, 2], ``rx1`` the list [1] or the register 1, ``rx_`` the empty list, or a register never written. Keys are
letters, values whole numbers. Bars of one column begin before any ends there.
"""

from __future__ import annotations

import re
from typing import Any

from harness.history import History
from harness.op import Op

STEP_NS = 1_000_000
_BAR = re.compile(r"\|(?P<text>[^|!>]+)(?P<end>[|!>])")
_MOP = re.compile(r"(?P<f>[raw])(?P<key>[a-z])(?P<value>_|[0-9.]+)")
_NAMES = {"a": "append", "w": "w", "r": "r"}
_ENDS = {"|": "ok", "!": "fail", ">": "info"}


def drawn(text: str, *, lists: bool | None = None) -> History:
    """The history of a drawing. ``lists``: reads are of lists; by default if anything is appended, or nothing written."""
    lists = "w" not in re.sub(r"p\d+", "", text) if lists is None else lists
    events: list[tuple[int, int, int, Op]] = []
    for line in filter(None, (line.split("#")[0].rstrip() for line in text.strip().splitlines())):
        name, _, rest = line.partition(" ")
        process, offset = int(name.strip()[1:]), len(line) - len(rest)
        for bar in _BAR.finditer(rest):
            done = [mop(word, lists=lists) for word in bar["text"].split()]
            asked = [[f, key, None if f == "r" else value] for f, key, value in done]
            call = Op(process=process, f="txn", value=asked)
            end = {"ok": call.ok(done), "fail": call.fail("no"), "info": call.info("timeout")}[_ENDS[bar["end"]]]
            events.append((offset + bar.start(), 0, process, call))
            events.append((offset + bar.end(), 1, process, end))
    return History.of(
        op.stamped(index, at * STEP_NS, None)
        for index, (at, _, _, op) in enumerate(sorted(events, key=lambda event: event[:3]))
    )


def universe(text: str) -> History:
    """The history of a drawing of transactions that read by predicates. ``i`` inserts, ``d`` deletes (``dx``), ``w`` and ``r`` as above.

    ``q*:x1.y2`` found x 1 and y 2 by the predicate true, ``q=1:`` nothing by ["=", 1], ``q%2,0:x4`` x 4 by ["mod", 2, 0]. A bar with
    ``init:x1.y2`` is the operation init.
    """
    events: list[tuple[int, int, int, Op]] = []
    for line in filter(None, (line.split("#")[0].rstrip() for line in text.strip().splitlines())):
        name, _, rest = line.partition(" ")
        process, offset = int(name.strip()[1:]), len(line) - len(rest)
        for bar in _BAR.finditer(rest):
            words = bar["text"].split()
            if words[0].startswith("init:"):
                call = Op(process=process, f="init", value=_rows(words[0].removeprefix("init:")))
                done: Any = call.value
            else:
                done = [_step(word) for word in words]
                asked = [[*step[:2], None] if step[0] in ("r", "rp") else step for step in done]
                call = Op(process=process, f="txn", value=asked)
            end = {"ok": call.ok(done), "fail": call.fail("no"), "info": call.info("timeout")}[_ENDS[bar["end"]]]
            events.append((offset + bar.start(), 0, process, call))
            events.append((offset + bar.end(), 1, process, end))
    return History.of(
        op.stamped(index, at * STEP_NS, None)
        for index, (at, _, _, op) in enumerate(sorted(events, key=lambda event: event[:3]))
    )


def _rows(text: str) -> dict[str, int]:
    return {row[0]: int(row[1:]) for row in text.split(".") if row}


def _step(word: str) -> list[Any]:
    kind, rest = word[0], word[1:]
    if kind == "q":
        given, _, rows = rest.partition(":")
        numbers = [int(number) for number in given[1:].split(",") if number]
        predicate: Any = {"*": "true", "=": ["=", *numbers], "%": ["mod", *numbers]}[given[0]]
        return ["rp", predicate, _rows(rows)]
    if kind == "d":
        return ["delete", rest]
    value = None if rest[1:] == "_" else int(rest[1:])
    return [{"i": "insert", "w": "w", "r": "r"}[kind], rest[0], value]


def mop(word: str, *, lists: bool) -> list[Any]:
    """One micro-operation."""
    found = _MOP.fullmatch(word)
    if found is None:
        raise ValueError(f"not a micro-operation: {word!r}")
    f, key, value = found["f"], found["key"], found["value"]
    if f != "r":
        return [_NAMES[f], key, int(value)]
    if lists:
        return ["r", key, [] if value == "_" else [int(number) for number in value.split(".")]]
    return ["r", key, None if value == "_" else int(value)]


def at_once(*txns: str, lists: bool | None = None) -> History:
    """Transactions that all overlap: only their values say anything about their order. A last character ``!`` or ``>`` as above."""
    bars = (f"{txn[:-1]} {txn[-1]}" if txn[-1] in "!>" else f"{txn}|" for txn in txns)
    width = max(map(len, txns)) + 4
    lines = (f"p{number} |{bar[:-1].ljust(width)}{bar[-1]}" for number, bar in enumerate(bars))
    return drawn("\n".join(lines), lists=lists)


def in_turn(*txns: str, lists: bool | None = None) -> History:
    """Transactions one after the other, each of a process of its own."""
    lines, column = [], 0
    for number, txn in enumerate(txns):
        name = f"p{number}".ljust(6)
        lines.append(f"{name}{' ' * column}|{txn}|")
        column += len(txn) + 4
    return drawn("\n".join(lines), lists=lists)
