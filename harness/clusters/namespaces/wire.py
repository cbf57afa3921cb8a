"""JSON messages with file descriptors over a pair of local sockets that keep messages apart (SOCK_SEQPACKET). Both ends use this."""

from __future__ import annotations

import array
import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

MESSAGE_MAX = 1 << 17
DESCRIPTORS_MAX = 16

Message = dict[str, Any]


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a conversation."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message with copies of these descriptors. Raises OSError, ValueError if it is too long."""
    data = json.dumps(message, separators=(",", ":")).encode()
    if len(data) > MESSAGE_MAX:
        raise ValueError(f"a message of {len(data)} bytes")
    socket.send_fds(sock, [data], list(descriptors))


def receive(sock: socket.socket) -> tuple[Message | None, list[int]]:
    """The next message and its descriptors, which are now the caller's to close; None when the other end is closed."""
    size = array.array("i").itemsize
    room = socket.CMSG_SPACE(DESCRIPTORS_MAX * size)
    try:
        data, ancillary, _, _ = sock.recvmsg(MESSAGE_MAX, room, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        # The other end was closed before it had read all: said once, and before what it had sent, which is still to be read.
        data, ancillary, _, _ = sock.recvmsg(MESSAGE_MAX, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(payload[: len(payload) - len(payload) % size])
    if not data:
        for descriptor in descriptors:
            os.close(descriptor)
        return None, []
    message: Message = json.loads(data)
    return message, list(descriptors)
