"""The logs of Porcupine's test data: lines of Jepsen's etcd test, and histories of a key-value store.

etcd: ``INFO  jepsen.util - 0 :invoke :read nil``, one register with :read, :write and :cas [expected new]. A
completion ``:info`` or ``:fail`` with ``:timed-out`` is of unknown outcome, as Jepsen's etcd client had it; a
read that failed, in whichever way, did nothing.

kv: ``{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}`` is EDN and is read as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from harness.columns import Source
from harness.errors import HistoryError
from harness.history import History
from harness.op import Op, OpType

_LINE = re.compile(r"INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s*(.*)")
_VALUE = re.compile(r"nil|-?\d+|\[\s*-?\d+\s+-?\d+\s*\]")
# What such a log begins with.
START = re.compile(rb"\s*INFO\s+jepsen\.util\s+-\s")
_LINE_IS = "INFO  jepsen.util - 0 :invoke :write 3"


def read(text: str, name: str) -> History:
    """The history in ``text``, the content of the file ``name``. Raises HistoryError naming the line."""
    numbers: list[int] = []

    def ops() -> Iterator[Op]:
        last: dict[int, Op] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            numbers.append(number)
            op = _op(line, f"{name} line {number}", last)
            yield op

    return History.of(ops(), source=Source(name, numbers))


def _op(line: str, at: str, last: dict[int, Op]) -> Op:
    found = _LINE.fullmatch(line.strip())
    if not found:
        raise HistoryError(f"{at}: this is {line.strip()[:60]!r}, no line of such a log; one is {_LINE_IS}")
    process, type_, f, rest = int(found[1]), OpType(found[2]), found[3], found[4].strip()
    if type_ is not OpType.INVOKE and process not in last:
        raise HistoryError(
            f"{at}: process {process} completes {f!r} without an invocation; its invoke line must come before"
        )
    timed_out = rest == ":timed-out"
    if timed_out:
        open_op = last[process]
        return Op(
            process=process,
            type=OpType.FAIL if f == "read" else OpType.INFO,
            f=f,
            value=open_op.value,
            error="timed-out",
        )
    value = _value(rest, at)
    op = Op(process=process, type=type_, f=f, value=value)
    if type_ is OpType.INVOKE:
        last[process] = op
    return op


def _value(text: str, at: str) -> Any:
    if not _VALUE.fullmatch(text):
        raise HistoryError(f"{at}: the value is {text[:40]!r}; it must be nil, a number or [expected new]")
    if text == "nil":
        return None
    if text.startswith("["):
        return [int(word) for word in text[1:-1].split()]
    return int(text)
