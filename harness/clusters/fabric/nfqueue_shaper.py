"""The process that shapes packets: it stands in the router's namespace and holds, drops, copies or spoils what the filter hands it.

``Pacer`` is pure: packets and times go in, actions with their times come out; the dice of a link are those of ``links.Line``, so that
the n-th packet of a link has the same fate in every run with this seed. ``serve`` is the loop around it, on the real clock. It must
not look at links that are not shaped: the filter sends it none.
"""

from __future__ import annotations

import heapq
import random
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.clusters.fabric import links, nft
from harness.clusters.fabric.nfqueue import ACCEPT, DROP, Packet, Queue, verdict
from harness.clusters.namespaces import wire
from harness.effects import Link, PacketShape

# Links per message: a message has room for 128 KiB.
LINKS_MAX = 500
# What stands before the first byte that may be spoilt: the network header. A spoilt address would make another link of it.
HEADERS: Mapping[int, int] = {4: 20, 6: 40}


@dataclass(frozen=True, slots=True, order=True)
class Action:
    """What is to happen to a packet at ``due_s``: a verdict with this decision, or (``copy``) a second one of it is sent."""

    due_s: float
    order: int
    queue: int
    number: int
    decision: int
    data: bytes | None
    copy: bool


class Pacer:
    """What becomes of each packet."""

    def __init__(self, seed: int) -> None:
        self._seed, self._made = seed, 0
        self._lines: dict[Link, links.Line] = {}
        self._by_key: dict[bytes, links.Line] = {}
        self._due: list[Action] = []

    def shape(self, link: Link, keys: list[bytes], shape: PacketShape | None) -> None:
        """The packets with these addresses are the link's, and suffer this from now on; None: nothing."""
        line = self._lines.get(link)
        if line is None:
            line = self._lines[link] = links.Line(self._seed, link, links.NONE)
        self._by_key.update(dict.fromkeys(keys, line))
        line.shape = shape

    def arrive(self, queue: int, packet: Packet, now_s: float, *, whole: bool) -> None:
        """A packet waits for its verdict."""
        line = self._by_key.get(packet.key)
        data, fates = None, links.AT_ONCE
        if line is not None and line.shape is not None:
            damaged, fates = line.spoils(), line.fates(now_s, packet.size)
            if damaged and whole and fates:
                data = spoilt(packet.data, line.spoiler)
                line.tally.corrupted += 1
        if not fates:
            self._add(now_s, queue, packet.number, DROP)
            return
        self._add(now_s + fates[0], queue, packet.number, ACCEPT, data)
        if whole:
            for delay_s in fates[1:]:
                self._add(now_s + delay_s, queue, packet.number, ACCEPT, packet.data, copy=True)

    def _add(
        self, due_s: float, queue: int, number: int, decision: int, data: bytes | None = None, *, copy: bool = False
    ) -> None:
        self._made += 1
        heapq.heappush(self._due, Action(due_s, self._made, queue, number, decision, data, copy))

    def due(self, now_s: float) -> list[Action]:
        """What is to happen by now, in order."""
        actions = []
        while self._due and self._due[0].due_s <= now_s:
            actions.append(heapq.heappop(self._due))
        return actions

    def next_s(self) -> float | None:
        """When something is due next."""
        return self._due[0].due_s if self._due else None

    def tallies(self) -> list[tuple[Link, dict[str, int]]]:
        """What the packets of each link have suffered so far."""
        return [(link, asdict(line.tally)) for link, line in self._lines.items()]


def spoilt(data: bytes, dice: random.Random) -> bytes:
    """The packet with one bit behind its network header flipped; a packet that is nothing but header stays as it is."""
    header = HEADERS[data[0] >> 4]
    if len(data) <= header:
        return data
    place = dice.randrange(header, len(data))
    changed = bytearray(data)
    changed[place] ^= 1 << dice.randrange(8)
    return bytes(changed)


class Injector:
    """Sends copies of packets from the router's own output, which no rule of ours looks at."""

    def __init__(self) -> None:
        self._four = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, data: bytes) -> None:
        try:
            if data[0] >> 4 == 6:
                self._six.sendto(data, (socket.inet_ntop(socket.AF_INET6, data[24:40]), 0))
            else:
                self._four.sendto(data, (socket.inet_ntop(socket.AF_INET, data[16:20]), 0))
        except OSError:  # no way there, or no room: a copy that is lost is no more than a copy that was not made
            return


def serve(control: socket.socket, seed: int, first_queue: int = 0) -> None:
    """Serve both queues, the first of that number, until the other end of ``control`` is closed.

    Requests: {"links": [[src, dest, [key in hex...]]...], "shape": {...} or null}, answered {}; {"tallies": n}, answered with
    those from the n-th on, at most ``LINKS_MAX``.
    """
    pacer, injector = Pacer(seed), Injector()
    queues = {
        first_queue + number: Queue(first_queue + number, whole=name == nft.COPIED)
        for name, number in nft.QUEUES.items()
    }
    wire.send(control, {})  # ready
    sockets = {queue.socket.fileno(): queue for queue in queues.values()}
    while True:
        next_s = pacer.next_s()
        wait_s = None if next_s is None else max(0.0, next_s - time.monotonic())
        ready, _, _ = select.select([control.fileno(), *sockets], [], [], wait_s)
        for one in ready:
            if one == control.fileno():
                request, _ = wire.receive(control)
                if request is None:
                    return
                wire.send(control, {"id": request["id"], **_answer(pacer, request)})
            else:
                queue = sockets[one]
                for packet in queue.receive():
                    pacer.arrive(queue.number, packet, time.monotonic(), whole=queue.whole)
        _carry_out(pacer.due(time.monotonic()), queues, injector)


def _answer(pacer: Pacer, request: Mapping[str, Any]) -> dict[str, Any]:
    if "tallies" in request:
        start = request["tallies"]
        return {"tallies": pacer.tallies()[start : start + LINKS_MAX]}
    shape = PacketShape(**request["shape"]) if request["shape"] is not None else None
    for src, dest, keys in request["links"]:
        pacer.shape((src, dest), [bytes.fromhex(key) for key in keys], shape)
    return {}


def _carry_out(actions: list[Action], queues: Mapping[int, Queue], injector: Injector) -> None:
    verdicts: dict[int, list[bytes]] = {}
    for action in actions:
        if action.copy:
            assert action.data is not None
            injector.send(action.data)
        else:
            verdicts.setdefault(action.queue, []).append(
                verdict(action.queue, action.number, action.decision, action.data)
            )
    for number, messages in verdicts.items():
        queues[number].decide(messages)
