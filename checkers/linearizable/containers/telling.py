"""Why a container's history is impossible: the fewest values that show it, and one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from checkers.kernels.engine import Plain
from checkers.linearizable.containers.judging import Container, Judged, Order, judge
from checkers.linearizable.containers.lives import EMPTY, FUTURE, INSERT, NONE, OPEN, ORDER, PHANTOM, REPEAT
from checkers.linearizable.shrink import shrink
from checkers.wording import Narrator, count
from harness.history import FAIL, Codes, Ints

# Calls judged anew while shrinking, in all. What is left then is the witness.
WORK_MAX = 400_000
# Every name of an anomaly, and what it means.
ANOMALIES = {
    "phantom": "a value was taken that nobody had put there",
    "duplicate": "a value that was put there once was taken twice",
    "future": "a value was taken before it was put there",
    "overtaking": "values came out in an order that the container forbids",
    "false-empty": "the container was found empty although something was in it all the time",
}
_NAMES = {PHANTOM: "phantom", REPEAT: "duplicate", FUTURE: "future", ORDER: "overtaking", EMPTY: "false-empty"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An anomaly: rows of the container's calls that it is about, and of the witness."""

    name: str
    sentence: str
    shows: tuple[int, ...]
    witness: tuple[int, ...]


def tell(container: Container, found: Judged, say: Narrator, rows: Ints) -> Told:
    """The witness and the sentence for what ``found`` says. ``rows`` are the rows of the container's calls among all."""
    values = container.values()
    kept = _smallest(container, found, values)
    scene = _Scene(container=container, found=found, say=say, rows=rows, values=values, kept=kept)
    refused = scene.refused(kept[0]) if found.status == PHANTOM else []
    witness = tuple(sorted({*_rows_of(values, kept, found.row), *found.lost, *refused}))
    return Told(
        name=_NAMES[found.status],
        sentence=_SENTENCES[found.status](scene),
        shows=witness[:6],
        witness=witness,
    )


def _rows_of(values: Codes, kept: Iterable[int], row: int) -> tuple[int, ...]:
    chosen = np.flatnonzero(np.isin(values, list(kept))).tolist()
    return tuple(sorted({*chosen, *([] if row == NONE else [row])}))


def _smallest(container: Container, found: Judged, values: Codes) -> list[int]:
    """The values without which nothing would be wrong."""
    kept = list(found.values)
    if (
        found.lost
        or found.status not in (ORDER, EMPTY)
        or (container.order is not Order.LIFO and found.status == ORDER)
    ):
        return kept  # these are as few as can be
    work_left = WORK_MAX

    def broken(part: list[int]) -> list[int] | None:
        nonlocal work_left
        rows = np.flatnonzero(np.isin(values, part) | (np.arange(len(values)) == found.row))
        work_left -= 2 * len(rows)
        if work_left < 0 or not len(rows):
            return None
        again = judge(container.part(rows), Plain() if len(rows) < 200 else None)
        return part if again.status == found.status else None

    return shrink(kept, broken)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scene:
    """What the sentences need: the values that are left, and words for what happened to them."""

    container: Container
    found: Judged
    say: Narrator
    rows: Ints
    values: Codes
    kept: list[int]

    def inserted(self, value: int) -> int:
        mine = np.flatnonzero((self.values == value) & self.container.inserts)
        return int(self.rows[mine[0]])

    def removed(self, value: int) -> list[int]:
        return [int(self.rows[row]) for row in np.flatnonzero((self.values == value) & ~self.container.inserts)]

    def did(self, row: int) -> str:
        return f"{self.say.whose(row)} {self.say.span(row)}"

    def refused(self, value: int) -> list[int]:
        """The first insertion of the value that failed, if one did."""
        c = self.container
        mine = np.flatnonzero((c.kinds[c.f] == INSERT) & (c.outcome == FAIL) & (c.argument == value))
        return [int(row) for row in mine[:1]]


def _phantom(scene: _Scene) -> str:
    (value,) = scene.kept
    removal = scene.removed(value)[0]
    why = "nobody had ever put that there"
    for failed in scene.refused(value):
        why = f"its only insertion had failed: {scene.did(int(scene.rows[failed]))}"
    return f"{scene.did(removal)} succeeded, but {why}"


def _repeat(scene: _Scene) -> str:
    first, second = scene.removed(scene.kept[0])[:2]
    return f"{scene.did(first)} and {scene.did(second)} took the same value, which was put there once"


def _future(scene: _Scene) -> str:
    (value,) = scene.kept
    row = scene.inserted(value)
    return f"{scene.did(scene.removed(value)[0])} ended before its value was put there: {scene.did(row)}"


def _order(scene: _Scene) -> str:
    calls = scene.say.calls
    if scene.container.order is Order.FIFO and (scene.found.lost or len(scene.kept) != 2):
        gone = sum(not scene.removed(value) for value in scene.kept)
        return (
            f"{count(gone, 'value')} must have left the queue before later ones did, nobody got them, and only "
            f"{count(len(scene.found.lost), 'removal')} of unknown result began early enough"
        )
    if scene.container.order is Order.FIFO:
        one, other = scene.kept
        rows = {value: (scene.inserted(value), scene.removed(value)) for value in (one, other)}
        early = min(rows, key=lambda value: int(calls.ret[rows[value][0]]))
        late = other if early == one else one
        taken = rows[early][1]
        end = f"that was taken only later: {scene.did(taken[0])}" if taken else "that was never taken"
        return (
            f"{scene.did(rows[late][1][0])} overtook an older value: {scene.did(rows[early][0])} came first, and {end}"
        )
    if scene.container.order is Order.LEAST:
        value, *smaller = scene.kept
        row = scene.inserted(smaller[0])
        there = (
            "a smaller value was there"
            if len(smaller) == 1
            else f"one of {count(len(smaller), 'smaller value')} was there"
        )
        return f"{scene.did(scene.removed(value)[0])} took it although all the time {there}, first of {scene.did(row)}"
    removals = [row for value in scene.kept for row in scene.removed(value)]
    last = max(removals, key=lambda row: int(calls.ret[row]))
    return (
        f"no order that respects real time gives these {count(len(scene.kept), 'value')} back last in, first out; the last of them "
        f"left with {scene.did(last)}"
    )


def _empty(scene: _Scene) -> str:
    row = int(scene.rows[scene.found.row])
    first = scene.inserted(scene.kept[0])
    there = "a value was" if len(scene.kept) == 1 else f"one of {count(len(scene.kept), 'value')} was"
    return f"{scene.did(row)} found nothing although {there} there all the time, first of {scene.did(first)}"


_SENTENCES = {PHANTOM: _phantom, REPEAT: _repeat, FUTURE: _future, ORDER: _order, EMPTY: _empty, OPEN: _order}
