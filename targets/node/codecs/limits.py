"""What no message may exceed, whatever it is written in, and the one error of all decoders. Standard library only."""

from __future__ import annotations

import math
from typing import Any

# A message longer than this is a mistake of whoever sent it.
MESSAGE_BYTES_MAX = 64 * 1024 * 1024
# Objects within objects: deeper than any message of ours, and far from where an interpreter's own stack would end.
DEPTH_MAX = 100
# Digits of a whole number, whose reading takes time that grows with their square: Python's own limit (sys.int_info), said once more.
DIGITS_MAX = 4300


class Malformed(ValueError):  # noqa: N818 - what the line is
    """A line that is no message, in one sentence."""


def check_size(line: bytes) -> None:
    """Raises Malformed."""
    if len(line) > MESSAGE_BYTES_MAX:
        raise Malformed(f"the message has {len(line):,} bytes, more than {MESSAGE_BYTES_MAX:,}")


def check_message(message: Any) -> dict[str, Any]:
    """The same message. Raises Malformed if it is not {src, dest, body: {type, ...}}."""
    if isinstance(message, dict) and isinstance(message.get("src"), str):
        body = message.get("body")
        if isinstance(body, dict) and isinstance(body.get("type"), str):
            return message
    raise Malformed("it is not {src, dest, body: {type, ...}}")


def too_deep() -> Malformed:
    """What is said of a message with more than DEPTH_MAX levels."""
    return Malformed(f"the message is more than {DEPTH_MAX} levels deep")


def finite(number: float) -> float:
    """The same number. Raises Malformed for one that no answer could hold."""
    if not math.isfinite(number):
        raise Malformed(f"{number!r} is no number of a message")
    return number


def named(key: Any) -> str:
    """A key of an object, as JSON writes it: a whole number becomes its digits. Raises TypeError for what JSON would refuse, too."""
    if isinstance(key, str):
        return key
    if isinstance(key, int) and not isinstance(key, bool):
        return str(int(key))
    raise TypeError(f"an object has names, not {key!r}")
