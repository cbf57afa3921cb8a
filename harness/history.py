"""A recorded history: immutable columns, one row per line, and the views that checkers and reports need.

No Python object exists per op: columns are numpy arrays, values are interned into a table, ``Op`` objects are
made when asked for. Imports the ground floor alone (numpy; pandas only inside ``to_frame``). The layout and
the rules stand in ``columns``, the sameness of values in ``interning``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.calls import Calls, calls_of
from harness.columns import (
    COLUMNS,
    FAIL,
    FOREVER,
    IN_MEMORY,
    INFO,
    INVOKE,
    NEMESIS_PROCESS,
    NO_KEY,
    OK,
    TABLES,
    TYPES,
    Bytes,
    Codes,
    Ints,
    Source,
    pair_up,
)
from harness.errors import HistoryError
from harness.interning import Interner, intern_table, same, same_column
from harness.lists import Lists, lists_of
from harness.op import NEMESIS, Op, OpType
from harness.pairs import Pairs, pairs_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FAIL",
    "FOREVER",
    "INFO",
    "INVOKE",
    "NEMESIS_PROCESS",
    "NO_KEY",
    "OK",
    "Bytes",
    "Calls",
    "Codes",
    "History",
    "Ints",
    "Source",
]

_OP_TYPES = tuple(OpType(name) for name in TYPES)
_TYPE_CODES = {name: code for code, name in enumerate(_OP_TYPES)}


class History:
    """The lines of one run. Made by ``of`` or ``from_columns``, which check the rules; never changed
    afterwards.

    Columns, one entry per line: ``index`` (as recorded), ``time_ns`` (-1 where the file has no times),
    ``type`` (INVOKE..INFO), ``process`` (NEMESIS_PROCESS for the nemesis), ``f`` (code into ``fs``), ``key``
    (code into ``keys`` or NO_KEY), ``value`` (code into ``values``), ``node`` (code into ``nodes`` or
    NO_KEY), ``pair`` (row of the other half, or NO_KEY: an invocation that never completed, a lone nemesis
    line). ``errors`` and ``extras`` are sparse: row → error, row → extra fields.

    Two values share a code iff they are equal as JSON values: 1, 1.0 and true are three values; lists and
    maps are compared deeply. What else a value can be (from EDN), see ``interning.identity``.
    """

    index: Ints | Codes
    time_ns: Ints
    type: Bytes
    process: Ints | Codes
    f: Codes
    key: Codes
    value: Codes
    node: Codes
    pair: Codes
    fs: Sequence[str]
    keys: Sequence[Any]
    values: Sequence[Any]
    nodes: Sequence[str]
    errors: Mapping[int, Any]
    extras: Mapping[int, Mapping[str, Any]]
    _calls: Calls | None
    _pairs: Pairs | None
    _lists: Lists | None

    @classmethod
    def of(cls, ops: Iterable[Op], *, source: Source = IN_MEMORY) -> History:
        """A history of ``ops``, in order. Raises HistoryError if they break the rules (see
        ``columns.pair_up``).
        """
        fs, keys, values, nodes = Interner(), Interner(), Interner(), Interner()
        flat = array("q")  # eight numbers per line
        errors: dict[int, Any] = {}
        extras: dict[int, Mapping[str, Any]] = {}
        for row, op in enumerate(ops):
            try:
                flat.extend(
                    (
                        op.index,
                        op.time_ns,
                        _type_code(op.type),
                        _process_code(op.process),
                        fs.code(op.f),
                        NO_KEY if op.key is None else keys.code(op.key),
                        values.code(op.value),
                        NO_KEY if op.node is None else nodes.code(op.node),
                    )
                )
            except HistoryError as error:
                raise HistoryError(f"{source.at(row)}: {error}") from error
            except (OverflowError, TypeError) as error:
                raise HistoryError(
                    f"{source.at(row)}: index, time and process must be whole numbers of at most 63 bits ({error})"
                ) from error
            if op.error is not None:
                errors[row] = op.error
            if op.extra:
                extras[row] = op.extra
        lines = np.frombuffer(flat, dtype=np.int64).reshape(-1, 8) if flat else np.zeros((0, 8), dtype=np.int64)
        unstamped = bool((lines[:, 0] == -1).all())
        return cls.from_columns(
            **{name: lines[:, column] for column, name in enumerate(COLUMNS) if column or not unstamped},
            fs=fs.table,
            keys=keys.table,
            values=values.table,
            nodes=nodes.table,
            errors=errors,
            extras=extras,
            source=source,
            interned=True,
            owned=False,
        )

    @classmethod
    def from_columns(
        cls,
        *,
        type: npt.ArrayLike,  # noqa: A002 - the column's name
        process: npt.ArrayLike,
        f: npt.ArrayLike,
        fs: Sequence[str],
        value: npt.ArrayLike,
        values: Sequence[Any],
        key: npt.ArrayLike | None = None,
        keys: Sequence[Any] = (),
        node: npt.ArrayLike | None = None,
        nodes: Sequence[str] = (),
        index: npt.ArrayLike | None = None,
        time_ns: npt.ArrayLike | None = None,
        errors: Mapping[int, Any] | None = None,
        extras: Mapping[int, Mapping[str, Any]] | None = None,
        source: Source = IN_MEMORY,
        interned: bool = False,
        owned: bool = False,
    ) -> History:
        """A history of columns (all of one length, copied unless they are ``owned``: nobody else has them) and tables, checked like any
        other.

        ``index`` defaults to the row numbers, ``time_ns`` to -1, ``key`` and ``node`` to none. Tables with
        equal entries are merged, unless the caller vouches with ``interned`` that they have none. Raises
        HistoryError naming the line.
        """
        self = cls.__new__(cls)
        rows = len(np.asarray(type))
        given = {
            "index": np.arange(rows) if index is None else index,
            "time_ns": time_ns,
            "type": type,
            "process": process,
            "f": f,
            "key": key,
            "value": value,
            "node": node,
        }
        for name, dtype in COLUMNS.items():
            setattr(self, name, _column(name, given[name], dtype, rows, owned=owned))
        self.fs, self.keys, self.values, self.nodes = fs, keys, values, nodes
        self.errors, self.extras = dict(errors or {}), dict(extras or {})
        self._calls = self._pairs = self._lists = None
        _check_columns(self, source)
        if not interned:
            for name, table in TABLES.items():
                merged, codes = intern_table(getattr(self, table), getattr(self, name))
                setattr(self, table, merged)
                setattr(self, name, codes)
        self.pair = pair_up(type_=self.type, process=self.process, f=self.f, key=self.key, fs=self.fs, source=source)
        _pair_nemesis(self)
        for name in ("index", "process"):
            setattr(self, name, _narrowed(getattr(self, name)))
        for name in (*COLUMNS, "pair"):
            getattr(self, name).flags.writeable = False
        return self

    def __len__(self) -> int:
        return len(self.type)

    def __getitem__(self, row: int) -> Op:
        """The line of that row; rows count from 0, negative ones from the end."""
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of a history of {len(self)} lines")
        row = int(row) % len(self)
        process, key, node = int(self.process[row]), int(self.key[row]), int(self.node[row])
        return Op(
            index=int(self.index[row]),
            time_ns=int(self.time_ns[row]),
            type=_OP_TYPES[self.type[row]],
            process=NEMESIS if process == NEMESIS_PROCESS else process,
            f=self.fs[self.f[row]],
            key=None if key == NO_KEY else self.keys[key],
            value=self.values[self.value[row]],
            node=None if node == NO_KEY else self.nodes[node],
            error=self.errors.get(row),
            extra=self.extras.get(row, {}),
        )

    def __iter__(self) -> Iterator[Op]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Equal iff every line is, by the sameness of values; how values are numbered does not matter."""
        if not isinstance(other, History):
            return NotImplemented
        plain = [name for name in COLUMNS if name not in TABLES]
        return (
            all(np.array_equal(getattr(self, name), getattr(other, name)) for name in plain)
            and all(
                same_column(getattr(self, name), getattr(self, table), getattr(other, name), getattr(other, table))
                for name, table in TABLES.items()
            )
            and same(self.errors, other.errors)
            and same(self.extras, other.extras)
        )

    __hash__ = None  # type: ignore[assignment]  # hashing would read every line

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_calls": None, "_pairs": None, "_lists": None}

    @property
    def clients(self) -> npt.NDArray[np.bool_]:
        """A mask: which rows are lines of clients."""
        return self.process >= 0

    def rows_of(self, indices: npt.ArrayLike) -> Ints:
        """The rows of the lines with these indices, of which verdicts speak. Raises HistoryError for an
        unknown one.
        """
        wanted = np.atleast_1d(np.asarray(indices, dtype=np.int64))
        rows = np.searchsorted(self.index, wanted)
        unknown = (rows == len(self)) | ~np.isin(wanted, self.index)
        if unknown.any():
            raise HistoryError(f"no line of the history has index {wanted[unknown][0]}")
        return rows.astype(np.int64)

    def select(self, rows: npt.ArrayLike) -> History:
        """A history of only these rows (numbers or a mask), in this one's order; indices and times stay as
        recorded.

        Raises HistoryError if what is left is none: take both halves of an operation, or its invocation
        alone.
        """
        picked = np.asarray(rows)
        chosen = np.flatnonzero(picked) if picked.dtype == np.bool_ else np.unique(picked.astype(np.int64))
        position = {old: new for new, old in enumerate(chosen.tolist())} if self.errors or self.extras else {}
        return History.from_columns(
            **{name: getattr(self, name)[chosen] for name in COLUMNS},
            fs=self.fs,
            keys=self.keys,
            values=self.values,
            nodes=self.nodes,
            errors={position[old]: error for old, error in self.errors.items() if old in position},
            extras={position[old]: extra for old, extra in self.extras.items() if old in position},
            source=Source("selection", self.index[chosen] + 1),
            interned=True,
        )

    def calls(self) -> Calls:
        """Client operations, one row each, in invocation order. Cached."""
        if self._calls is None:
            self._calls = calls_of(self)
        return self._calls

    def pairs(self) -> Pairs:
        """The parts of the values that are lists of two. Cached. Raises HistoryError for a part that no history can hold."""
        if self._pairs is None:
            self._pairs = pairs_of(self.values)
        return self._pairs

    def lists(self) -> Lists:
        """The elements of the values that are lists. Cached. Raises HistoryError for an element that no history can hold."""
        if self._lists is None:
            self._lists = lists_of(self.values)
        return self._lists

    def nemesis(self) -> list[tuple[Op, Op | None]]:
        """Nemesis lines in pairs of the same ``f`` (start and completion), in order; a lone one comes with
        None.
        """
        pairs: list[tuple[Op, Op | None]] = []
        for row in np.flatnonzero(~self.clients).tolist():
            other = int(self.pair[row])
            if other == NO_KEY or other > row:
                pairs.append((self[row], None if other == NO_KEY else self[other]))
        return pairs

    def to_frame(self) -> pd.DataFrame:
        """All lines as a pandas frame: index, time_ns, type, process, f, key, value, node, pair, error.

        type, f and node are categories; process is -1 for the nemesis, pair -1 for none; key, value, error
        are objects.
        """
        from harness.frame import to_frame

        return to_frame(self)


def _type_code(name: OpType) -> int:
    code = _TYPE_CODES.get(name)
    if code is None:
        raise HistoryError(f"type is {name!r}; it must be one of {', '.join(TYPES)}")
    return code


def _process_code(process: Any) -> int:
    """A client's number, or NEMESIS_PROCESS. Raises HistoryError, without a place, for anything else."""
    if process == NEMESIS:
        return NEMESIS_PROCESS
    if type(process) is not int or process < 0:
        given = "missing" if process is None else repr(process)
        raise HistoryError(f"process is {given}; a client is a whole number from 0, the nemesis is {NEMESIS!r}")
    return process


def _column(
    name: str, given: npt.ArrayLike | None, dtype: type[np.signedinteger[Any]], rows: int, *, owned: bool
) -> npt.NDArray[Any]:
    """A column in its own type: a copy, unless it is ``owned``; -1 all over takes no memory. Raises HistoryError where shape or numbers do
    not fit.
    """
    if given is None:
        return np.broadcast_to(dtype(-1), rows)
    raw = np.asarray(given)
    if raw.shape != (rows,):
        raise HistoryError(f"column {name!r} has shape {raw.shape}; the type column has {rows} rows")
    if owned and raw.dtype == dtype and raw.flags.c_contiguous:
        return raw
    column = raw.astype(dtype)
    if not np.array_equal(raw, column):
        raise HistoryError(f"column {name!r} has numbers that do not fit into {np.dtype(dtype)}")
    return column


def _narrowed(column: Ints) -> npt.NDArray[np.signedinteger[Any]]:
    """The same in half the memory, where the numbers allow it, as they nearly always do."""
    return column.astype(np.int32) if int(column.max(initial=0)) < 1 << 30 else column


def _check_columns(history: History, source: Source) -> None:
    """Codes stay inside their tables; processes, times and indices are sane. Raises HistoryError naming the
    line.
    """

    def refuse(bad: npt.NDArray[np.bool_], column: str, rule: str) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise HistoryError(f"{source.at(row)}: {column} {getattr(history, column)[row]} {rule}")

    refuse((history.type < INVOKE) | (history.type > INFO), "type", "is no code of invoke, ok, fail or info")
    refuse(history.process < NEMESIS_PROCESS, "process", "is negative; clients count from 0")
    for name, table in TABLES.items():
        codes, least = getattr(history, name), NO_KEY if name in {"key", "node"} else 0
        refuse((codes < least) | (codes >= len(getattr(history, table))), name, "is a code outside of its table")
    for name in {*history.fs, *history.nodes}:
        if not isinstance(name, str):
            raise HistoryError(f"{name!r} is no name of a function or node; names are strings")
    refuse(history.time_ns < -1, "time_ns", "is negative; times count nanoseconds from the beginning of the run")
    disorder = np.diff(history.index, prepend=-1) <= 0
    refuse(
        disorder,
        "index",
        "does not exceed the one before; indices count lines from 0, on all lines or on none",
    )


def _pair_nemesis(history: History) -> None:
    """Pair nemesis lines in ``history.pair``: of each ``f`` the first with the second, the third with the
    fourth.

    Jepsen's rule. Our own lines also carry the fault's id, so that two faults of one kind at once are told
    apart.
    """
    opened: dict[tuple[int, Any], int] = {}
    for row in np.flatnonzero(~history.clients).tolist():
        value = history.values[history.value[row]]
        fault = value.get("id") if isinstance(value, Mapping) else None
        name = (int(history.f[row]), fault if isinstance(fault, int | str) else None)
        if name in opened:
            start = opened.pop(name)
            history.pair[start], history.pair[row] = row, start
        else:
            opened[name] = row
