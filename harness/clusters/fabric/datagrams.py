"""The datagrams that probes are: their words, their sockets, the kernel's time of their arrival. Standard library alone.

They carry no sum, so that a damaged one arrives as it is: it holds the same words several times, and one flipped bit spoils one of them.
(A bit of its header that flips makes it a lost one.)
"""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

from harness import clock

SO_TIMESTAMPNS = 35  # socket(7); Python has no name for it
# No sum in what is sent, and none asked of what is received: socket(7), and udp.h of the kernel; Python has no names for them.
SO_NO_CHECK, UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX = 11, 101, 102
_WORDS = struct.Struct("=QI")  # flight, number
COPIES = 5  # of the words in a probe
_TIMESPEC = struct.Struct("=qq")


def prepare(sock: socket.socket) -> None:
    """Let the socket time what comes, and neither send nor check sums. Raises OSError."""
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
        sock.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_RX, 1)


def packed(flight: int, number: int, size: int = 0) -> bytes:
    """A probe of at least ``size`` bytes."""
    return (_WORDS.pack(flight, number) * COPIES).ljust(size, b".")


def received(sock: socket.socket) -> Iterator[tuple[int, int, float, bool]]:
    """What is there to be read: flight, number, when it came in seconds since the epoch, whether it is whole."""
    with suppress(BlockingIOError):
        while True:
            data, ancillary, _, _ = sock.recvmsg(_WORDS.size * COPIES, socket.CMSG_SPACE(_TIMESPEC.size))
            if len(data) == _WORDS.size * COPIES:
                ((flight, number), copies), *_ = Counter(_WORDS.iter_unpack(data)).most_common(1)
                yield flight, number, _stamp(ancillary), copies == COPIES


def _stamp(ancillary: Sequence[tuple[int, int, bytes]]) -> float:
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(payload)
            return float(seconds) + float(nanoseconds) * 1e-9
    return clock.wall_s()
