"""The packet log: every packet that enters or leaves the router, one JSON object on a line; what a space-time diagram is drawn from.

    {"began_ns": wall clock when the nodes' logs began to count}
    {"t_ns": wall clock, "way": "in"|"out", "src": NAME, "dest": NAME, "bytes": N, "mark": N, "type": of the first message in it}

A packet that came in and went on is there twice, with one mark (a sum over its content behind the network header): the times differ by
what the router did to it. One that never went on was lost or cut; one that went on twice was doubled; a mark that never came in is that of
a damaged one. The type is there where a message in plain text says it. The last line counts what the log itself missed, also because it
was full: {"missed": N}.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness import clock
from harness.clusters.fabric.nfqueue import Packet
from harness.messages import PACKETS, type_of

ALL_PROTOCOLS = 3  # ETH_P_ALL of if_ether.h
OUTGOING = 4  # PACKET_OUTGOING: packet(7)
SOL_PACKET, STATISTICS = 263, 6
SO_TIMESTAMPNS = 35
RECEIVE_BYTES = 8 << 20
# Enough of a packet to tell it from others: headers, and the beginning of what they carry.
SNAP_BYTES = 160
READ_AT_ONCE = 256
PACKETS_MAX = 2_000_000
_TIMESPEC, _COUNTS = struct.Struct("=qq"), struct.Struct("=II")
_HEADERS = {4: 20, 6: 40}

# The name of who has an address, None if it is nobody of the run.
NameOf = Callable[[bytes], str | None]


def open_tap() -> socket.socket:
    """A socket that sees all packets of the network namespace that this process is in; it stays with that namespace."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    with suppress(PermissionError):  # an ordinary user gets what the machine allows
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    return tap


def line(data: bytes, t_ns: int, name_of: NameOf, *, outgoing: bool) -> str | None:
    """What is said of a packet that begins with its network header; None for what is not between members of the run. Pure."""
    if not data or data[0] >> 4 not in _HEADERS or len(data) < _HEADERS[data[0] >> 4]:
        return None
    packet = Packet(number=0, data=data)
    src, dest = (name_of(half) for half in (packet.key[: len(packet.key) // 2], packet.key[len(packet.key) // 2 :]))
    if src is None or dest is None:
        return None
    fields = {"t_ns": t_ns, "way": "out" if outgoing else "in", "src": src, "dest": dest, "bytes": packet.size}
    kind = type_of(data)
    fields |= {"mark": zlib.crc32(data[_HEADERS[data[0] >> 4] :]), **({"type": kind} if kind else {})}
    return json.dumps(fields, separators=(",", ":")) + "\n"


class PacketLog:
    """Writes what a tap hears to the run's ``directory`` until it is closed. The nodes' logs began at ``began_s`` of the loop's time."""

    def __init__(self, tap: socket.socket, name_of: NameOf, directory: Path, began_s: float) -> None:
        self._tap, self._name_of = tap, name_of
        self._room, self._missed = PACKETS_MAX, 0
        self._file = (directory / PACKETS).open("w", encoding="ascii")
        began_ns = int((clock.wall_s() - asyncio.get_running_loop().time() + began_s) * 1e9)
        self._file.write(json.dumps({"began_ns": began_ns}) + "\n")
        tap.setblocking(False)
        asyncio.get_running_loop().add_reader(tap.fileno(), self._read)

    def close(self) -> None:
        """Write what has been heard so far, and how much was not. Idempotent."""
        if self._file.closed:
            return
        asyncio.get_running_loop().remove_reader(self._tap.fileno())
        while self._read():
            pass
        _, missed = _COUNTS.unpack(self._tap.getsockopt(SOL_PACKET, STATISTICS, _COUNTS.size))
        self._tap.close()
        self._file.write(json.dumps({"missed": missed + self._missed}) + "\n")
        self._file.close()

    def _read(self) -> bool:
        """Whether there may be more."""
        with suppress(BlockingIOError):
            for _ in range(READ_AT_ONCE):
                data, ancillary, _, where = self._tap.recvmsg(SNAP_BYTES, socket.CMSG_SPACE(_TIMESPEC.size))
                seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2]) if ancillary else (0, 0)
                outgoing = where[2] == OUTGOING
                said = line(data, seconds * 10**9 + nanoseconds, self._name_of, outgoing=outgoing)
                if said is not None and self._room:
                    self._file.write(said)
                    self._room -= 1
                elif said is not None:
                    self._missed += 1
            return True
        return False
