"""The logs of Porcupine's test data: lines of Jepsen's etcd test, and histories of a key-value store.

etcd: ``INFO  jepsen.util - 0 :invoke :read nil``, one register with :read, :write and :cas [expected new]. A
completion ``:info`` or ``:fail`` with ``:timed-out`` is of unknown outcome, as Jepsen's etcd client had it; a
read that failed, in whichever way, did nothing. Newer logs end each line with ``:hint 4913``, a revision of the
store, which is passed over.

kv: ``{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}`` is EDN and is read as such.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

from msgspec import Raw

from harness.errors import HistoryError
from harness.formats.content import Data, stream
from harness.formats.json_columns import NULL, JsonColumns, Line
from harness.history import History

_LINE = re.compile(
    r"INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s*(.*?)(?:\s+:hint\s+\d+)?"
)
_VALUE = re.compile(r"nil|-?\d+|\[\s*-?\d+\s+-?\d+\s*\]")
# What such a log begins with.
START = re.compile(rb"\s*INFO\s+jepsen\.util\s+-\s")
_LINE_IS = "INFO  jepsen.util - 0 :invoke :write 3"


def read(data: Data, name: str) -> History:
    """The history in ``data``, the content of the file ``name``. Raises HistoryError naming the line, and UnicodeDecodeError."""
    return JsonColumns(name, keyed=False).filled(_lines(io.TextIOWrapper(stream(data), encoding="utf-8"), name))


def _lines(texts: Iterable[str], name: str) -> Iterator[tuple[int, Line]]:
    opened: dict[int, Raw] = {}
    for number, text in enumerate(texts, start=1):
        if text.isspace():
            continue
        at = f"{name} line {number}"
        found = _LINE.fullmatch(text.strip())
        if not found:
            raise HistoryError(f"{at}: this is {text.strip()[:60]!r}, no line of such a log; one is {_LINE_IS}")
        process, kind, f, rest = int(found[1]), found[2], found[3], found[4]
        if kind != "invoke" and process not in opened:
            raise HistoryError(
                f"{at}: process {process} completes {f!r} without an invocation; its invoke line must come before"
            )
        if rest == ":timed-out":
            kind = "fail" if f == "read" else "info"
            yield number, Line(type=kind, process=process, f=f, value=opened[process], error="timed-out")
            continue
        value = _value(rest, at)
        if kind == "invoke":
            opened[process] = value
        yield number, Line(type=kind, process=process, f=f, value=value)


def _value(text: str, at: str) -> Raw:
    """As JSON."""
    if not _VALUE.fullmatch(text):
        raise HistoryError(f"{at}: the value is {text[:40]!r}; it must be nil, a number or [expected new]")
    if text == "nil":
        return Raw(NULL)
    return Raw(f"[{','.join(text[1:-1].split())}]" if text.startswith("[") else text)
