"""What a partition knows of its producers: which message of each comes next, and where its latest ones stand (KIP-98).

A producer has an id, an epoch (it begins anew with sequence 0 when it raises it), and numbers its messages per partition. So a message
that comes twice is recognised, and one that comes before its predecessor is refused. All of this follows from the log, so every
replica knows it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from targets.queue.log.partition_log import OFFSET, PRODUCER, Record

# So many of a producer's latest messages are recognised: as many as it may have in flight (max.in.flight.requests.per.connection).
REMEMBERED = 5
NEW, COPY, GAP, FENCED = "new", "copy", "gap", "fenced"


class Judged(NamedTuple):
    """What a message's number says: NEW; COPY of the one at ``offset`` (None: too old to tell); GAP before it; FENCED producer."""

    what: str
    offset: int | None = None


class _Producer(NamedTuple):
    epoch: int
    latest: deque[tuple[int, int]]  # (sequence, offset)


class Producers:
    """The producers of one partition."""

    def __init__(self) -> None:
        self._known: dict[int, _Producer] = {}

    def judge(self, producer: list[int], *, gaps: bool = False, late: bool = False) -> Judged:
        """What to do with a message of ``producer`` ([id, epoch, sequence]).

        ``gaps``: take a message, also if the one before it has not come. ``late``: take up a producer of whom nothing is known wherever it
        is. Both are seeded bugs.
        """
        number, epoch, sequence = producer
        known = self._known.get(number)
        if known is None or epoch > known.epoch:
            return Judged(NEW if sequence == 0 or gaps or late else GAP)
        if epoch < known.epoch:
            return Judged(FENCED)
        last = known.latest[-1][0]
        offset = next((offset for seq, offset in known.latest if seq == sequence), None)
        if sequence > last or (gaps and offset is None):
            return Judged(NEW if sequence == last + 1 or gaps else GAP)
        return Judged(COPY, offset)

    def took(self, record: Record) -> None:
        """The log took ``record``."""
        if record[PRODUCER] is None:
            return
        number, epoch, sequence = record[PRODUCER]
        known = self._known.get(number)
        if known is None or epoch != known.epoch:
            known = self._known[number] = _Producer(epoch, deque(maxlen=REMEMBERED))
        known.latest.append((sequence, record[OFFSET]))

    def replay(self, records: Iterable[Record]) -> None:
        """The log is ``records``."""
        self._known = {}
        for record in records:
            self.took(record)
