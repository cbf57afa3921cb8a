"""Litmus tests: tiny programs of several threads that tell memory models apart. The programs, as data; who runs and who judges them reads
them here.

An instruction is ["w", location, value], ["r", location, register] or ["fence"]; the fourth entry of an access may be "release" (of a
write) or "acquire" (of a read). ["lock", name] waits until nobody holds the lock and acquires, ["unlock", name] releases; ["barrier", name,
threads] releases, waits until so many have come to it, and acquires. All locations hold 0 at first. ``end`` is what is read when all
threads are done, if the outcome needs it: then each of them ends with a fence, so that what it wrote is there.
Names and shapes are the field's (Alglave, Maranget, Tautschnig, "Herding Cats", TOPLAS 2014). Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Instruction = Sequence[Any]
WRITE, READ, FENCE = "w", "r", "fence"
LOCK, UNLOCK, BARRIER = "lock", "unlock", "barrier"
RELEASE, ACQUIRE = "release", "acquire"
ACCESSES: Final = (WRITE, READ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Litmus:
    """One test: what each thread does, and what is read in the end."""

    name: str
    threads: tuple[tuple[Instruction, ...], ...]
    end: tuple[Instruction, ...] = ()

    @property
    def locations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step[1] for thread in self.threads for step in thread if step[0] in ACCESSES))

    @property
    def registers(self) -> tuple[str, ...]:
        """The registers that make the outcome, in order."""
        return tuple(step[2] for thread in (*self.threads, self.end) for step in thread if step[0] == READ)


def _w(location: str, value: int, *how: str) -> Instruction:
    return (WRITE, location, value, *how)


def _r(location: str, register: str, *how: str) -> Instruction:
    return (READ, location, register, *how)


_FENCE: Final = (FENCE,)
_LOCK, _UNLOCK, _BARRIER = (LOCK, "m"), (UNLOCK, "m"), (BARRIER, "b", 2)
LITMUS: Final[Mapping[str, Litmus]] = {
    test.name: test
    for test in (
        Litmus(name="SB", threads=((_w("x", 1), _r("y", "a")), (_w("y", 1), _r("x", "b")))),
        Litmus(name="SB+fences", threads=((_w("x", 1), _FENCE, _r("y", "a")), (_w("y", 1), _FENCE, _r("x", "b")))),
        Litmus(name="MP", threads=((_w("x", 1), _w("y", 1)), (_r("y", "a"), _r("x", "b")))),
        Litmus(name="MP+sync", threads=((_w("x", 1), _w("y", 1, RELEASE)), (_r("y", "a", ACQUIRE), _r("x", "b")))),
        Litmus(name="LB", threads=((_r("x", "a"), _w("y", 1)), (_r("y", "b"), _w("x", 1)))),
        Litmus(
            name="IRIW",
            threads=((_w("x", 1),), (_w("y", 1),), (_r("x", "a"), _r("y", "b")), (_r("y", "c"), _r("x", "d"))),
        ),
        Litmus(name="CoRR", threads=((_w("x", 1),), (_r("x", "a"), _r("x", "b")))),
        Litmus(
            name="2+2W",
            threads=((_w("x", 1), _w("y", 2), _FENCE), (_w("y", 1), _w("x", 2), _FENCE)),
            end=(_r("x", "a", ACQUIRE), _r("y", "b", ACQUIRE)),
        ),
        Litmus(
            name="SB+locks",
            threads=(
                (_LOCK, _w("x", 1), _r("y", "a"), _UNLOCK),
                (_LOCK, _w("y", 1), _r("x", "b"), _UNLOCK),
            ),
        ),
        Litmus(
            name="MP+locks",
            threads=(
                (_LOCK, _w("x", 1), _w("y", 1), _UNLOCK),
                (_LOCK, _r("y", "a"), _r("x", "b"), _UNLOCK),
            ),
        ),
        # The reader first, which is asked first: a barrier that lets it through has let nobody write before.
        Litmus(name="MP+barrier", threads=((_BARRIER, _r("x", "a")), (_w("x", 1), _BARRIER))),
    )
}
