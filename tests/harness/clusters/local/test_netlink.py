"""Netlink on the wire, held against bytes written down by hand and against a stand-in for the kernel."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.fabric import netlink
from harness.clusters.fabric.netlink import ACK, Netlink, Request, answers, attribute, attributes, nested


def test_an_attribute_is_padded_and_its_length_is_not() -> None:
    assert attribute(3, "eth0") == bytes([9, 0, 3, 0]) + b"eth0\0" + b"\0\0\0"
    assert attribute(1, b"\x01\x02\x03\x04") == bytes([8, 0, 1, 0, 1, 2, 3, 4])
    assert nested(18, attribute(1, "veth")) == bytes([16, 0, 18, 0x80, 9, 0, 1, 0]) + b"veth\0\0\0\0"


def test_a_request_is_a_header_and_its_payload() -> None:
    assert Request(kind=16, flags=ACK, payload=b"abcde").packed(7) == (
        struct.pack("=IHHII", 21, 16, 1 | ACK, 7, 0) + b"abcde\0\0\0"
    )


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=40))))
def test_attributes_are_read_as_they_were_written(parts: list[tuple[int, bytes]]) -> None:
    assert list(attributes(b"".join(attribute(kind, payload) for kind, payload in parts))) == parts


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=5))
def test_messages_are_read_as_they_were_written(parts: list[tuple[int, bytes]]) -> None:
    packed = b"".join(Request(kind=kind, flags=0, payload=data).packed(n) for n, (kind, data) in enumerate(parts))
    assert [(answer.kind, answer.payload, answer.sequence) for answer in answers(packed)] == [
        (kind, payload, number) for number, (kind, payload) in enumerate(parts)
    ]


@pytest.mark.parametrize("data", [b"\x03\x00\x01\x00", b"\x09\x00\x01\x00abcd"])
def test_an_attribute_that_does_not_fit_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="netlink attribute"):
        list(attributes(data))


@pytest.mark.parametrize("length", [8, 40])
def test_a_message_that_does_not_fit_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="netlink message"):
        list(answers(struct.pack("=IHHII", length, 2, 0, 0, 0)))


def acknowledged(sequence: int, number: int = 0) -> bytes:
    return Request(kind=netlink.ERROR, flags=0, payload=struct.pack("=i", -number)).packed(sequence)


class Kernel:
    """Answers each message that was sent by what ``answer`` makes of it."""

    def __init__(self, answer: Callable[[int, int], bytes]) -> None:
        self._answer = answer
        self.ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sent: list[int] = []

    def send(self, data: bytes) -> None:
        for message in answers(data):
            self.sent.append(message.kind)
            answer = self._answer(message.kind, message.sequence)
            if answer:
                self._theirs.send(answer)

    def recv(self, size: int) -> bytes:
        return self.ours.recv(size)

    def settimeout(self, seconds: float) -> None:
        self.ours.settimeout(seconds)

    def close(self) -> None:
        self.ours.close()
        self._theirs.close()


def request(kind: int) -> Request:
    return Request(kind=kind, flags=ACK, payload=b"", what=f"do {kind}")


def test_a_transaction_waits_for_every_acknowledgement() -> None:
    kernel = Kernel(lambda _kind, sequence: acknowledged(sequence))
    line = Netlink(kernel)  # type: ignore[arg-type]  # what is used of a socket
    line.transact([request(1), request(2)])
    line.transact([request(3)])
    assert kernel.sent == [1, 2, 3]
    line.close()


def test_a_refusal_names_what_was_refused_and_the_next_request_is_not_mistaken_for_it() -> None:
    kernel = Kernel(lambda kind, sequence: acknowledged(sequence, errno.EEXIST if kind in (1, 2) else 0))
    line = Netlink(kernel)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="refused to do 1: File exists") as caught:
        line.transact([request(1), request(2), request(3)])
    assert caught.value.errno == errno.EEXIST
    line.transact([request(3)])
    line.close()


def test_a_list_is_read_to_its_end() -> None:
    def answer(kind: int, sequence: int) -> bytes:
        rows = [Request(kind=5, flags=0, payload=bytes([n] * 4)).packed(sequence) for n in range(3)]
        return b"".join(rows) + Request(kind=netlink.DONE, flags=0, payload=b"\0" * 4).packed(sequence)

    kernel = Kernel(answer)
    line = Netlink(kernel)  # type: ignore[arg-type]
    assert [row.payload for row in line.dump(request(9))] == [bytes([n] * 4) for n in range(3)]
    line.close()


def test_a_list_that_is_refused_raises() -> None:
    kernel = Kernel(lambda _kind, sequence: acknowledged(sequence, errno.ENOENT))
    line = Netlink(kernel)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="refused to do 9"):
        line.dump(request(9))
    line.close()


def test_many_requests_are_sent_a_few_at_a_time() -> None:
    under_way: list[int] = []
    kernel = Kernel(lambda _kind, sequence: acknowledged(sequence))
    line = Netlink(kernel)  # type: ignore[arg-type]
    send = kernel.send

    def counted(data: bytes) -> None:
        under_way.append(len(list(answers(data))))
        send(data)

    kernel.send = counted  # type: ignore[method-assign]
    line.carry_out([request(kind) for kind in range(100, 250)])
    assert kernel.sent == list(range(100, 250))
    assert under_way == [64, 64, 22]
    line.close()
