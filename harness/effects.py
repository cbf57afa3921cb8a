"""What a fault does to a cluster, as data: decided by ``nemesis``, applied by ``harness.injector`` through a cluster's powers.

Standard library only. A link is a directed pair (source node, destination node).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Link = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Messages of these links vanish. Power ``cut``."""

    links: frozenset[Link]


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketShape:
    """How a link treats messages while it is shaped. Probabilities 0..1, times in seconds.

    ``distribution`` is the jitter's: "uniform", "normal" or "pareto", as of tc-netem(8). ``corrupt`` is the probability that one bit of
    a packet flips: whoever sums up what it receives, as TCP does, drops it. ``bytes_per_s`` is the link's rate, 0 for no limit.
    Defaults of the nemesis are Jepsen's (jepsen.net all-packet-behaviors): delay 50 ms ± 10 ms, the others 20 %.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    distribution: str = "uniform"
    bytes_per_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """These links delay, lose, duplicate, reorder or corrupt messages, or are slow. Power ``shape``."""

    links: frozenset[Link]
    shape: PacketShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """These nodes crash (SIGKILL: nothing is cleaned up, un-synced storage may be lost); healing starts them again. Power ``kill``."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """These nodes stand still (SIGSTOP); healing lets them go on. Power ``pause``."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew:
    """A node's wall clock shows ``true + offset_s + (true - start of skew) * drift``; strobing flips between that and the truth.

    ``strobe_period_s`` 0 means no strobing. The monotonic clock is never touched.
    """

    offset_s: float = 0.0
    drift: float = 0.0
    strobe_period_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """These nodes' wall clocks are skewed. Power ``skew``."""

    nodes: tuple[str, ...]
    skew: ClockSkew


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate:
    """These nodes are asked to end (SIGTERM), and killed if they do not; healing starts them again. Power ``terminate``."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """These nodes get this share (0 to 1) of a processor's time, in small portions. Power ``throttle``."""

    nodes: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Squeeze:
    """These nodes get ``headroom_bytes`` of memory beyond what they have; more is refused, of which a node may die. Healing lifts the
    limit and starts those again that died. Power ``memory``.
    """

    nodes: tuple[str, ...]
    headroom_bytes: int


# What a power loss may do to those writes to a file that were not synced: the disk has none of them; all; the first ones, the last of
# them torn; some of them, in no order; or the file had grown but the data had not been written, so that there are zeros.
LOST, KEPT, TORN, REORDERED, ZEROED = "lost", "kept", "torn", "reordered", "zeroed"
CRASH_FATES = (LOST, KEPT, TORN, REORDERED, ZEROED)

# What a disk may do wrong, and the operations to which it does it. The first group refuses or is late, and says so; the second lies:
# a write stops short or lands elsewhere, and is acknowledged. The last happens to what lies on the disk, at once, without an operation.
READ, WRITE, FSYNC = "read", "write", "fsync"
DISK_ERRORS: Mapping[str, tuple[str, ...]] = {
    "eio": (READ, WRITE, FSYNC),
    "enospc": (WRITE,),
    "full": (WRITE,),
    "slow": (FSYNC,),
}
DISK_LIES: Mapping[str, tuple[str, ...]] = {"torn-write": (WRITE,), "misdirected-write": (WRITE,)}
DISK_DAMAGE: Mapping[str, tuple[str, ...]] = {"bit-flip": (), "truncate": ()}
DISK_ACTIONS: Mapping[str, tuple[str, ...]] = {**DISK_ERRORS, **DISK_LIES, **DISK_DAMAGE}


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFault:
    """What a disk does wrong: ``action`` is one of DISK_ACTIONS, to files whose path below the node's directory matches the glob
    ``path`` (its ``*`` also matches "/").

    ``operations`` are some of those that the action concerns, empty for all of them; each is hit with ``probability``. ``count``: so many
    are hit in all (0: no limit); of a bit-flip, so many bits (0: one). ``delay_s`` is how much longer a "slow" fsync takes.
    "full" is of the whole disk, whatever path, probability and count say.
    """

    action: str
    path: str = "*"
    operations: tuple[str, ...] = ()
    probability: float = 1.0
    count: int = 0
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakDisk:
    """These nodes' disks do this wrong. Healing ends it and starts those nodes again that died of it; what has been damaged stays damaged:
    to repair it is the target's business. Power ``disk``.
    """

    nodes: tuple[str, ...]
    fault: DiskFault


@dataclass(frozen=True, slots=True, kw_only=True)
class LosePower:
    """These nodes are dead, all at one instant, and of what their disks had not synced is left what ``fate`` says (one of CRASH_FATES);
    healing starts them again. Power ``power``.
    """

    nodes: tuple[str, ...]
    fate: str


# What an impostor may try, each a request that must have no effect. By a client's own connection: without a token; with one that has
# expired; that says of itself that it needs no signature; that somebody else signed; whose claims were changed after it was signed; whose
# role may not write; that was used before, at the same node or at another; and a question that only the harness may ask, with a good one.
TOKEN_ATTEMPTS = (
    "no-token",
    "expired-token",
    "alg-none",
    "wrong-key",
    "forged-claims",
    "wrong-role",
    "replayed-token",
    "replayed-elsewhere",
    "harness-question",
)
# With a good token, over a connection that must not come about: without a certificate, with one of another authority, with one that has
# expired; without TLS; bytes that are nothing at all. And over a client's own connection, in the name of a node.
TLS_ATTEMPTS = (
    "no-certificate",
    "other-authority",
    "expired-certificate",
    "plain-tcp",
    "garbage",
    "named-as-node",
)
ATTEMPTS = (*TOKEN_ATTEMPTS, *TLS_ATTEMPTS)
# The impostor's name, below which its log lies as those of nodes do. What it tries to write begins with MARK: it must never be read.
IMPOSTOR = "impostor"
MARK = f"{IMPOSTOR}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrude:
    """Somebody who has no right to tries to get in at these nodes, ``per_s`` times a second in all, by ``attempts`` in turn (those of them
    that there are on this cluster with this target's security). Power ``intrude``.
    """

    nodes: tuple[str, ...]
    attempts: tuple[str, ...]
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsynced:
    """A file when the power went: how many written bytes were not synced, and how many of those the disk has all the same."""

    path: str
    written: int
    kept: int


Effect = Cut | Shape | Kill | Pause | Skew | Terminate | Throttle | Squeeze | BreakDisk | LosePower | Intrude


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a probe saw: did the fault bite (or: is it healed), and the evidence in a few words ("4 of 4 links cut, 12 open")."""

    holds: bool
    evidence: str
    figures: Mapping[str, Any] = field(default_factory=dict)
