"""Values, times and names as text that cannot do harm: no control character, no bidirectional override,
bounded in length.

A history is full of what clients and servers made up. Everything that a report shows of it passes through
``printable``; escaping for a format (HTML, rich markup) comes on top, in the one place that writes that
format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

TEXT_CHARS_MAX = 300
SECOND_NS = 1_000_000_000

# Unicode categories Cc, Cf, Cs, Zl and Zp: control characters, invisible formatting (Trojan Source, CVE-2021-42574: bidirectional
# overrides reorder what is read), lone surrogates (they cannot be encoded) and line separators; a test compares with unicodedata.
# Then what Unicode calls default ignorable: fillers and variation selectors, by which two values differ although they look the same.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\u034f\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_BEGAN = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.\d+Z", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]*")
# verdict → (sign, word, what it means)
VERDICTS = {
    "valid": ("✓", "Valid", "No broken promise was found."),
    "invalid": ("✗", "Invalid", "A promise was broken."),
    "unknown": ("?", "Unknown", "This run proves nothing either way: it is not a pass."),
}
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """``text`` with everything unseen written as an escape, cut to ``chars_max`` characters with its true length said."""
    if len(text) > chars_max:
        return f"{_escaped(text[:chars_max])}… ({len(text):,} characters)"
    return _escaped(text)


def paragraph(text: str, chars_max: int) -> str:
    """Like ``printable``, but line breaks stay: for texts that we laid out ourselves, such as an indented JSON document."""
    return "\n".join(printable(line, chars_max) for line in text.split("\n"))


def _escaped(text: str) -> str:
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    code = ord(char)
    return _SHORT.get(char) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def began(name: str) -> str:
    """The name of a run's directory, ``20260102T030405.678901Z``, as a date and a time (UTC); any other name as it is."""
    found = _BEGAN.fullmatch(name)
    return "{}-{}-{} {}:{}:{}".format(*found.groups()) if found else sentence(name)


def value_text(value: Any, chars_max: int = TEXT_CHARS_MAX) -> str:
    """A value of a history as JSON, printable; None is "null"."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = "(a value too deeply nested to show)"
    except (TypeError, ValueError):
        text = repr(value)  # EDN knows maps whose keys are vectors; JSON has no text for them
    return printable(text, chars_max)


def key_text(key: Any, chars_max: int = TEXT_CHARS_MAX) -> str:
    """A key, printable: JSON, but a plain word goes without quotes, since nothing else looks like it."""
    plain = isinstance(key, str) and _WORD.fullmatch(key) is not None and key not in ("null", "true", "false")
    return printable(str(key), chars_max) if plain else value_text(key, chars_max)


def sentence(text: Any, chars_max: int = 2_000) -> str:
    """A reason or name from a document, printable; whatever is not text is shown as JSON, None as nothing."""
    if text is None:
        return ""
    return printable(text, chars_max) if isinstance(text, str) else value_text(text, chars_max)


def call_text(f: str, key: str | None, argument: str | None, result: str | None) -> str:
    """An operation in one line: ``read 3 → 7``, ``cas 3 [1, 2]``. The parts are texts already; None leaves a part out."""
    words = [f, *(part for part in (key, argument) if part is not None)]
    return " ".join(words) if result is None else f"{' '.join(words)} → {result}"


def seconds(time_ns: int) -> str:
    """A moment of the run: ``12.345 s``."""
    return f"{time_ns / SECOND_NS:.3f} s"


_UNITS: tuple[tuple[float, Callable[[float], str]], ...] = (
    (1e3, lambda ns: f"{ns:.0f} ns"),
    (1e6, lambda ns: f"{_digits(ns / 1e3)} µs"),
    (1e9, lambda ns: f"{_digits(ns / 1e6)} ms"),
    (120e9, lambda ns: f"{_digits(ns / 1e9)} s"),
    (7200e9, lambda ns: f"{_digits(ns / 60e9)} min"),
)


def duration(length_ns: float) -> str:
    """A length of time to three significant digits: ``4.12 ms``."""
    for limit, write in _UNITS:
        # 999.7 µs would be written "1,000 µs": such a value belongs to the next unit.
        if length_ns < limit * 0.9995:
            return write(length_ns)
    return f"{_digits(length_ns / 3600e9)} h"


def _digits(number: float) -> str:
    """Three significant digits, never an exponent."""
    for limit, places in ((9.995, 2), (99.95, 1)):
        if number < limit:
            return f"{number:.{places}f}"
    return f"{number:,.0f}"


def count(number: int, noun: str, nouns: str | None = None) -> str:
    """``1 operation``, ``2,000 operations``; ``nouns`` where an s does not do."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
