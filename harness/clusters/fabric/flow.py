"""What TCP makes of a link that loses, delays and swaps packets: bytes that arrive late, in order, or a connection that is given up.

Pure: no loop and no socket; time is handed in. The dice are those of the link (``links.Line``), one throw per segment, so a proxy that
only ever sees a stream suffers what packets would have. A lost or damaged segment is sent again after a timeout that doubles (RFC 6298);
a second copy is thrown away by the receiver; one that is overtaken holds back those behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.clusters.fabric.links import RATE_WAIT_S, Line

SEGMENT_MAX = 1448  # bytes on a cable of Ethernet, without the headers of IPv4 and TCP with timestamps
# Linux: TCP_RTO_MIN and tcp_retries2. The timeout stops doubling early, so that a link that has healed is noticed soon.
RESEND_S, RESEND_MAX_S, TRIES = 0.2, 1.6, 15
# So long after a segment was first sent the connection is given up if none of its copies has arrived.
GIVEN_UP_S = sum(min(RESEND_S * 2**number, RESEND_MAX_S) for number in range(TRIES))


@dataclass(slots=True)
class Met:
    """What the first copies of a flow's segments have met."""

    lost: int = 0
    corrupted: int = 0
    duplicated: int = 0
    reordered: int = 0


class Flow:
    """One direction of one connection over a link."""

    def __init__(self, line: Line) -> None:
        self._line, self._last_s = line, 0.0
        self.met = Met()

    def room_s(self, now_s: float) -> float:
        """How long to wait before the next segment is sent: a limited rate holds the sender back instead of dropping what it sends."""
        return self._line.backlog_s(now_s) - RATE_WAIT_S

    def arrives_s(self, now_s: float, size: int) -> float | None:
        """When the last of ``size`` bytes sent now is there; None if the connection is given up."""
        for start in range(0, size, SEGMENT_MAX):
            late_s = self._late_s(now_s, min(SEGMENT_MAX, size - start))
            if late_s is None:
                return None
            self._last_s = max(self._last_s, now_s + late_s)
        return self._last_s

    def _late_s(self, now_s: float, size: int) -> float | None:
        waited_s, resend_s = 0.0, RESEND_S
        for attempt in range(TRIES):
            turned = self._line.tally.reordered
            spoilt, fates = self._line.spoils(), self._line.fates(now_s, size)
            if attempt == 0:
                self.met.lost += not fates
                self.met.corrupted += spoilt and bool(fates)
                self.met.duplicated += len(fates) > 1
                self.met.reordered += self._line.tally.reordered - turned
            if fates and not spoilt:
                return waited_s + fates[0]
            self._line.tally.corrupted += spoilt and bool(fates)
            waited_s, resend_s = waited_s + resend_s, min(2 * resend_s, RESEND_MAX_S)
        return None
