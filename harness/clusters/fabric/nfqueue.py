"""Packets in user space: the messages of nfnetlink_queue, and a queue that is served over a socket. Standard library alone.

A packet that a rule sends here waits in the kernel, under a number, for its verdict.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.clusters.fabric.netlink import (
    ACK,
    NETFILTER,
    Netlink,
    Request,
    answers,
    attribute,
    attributes,
    open_socket,
)

SUBSYSTEM = 3 << 8
PACKET, VERDICT, CONFIG = 0, 1, 2
PACKET_HEADER, VERDICT_HEADER, PAYLOAD = 1, 2, 10
COMMAND, PARAMETERS, LENGTH_MAX, MASK, FLAGS = 1, 2, 3, 4, 5
BIND, COPY_PACKET = 1, 2
FAIL_OPEN, SEGMENTS_TOGETHER = 1, 4
DROP, ACCEPT = 0, 1

# What waits beyond this passes at once (FAIL_OPEN): half a second of 100,000 packets per second.
WAITING_MAX = 50_000
RECEIVE_BYTES = 8 << 20
SO_RCVBUFFORCE, SOL_NETLINK, NETLINK_NO_ENOBUFS = 33, 270, 5
# A header with both addresses (40 bytes for IPv6) is enough to tell a packet's link; a copy that is to be changed must be whole.
HEADER_BYTES, WHOLE = 40, 0xFFFF
BUFFER_BYTES = 1 << 17
# How often the socket is read before what is due goes: a read holds one or more packets, and takes some 10 microseconds.
RECEIVED_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet that waits. ``data`` begins with the network header; ``whole`` says whether all of it is there."""

    number: int
    data: bytes

    @property
    def key(self) -> bytes:
        """Source and destination address, as ``nft`` looks them up."""
        return self.data[8:40] if self.data[0] >> 4 == 6 else self.data[12:20]

    @property
    def size(self) -> int:
        """Its bytes from the network header on, by that header: RFC 791 section 3.1, RFC 8200 section 3."""
        if self.data[0] >> 4 == 6:
            return 40 + int.from_bytes(self.data[4:6])
        return int.from_bytes(self.data[2:4])


def _payload(queue: int, *parts: bytes) -> bytes:
    return struct.pack(">BBH", 0, 0, queue) + b"".join(parts)


def configuration(queue: int, *, whole: bool) -> list[Request]:
    """What makes this socket the one that serves the queue."""
    # Whole packets must be cut into segments with sums of their own first: copies of them are sent as they are.
    flags = FAIL_OPEN | (0 if whole else SEGMENTS_TOGETHER)
    size = WHOLE if whole else HEADER_BYTES
    parts = (
        attribute(COMMAND, struct.pack(">BBH", BIND, 0, socket.AF_UNSPEC)),
        attribute(PARAMETERS, struct.pack(">IB", size, COPY_PACKET)),
        attribute(LENGTH_MAX, struct.pack(">I", WAITING_MAX)),
        attribute(MASK, struct.pack(">I", FAIL_OPEN | SEGMENTS_TOGETHER)) + attribute(FLAGS, struct.pack(">I", flags)),
    )
    what = f"serve packet queue {queue}"
    return [Request(kind=SUBSYSTEM | CONFIG, flags=ACK, payload=_payload(queue, part), what=what) for part in parts]


def verdict(queue: int, number: int, decision: int, data: bytes | None = None) -> bytes:
    """The message that lets a packet go or drops it; with ``data`` it goes on with that as its content."""
    parts = [attribute(VERDICT_HEADER, struct.pack(">II", decision, number))]
    if data is not None:
        parts.append(attribute(PAYLOAD, data))
    return Request(kind=SUBSYSTEM | VERDICT, flags=0, payload=_payload(queue, *parts)).packed(0)


def packets(received: bytes) -> Iterator[Packet]:
    """The packets in what was received from the kernel."""
    for answer in answers(received):
        if answer.kind != SUBSYSTEM | PACKET:
            continue
        parts = dict(attributes(answer.payload[4:]))
        yield Packet(number=struct.unpack_from(">I", parts[PACKET_HEADER])[0], data=parts.get(PAYLOAD, b""))


class Queue:
    """One queue of the namespace that this process is in when it is made."""

    def __init__(self, number: int, *, whole: bool) -> None:
        self.number, self.whole = number, whole
        self.socket = open_socket(NETFILTER)
        try:
            try:
                self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
            except PermissionError:  # only where we are root of the machine itself
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            self.socket.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
            Netlink(self.socket).transact(configuration(number, whole=whole))
        except BaseException:
            self.socket.close()
            raise
        self.socket.setblocking(False)

    def receive(self) -> Iterator[Packet]:
        """Packets that are there now; under a flood not all of them, so that those before them are not kept waiting."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(RECEIVED_AT_ONCE):
                yield from packets(self.socket.recv(BUFFER_BYTES))

    def decide(self, verdicts: Iterable[bytes]) -> None:
        """Send verdicts in as few calls as possible. A packet whose queue was flushed meanwhile is nobody's any more."""
        self.socket.setblocking(True)
        try:
            for chunk in _chunks(verdicts):
                self.socket.send(chunk)
        finally:
            self.socket.setblocking(False)


def _chunks(verdicts: Iterable[bytes], size: int = BUFFER_BYTES // 2) -> Iterator[bytes]:
    chunk = b""
    for message in verdicts:
        if chunk and len(chunk) + len(message) > size:
            yield chunk
            chunk = b""
        chunk += message
    if chunk:
        yield chunk
