"""The packet filter of the router: which links let nothing through, lose packets, or pass the queue. Standard library alone.

One table per address family with these chains, in this order:

    cut     forwarded packets of the links in the set "cut" are dropped
    loss    those of the links in "loss<n>" are dropped with a probability of n in 10,000; the set "lost" holds these links, too, to count
    queue   those of the links in "slow" and "copied" go to user space (``nfqueue``): by their headers alone, or whole
    held    what comes back from there meets the cuts again: a cut also takes what was under way
    again   so do the copies that are sent from there

A link is a pair of addresses, looked up as one key: both stand side by side in the header. Every element counts the packets that
matched it. Changes are sent in one batch, which the kernel carries out as a whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.clusters.fabric.netlink import ACK, APPEND, CREATE, DUMP, Netlink, Request, attribute, attributes, nested

SUBSYSTEM = 10 << 8
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEW_TABLE, DELETE_TABLE, NEW_CHAIN, NEW_RULE, NEW_SET, NEW_ELEMENTS, GET_ELEMENTS, DELETE_ELEMENTS = (
    0,
    2,
    3,
    6,
    9,
    12,
    13,
    14,
)
TABLE = "splitbrain"

INPUT, FORWARD, OUTPUT = 1, 2, 3  # hooks
CUT, LOSS, QUEUE, HELD, AGAIN = "cut", "loss", "queue", "held", "again"
# Chains with their hooks and priorities: the lowest comes first.
CHAINS: Mapping[str, tuple[int, int]] = {
    CUT: (FORWARD, -20),
    LOSS: (FORWARD, -10),
    QUEUE: (FORWARD, 0),
    HELD: (FORWARD, 10),
    AGAIN: (OUTPUT, 0),
}
SLOW, COPIED, LOST = "slow", "copied", "lost"
QUEUES: Mapping[str, int] = {SLOW: 0, COPIED: 1}
LOSS_PARTS = 10_000
# An attribute is at most 64 KiB long, and an element with an IPv6 key takes 44 bytes.
KEYS_MAX = 1000
# A transaction is one message to the kernel: enough for all 9,900 links of a hundred nodes, in both families.
SEND_BYTES = 4 << 20
SO_SNDBUFFORCE = 32

NETWORK_HEADER, VERDICT, REGISTER = (
    1,
    0,
    1,
)  # where a key is read from; the verdict's register, and the first one for data
DROP = 0
OWNED = 2  # a table that the kernel removes when the socket that made it closes (NFT_TABLE_F_OWNER, Linux 5.12)
LOOPBACK, NOT_EQUAL, INTERFACE = 1, 1, 4  # the number that the loopback interface always has
BYPASS = 1  # where nobody serves a queue, its packets pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Where the addresses stand in the header, source before destination; and where the rules of this family stand.

    On a router packets are met where it forwards them, on a host (``hook`` INPUT) where it receives them; copies that are sent there come
    back by the loopback interface, and are not met twice. ``queue`` is the number of the first of the two queues.
    """

    number: int
    offset: int
    size: int
    table: str = TABLE
    hook: int = FORWARD
    queue: int = 0


# RFC 791 section 3.1, RFC 8200 section 3.
FAMILIES: Mapping[int, Family] = {
    socket.AF_INET: Family(number=2, offset=12, size=8),
    socket.AF_INET6: Family(number=10, offset=8, size=32),
}
Key = bytes  # source address and destination address


def be32(value: int) -> bytes:
    return struct.pack(">I", value)


def _request(kind: int, family: Family, what: str, *parts: bytes, flags: int = ACK | CREATE) -> Request:
    header = struct.pack(">BBH", family.number, 0, 0)
    return Request(kind=SUBSYSTEM | kind, flags=flags, payload=header + b"".join(parts), what=what)


def batch(requests: Iterable[Request]) -> list[Request]:
    """These requests as one transaction."""
    edge = struct.pack(">BBH", 0, 0, SUBSYSTEM >> 8)
    begin = Request(kind=BATCH_BEGIN, flags=0, payload=edge, what="change the packet filter")
    return [begin, *requests, Request(kind=BATCH_END, flags=0, payload=edge, what="change the packet filter")]


# Expressions of rules


def _expression(name: str, *parts: bytes) -> bytes:
    return nested(1, attribute(1, name), nested(2, *parts))


def _key(family: Family) -> bytes:
    where = attribute(2, be32(NETWORK_HEADER)) + attribute(3, be32(family.offset)) + attribute(4, be32(family.size))
    return _expression("payload", attribute(1, be32(REGISTER)), where)


def _in_set(name: str) -> bytes:
    return _expression("lookup", attribute(1, name), attribute(2, be32(REGISTER)))


def _not_by_loopback() -> bytes:
    index = _expression("meta", attribute(1, be32(2)), attribute(2, be32(INTERFACE)))
    value = nested(3, attribute(1, struct.pack("=I", LOOPBACK)))
    return index + _expression("cmp", attribute(1, be32(2)), attribute(2, be32(NOT_EQUAL)), value)


def _met(family: Family, name: str) -> bytes:
    """Goes on for packets of the set's links, and on a host for those alone that come from elsewhere."""
    return (b"" if family.hook == FORWARD else _not_by_loopback()) + _key(family) + _in_set(name)


def _drop() -> bytes:
    return _expression("immediate", attribute(1, be32(VERDICT)), nested(2, nested(2, attribute(1, be32(DROP)))))


def _by_chance(parts: int) -> bytes:
    """Goes on with a probability of ``parts`` in ``LOSS_PARTS``."""
    throw = _expression("numgen", attribute(1, be32(2)), attribute(2, be32(LOSS_PARTS)), attribute(3, be32(1)))
    sizes = attribute(4, be32(4)) + attribute(5, be32(4))
    big_endian = _expression("byteorder", attribute(1, be32(2)), attribute(2, be32(2)), attribute(3, be32(1)), sizes)
    below = _expression("cmp", attribute(1, be32(2)), attribute(2, be32(2)), nested(3, attribute(1, be32(parts))))
    return throw + big_endian + below


def _to_queue(number: int) -> bytes:
    return _expression(
        "queue", *(attribute(kind, struct.pack(">H", v)) for kind, v in ((1, number), (2, 1), (3, BYPASS)))
    )


def _to_queue_compat(number: int) -> bytes:
    """The same by the target of iptables (revision 3), for kernels that are built without nft's own."""
    info = struct.pack("=HHH", number, 1, BYPASS) + b"\0\0"
    return _expression("target", attribute(1, "NFQUEUE"), attribute(2, be32(3)), attribute(3, info))


# Requests


def _rule(family: Family, chain: str, *expressions: bytes) -> Request:
    body = attribute(1, family.table) + attribute(2, chain) + nested(4, *expressions)
    return _request(NEW_RULE, family, f"add a rule to the chain {chain}", body, flags=ACK | CREATE | APPEND)


def _set(family: Family, name: str, number: int) -> Request:
    key = attribute(3, be32(0)) + attribute(4, be32(0)) + attribute(5, be32(family.size)) + attribute(10, be32(number))
    counted = nested(17, attribute(1, "counter"))
    return _request(
        NEW_SET, family, f"make the set {name}", attribute(1, family.table), attribute(2, name), key, counted
    )


def _elements(kind: int, name: str, keys: Sequence[Key], family: Family) -> Request:
    listed = nested(3, *(nested(1, nested(1, attribute(1, key))) for key in keys))
    verb, flags = ("add to", ACK | CREATE) if kind == NEW_ELEMENTS else ("remove from", ACK)
    what = f"{verb} the set {name}"
    return _request(kind, family, what, attribute(1, family.table), attribute(2, name), listed, flags=flags)


def setup(*, compat: bool, families: Iterable[Family] = tuple(FAMILIES.values()), owned: bool = False) -> list[Request]:
    """A table per family with its chains, and the sets of cuts and queues."""
    to_queue = _to_queue_compat if compat else _to_queue
    requests = []
    for family in families:
        flags = attribute(2, be32(OWNED)) if owned else b""
        requests.append(_request(NEW_TABLE, family, "make the table", attribute(1, family.table), flags))
        for chain, (hook_number, priority) in CHAINS.items():
            at = family.hook if hook_number == FORWARD else hook_number
            hook = nested(4, attribute(1, be32(at)), attribute(2, struct.pack(">i", priority)))
            named = attribute(1, family.table) + attribute(3, chain)
            requests.append(_request(NEW_CHAIN, family, f"make the chain {chain}", named, hook, attribute(7, "filter")))
        requests += [_set(family, name, number) for number, name in enumerate((CUT, *QUEUES, LOST), 1)]
        requests += [_rule(family, chain, _key(family), _in_set(CUT), _drop()) for chain in (CUT, HELD, AGAIN)]
        requests += [_rule(family, QUEUE, _met(family, name), to_queue(family.queue + n)) for name, n in QUEUES.items()]
    return requests


def loss_set(parts: int) -> str:
    """The name of the set of links that lose ``parts`` in ``LOSS_PARTS``."""
    return f"{LOSS}{parts}"


def lossy(parts: int, families: Iterable[Family] = tuple(FAMILIES.values())) -> list[Request]:
    """The set of that probability and its rule, per family."""
    name = loss_set(parts)
    requests = []
    for family in families:
        requests.append(_set(family, name, LOSS_PARTS + parts))
        # The throw has taken the place of the key, which is read again: the look-up in the second set counts what is dropped.
        counted = _key(family), _in_set(LOST)
        requests.append(_rule(family, LOSS, _met(family, name), _by_chance(parts), *counted, _drop()))
    return requests


def changes(
    old: Mapping[str, frozenset[Key]],
    new: Mapping[str, frozenset[Key]],
    families: Iterable[Family] = tuple(FAMILIES.values()),
) -> list[Request]:
    """What leads from one content of the sets to another; elements that stay keep their counts."""
    requests = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, frozenset()), new.get(name, frozenset())
        for kind, keys in ((DELETE_ELEMENTS, before - after), (NEW_ELEMENTS, after - before)):
            for family in families:
                chosen = sorted(key for key in keys if len(key) == family.size)
                starts = range(0, len(chosen), KEYS_MAX)
                requests += [_elements(kind, name, chosen[start : start + KEYS_MAX], family) for start in starts]
    return requests


class Filter:
    """The packet filter of the namespace that the socket belongs to; without ``six`` for IPv4 alone.

    ``place`` are fields of ``Family`` that say where its rules stand. What is ``owned`` goes with the socket where the kernel can do so.
    """

    def __init__(
        self, sock: socket.socket, *, six: bool = True, place: Mapping[str, Any] | None = None, owned: bool = False
    ) -> None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, SEND_BYTES)
        except PermissionError:  # an ordinary user gets what the machine allows: some 50 nodes' links, as a rule
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        self._netlink = Netlink(sock)
        there = (family for number, family in FAMILIES.items() if six or number == socket.AF_INET)
        self._families = tuple(replace(family, **(place or {})) for family in there)
        self._owned = owned
        self._sizes = {family.size for family in self._families}
        self._sets: dict[str, frozenset[Key]] = {}
        self._losses: set[int] = set()

    def setup(self) -> None:
        """Make the tables. Raises OSError."""
        try:
            self._make(compat=False)
        except OSError as error:
            if error.errno != errno.ENOENT:  # ENOENT: this kernel has no such expression
                raise
            self._make(compat=True)

    def _make(self, *, compat: bool) -> None:
        try:
            self._netlink.transact(batch(setup(compat=compat, families=self._families, owned=self._owned)))
        except OSError as error:
            if not self._owned or error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # a kernel before 5.12
                raise
            self._netlink.transact(batch(setup(compat=compat, families=self._families)))

    def remove(self) -> None:
        """Take the tables away, with all that is in them. Raises OSError."""
        removed = [
            _request(DELETE_TABLE, family, "remove the table", attribute(1, family.table), flags=ACK)
            for family in self._families
        ]
        self._netlink.transact(batch(removed))

    def close(self) -> None:
        self._netlink.close()

    def hold(self, sets: Mapping[str, frozenset[Key]], losses: Iterable[int] = ()) -> None:
        """From now on exactly these keys are in these sets, in one transaction; ``losses`` are the probabilities that are used.

        Raises OSError, and then nothing has changed.
        """
        fresh = sorted(set(losses) - self._losses)
        sets = {name: frozenset(key for key in keys if len(key) in self._sizes) for name, keys in sets.items()}
        requests = [request for parts in fresh for request in lossy(parts, self._families)] + changes(
            self._sets, sets, self._families
        )
        if requests:
            self._netlink.transact(batch(requests))
        self._sets, self._losses = sets, self._losses | set(fresh)

    def counts(self, name: str) -> dict[Key, int]:
        """How many packets have matched each key that is in the set now."""
        found: dict[Key, int] = {}
        for family in self._families:
            asked = attribute(1, family.table) + attribute(2, name)
            request = _request(GET_ELEMENTS, family, f"list the set {name}", asked, flags=DUMP)
            for answer in self._netlink.dump(request):
                found.update(element_counts(answer.payload))
        return found


def element_counts(payload: bytes) -> dict[Key, int]:
    """The keys and packet counts in a message that lists a set's elements."""
    found: dict[Key, int] = {}
    for kind, listed in attributes(payload[4:]):
        if kind != 3:
            continue
        for _, element in attributes(listed):
            parts = dict(attributes(element))
            key = dict(attributes(parts[1]))[1]
            with contextlib.suppress(KeyError):  # no counter: never matched
                data = dict(attributes(dict(attributes(parts[7]))[2]))
                found[key] = struct.unpack(">Q", data[2])[0]
    return found
