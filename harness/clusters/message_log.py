"""The packet log of clusters that carry messages in this process: one JSON object on a line for each message that was sent.

    {"sent": S, "src": NAME, "dest": NAME, "type": TYPE, "bytes": N, "arrived": [S, ...], "body": TEXT}

Times are seconds, as in the nodes' logs; ``body`` is the beginning of the message. Of very many messages the last are kept, and a last line
counts the others: {"missed": N}. Nothing of a run depends on whether it is logged.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable

from harness.messages import OPTION, PACKETS, type_of
from harness.protocols import ClusterSpec

MESSAGES_MAX = 100_000
BODY_CHARS_MAX = 160
# A signed token (``targets.node.tokens``), or its beginning: what opens a door is written nowhere.
_TOKEN = re.compile(r"eyJ[\w.-]+")

Arrived = Callable[[], object]  # to be called for each copy of a message that comes in
Sent = Callable[[str, str, bytes], Arrived]  # from whom, to whom, what


class MessageLog:
    """Notes what is sent, at the time of ``now_s``, and writes it when it is closed: if the run wants it, else it does nothing."""

    def __init__(self, spec: ClusterSpec, now_s: Callable[[], float], most: int = MESSAGES_MAX) -> None:
        self._path, self._now_s = spec.directory / PACKETS, now_s
        self._kept: deque[tuple[float, str, str, bytes, list[float]]] = deque(maxlen=most)
        self._count = 0
        # A message that leaves now: from whom, to whom, as JSON.
        self.sent: Sent = self._sent if spec.options.get(OPTION) else unnoted

    def _sent(self, src: str, dest: str, data: bytes) -> Arrived:
        arrived: list[float] = []
        self._count += 1
        self._kept.append((self._now_s(), src, dest, data, arrived))
        return lambda: arrived.append(self._now_s())

    def close(self) -> None:
        """Write what is kept. Idempotent."""
        if not self._count:
            return
        with self._path.open("w", encoding="utf-8") as file:
            for at_s, src, dest, data, arrived in self._kept:
                fields = {"sent": round(at_s, 9), "src": src, "dest": dest, "type": type_of(data), "bytes": len(data)}
                text = data[: 4 * BODY_CHARS_MAX].decode(errors="replace")
                text = _TOKEN.sub("(a token)", text)[:BODY_CHARS_MAX]
                fields |= {"arrived": [round(one, 9) for one in arrived], "body": text}
                file.write(json.dumps(fields, separators=(",", ":")) + "\n")
            file.write(json.dumps({"missed": self._count - len(self._kept)}) + "\n")
        self._count = 0
        self._kept.clear()


def _nobody_notes() -> None:
    """What is called for each message of a run that is not logged."""


def unnoted(_src: str, _dest: str, _data: bytes) -> Arrived:
    """``sent`` of a run that keeps no log."""
    return _nobody_notes
