"""Netlink on the wire: attributes, messages, and a socket that sends requests and waits for their acknowledgements.

Standard library alone. What is asked of the kernel (routes, nftables, queues) is the business of the modules beside this one; nothing
here opens a socket in another namespace than the one that the process is in. See netlink(7).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ROUTE, NETFILTER = 0, 12  # protocols of the netlink family

REQUEST, ACK, DUMP, EXCLUSIVE, CREATE, APPEND, REPLACE = 0x1, 0x4, 0x300, 0x200, 0x400, 0x800, 0x100
ERROR, DONE = 2, 3
NESTED, KIND_MASK = 0x8000, 0x3FFF

_HEADER = struct.Struct("=IHHII")  # length, kind, flags, sequence number, port
_ATTRIBUTE = struct.Struct("=HH")  # length, kind
# The kernel answers within the system call; a missing acknowledgement is a mistake in a message, not slowness.
ANSWER_S = 5.0
RECEIVE_MAX = 1 << 17
# So many acknowledgements, each of up to 1.5 KiB in the kernel's count, fit into a socket's ordinary buffer with room to spare.
TOGETHER_MAX = 64


def attribute(kind: int, payload: bytes | str) -> bytes:
    """One attribute; text gets its final zero byte. Padded to four bytes, which its length does not count."""
    if isinstance(payload, str):
        payload = payload.encode() + b"\0"
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    """An attribute made of attributes."""
    return attribute(kind | NESTED, b"".join(parts))


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The kinds and payloads of the attributes in ``data``. Raises ValueError if one does not fit in."""
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size or offset + length > len(data):
            raise ValueError(f"a netlink attribute of {length} bytes at {offset} of {len(data)}")
        yield kind & KIND_MASK, data[offset + _ATTRIBUTE.size : offset + length]
        offset += length + (-length % 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A message to the kernel. ``what`` are the words for it in an error: "add the route to 10.0.0.1"."""

    kind: int
    flags: int
    payload: bytes
    what: str = "netlink"

    def packed(self, sequence: int) -> bytes:
        size = _HEADER.size + len(self.payload)
        header = _HEADER.pack(size, self.kind, REQUEST | self.flags, sequence, 0)
        return header + self.payload + b"\0" * (-size % 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A message from the kernel."""

    kind: int
    sequence: int
    payload: bytes


def answers(data: bytes) -> Iterator[Answer]:
    """The messages in what was received. Raises ValueError if one is cut short."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _flags, sequence, _port = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            raise ValueError(f"a netlink message of {length} bytes at {offset} of {len(data)}")
        yield Answer(kind=kind, sequence=sequence, payload=data[offset + _HEADER.size : offset + length])
        offset += length + (-length % 4)


def open_socket(protocol: int) -> socket.socket:
    """A socket to the kernel's side of this process's network namespace; it stays with that namespace wherever it is passed."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    try:
        sock.bind((0, 0))
    except BaseException:
        sock.close()
        raise
    return sock


class Netlink:
    """Requests over one socket, one batch at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket, self._sequence = sock, 0
        sock.settimeout(ANSWER_S)

    def close(self) -> None:
        self._socket.close()

    def transact(self, requests: Sequence[Request]) -> None:
        """Send all requests in one call; return when each that asks for an acknowledgement has it.

        Raises OSError with the kernel's number and the words of the request that it refused.
        """
        first = self._sequence + 1
        self._sequence += len(requests)
        self._socket.send(b"".join(request.packed(first + place) for place, request in enumerate(requests)))
        waiting = {first + place for place, request in enumerate(requests) if request.flags & ACK}
        while waiting:
            for answer in answers(self._socket.recv(RECEIVE_MAX)):
                if (
                    answer.kind != ERROR or answer.sequence < first
                ):  # one before: left over from a batch that was refused
                    continue
                _raise_refusal(answer, requests[answer.sequence - first].what)
                waiting.discard(answer.sequence)

    def carry_out(self, requests: Sequence[Request]) -> None:
        """Send requests in order that need not be one transaction. Raises OSError as ``transact`` does, at the first refusal."""
        for start in range(0, len(requests), TOGETHER_MAX):
            self.transact(requests[start : start + TOGETHER_MAX])

    def dump(self, request: Request) -> list[Answer]:
        """Ask for a list; return all of its messages. Raises OSError."""
        self._sequence += 1
        self._socket.send(request.packed(self._sequence))
        found: list[Answer] = []
        while True:
            for answer in answers(self._socket.recv(RECEIVE_MAX)):
                if answer.sequence != self._sequence:
                    continue
                if answer.kind == DONE:
                    return found
                if answer.kind == ERROR:
                    _raise_refusal(answer, request.what)
                    return found
                found.append(answer)


def _raise_refusal(answer: Answer, what: str) -> None:
    number = -struct.unpack_from("=i", answer.payload)[0]
    if number:
        raise OSError(number, f"the kernel refused to {what}: {os.strerror(number)}")
