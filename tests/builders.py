"""Histories in tests are text, never a page of constructors. Two notations; both stamp index and time.

``history`` takes one line per op: process, type, f, key (``-`` for none), value (JSON, ``_`` for null), then
``name=value`` fields (``node``, ``error``, ``time`` as 1.5s / 20ms / 3us / 7ns; all others go to ``extra``):

    p0      invoke write x 1
    p1      invoke read  x _        node=n2
    nemesis info   start-kill - {"id": 1}
    p0      ok     write x 1        time=1.5s
    p1      ok     read  x 1        final=true

``timeline`` takes one line per process and draws each call as a bar from invocation to completion; what
stands further left happened earlier. A bar ends with ``|`` (ok), ``!`` (fail) or ``>`` (info). Its text is f,
key and value; a read is invoked with null:

    p0   |-- write x 1 --|      |-- read x 2 --|
    p1           |-- cas x [1,2] -->
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from harness.history import History
from harness.op import NEMESIS, Op, OpType

STEP_NS = 1_000_000  # between two lines, or two columns of a drawing
_UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_TIME = re.compile(r"([0-9.]+)(s|ms|us|ns)")
_LINE = re.compile(r"(p\d+|nemesis) +(\w+) +(\S+) +(\S+) +(.+)")
_BAR = re.compile(r"\|(?P<text>[^|!>]+)(?P<end>[|!>])")
_ENDS = {"|": OpType.OK, "!": OpType.FAIL, ">": OpType.INFO}


def history(text: str) -> History:
    """The history of lines; see the module. Raises ValueError for a line that is not in the notation."""
    return History.of(ops(text))


def ops(text: str) -> list[Op]:
    """The same lines as ops, for what is no history (yet)."""
    return [_line(index, line) for index, line in enumerate(_lines(text))]


def timeline(text: str) -> History:
    """The history of a drawing; see the module. In one column, invocations come before completions: touching
    bars overlap.
    """
    events: list[tuple[int, int, Op]] = []
    for line in _lines(text):
        name, _, bars = line.partition(" ")
        offset = len(name) + 1
        if name == NEMESIS:
            raise ValueError(f"bars are calls of clients; write the nemesis line by line with history: {line!r}")
        if re.sub(_BAR, "", bars).strip():
            raise ValueError(f"not a timeline of bars like |-- write x 1 --|: {line!r}")
        for bar in _BAR.finditer(bars):
            f, key, value = _call(bar["text"])
            call = Op(process=_process(name), f=f, key=key, value=None if f == "read" else value)
            end = _ENDS[bar["end"]]
            events.append((bar.start() + offset, 0, call))
            events.append((bar.end() - 1 + offset, 1, _completed(call, end, value)))
    events.sort(key=lambda event: event[:2])
    return History.of(_stamped(op, index, column * STEP_NS) for index, (column, _, op) in enumerate(events))


def _lines(text: str) -> Iterator[str]:
    """What the lines say, without margins, blank lines and # comments. The margin is the smallest one, so
    drawings stay aligned.
    """
    lines = [line.rstrip() for line in text.splitlines()]
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return (line[margin:] for line in lines)


def _line(index: int, line: str) -> Op:
    found = _LINE.fullmatch(line.strip())
    if not found:
        raise ValueError(f"not 'process type f key value': {line!r}")
    process, type_, f, key, rest = found.groups()
    value, fields = _value(rest)
    time_ns, node, error, extra = index * STEP_NS, None, None, {}
    for field in fields:
        name, equals, given = field.partition("=")
        if not equals:
            raise ValueError(f"not name=value: {field!r} in {line!r}")
        match name:
            case "time":
                time_ns = _time_ns(given)
            case "node":
                node = given
            case "error":
                error = _scalar(given)
            case _:
                extra[name] = _scalar(given)
    return Op(
        index=index,
        time_ns=time_ns,
        type=OpType(type_),
        process=_process(process),
        f=f,
        key=_key(key),
        value=value,
        node=node,
        error=error,
        extra=extra,
    )


def _call(text: str) -> tuple[str, Any, Any]:
    """f, key and value of a bar's text; leading and trailing dashes are drawing, and so is the space around
    them.
    """
    words = text.strip("- ").split(None, 2)
    if len(words) != 3:
        raise ValueError(f"not 'f key value': {text!r}")
    value, rest = _value(words[2])
    if rest:
        raise ValueError(f"too much after the value: {text!r}")
    return words[0], _key(words[1]), value


def _completed(call: Op, end: OpType, value: Any) -> Op:
    match end:
        case OpType.FAIL:
            return call.fail("refused")
        case OpType.INFO:
            return call.info("timeout")
        case _:
            return call.ok(value)


def _stamped(op: Op, index: int, time_ns: int) -> Op:
    return Op(
        index=index,
        time_ns=time_ns,
        type=op.type,
        process=op.process,
        f=op.f,
        key=op.key,
        value=op.value,
        error=op.error,
    )


def _process(name: str) -> int | str:
    return NEMESIS if name == NEMESIS else int(name.removeprefix("p"))


def _key(word: str) -> Any:
    return None if word == "-" else _scalar(word)


def _value(text: str) -> tuple[Any, list[str]]:
    """The JSON value that ``text`` begins with (``_``: null), and the words after it."""
    if text == "_" or text.startswith("_ "):
        return None, text[1:].split()
    value, end = json.JSONDecoder().raw_decode(text)
    if text[end : end + 1].strip():
        raise ValueError(f"not a JSON value: {text!r}")
    return value, text[end:].split()


def _scalar(word: str) -> Any:
    """A JSON value, or the word itself."""
    try:
        return json.loads(word)
    except ValueError:
        return word


def _time_ns(text: str) -> int:
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"not a time like 1.5s, 20ms, 3us or 7ns: {text!r}")
    return round(float(found[1]) * _UNITS_NS[found[2]])
