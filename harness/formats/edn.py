"""EDN, the notation in which Jepsen writes: values to text. ``edn_reader`` is the way back.

    nil true false 1 1.5      None True False 1 1.5             (1N is 1)
    "text"  \\c               str, Char
    :name  name               Keyword, Symbol: kinds of str that equal their names
    1.5M  1/3                 Decimal, Fraction
    [..]  (..)  {..}  #{..}   list, EdnList (a list), dict, frozenset
    #tag value                Tagged

As map keys and set elements, where Python wants what can be hashed, vectors and lists are tuples and maps are
FrozenMap. Source: the edn-format specification, and what Clojure's printer really writes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from harness.errors import HistoryError
from harness.interning import same


class Keyword(str):
    """:name. Equal to its name, so that code need not care whether a history came as EDN or JSON."""

    __slots__ = ()

    def __repr__(self) -> str:
        return ":" + self


class Symbol(str):
    """A bare name."""

    __slots__ = ()


class Char(str):
    """A single character, \\c."""

    __slots__ = ()


class EdnList(list[Any]):
    """A list written with round brackets; equal to the vector with the same elements, as in Clojure."""

    __slots__ = ()


class FrozenMap(dict[Any, Any]):
    """A map that is itself a map's key or a set's element; never changed."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # dict is unhashable because it can change; this one does not
        return hash(frozenset(self))


class Tagged:
    """#tag value, for tags that mean nothing to us."""

    __slots__ = ("tag", "value")

    def __init__(self, tag: str, value: Any) -> None:
        self.tag, self.value = tag, value

    def identity_parts(self) -> tuple[str, Any]:
        return self.tag, self.value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tagged):
            return NotImplemented
        return self.tag == other.tag and same(self.value, other.value)

    def __hash__(self) -> int:
        return hash(self.tag)  # of a value there may be none

    def __repr__(self) -> str:
        return f"#{self.tag} {self.value!r}"


NAME = re.compile(r"[^\s,\"\\()\[\]{};@^`~'#:0-9][^\s,\"\\()\[\]{};@^`~]*")
CHAR_NAMES = {
    "newline": "\n",
    "space": " ",
    "tab": "\t",
    "return": "\r",
    "formfeed": "\f",
    "backspace": "\b",
}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\"}
_CHARS = {char: name for name, char in CHAR_NAMES.items()}
_QUOTED = {char: "\\" + letter for letter, char in ESCAPES.items()}
_TO_QUOTE = re.compile(r'["\\\x00-\x1f\x7f\ud800-\udfff\u2028\u2029]')


def dumps(value: Any) -> str:
    """``value`` as EDN text. Raises HistoryError for what EDN cannot hold, or nests too deeply."""
    try:
        return _text(value)
    except RecursionError as error:
        raise HistoryError("a value is nested too deeply, or contains itself; flatten it") from error


def _text(value: Any) -> str:
    for kind in type(value).__mro__:
        if kind in _WRITERS:
            return _WRITERS[kind](value)
    raise HistoryError(f"a {type(value).__name__} cannot be written as EDN")


def quote(text: str) -> str:
    """``text`` as an EDN string."""
    return '"' + _TO_QUOTE.sub(lambda found: _QUOTED.get(found[0]) or f"\\u{ord(found[0]):04x}", text) + '"'


def keyword_or_string(name: str) -> str:
    """A field's name: a keyword if it can be one."""
    return ":" + name if NAME.fullmatch(name) else quote(name)


def _char(value: str) -> str:
    return "\\" + (_CHARS.get(value) or (value if value.isprintable() else f"u{ord(value):04x}"))


def _vector(value: Iterable[Any]) -> str:
    return "[" + " ".join(map(_text, value)) + "]"


def _list(value: Iterable[Any]) -> str:
    return "(" + " ".join(map(_text, value)) + ")"


def _map(value: Mapping[Any, Any]) -> str:
    return "{" + ", ".join(f"{_text(name)} {_text(item)}" for name, item in value.items()) + "}"


def _set(value: Iterable[Any]) -> str:
    """In one order on every machine: whole numbers by size, then all else by text."""
    return "#{" + " ".join(sorted(map(_text, value), key=_numbers_first)) + "}"


def _numbers_first(text: str) -> tuple[bool, int, str]:
    number = text.lstrip("-").isdecimal()
    return (not number, int(text) if number else 0, text)


def _float(value: float) -> str:
    if math.isfinite(value):
        return repr(float(value))
    return "##NaN" if math.isnan(value) else "##Inf" if value > 0 else "##-Inf"


# By type; the first of a value's base classes that stands here decides, so enums are what is behind them.
_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "nil",
    bool: lambda value: "true" if value else "false",
    int: lambda value: str(int(value)),
    float: _float,
    Decimal: lambda value: f"{value}M",
    Fraction: lambda value: f"{value.numerator}/{value.denominator}",
    str: quote,
    Keyword: lambda value: ":" + value,
    Symbol: str,
    Char: _char,
    list: _vector,
    tuple: _vector,
    EdnList: _list,
    dict: _map,
    set: _set,
    frozenset: _set,
    Tagged: lambda value: f"#{value.tag} {_text(value.value)}",
}
