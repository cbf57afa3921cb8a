"""EDN, the notation in which Jepsen writes: text to values. How kinds map to Python stands in ``edn``.

One compiled expression finds the tokens, and one loop with a stack of its own puts them together, so depth
costs no recursion and is bounded by DEPTH_MAX. Errors name line and column. Maps of atoms alone, which most lines
of a history are, are cut into words at once; one that is odd in any way is left to the loop.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from harness.errors import HistoryError
from harness.formats.edn import CHAR_NAMES, ESCAPES, Char, EdnList, FrozenMap, Keyword, Symbol, Tagged
from harness.interning import DEPTH_MAX

_ATOM, _STRING, _OPEN, _CLOSE, _CHAR, _DISCARD, _FLOAT, _TAG, _END, _BAD = range(1, 11)
# Every position of every text matches, the last two groups see to that; possessive quantifiers keep it linear.
_TOKEN = re.compile(
    r"""[\s,]*+(?:;[^\n]*+[\s,]*+)*+
    (?: ([^\s,"()\[\]{};\\\#^@~`'][^\s,"()\[\]{};\\]*+)
    |   "([^"\\]*+(?:\\.[^"\\]*+)*+)"
    |   (\#\{|[\[({])
    |   ([\])}])
    |   \\([^\s,"()\[\]{};\\]++|.)
    |   (\#_)
    |   \#\#(-?Inf|NaN)
    |   \#(:?[A-Za-z][^\s,"()\[\]{};\\]*+)
    |   (\Z)
    |   (.)
    )""",
    re.VERBOSE | re.DOTALL,
)
# A map of atoms alone, in ASCII; what could be anything else in it is left to the tokens.
_FLAT = re.compile(r"[\s,]*+\{([^\[\](){}\"\\;#^@~`'\x80-\U0010ffff]*+)\}")
_BEGIN, _GAP, _CLOSED = r"[\s,]*+\{[\s,]*+", r"[\s,]++", r"[\s,]*+\}"
_WORD = r"([^\s,\[\](){}\"\\;#^@~`'\x80-\U0010ffff]++)"
_NOWHERE = re.compile(r"(?!)")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-3]?[0-7]{1,2}|.)", re.DOTALL)
_CHAR_CODE = re.compile(r"u([0-9a-fA-F]{4})|o([0-3]?[0-7]{1,2})")
_WHOLE = r"[+-]?(?:0|[1-9]\d*)"  # a leading zero is octal to some and a mistake to others, so it is refused
_NUMBER = re.compile(
    rf"(?P<int>{_WHOLE})N?|(?P<ratio>{_WHOLE}/[1-9]\d*)|(?P<hex>[+-]?0[xX][0-9a-fA-F]+)"
    rf"|(?P<decimal>{_WHOLE}(?:\.\d*)?(?:[eE][+-]?\d+)?)M"
    rf"|(?P<float>{_WHOLE}(?:\.\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+))",
    re.ASCII,
)
_FLOATS = {"Inf": math.inf, "-Inf": -math.inf, "NaN": math.nan}
_CLOSES = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_SKIP = object()  # stands among pending tags for a #_, which drops the form after it


class EdnSyntaxError(HistoryError):
    """The text is not EDN."""


def loads(text: str, name: str = "EDN") -> Any:
    """The one form in ``text``. Raises EdnSyntaxError naming line and column."""
    forms = [form for _, form in read_forms(text, name)]
    if len(forms) != 1:
        raise EdnSyntaxError(f"{name}: there are {len(forms)} forms; exactly one was expected")
    return forms[0]


def read_forms(text: str, name: str, *, unwrap: bool = False) -> Iterator[tuple[int, Any]]:
    """Every form of ``text`` with its offset. ``name`` is what messages call the text.

    With ``unwrap``, a text that is one vector or list stands for the forms in it. Raises EdnSyntaxError.
    """
    return _Parser(text, name, unwrap=unwrap).forms()


class _Parser:
    """The loop over the tokens, with the collection that is being read and a stack of those around it."""

    def __init__(self, text: str, name: str, *, unwrap: bool) -> None:
        self._text, self._unwrap = text, unwrap
        self._make = _Scalars(text, name)
        self._shapes: dict[tuple[str, ...], re.Pattern[str]] = {}  # names, in the order of a map → what finds such maps
        self._shape, self._keys = _NOWHERE, list[str]()

    def forms(self) -> Iterator[tuple[int, Any]]:  # noqa: C901, PLR0912 - the one hot loop; calls would double its time
        make = self._make
        known, atom, others = make.known, make.atom, make.others()
        outer: list[tuple[str, int, list[Any], list[Any]]] = []
        opening, start, depth = "", 0, 0
        items: list[Any] = []
        pending: list[Any] = []  # tags and discards that wait for a form
        top = -1 if self._unwrap else 0  # how deep the wanted forms are; -1 until the first token says it
        at, group = 0, 0
        while group != _END:
            if self._unwrap and depth == top and not pending:
                at = yield from self._flat_maps(at)
            for token in _TOKEN.finditer(self._text, at):
                group = token.lastindex or 0
                if top != depth and not depth and group != _END:
                    top = self._enter(top, token, pending)
                if group == _ATOM:
                    word = token[1]
                    value = known[word] if word in known else atom(word, token)
                elif group == _OPEN:
                    outer.append((opening, start, items, pending))
                    opening, start, items, pending, depth = token[_OPEN], token.start(_OPEN), [], [], depth + 1
                    if depth > DEPTH_MAX:
                        raise make.error(token, f"collections are nested more than {DEPTH_MAX} deep; flatten them")
                    continue
                elif group == _CLOSE:
                    self._check_close(token, opening, start, pending)
                    value = make.collection(opening, items, start)
                    closed_at = start
                    opening, start, items, pending = outer.pop()
                    depth -= 1
                    if top > depth:
                        continue  # that was the vector around all forms
                elif group in others:
                    value = others[group](token[group], token)
                elif group == _END:
                    break
                else:
                    pending.append(_SKIP if group == _DISCARD else token[_TAG])
                    continue
                if pending:
                    value = _under_tags(value, pending)
                    if value is _SKIP:
                        continue
                if depth == top:
                    yield (closed_at if group == _CLOSE else token.start(group)), value
                    at = token.end()
                    break
                items.append(value)
        self._check_end(opening, start, pending)

    def _flat_maps(self, at: int) -> Generator[tuple[int, Any], None, int]:
        """The maps of known atoms and plain numbers from ``at`` on, one after the other, with the names of keywords for keys, which is the
        same to whoever looks them up; returns where something else begins.
        """
        text, known = self._text, self._make.known
        while found := self._shape.match(text, at) or self._other_shape(at):
            try:
                items = [int(word) if word.isdigit() and word[0] != "0" else known[word] for word in found.groups()]
            except (KeyError, ValueError):  # Python bounds the digits of what it parses
                return at
            yield text.index("{", at), dict(zip(self._keys, items, strict=True))
            at = found.end()
        return at

    def _other_shape(self, at: int) -> re.Match[str] | None:
        """The map of atoms at ``at``, whose names, in their order, are the shape from now on; None if there is none such."""
        found = _FLAT.match(self._text, at)
        names = tuple(found[1].replace(",", " ").split()[::2]) if found else ()
        keys = [str(key) for name in names if isinstance(key := self._make.known.get(name), Keyword)]
        if not keys or len(set(keys)) != len(names):
            return None
        if names not in self._shapes:
            self._shapes[names] = re.compile(
                _BEGIN + _GAP.join(re.escape(name) + _GAP + _WORD for name in names) + _CLOSED
            )
        self._shape, self._keys = self._shapes[names], keys
        return self._shape.match(self._text, at)

    def _enter(self, top: int, token: re.Match[str], pending: list[Any]) -> int:
        """At the first token: are the forms bare (0), or in one vector (1)? At a token after that vector: an
        error.
        """
        if top > 0:
            raise self._make.error(token, "more follows after the vector; a history is one vector, or bare ops")
        if token.lastindex in {_TAG, _DISCARD}:
            return top
        return 1 if token[_OPEN] in {"[", "("} and not pending else 0

    def _check_close(self, token: re.Match[str], opening: str, start: int, pending: list[Any]) -> None:
        closing = token[_CLOSE]
        if not opening:
            raise self._make.error(token, f"{closing} closes nothing")
        if pending:
            raise self._make.error(token, f"a tag or #_ has no form between it and {closing}")
        if closing != _CLOSES[opening]:
            place = self._make.place(start)
            raise self._make.error(token, f"{closing} cannot close the {opening} of {place}; {_CLOSES[opening]} would")

    def _check_end(self, opening: str, start: int, pending: list[Any]) -> None:
        if opening:
            raise self._make.error(start, f"this {opening} is never closed")
        if pending:
            raise self._make.error(len(self._text), "a tag or #_ has no form after it")


def _under_tags(value: Any, pending: list[Any]) -> Any:
    """``value`` under the tags before it, innermost first; _SKIP if a discard takes it."""
    while pending:
        tag = pending.pop()
        if tag is _SKIP:
            return _SKIP
        value = _tagged(tag, value)
    return value


def _tagged(tag: str, value: Any) -> Any:
    """``value`` under ``tag``; #:name{...}, Clojure's short form of maps with keys of one namespace, is
    spelled out.
    """
    if not tag.startswith(":"):
        return Tagged(tag, value)
    if not isinstance(value, dict):
        return Tagged(tag[1:], value)
    return {_qualified(tag[1:], name): item for name, item in value.items()}


def _qualified(namespace: str, name: Any) -> Any:
    if type(name) is not Keyword:
        return name
    if name.startswith("_/"):
        return Keyword(name[2:])
    return name if "/" in name else Keyword(f"{namespace}/{name}")


def _frozen(value: Any) -> Any:
    """``value`` as something that can be hashed: a map's key, a set's element."""
    if isinstance(value, list | tuple):
        return tuple([_frozen(item) for item in value])
    return FrozenMap(value) if isinstance(value, dict) else value


class _Scalars:
    """Tokens to values, and errors with line and column."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name
        self.known: dict[str, Any] = {"nil": None, "true": True, "false": False, "0": 0}  # names seen so far

    def others(self) -> dict[int, Callable[[str, re.Match[str]], Any]]:
        """What makes a value of a token that is no atom and no bracket, by the token's group."""
        return {_STRING: self.string, _CHAR: self.char, _FLOAT: lambda word, _: _FLOATS[word], _BAD: self.nothing}

    def place(self, offset: int) -> str:
        line = self._text.count("\n", 0, offset) + 1
        column = offset - self._text.rfind("\n", 0, offset)
        return f"line {line} column {column}"

    def error(self, where: re.Match[str] | int, sentence: str) -> EdnSyntaxError:
        offset = where if isinstance(where, int) else where.start(where.lastindex or 0)
        return EdnSyntaxError(f"{self._name} {self.place(offset)}: {sentence}")

    def atom(self, word: str, token: re.Match[str]) -> Any:
        """A keyword, a symbol or a number. Names are remembered; numbers seldom come twice."""
        if word[0] in "123456789" and len(word) < 19 and word.isascii() and word.isdecimal():
            return int(word)
        if word[0] == ":":
            if len(word) == 1:
                raise self.error(token, "a lone : is no keyword")
            return self.known.setdefault(word, Keyword(word[1:]))
        if not word.lstrip("+-")[:1].isdecimal():
            return self.known.setdefault(word, Symbol(word))
        found = _NUMBER.fullmatch(word)
        if not found:
            raise self.error(token, f"{word!r} is no number")
        kind = str(found.lastgroup)
        try:
            number = _NUMBERS[kind](found[kind])
        except (ValueError, ArithmeticError) as error:  # Python bounds the digits of what it parses
            raise self.error(token, f"{word[:20]!r} is out of range ({error})") from error
        return number

    def nothing(self, word: str, token: re.Match[str]) -> Any:
        if word == '"':
            raise self.error(token, "this string is never closed")
        raise self.error(token, f"{word!r} begins nothing in EDN")

    def string(self, word: str, token: re.Match[str]) -> str:
        if "\\" not in word:
            return word
        try:
            text = _ESCAPE.sub(_unescaped, word)
            # A pair of escaped surrogates is one character; half a pair is none.
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except (KeyError, UnicodeDecodeError) as error:
            raise self.error(token, f"the string has an escape that EDN does not know: {error}") from error

    def char(self, word: str, token: re.Match[str]) -> Char:
        code = _CHAR_CODE.fullmatch(word)
        if len(word) == 1:
            return Char(word)
        if code:
            return Char(chr(int(code[1], 16) if code[1] else int(code[2], 8)))
        if word not in CHAR_NAMES:
            raise self.error(token, f"\\{word} is no character, such as \\a, \\newline or \\u00e9")
        return Char(CHAR_NAMES[word])

    def collection(self, opening: str, items: list[Any], offset: int) -> Any:
        if opening == "[":
            return items
        if opening == "(":
            return EdnList(items)
        if opening == "{":
            return self._map(items, offset)
        try:
            elements = frozenset(items)
        except TypeError:
            elements = frozenset(map(_frozen, items))
        if len(elements) != len(items):
            raise self.error(offset, f"a set repeats an element{_ALIKE}")
        return elements

    def _map(self, items: list[Any], offset: int) -> dict[Any, Any]:
        if len(items) % 2:
            raise self.error(offset, "a map has a key without a value")
        names, values = items[::2], items[1::2]
        try:
            mapping = dict(zip(names, values, strict=True))
        except TypeError:
            mapping = dict(zip(map(_frozen, names), values, strict=True))
        if len(mapping) != len(names):
            raise self.error(offset, f"a map repeats a key{_ALIKE}")
        return mapping


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    if code[0] == "u" and len(code) == 5:
        return chr(int(code[1:], 16))
    return chr(int(code, 8)) if code[0] in "01234567" else ESCAPES[code]


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise OverflowError("no double holds it")
    return number


def _ratio(word: str) -> Fraction | int:
    ratio = Fraction(word)
    return ratio.numerator if ratio.denominator == 1 else ratio  # 4/2 is read as 2 by Clojure, too


_ALIKE = ' (here 1, 1.0 and true count as one, and so do :a and "a")'
_NUMBERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "ratio": _ratio,
    "hex": lambda word: int(word, 16),
    "decimal": Decimal,
    "float": _finite,
}
