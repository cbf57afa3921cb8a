"""History files: reading recognises the format by content, writing goes by suffix. Nothing here judges.

``jsonl`` is our own format and JSON's dialects, ``edn_history`` is Jepsen's, ``table`` is CSV and Parquet,
``porcupine`` the logs that Porcupine tests itself with. Every failure is a HistoryError
of one sentence: file, line, and what would be right.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.columns import COLUMNS
from harness.errors import HistoryError
from harness.formats import edn_history, jsonl, porcupine, table
from harness.formats.content import Data, begins, contained
from harness.formats.edn import dumps
from harness.formats.json_columns import JsonTable
from harness.formats.jsonl import Torn
from harness.formats.plain import to_json
from harness.history import History
from harness.interning import Interner
from harness.op import Op

_JEPSEN = b"JEPSEN"  # the magic of Jepsen's binary store
# What a text of each kind begins with, whitespace aside. EDN has keywords, comments, tags; JSON's keys are strings.
_JSON_START = re.compile(rb"\s*(?:\[\s*)?(?:\{\s*[\"}]|\]|\Z)")
_EDN_START = re.compile(rb"[\s,]*(?:;|#|\(|\[?[\s,]*(?:;|#|\{|\]))")
_ANYTHING = re.compile(rb"\S")
_EXPECTED = (
    "a history is JSON lines (.jsonl), JSON, EDN (.edn), CSV, Parquet, or a log of Porcupine's test data, also gzipped"
)


def load_history(path: str | Path, *, keyed: bool = False, torn: Torn = "refuse") -> History:
    """The history in the file ``path``: our JSON lines, others' JSON, EDN, CSV, Parquet or a log of
    Porcupine's test data, each (but Parquet) also gzipped.

    ``keyed`` reads the value [k v] of client ops as key and value, as Jepsen's independent workloads mean it.
    ``torn`` says whether a last line that a crash cut short is dropped ("truncate") or an error. Raises
    HistoryError.
    """
    path = Path(path)
    name = str(path)
    data = contained(path, _EXPECTED)
    if begins(data, _JEPSEN):
        raise HistoryError(f"{name} is Jepsen's binary store; give the history.edn beside it")
    if begins(data, table.PARQUET):
        return table.read_parquet(path, keyed=keyed)
    if not _ANYTHING.search(data):
        raise HistoryError(f"{name} is empty; {_EXPECTED}")
    if _JSON_START.match(data):
        return jsonl.read(data, name, keyed=keyed, torn=torn)
    if porcupine.START.match(data):
        return _decoded(porcupine.read, data, name)
    if table.HEADER.match(data):
        return _decoded(partial(table.read_csv, keyed=keyed), data, name)
    if not _EDN_START.match(data):
        raise HistoryError(f"{name} is no history: it begins with {data[:16]!r}; {_EXPECTED}")
    return edn_history.read(_text(data[:], name), name, keyed=keyed, torn=torn)


def save_history(history: History, path: str | Path, *, keyed: bool = False) -> None:
    """Write ``history`` to ``path`` as its suffix says: .jsonl or .edn; .gz after it compresses.

    ``keyed`` writes the value [k v] instead of a field for the key, for Jepsen's own tools. JSON is poorer
    than EDN: keywords become strings, sets sorted lists, and all that has no counterpart its EDN text; a
    history whose values JSON cannot tell apart is refused. Raises HistoryError.
    """
    path = Path(path)
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if suffix == ".jsonl":
        ops = _json_ops(history)
        data = b"".join(jsonl.write(map(_paired, ops) if keyed else ops))
    elif suffix == ".edn":
        data = "".join(edn_history.write(map(_paired, history) if keyed else history)).encode()
    else:
        raise HistoryError(f"{path}: the suffix says no format; use .jsonl or .edn, also with .gz after it")
    try:
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    except OSError as error:
        raise HistoryError(f"{path} cannot be written: {error.strerror or error}") from error


def _decoded(read: Callable[[Data, str], History], data: Data, name: str) -> History:
    """What ``read`` makes of ``data``, which it decodes as it goes. Raises HistoryError."""
    try:
        return read(data, name)
    except UnicodeDecodeError:
        _text(data[:], name)  # says where
        raise


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise HistoryError(
            f"{name} line {line}: byte {data[error.start]:#04x} is no UTF-8; save the file as UTF-8"
        ) from error


def _paired(op: Op) -> Op:
    return op if op.key is None else replace(op, key=None, value=[op.key, op.value])


def _json_ops(history: History) -> Iterable[Op]:
    """The ops of ``history`` with values that JSON holds. Raises HistoryError if different ones would become
    the same.
    """
    if isinstance(history.values, JsonTable) and isinstance(history.keys, JsonTable):
        return history
    return History.from_columns(
        **{name: getattr(history, name) for name in COLUMNS},
        fs=history.fs,
        nodes=history.nodes,
        keys=_json_table(history.keys),
        values=_json_table(history.values),
        errors={row: to_json(error) for row, error in history.errors.items()},
        extras={row: to_json(extra) for row, extra in history.extras.items()},
        interned=True,
    )


def _json_table(table: Sequence[Any]) -> Sequence[Any]:
    converted = [to_json(value) for value in table]
    interner = Interner()
    for code, value in enumerate(converted):
        other = interner.code(value)
        if other != code:
            raise HistoryError(
                f"{dumps(table[other])} and {dumps(table[code])} would be the same in JSON; write .edn instead"
            )
    return converted
