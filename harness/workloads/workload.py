"""What a workload is, as data, and what a run tells it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from harness.errors import PlanError, suggest
from harness.generator import Generator

KEYS_MAX = 10_000
QUIET_MAX_S = 3600
_OF_THE_RUN = ("concurrency", "nodes", "rng", "time_limit_s", "rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadOptions:
    """What a run tells its workload. Raises PlanError with all that is wrong.

    ``concurrency`` client threads speak to ``nodes``, ``rate`` ops per second for ``time_limit_s``. ``rng`` is for what is drawn before
    the run begins; during it, generators draw from their context. The rest is the user's to choose: how many ``keys`` (None: as the
    workload sees fit), how many ops each key gets where keys follow one another (``ops_per_key``), how long all is quiet before the
    final reads (``quiet_s``; None: as the workload sees fit), whether clients go to another node with every op (``hop``) and whether they
    carry what their session has seen (``vector``), where the workload and the client know of that.
    """

    concurrency: int
    nodes: tuple[str, ...]
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    time_limit_s: float = 60.0
    rate: float = 100.0
    keys: int | None = None
    ops_per_key: int = 100
    quiet_s: float | None = None
    hop: bool = False
    vector: bool = False

    def __post_init__(self) -> None:
        problems = [sentence.format(self) for holds, sentence in _RULES if not holds(self)]
        if problems:
            raise PlanError("; ".join(problems))

    @classmethod
    def of(
        cls,
        chosen: Mapping[str, Any],
        *,
        concurrency: int,
        nodes: tuple[str, ...],
        rng: random.Random,
        time_limit_s: float,
        rate: float,
    ) -> WorkloadOptions:
        """The options of a run for which the user has ``chosen`` some. Raises PlanError, with a suggestion, for an unknown one."""
        known = {f.name for f in fields(cls)} - set(_OF_THE_RUN)
        for name in chosen:
            if name not in known:
                raise PlanError(f"unknown workload option {name!r}: {suggest(name, known)}")
        return cls(concurrency=concurrency, nodes=nodes, rng=rng, time_limit_s=time_limit_s, rate=rate, **dict(chosen))

    def keys_or(self, otherwise: int) -> int:
        """How many keys there are, where the workload sees ``otherwise`` fit."""
        return otherwise if self.keys is None else self.keys


def _whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


_RULES: tuple[tuple[Callable[[WorkloadOptions], bool], str], ...] = (
    (lambda o: _whole(o.concurrency, 1, 10_000), "a workload needs 1 to 10000 clients, not {0.concurrency}"),
    (lambda o: len(o.nodes) > 0, "a workload needs at least one node"),
    (lambda o: o.keys is None or _whole(o.keys, 1, KEYS_MAX), "keys must be 1 to 10000, not {0.keys}"),
    (
        lambda o: _whole(o.ops_per_key, 1, 10**9),
        "ops_per_key must be a whole number of at least 1, not {0.ops_per_key}",
    ),
    (
        lambda o: o.quiet_s is None or (type(o.quiet_s) in (int, float) and 0 <= o.quiet_s <= QUIET_MAX_S),
        "quiet_s must be 0 to 3600 seconds, not {0.quiet_s}",
    ),
    (lambda o: type(o.hop) is bool, "hop must be true or false, not {0.hop}"),
    (lambda o: type(o.vector) is bool, "vector must be true or false, not {0.vector}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One kind of work for clients.

    ``fs`` are the operations that it uses; a target that has it must know them. ``generator`` gives endless client ops: when and for how
    long is the run's business, so it is asked with client threads alone, below ``clients(stagger(...))``. ``final`` gives the reads after
    everything was healed, every key by every client thread, or None if there is nothing to read; it stands after the generator in the
    run's phases, and so hears which keys were used. It begins ``quiet_s`` after the last op: time for a store that promises to agree once
    nobody writes. ``checkers`` are (name, options), all of which judge the history.
    """

    name: str
    summary: str
    fs: tuple[str, ...]
    generator: Callable[[WorkloadOptions], Generator]
    final: Callable[[WorkloadOptions], Generator | None]
    checkers: tuple[tuple[str, Mapping[str, Any]], ...]
    quiet_s: float = 0.0
