"""JSON, one object a line: Maelstrom's own wire format, and strict where Python's reader is not (NaN, endless depth)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from targets.node.codecs.limits import DEPTH_MAX, Malformed, check_message, check_size, finite, too_deep

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encode(message: Mapping[str, Any]) -> bytes:
    """See ``codecs``."""
    return _encode(message).encode()


def _no_number(text: str) -> NoReturn:
    raise Malformed(f"{text} is no number of a message")


_careful = json.JSONDecoder(parse_constant=_no_number, parse_float=lambda text: finite(float(text)))


def decode(line: bytes) -> dict[str, Any]:
    """See ``codecs``."""
    check_size(line)
    try:
        message = _careful.decode(line.decode())
        # What has few brackets cannot be deep: nearly every message is spared the walk.
        if line.count(b"[") + line.count(b"{") > DEPTH_MAX:
            _check_depth(message)
    except RecursionError:
        raise too_deep() from None
    except Malformed:
        raise
    except ValueError as error:  # also bytes that are no UTF-8
        raise Malformed(str(error)) from None
    if b"\\u" in line and not _is_text(message):
        raise Malformed("a text holds half of a character")
    return check_message(message)


def _check_depth(message: Any) -> None:
    level = [message]
    for _ in range(DEPTH_MAX + 1):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
        if not inner:
            return
        level = inner
    raise too_deep()


def _is_text(message: Any) -> bool:
    """Whether all texts of a message can be written at all: escapes can name halves of characters."""
    try:
        json.dumps(message, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
