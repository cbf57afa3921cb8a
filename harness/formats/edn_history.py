"""Histories as EDN, as Jepsen writes history.edn: one map per line, or one vector of maps, tagged as records
or not.

    {:index 0, :time 3100000, :type :invoke, :process 0, :f :write, :value 3}

Fields beyond Jepsen's own stay fields: ``:key`` and ``:node`` are ours, all others are ``extra``. Jepsen
prints an op on one of many keys with the value [key value], which cannot be told from a pair; ``keyed`` says
that it is meant.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.columns import Source
from harness.errors import HistoryError
from harness.formats.edn import Tagged, dumps, keyword_or_string
from harness.formats.edn_reader import EdnSyntaxError, read_forms
from harness.history import History
from harness.op import NEMESIS, Op, OpType

_FIELDS = frozenset({"index", "time", "type", "process", "f", "key", "value", "node", "error"})
_TYPES: dict[Any, OpType] = {str(name): name for name in OpType}
_OP_IS = "an op is {:index 0, :time 0, :type :invoke, :process 0, :f :read, :value nil}"


def read(text: str, name: str, *, keyed: bool = False, torn: str = "refuse") -> History:
    """The history in ``text``, the content of the file ``name``; see ``jsonl.read`` for the options.

    Raises HistoryError naming line (and column, where the text is no EDN) and what would be right.
    """
    try:
        return _read(text, name, keyed=keyed)
    except EdnSyntaxError:
        whole = text[: text.rfind("\n") + 1]
        if torn == "refuse" or not whole.strip() or text == whole:
            raise
        return _read(whole, name, keyed=keyed)


def _read(text: str, name: str, *, keyed: bool) -> History:
    lines = array("q")  # grows while History reads, so that its messages know the lines
    source = Source(name, lines)

    def ops() -> Iterator[Op]:
        position, line = 0, 1
        for row, (offset, form) in enumerate(read_forms(text, name, unwrap=True)):
            line += text.count("\n", position, offset)
            position = offset
            lines.append(line)
            try:
                yield _op(form, keyed=keyed)
            except HistoryError as error:
                raise HistoryError(f"{source.at(row)}: {error}") from error

    return History.of(ops(), source=source)


def _op(form: Any, *, keyed: bool) -> Op:
    """The op that ``form`` is. Raises HistoryError, without a place, if it is none."""
    if type(form) is not dict:
        form = _untagged(form)
    given = form.get("type")
    type_ = _TYPES.get(given) if isinstance(given, str) else None
    if type_ is None:
        raise HistoryError(f":type is {dumps(given)}; it must be one of {', '.join(_TYPES)}")
    process, key, value, f = form.get("process"), form.get("key"), form.get("value"), form.get("f")
    if process == NEMESIS:
        process = NEMESIS
    elif keyed and key is None:
        key, value = _split_key(value)
    node, index, time_ns = form.get("node"), form.get("index", -1), form.get("time", -1)
    if node is not None and not isinstance(node, str):
        raise HistoryError(f":node is {dumps(node)}; a node is a name")
    return Op(
        index=index if type(index) is int else _whole("index", index),
        time_ns=time_ns if type(time_ns) is int else _whole("time", time_ns),
        type=type_,
        process=process,  # History.of says which processes there can be
        f=str(f) if isinstance(f, str) and f else _implied_f(form),
        key=key,
        value=value,
        node=None if node is None else str(node),
        error=form.get("error"),
        extra={} if form.keys() <= _FIELDS else _extra(form),
    )


def _untagged(form: Any) -> Mapping[Any, Any]:
    """The map that ``form`` is, also as a record of jepsen.history, knossos and others. Raises HistoryError, without a place."""
    if isinstance(form, Tagged) and form.tag.rpartition(".")[2] == "Op":
        form = form.value
    if not isinstance(form, Mapping):
        raise HistoryError(f"this is {dumps(form)[:40]}, no op; {_OP_IS}")
    return form


def _whole(name: str, number: Any) -> int:
    if number is None:
        return -1
    raise HistoryError(f":{name} is {dumps(number)}; it must be a whole number")


def _implied_f(form: Mapping[Any, Any]) -> str:
    """Elle's transactions may come without :f; their value is a vector of vectors. Raises HistoryError, without a place, for others."""
    f, value = form.get("f"), form.get("value")
    if f is None and isinstance(value, list) and all(isinstance(part, list) for part in value):
        return "txn"
    raise HistoryError(f":f is {dumps(f)}; it must be the name of the operation, such as :read")


def _split_key(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2 or value[0] is None:
        raise HistoryError(
            f":value is {dumps(value)[:40]}; a keyed history has [key value] in every op of a client: read it unkeyed"
        )
    return value[0], value[1]


def _extra(form: Mapping[Any, Any]) -> dict[str, Any]:
    extra = {name: item for name, item in form.items() if name not in _FIELDS}
    odd = next((name for name in extra if not isinstance(name, str)), None)
    if odd is not None:
        raise HistoryError(f"a field is called {dumps(odd)}; fields are called by keywords")
    return {str(name): item for name, item in extra.items()}


def write(ops: Iterable[Op]) -> Iterator[str]:
    """A line per op. Raises HistoryError naming the op that cannot be written."""
    for row, op in enumerate(ops):
        try:
            yield _line(op) + "\n"
        except HistoryError as error:
            raise HistoryError(f"op {row} (index {op.index}): {error}") from error


def _line(op: Op) -> str:
    clash = next((name for name in op.extra if name in _FIELDS), None)
    if clash:
        raise HistoryError(f"the extra field {clash!r} is a field of every op; rename it")
    pairs = [
        ("index", None if op.index == -1 else str(op.index)),
        ("time", None if op.time_ns == -1 else str(op.time_ns)),
        ("type", f":{op.type}"),
        ("process", ":nemesis" if op.is_nemesis else str(op.process)),
        ("f", keyword_or_string(op.f)),
        ("key", None if op.key is None else dumps(op.key)),
        ("value", dumps(op.value)),
        ("node", None if op.node is None else dumps(op.node)),
        ("error", None if op.error is None else dumps(op.error)),
    ]
    written = [f":{name} {text}" for name, text in pairs if text is not None]
    written += [f"{keyword_or_string(name)} {dumps(item)}" for name, item in op.extra.items()]
    return "{" + ", ".join(written) + "}"
