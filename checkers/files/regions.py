"""Overlapping writes: whose bytes may a read show, and does an order of whole writes explain what is left? By names:

* ``stale-read``: a read shows, where a write had been acknowledged before it began, the bytes of one that had ended before that write
  began, or none;
* ``lost-write``: the same of a final read, or of what a replica holds in the end;
* ``wrong-offset``: the bytes of a write are where it did not write;
* ``undefined-region``: no order of the acknowledged writes that respects real time leaves what is left: each write as a whole, so that of
  two that overlap the same one is on top everywhere. GFS calls such a region consistent, but undefined (section 2.7.1).

A write of unknown outcome may have left any part of itself, at any time since it began: so it excuses what it covers, and is never mixed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from checkers.files.lives import Lives
from checkers.files.records import OFFSET, STALE, View
from checkers.files.steps import Content, Step, by_path
from checkers.findings import Findings
from checkers.wording import Narrator, listed, name
from harness.files import WRITE

LOST, UNDEFINED = "lost-write", "undefined-region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The bytes from ``start`` to before ``end`` are those of the write ``on_top`` (None: nobody's). Of the acknowledged writes that must
    show there, ``last`` began last. ``cell`` is where it lies, see ``Cells``.
    """

    start: int
    end: int
    on_top: Step | None
    last: Step
    cell: int


class Cells:
    """The writes to one file, cut wherever one begins or ends: every cell lies wholly in a write or wholly outside."""

    def __init__(self, writes: Sequence[Step]) -> None:
        self.known = {step.argument[1]: step for step in writes}
        self.edges = sorted({edge for step in writes for edge in reach(step)})
        self._covering: list[list[Step]] = [[] for _ in self.edges]
        for step in writes:
            if step.ok:
                first, end = (bisect_left(self.edges, edge) for edge in reach(step))
                for cell in range(first, end):
                    self._covering[cell].append(step)
        # Of each cell: when writes of it ended, in order, and which one of those so far began last.
        self._rets: list[list[int]] = []
        self._last: list[list[Step]] = []
        for covering in self._covering:
            ended = sorted(covering, key=lambda step: step.ret)
            self._rets.append([step.ret for step in ended])
            self._last.append(list(accumulate(ended, _later)))

    def pieces(self, view: View) -> list[Piece]:
        """What a view shows, cut wherever a write or an entry begins or ends. Only where an acknowledged write had to leave something."""
        runs = self._runs(view)
        edges = sorted({*self.edges, *(edge for start, end, _ in runs for edge in (start, end))})
        found = []
        for start, end in pairwise(edges):
            cell = bisect_right(self.edges, start) - 1
            ended = bisect_left(self._rets[cell], view.step.call)
            if ended:
                on_top = next((step for first, until, step in runs if first <= start and end <= until), None)
                last = self._last[cell][ended - 1]
                found.append(Piece(start=start, end=end, on_top=on_top, last=last, cell=cell))
        return found

    def under(self, piece: Piece, view: View) -> list[Step]:
        """The acknowledged writes that cover the piece and had ended before the view."""
        return [step for step in self._covering[piece.cell] if step.ret < view.step.call]

    def ended(self, view: View) -> int:
        """A number that tells how many of the writes had ended before the view."""
        return sum(bisect_left(rets, view.step.call) for rets in self._rets)

    def _runs(self, view: View) -> list[tuple[int, int, Step]]:
        """Which bytes are whose, where that is known and where it wrote."""
        found = []
        following = [*(offset for offset, _ in view.content), None][1:]
        for (offset, record), until in zip(view.content, following, strict=True):
            step = self.known.get(record) if type(record) is int else None
            if step is not None:
                start, end = reach(step)
                if start <= offset < end:
                    found.append((offset, end if until is None else min(end, until), step))
        return found


def _later(one: Step, other: Step) -> Step:
    """The one that began later."""
    return one if one.call > other.call else other


def reach(step: Step) -> tuple[int, int]:
    """Where a write begins and ends."""
    offset, _, length = step.argument
    return offset, offset + length


def judge_writes(steps: Sequence[Step], views: Sequence[View], lives: Lives, found: Findings) -> int:
    """What acknowledged writes promise, against all that was seen; how many views had to show one."""
    # Names that more than one file may have had are left out: who wrote to which one is not certain.
    writes = by_path([step for step in steps if step.happened and lives.settled(step.path)], WRITE)
    cells = {path: Cells(mine) for path, mine in writes.items()}
    judged, told, looked = 0, set[tuple[str, int]](), set[tuple[str, Content, int]]()
    for view in views:
        path = view.step.path
        if path not in cells:
            continue
        mine = cells[path]
        _misplaced(view, mine, found)
        pieces = mine.pieces(view)
        judged += bool(pieces)
        last = view.step.final or view.node is not None
        kind = LOST if last else STALE
        for piece in pieces:
            if _is_overlooked(piece) and (kind, piece.last.row) not in told:
                told.add((kind, piece.last.row))
                found.add(kind, *_told(view, piece, found.say))
        same = (path, view.content, mine.ended(view))  # many see the same in the end
        if last and same not in looked:
            looked.add(same)
            _mixed(view, mine, pieces, found)
    return judged


def _misplaced(view: View, cells: Cells, found: Findings) -> None:
    for offset, record in view.content:
        step = cells.known.get(record) if type(record) is int else None
        if step is not None:
            start, end = reach(step)
            if not start <= offset < end:
                where = f"{view.where(found.say)} has bytes of the record {record} at {offset}"
                found.add(OFFSET, [step.row, view.step.row], f"{where}, which was written from {start} to {end}")


def _is_overlooked(piece: Piece) -> bool:
    """Whether the last write that must show there began only after the one that shows had ended."""
    return piece.on_top is None or (piece.on_top.ok and piece.last.call > piece.on_top.ret)


def _told(view: View, piece: Piece, say: Narrator) -> tuple[list[int], str]:
    missing = piece.last
    rows = [missing.row, view.step.row]
    shows = "nobody's"
    if piece.on_top is not None:
        rows.append(piece.on_top.row)
        shows = f"those of {say.who(piece.on_top.row)}'s write, which had ended {say.ended(piece.on_top.row)}"
    late = f"{say.who(missing.row)}'s write {say.span(missing.row)} was acknowledged"
    return rows, f"the bytes {piece.start} to {piece.end} of {view.where(say)} are {shows}, though {late}"


def _mixed(view: View, cells: Cells, pieces: Sequence[Piece], found: Findings) -> None:
    """A circle of writes, each of which must come before the next one, so that they cannot all be whole."""
    layers = [(piece.on_top, cells.under(piece, view)) for piece in pieces if piece.on_top is not None]
    circle = circle_of([(on_top, under) for on_top, under in layers if on_top in under])
    if circle:
        say = found.say
        who = listed(f"{say.who(step.row)}'s of {step.argument[1]}" for step in circle)
        what = f"no order of the acknowledged writes to {name(view.step.path)} leaves what {view.where(say)} shows"
        found.add(UNDEFINED, [*(step.row for step in circle), view.step.row], f"{what}: {who} are mixed")


def circle_of(layers: Sequence[tuple[Step, Sequence[Step]]]) -> list[Step]:
    """The shortest circle through what is on top anywhere (with all that lies there); nothing if there is an order.

    X comes before Y if X lies under Y, or if X had ended before Y began, or before something began that lies under Y. A write that is
    nowhere on top need not be looked at otherwise: all it does is to come before others. What such a rule says of Y itself is no mixture
    but an old write on top of a later one, which is told as that.
    """
    tops: dict[int, Step] = {}
    beneath: dict[int, set[int]] = {}
    latest: dict[int, int] = {}
    for top, under in layers:
        tops[top.row] = top
        latest[top.row] = max(latest.get(top.row, top.call), *(step.call for step in under))
        beneath.setdefault(top.row, set()).update(step.row for step in under if step is not top)
    before = {
        row: [other for other in tops if other != row and (tops[other].ret < latest[row] or other in beneath[row])]
        for row in tops
    }
    circles = [circle for row in tops if (circle := _back_to(row, before))]
    return [tops[row] for row in min(circles, key=len)] if circles else []


def _back_to(row: int, before: Mapping[int, Sequence[int]]) -> list[int]:
    """The shortest way along ``before`` from ``row`` to itself."""
    came: dict[int, int] = {}
    level = [row]
    while level:
        following = []
        for at in level:
            for other in before[at]:
                if other == row:
                    way = [at]
                    while way[-1] != row:
                        way.append(came[way[-1]])
                    return way
                if other not in came:
                    came[other] = at
                    following.append(other)
        level = following
    return []
