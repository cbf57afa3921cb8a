"""The messages of a run, as its packet log tells them: who sent what to whom, when, and whether it arrived.

Two kinds of lines are read: messages, by clusters that carry them in this process (``clusters.message_log``), and packets, twice each, by
clusters with a router (``clusters.fabric.packet_log``). Hosts by SSH have none: their clocks differ by more than a message takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

PACKETS = "packets.jsonl"  # the packet log in a run's directory
OPTION = "packet_log"  # of the target's options: the run keeps one
# The type of a message, near the beginning of its text as JSON or XML (``targets.node.codecs``).
_TYPE = re.compile(rb'"type"(?::\s{0,2}"|>)([A-Za-z0-9_.-]{1,40})["<]')
# Headers of a TCP packet alone, over IPv6: what is no longer carries nothing that could be told.
EMPTY_BYTES_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Times in seconds of the history's time. ``arrived_s`` has one for each copy that came in: none if it was lost or cut, or its
    receiver was dead. ``kind`` is the message's type, empty where nobody knows it; ``text`` is the beginning of its body.
    """

    src: str
    dest: str
    kind: str
    size: int
    sent_s: float
    arrived_s: tuple[float, ...] = ()
    text: str = ""


def type_of(data: bytes) -> str:
    """The type of the first message in ``data``, empty if none is to be seen."""
    found = _TYPE.search(data)
    return found[1].decode("ascii") if found else ""


def read_messages(lines: Iterable[str], boot_s: float) -> list[Message]:
    """The messages of a packet log, in the order in which they were sent; ``boot_s`` as in ``nodes/clock.json``.

    A line that is cut off, or no such line, is passed over: a log is an aid, and no verdict rests on it.
    """
    messages: list[Message] = []
    open_: dict[tuple[str, str, int], int] = {}  # packet → the message that it is
    began_ns = 0
    for line in lines:
        told = _object(line)
        try:
            if "began_ns" in told:
                began_ns = int(told["began_ns"])
            elif "way" in told:
                _packet(told, began_ns, boot_s, messages, open_)
            elif "sent" in told:
                messages.append(_message(told, boot_s))
        except (KeyError, TypeError, ValueError):
            continue
    return sorted(messages, key=lambda message: message.sent_s)


def _object(line: str) -> Mapping[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _message(told: Mapping[str, Any], boot_s: float) -> Message:
    return Message(
        src=str(told["src"]),
        dest=str(told["dest"]),
        kind=str(told["type"]),
        size=int(told["bytes"]),
        sent_s=float(told["sent"]) - boot_s,
        arrived_s=tuple(float(at) - boot_s for at in told["arrived"]),
        text=str(told.get("body", "")),
    )


def _packet(
    told: Mapping[str, Any],
    began_ns: int,
    boot_s: float,
    messages: list[Message],
    open_: dict[tuple[str, str, int], int],
) -> None:
    """A packet that came in is a message; one that goes out is its arrival. One that never came in is a damaged one, which nobody reads."""
    src, dest, at_s = str(told["src"]), str(told["dest"]), (int(told["t_ns"]) - began_ns) / 1e9 - boot_s
    packet = (src, dest, int(told["mark"]))
    kind, size = str(told.get("type", "")), int(told["bytes"])
    if not kind and size <= EMPTY_BYTES_MAX:
        return
    if told["way"] == "in":
        open_[packet] = len(messages)
        messages.append(Message(src=src, dest=dest, kind=kind, size=size, sent_s=at_s))
    elif packet in open_:
        sent = messages[open_[packet]]
        messages[open_[packet]] = replace(sent, arrived_s=(*sent.arrived_s, at_s))
