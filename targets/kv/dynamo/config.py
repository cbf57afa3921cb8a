"""The options of a node: quorums, how conflicts are settled, which repairs run; times in seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from targets.node.options import chosen


class Conflict(StrEnum):
    """How copies that differ become one: see the package."""

    SIBLINGS = "siblings"
    LWW = "lww"
    HLC = "hlc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``n``, ``r``, ``w``: a key has n home nodes; a read waits for r answers, a write for w. ``conflict``: see the package. ``sloppy``: where
    a home does not answer, the next node of the ring stands in for it with a hint (4.6); without, only homes count (strict quorum).
    ``read_repair``: a read brings the homes up to date that answered with less. ``write_back``: a read answers only once w homes
    have what it returns (Attiya, Bar-Noy, Dolev 1995). ``vnodes``: places of each node on the ring.

    ``gossip_s``: how often a node tells two others whom it has heard of; ``suspect_s``: a node of which nothing new was heard so long is
    taken for down. ``hedge_s``: a replica that has not answered by then is made up for by another. ``request_s``: then a
    coordinator gives up; a client's patience has room for a read and a write. ``handoff_s``: how often hints are offered.
    ``anti_entropy_s``: how often a node compares itself with one other (0: never). ``gc_grace_s``: a deletion is remembered so long, ten
    days as in Cassandra: replicas must have compared themselves by then. ``log_bytes``: the log is rewritten when it is longer.
    """

    n: int = 3
    r: int = 2
    w: int = 2
    conflict: Conflict = Conflict.SIBLINGS
    sloppy: bool = True
    read_repair: bool = True
    write_back: bool = False
    vnodes: int = 16
    gossip_s: float = 0.2
    suspect_s: float = 1.0
    hedge_s: float = 0.15
    request_s: float = 0.8
    handoff_s: float = 0.5
    anti_entropy_s: float = 0.5
    gc_grace_s: float = 864_000.0
    log_bytes: int = 262_144

    @classmethod
    def of(cls, options: Mapping[str, Any], nodes: int) -> Config:
        """The options that are a field's name, for a cluster of so many ``nodes``; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        problems = [sentence.format(c=config, nodes=nodes) for holds, sentence in _RULES if not holds(config, nodes)]
        if problems:
            raise ValueError("; ".join(problems))
        return config


_RULES: tuple[tuple[Callable[[Config, int], bool], str], ...] = (
    (lambda c, nodes: 1 <= c.n <= nodes, "option n={c.n} must be 1 to {nodes}, the number of nodes"),
    (lambda c, _: 1 <= c.r <= c.n, "option r={c.r} must be 1 to n={c.n}"),
    (lambda c, _: 1 <= c.w <= c.n, "option w={c.w} must be 1 to n={c.n}"),
    (lambda c, _: 1 <= c.vnodes <= 1024, "option vnodes={c.vnodes} must be 1 to 1024"),
    (lambda c, _: 0 < c.gossip_s < c.suspect_s, "0 < gossip_s={c.gossip_s} < suspect_s={c.suspect_s} must hold"),
    (lambda c, _: 0 < c.hedge_s < c.request_s, "0 < hedge_s={c.hedge_s} < request_s={c.request_s} must hold"),
    (lambda c, _: c.handoff_s > 0, "option handoff_s={c.handoff_s} must be above 0"),
    (lambda c, _: c.anti_entropy_s >= 0, "option anti_entropy_s={c.anti_entropy_s} must be 0 (never) or more"),
    (lambda c, _: c.gc_grace_s >= 0, "option gc_grace_s={c.gc_grace_s} must be 0 or more"),
    (lambda c, _: c.log_bytes >= 1, "option log_bytes={c.log_bytes} must be at least 1"),
)
