"""``files`` and its kin: what clients do with a distributed file system (the operations: ``harness.files``).

    files                 few names that are created, deleted, renamed, listed and looked at, with some appends and reads
    file-appends          record appends to few files and reads of them; every record at least once
    file-appends-once     the same of a file system that promises each record exactly once
    file-writes           overlapping writes to few files: all replicas must end up the same
    file-writes-defined   the same of one that also promises that writes do not mix: an order of whole writes explains what is left

Of the last four, each file is created before it is used, by whoever comes first. In their quiet time clients ask for ``stat`` alone, which
shows how long replicas are too few; then everybody reads each file, and two of them what its replicas hold. Writes are ``CELL`` bytes
long or several times that, and fall within ``EXTENT``; a file system with small chunks shows what happens at their borders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from harness.files import APPEND, CREATE, DELETE, EXISTS, LIST, READ, RENAME, REPLICAS, STAT, WRITE, answer_of
from harness.generator import (
    PENDING,
    Answer,
    Context,
    Generator,
    concat,
    invocation,
    node,
    on_threads,
    phases,
    stagger,
    time_limit,
)
from harness.op import Op, OpType
from harness.workloads.final import reads_of
from harness.workloads.workload import Workload, WorkloadOptions

NAMES, APPENDED, WRITTEN = 4, 3, 2  # how many paths each workload uses
# A file system has so long to restore what is missing, from the heal and from the last write on.
QUIET_S: Final = 8.0
REPLICATION: Final = 3
# Who looks at replicas: one look would do, and each costs as much as many reads.
LOOKING: Final = frozenset({0, 1})
CELL, EXTENT, CELLS_MAX = 16, 256, 6

Shares = Mapping[str, float]
NAMING: Final[Shares] = {
    CREATE: 0.25,
    DELETE: 0.15,
    RENAME: 0.15,
    STAT: 0.1,
    LIST: 0.1,
    APPEND: 0.15,
    READ: 0.1,
}
APPENDING: Final[Shares] = {APPEND: 0.6, READ: 0.2, STAT: 0.2}
WRITING: Final[Shares] = {WRITE: 0.6, READ: 0.2, STAT: 0.2}


def paths_of(options: WorkloadOptions, otherwise: int) -> tuple[str, ...]:
    """The files of a run: f0, d1/f1, f2, d1/f3, ..."""
    count = otherwise if options.keys is None else options.keys
    return tuple(f"d1/f{number}" if number % 2 else f"f{number}" for number in range(count))


@node
class Work:
    """Endless ops on ``paths``, in these ``shares``. ``fresh``: the next record. If files are ``made`` first (else it is None): those that
    are there; ``asked``: those whose create is not answered yet.
    """

    paths: tuple[str, ...]
    shares: Shares
    made: frozenset[str] | None
    asked: frozenset[str] = frozenset()
    fresh: int = 0

    def op(self, ctx: Context) -> Answer:
        if not ctx.free:
            return PENDING
        random = ctx.rng.random
        path = self.paths[int(len(self.paths) * random())]
        f = _drawn(self.shares, random())
        if self.made is not None and path not in self.made:
            if path in self.asked:
                return PENDING
            op = invocation(ctx, CREATE, path)
            return PENDING if op is PENDING else (op, replace(self, asked=self.asked | {path}))
        key: str | None = path
        value: Any = None
        uses = 0
        if f == LIST:
            key = None
        elif f == RENAME:
            other = self.paths.index(path) + 1 + int((len(self.paths) - 1) * random())
            value = self.paths[other % len(self.paths)]
        elif f == APPEND:
            value, uses = self.fresh, 1
        elif f == WRITE:
            cells = 1 + int(CELLS_MAX * random())
            value, uses = [CELL * int((EXTENT // CELL - cells + 1) * random()), self.fresh, CELL * cells], 1
        op = invocation(ctx, f, key, value)
        return PENDING if op is PENDING else (op, replace(self, fresh=self.fresh + uses) if uses else self)

    def update(self, ctx: Context, event: Op) -> Generator:
        if self.made is None or event.f != CREATE or event.type is OpType.INVOKE:
            return self
        there = event.type is OpType.OK or answer_of(event.error) == EXISTS
        return replace(self, made=self.made | {event.key} if there else self.made, asked=self.asked - {event.key})


def _drawn(shares: Shares, throw: float) -> str:
    for f, share in shares.items():
        throw -= share
        if throw < 0:
            return f
    return next(iter(shares))


def _names(options: WorkloadOptions) -> Generator:
    return Work(_two_at_least(options), NAMING, None)


def _names_and_content(options: WorkloadOptions) -> Generator:
    return concat(reads_of([None], LIST), reads_of(_two_at_least(options)))


def _two_at_least(options: WorkloadOptions) -> tuple[str, ...]:
    """Paths for renames, which need two."""
    return paths_of(replace(options, keys=max(2, options.keys or NAMES)), NAMES)


def _made_first(shares: Shares, count: int) -> Callable[[WorkloadOptions], Generator]:
    return lambda options: Work(paths_of(options, count), shares, frozenset())


def _everything(count: int) -> Callable[[WorkloadOptions], Generator]:
    def final(options: WorkloadOptions) -> Generator:
        paths = paths_of(options, count)
        watched = stagger(1 / options.rate, Work(paths, {STAT: 1.0}, None))
        looks = on_threads(LOOKING, reads_of(paths, REPLICAS))
        return phases(time_limit(QUIET_S, watched), concat(reads_of(paths), looks))

    return final


_ALWAYS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("availability", {}),
    ("sanity", {}),
    ("stats", {}),
    ("latency", {}),
)


def _workload(name: str, summary: str, shares: Shares, count: int, **judged: Any) -> Workload:
    return Workload(
        name=name,
        summary=summary,
        fs=(CREATE, *shares, REPLICAS),
        generator=_made_first(shares, count),
        final=_everything(count),
        checkers=(("files", {"replication": REPLICATION, **judged}), *_ALWAYS),
    )


FILES = Workload(
    name="files",
    summary="few names that are created, deleted, renamed, listed and looked at, with some appends and reads",
    fs=tuple(NAMING),
    generator=_names,
    final=_names_and_content,
    checkers=(("files", {"at_least_once": True}), *_ALWAYS),
)
FILE_APPENDS = _workload(
    "file-appends",
    "record appends to few files and reads of them: every acknowledged record is there at least once",
    APPENDING,
    APPENDED,
    at_least_once=True,
)
FILE_APPENDS_ONCE = _workload(
    "file-appends-once",
    "record appends to few files and reads of them: every acknowledged record is there exactly once",
    APPENDING,
    APPENDED,
)
FILE_WRITES = _workload(
    "file-writes",
    "overlapping writes to few files: all replicas must hold the same in the end",
    WRITING,
    WRITTEN,
    undefined=True,
)
FILE_WRITES_DEFINED = _workload(
    "file-writes-defined",
    "overlapping writes to few files: all replicas must hold the same in the end, and none may be mixed with others",
    WRITING,
    WRITTEN,
)
