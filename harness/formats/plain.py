"""What JSON can hold unchanged, and what becomes of the rest. Knows values alone, no ops and no files.

A JSON encoder that quietly writes NaN as null, a set as a list or the key 1 as "1" changes a history between
the run and its judgement, so what is recorded must be plain. Histories that come from EDN are richer; they
are converted knowingly, by ``to_json``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any

from harness.errors import HistoryError
from harness.formats.edn import dumps
from harness.interning import DEPTH_MAX

SIMPLE = frozenset({int, str, type(None)})  # what Python's equality tells apart without help
_SCALARS = SIMPLE | {bool}
_NAMES = frozenset({str})


def check_plain(value: Any, what: str, depth: int = 0) -> None:
    """Raises HistoryError if ``value``, called ``what`` in the message, would not come back from JSON as it
    is.
    """
    kind = type(value)
    if kind in _SCALARS:
        return
    if depth > DEPTH_MAX:
        raise HistoryError(f"{what} is nested more than {DEPTH_MAX} deep, or contains itself; flatten it")
    items: Collection[Any] = ()
    if kind is float:
        if not math.isfinite(value):
            raise HistoryError(f"{what} has {value}, which JSON cannot hold; use null or a string")
    elif kind is list or kind is tuple:
        items = value
    elif isinstance(value, Mapping):
        if not _NAMES.issuperset(map(type, value)):
            raise HistoryError(f"{what} has a map with a key that is no string; JSON knows string keys alone")
        items = value.values()
    elif isinstance(value, Enum):
        items = (value.value,)
    else:
        raise HistoryError(
            f"{what} has a {kind.__name__}; JSON holds null, booleans, numbers, strings, lists and maps alone"
        )
    if not _SCALARS.issuperset(map(type, items)):
        for item in items:
            check_plain(item, what, depth + 1)


def to_json(value: Any) -> Any:
    """``value`` with JSON's means: names are strings, sets are sorted lists, all else becomes its EDN text.

    Raises HistoryError for a map whose keys JSON cannot tell apart.
    """
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((to_json(item) for item in value), key=_rank)
    if isinstance(value, Mapping):
        named = {_name(name): to_json(item) for name, item in value.items()}
        if len(named) != len(value):
            raise HistoryError(f"the map {dumps(value)} has keys that JSON cannot tell apart; write .edn instead")
        return named
    return dumps(value)


def _name(key: Any) -> str:
    return str(key) if isinstance(key, str) else dumps(key)


def _rank(item: Any) -> tuple[int, float, str]:
    """An order over JSON values of all kinds: numbers by size, then all else by text."""
    if isinstance(item, int | float) and not isinstance(item, bool):
        return (0, item, "")
    return (1, 0, dumps(item))
