"""The rate of an interface: requests that put a token bucket filter on what leaves by it, or take it off. See tc-tbf(8)."""

from __future__ import annotations

import struct

from harness.clusters.fabric.netlink import ACK, CREATE, REPLACE, Request, attribute, nested

NEW_QDISC, DELETE_QDISC = 36, 37
KIND, OPTIONS = 1, 2
PARAMETERS, BURST = 1, 6
ROOT, HANDLE = 0xFFFFFFFF, 0x10000
# Told that the link is Ethernet, the kernel computes transmission times itself; else it wants a table of 1 KiB with them.
ETHERNET = 1
# Scheduler ticks per second: the kernel counts time in units of 64 ns (PSCHED_SHIFT is 6).
TICKS = 1_000_000_000 // 64

# A bucket as deep as two full-size segments that offloading has put together: a smaller one would drop such a segment for ever.
BURST_BYTES = 2 * 65536
# What waits longer than this is dropped, as by a short queue of a real device.
WAIT_S = 0.05

_QDISC = struct.Struct("=BxxxiIII")  # family, interface, handle, parent, info
_RATE = struct.Struct("=BBHhHI")  # cell log, link layer, overhead, cell align, mpu, bytes per second


def limit(index: int, bytes_per_s: int) -> Request:
    """No more than that leaves by this interface; replaces the limit that it had. Raises ValueError for a rate that is none."""
    if not 0 < bytes_per_s < 2**32:
        raise ValueError(f"a rate is 1 to {2**32 - 1} bytes per second, not {bytes_per_s}")
    rate, no_peak = _RATE.pack(0, ETHERNET, 0, -1, 0, bytes_per_s), _RATE.pack(0, 0, 0, 0, 0, 0)
    queue_bytes = BURST_BYTES + int(bytes_per_s * WAIT_S)
    buffer_ticks = min(BURST_BYTES * TICKS // bytes_per_s, 2**32 - 1)
    parameters = rate + no_peak + struct.pack("=III", queue_bytes, buffer_ticks, 0)
    options = nested(OPTIONS, attribute(PARAMETERS, parameters), attribute(BURST, struct.pack("=I", BURST_BYTES)))
    payload = _QDISC.pack(0, index, HANDLE, ROOT, 0) + attribute(KIND, "tbf") + options
    return Request(
        kind=NEW_QDISC, flags=ACK | CREATE | REPLACE, payload=payload, what=f"limit the rate of interface {index}"
    )


def unlimit(index: int) -> Request:
    """The interface is as fast as it is. The kernel refuses (ENOENT) where there was no limit."""
    payload = _QDISC.pack(0, index, 0, ROOT, 0)
    return Request(kind=DELETE_QDISC, flags=ACK, payload=payload, what=f"lift the limit of interface {index}")
