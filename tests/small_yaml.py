"""As much of YAML as our workflow files use: maps, lists, texts, blocks of text. What is beyond that is refused, not guessed.

YAML 1.2; a plain text stays a text (``true``, ``5``).
"""

from __future__ import annotations

import re
from typing import Any

_PAIR = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9_-]*):(?: (?P<value>\S.*))?\Z")
_PLAIN = re.compile(r"[A-Za-z0-9./$][^#\t]*\Z")


def parse(text: str) -> Any:
    """The document. Raises ValueError, naming the line, for what this does not read."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    value, rest = _value(lines, 0)
    if rest:
        raise ValueError(f"not read: {rest[0]!r}")
    return value


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _value(lines: list[str], depth: int) -> tuple[Any, list[str]]:
    return _list(lines, depth) if lines[0].lstrip().startswith("- ") else _map(lines, depth)


def _list(lines: list[str], depth: int) -> tuple[list[Any], list[str]]:
    found = []
    while lines and _depth(lines[0]) == depth and lines[0].lstrip().startswith("- "):
        first = lines[0][depth + 2 :]
        if _PAIR.match(first):
            one, lines = _map([" " * (depth + 2) + first, *lines[1:]], depth + 2)
        else:
            one, lines = _scalar(first), lines[1:]
        found.append(one)
    return found, lines


def _map(lines: list[str], depth: int) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    while lines and _depth(lines[0]) == depth and not lines[0].lstrip().startswith("- "):
        pair = _PAIR.match(lines[0].strip())
        if pair is None or pair["key"] in found:
            raise ValueError(f"no pair, or one that is there already: {lines[0]!r}")
        lines = lines[1:]
        if pair["value"] == "|":
            inner = next((at for at, line in enumerate(lines) if _depth(line) <= depth), len(lines))
            found[pair["key"]] = "".join(line[depth + 2 :] + "\n" for line in lines[:inner])
            lines = lines[inner:]
        elif pair["value"] is not None:
            found[pair["key"]] = _scalar(pair["value"])
        elif lines and _depth(lines[0]) > depth:
            found[pair["key"]], lines = _value(lines, _depth(lines[0]))
        else:
            found[pair["key"]] = None
    return found, lines


def _scalar(text: str) -> str:
    if text[0] == text[-1] == '"' and len(text) > 1 and '"' not in text[1:-1] and "\\" not in text:
        return text[1:-1]
    if not _PLAIN.match(text) or ": " in text:
        raise ValueError(f"no plain text: {text!r}")
    return text
