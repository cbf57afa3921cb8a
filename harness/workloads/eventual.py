"""``eventual`` and its kin: for stores that promise to agree once nobody writes, and little before that.

Reads and writes of fresh values on many keys: many, since a key that is written again is repaired by that, and shows nothing. When
everything has healed and nobody writes any more, clients only read for ``QUIET_S``, which shows how long agreement takes; then
every client reads every key, and by then all must agree.

    eventual             one value per key; judged: agreement, and how stale reads were
    eventual-siblings    reads return all values that stand side by side; and no acknowledged write may be missing
    eventual-deletes     some writes are of null, which is what a key holds that was never written: deletions; none may come undone
    eventual-set         the workload ``set`` on several keys, with a quiet time: merged concurrent adds lose nothing
    write-read           one key after the other is written and then read by somebody else, never both at once: what quorums promise
    eventual-sessions    reads and writes on few keys, judged by what each session saw
    sessions             the same, of a store that puts all writes in one order, as consensus does, and loses none

Options: ``hop``, clients speak to another node with every op; ``vector``, clients carry their session's context. They reach the client in
the op's ``extra``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.generator import Generator, map_ops, phases, stagger, time_limit
from harness.op import Op
from harness.workloads.elements import Elements
from harness.workloads.final import reads_of
from harness.workloads.registers import registers
from harness.workloads.set_workload import MIX, SET
from harness.workloads.workload import Workload, WorkloadOptions
from harness.workloads.write_read import write_read

KEYS, SET_KEYS, PAIR_KEYS, SESSION_KEYS = 100, 5, 20, 5
SHARES = {"read": 0.6, "write": 0.4}
# Every so many writes of a key one deletes it.
DELETE_EVERY = 3
# A store has so long to agree, from the heal and from the last write on; the final reads begin a little later.
SETTLE_S, QUIET_S = 5.0, 6.0
HOP, VECTOR, SIBLINGS = "hop", "vector", "siblings"
WATCHING = "watching"  # marks the reads of the quiet time
_ALWAYS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("availability", {}),
    ("sanity", {}),
    ("stats", {}),
    ("latency", {}),
)
_AGREE = {"settle_s": SETTLE_S}


def _marked(options: WorkloadOptions, generator: Generator, *more: str) -> Generator:
    """The ops with what the client must know of them."""
    extra = dict.fromkeys((*more, *(name for name in (HOP, VECTOR) if getattr(options, name))), True)
    return map_ops(lambda op: replace(op, extra={**op.extra, **extra}), generator) if extra else generator


def _deleting(op: Op) -> Op:
    return replace(op, value=None) if op.f == "write" and op.value % DELETE_EVERY == 0 else op


def _registers(
    *marks: str, keys: int = KEYS, change: Callable[[Op], Op] | None = None
) -> Callable[[WorkloadOptions], Generator]:
    def generator(options: WorkloadOptions) -> Generator:
        made = registers([1.0] * options.keys_or(keys), SHARES)
        return _marked(options, made if change is None else map_ops(change, made), *marks)

    return generator


def _final(*marks: str, keys: int = KEYS) -> Callable[[WorkloadOptions], Generator]:
    def generator(options: WorkloadOptions) -> Generator:
        watched = stagger(1 / options.rate, registers([1.0] * options.keys_or(keys), {"read": 1.0}))
        # Each client reads at its own node: that all nodes give the same answer is what is asked.
        at_home = replace(options, hop=False)
        return phases(
            _marked(options, time_limit(QUIET_S, watched), *marks, WATCHING),
            _marked(at_home, reads_of(range(options.keys_or(keys))), *marks),
        )

    return generator


EVENTUAL = Workload(
    name="eventual",
    summary="reads and writes of fresh values on many keys, then quiet: in the end all nodes must agree",
    fs=tuple(SHARES),
    generator=_registers(),
    final=_final(),
    checkers=(("convergence", {**_AGREE, "lost_updates": False}), ("staleness", {}), *_ALWAYS),
)
EVENTUAL_SIBLINGS = replace(
    EVENTUAL,
    name="eventual-siblings",
    summary="the same, of a store that keeps concurrent writes side by side: none that was acknowledged may be missing",
    generator=_registers(SIBLINGS),
    final=_final(SIBLINGS),
    checkers=(("convergence", {**_AGREE, "siblings": True}), ("staleness", {"siblings": True}), *_ALWAYS),
)
EVENTUAL_DELETES = replace(
    EVENTUAL,
    name="eventual-deletes",
    summary="writes of fresh values and of null, which deletes: nothing that was deleted may come back",
    generator=_registers(SIBLINGS, change=_deleting),
    final=_final(SIBLINGS),
    checkers=(("convergence", {**_AGREE, "siblings": True}), *_ALWAYS),
)
EVENTUAL_SET = replace(
    SET,
    name="eventual-set",
    summary="adds of ever new elements to a few sets, then quiet, and what is left of them at the end",
    generator=lambda options: _marked(options, Elements(MIX, options.keys_or(SET_KEYS))),
    final=_final(keys=SET_KEYS),
)
WRITE_READ = replace(
    EVENTUAL,
    name="write-read",
    summary="a key is written, and then read by somebody else: never both at once, so a read that misses the write is stale",
    generator=lambda options: _marked(options, write_read(options.keys_or(PAIR_KEYS))),
    final=_final(keys=PAIR_KEYS),
    checkers=(("staleness", {}), *_ALWAYS),
)
EVENTUAL_SESSIONS = replace(
    EVENTUAL,
    name="eventual-sessions",
    summary="reads and writes on a few keys: did each session see its own writes, and never go back?",
    generator=_registers(keys=SESSION_KEYS),
    final=_final(keys=SESSION_KEYS),
    checkers=(("sessions", {}), ("staleness", {}), *_ALWAYS),
)
SESSIONS = replace(
    EVENTUAL_SESSIONS,
    name="sessions",
    summary="the same, of a store that puts writes in the order of real time: no client may go back, and no acknowledged write may be lost",
    checkers=(("sessions", {"order": "real-time"}), ("convergence", _AGREE), ("staleness", {}), *_ALWAYS),
)
