"""Appended records: does each that was acknowledged stand where it was said to, and does nothing else? By names:

* ``lost-record``: it was acknowledged, a read that began after that lacks it, and nobody has seen it since;
* ``stale-read``: the same, but a later read has it. Whoever opens a file after a change was acknowledged must see it;
* ``wrong-offset``: a read that began after the acknowledgement has it elsewhere, and not where it was said to stand; or two records of one
  file were said to stand at one place;
* ``duplicate-record``: a file holds it more than once (GFS allows that: an append is tried again after a failure);
* ``phantom-record``: a file holds a record whose append failed, had not begun, or was to a file that it can never have been;
* ``corrupt-read``: a read returned what nobody ever wrote;
* ``unreadable-file``: in the end no read of a file with acknowledged records came back, and one because no replica had right checksums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.files.lives import Lives, Stay
from checkers.files.steps import Content, Step, Unjudgeable
from checkers.findings import Findings
from checkers.wording import Narrator, count, listed, name, text
from harness.files import APPEND, CORRUPT, READ, WRITE
from harness.history import FAIL

LOST, STALE, OFFSET = "lost-record", "stale-read", "wrong-offset"
DUPLICATE, PHANTOM, DAMAGED, UNREADABLE = "duplicate-record", "phantom-record", "corrupt-read", "unreadable-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one replica (``node``), or a client who does not say which, showed of a file."""

    step: Step
    content: Content
    node: str | None = None

    def where(self, say: Narrator) -> str:
        who, path = say.who(self.step.row), name(self.step.path)
        if self.node is not None:
            return f"the replica of {path} on {self.node}, as {who} saw it {say.span(self.step.row)},"
        return f"{who}'s read of {path} {say.span(self.step.row)}"


def views_of(steps: Sequence[Step], looks: Mapping[str, Step]) -> list[View]:
    """All that reads saw of the content of files, and the last ``looks`` at their replicas: before that, one may lag that is not yet known
    to lag.
    """
    reads = [View(step=step, content=step.result) for step in steps if step.ok and step.f == READ]
    held = [(look, node, content) for look in looks.values() for node, content in look.result.items()]
    return [*reads, *(View(step=look, content=content, node=node) for look, node, content in held)]


@dataclass(slots=True, kw_only=True)
class Tally:
    """Figures: acknowledged records, those that some read had to have, those of some file that are there more than once."""

    acknowledged: int = 0
    due: set[Any] = field(default_factory=set)
    shown: set[Any] = field(default_factory=set)
    doubled: set[Any] = field(default_factory=set)


def writers_of(steps: Sequence[Step]) -> dict[int, Step]:
    """Who appended or wrote each record. Raises Unjudgeable if two did."""
    found: dict[int, Step] = {}
    for step in steps:
        if step.f in (APPEND, WRITE):
            record = step.argument if step.f == APPEND else step.argument[1]
            if found.setdefault(record, step) is not step:
                raise Unjudgeable(f"the record {record} is written more than once, so a read does not say by whom")
    return found


def judge_strangers(views: Sequence[View], writers: Mapping[int, Step], lives: Lives, found: Findings) -> None:
    """What a file holds that cannot be there. Each record is told once."""
    say, told = found.say, set()
    for view in views:
        for offset, record in view.content:
            writer = writers.get(record) if type(record) is int else None
            problem = _strange(record, writer, view.step, lives, say)
            if problem is not None and (record, problem[0]) not in told:
                told.add((record, problem[0]))
                rows = [view.step.row] if writer is None else [writer.row, view.step.row]
                found.add(problem[0], rows, f"{view.where(say)} returned {text(record)} at {offset}, {problem[1]}")


def _strange(record: Any, writer: Step | None, seen: Step, lives: Lives, say: Narrator) -> tuple[str, str] | None:
    if writer is None:
        what = "which is no record" if not isinstance(record, int) else "which nobody ever wrote"
        return DAMAGED, what
    if writer.outcome == FAIL:
        return PHANTOM, f"but {say.who(writer.row)}'s {writer.f} of it failed {say.ended(writer.row)}"
    if writer.call > seen.ret:
        return PHANTOM, f"but its {writer.f} by {say.who(writer.row)} began only {say.began(writer.row)}"
    if writer.path not in lives.origins(seen.path):
        return PHANTOM, f"but {say.who(writer.row)}'s {writer.f} of it was to {name(writer.path)}"
    return None


def judge_appends(steps: Sequence[Step], views: Sequence[View], lives: Lives, found: Findings) -> Tally:
    """What acknowledged appends promise, against all that was seen."""
    appends = [step for step in steps if step.f == APPEND and step.ok]
    if not appends:
        return Tally()
    stays = [(step, stay) for step in appends for stay in lives.stays(step)]
    tally = Tally(acknowledged=len(appends))
    _same_place(stays, found)
    reads = [view for view in views if view.node is None]
    _missing(stays, reads, tally, found)
    offsets = {step.argument: step for step in appends}
    for view in views:
        _places(view, offsets, tally, found)
    _unreadable(steps, stays, found)
    return tally


def _same_place(stays: Sequence[tuple[Step, Stay]], found: Findings) -> None:
    """Two acknowledged at one place of one file: its first stay says whether it is one file."""
    first: dict[tuple[str, int, int], Step] = {}
    for step, stay in stays:
        if stay.path == step.path and stay.since == step.ret:
            other = first.setdefault((step.path, step.result, stay.until), step)
            if other is not step:
                say = found.say
                both = f"{say.who(other.row)}'s append of {other.argument} and {say.who(step.row)}'s of {step.argument}"
                found.add(
                    OFFSET,
                    [other.row, step.row],
                    f"{both} to {name(step.path)} were both said to stand at {step.result}",
                )


def _missing(stays: Sequence[tuple[Step, Stay]], reads: Sequence[View], tally: Tally, found: Findings) -> None:
    last_seen: dict[Any, int] = {}
    for view in reads:
        for _, record in view.content:
            last_seen[record] = max(last_seen.get(record, -1), view.step.ret)
    misses: dict[int, tuple[Step, list[View]]] = {}
    for step, view in _lacking(stays, reads, tally):
        misses.setdefault(step.row, (step, []))[1].append(view)
    say = found.say
    for step, missed in misses.values():
        last = max(missed, key=lambda view: view.step.call)
        acked = (
            f"the record {step.argument}, whose append by {say.who(step.row)} was acknowledged {say.ended(step.row)}"
        )
        if last.step.call > last_seen.get(step.argument, -1):
            found.add(LOST, [step.row, last.step.row], f"{last.where(say)} lacks {acked}, and nobody has seen it since")
        else:
            view = missed[0]
            found.add(STALE, [step.row, view.step.row], f"{view.where(say)} lacks {acked}; later it was there")


def _lacking(stays: Sequence[tuple[Step, Stay]], reads: Sequence[View], tally: Tally) -> Iterator[tuple[Step, View]]:
    """(append, read) where the read had to have the record and lacks it. Per path, in the order in which reads began."""
    of_path: dict[str, list[tuple[Step, Stay]]] = {}
    for step, stay in stays:
        of_path.setdefault(stay.path, []).append((step, stay))
    for path, known in of_path.items():
        waiting = sorted(known, key=lambda pair: -pair[1].since)
        due: dict[int, tuple[Step, int]] = {}
        for view in sorted((v for v in reads if v.step.path == path), key=lambda v: v.step.call):
            while waiting and waiting[-1][1].since < view.step.call:
                step, stay = waiting.pop()
                due[step.argument] = (step, stay.until)
                if stay.until > view.step.ret:
                    tally.due.add(step.argument)
            lacking = due.keys() - {record for _, record in view.content}
            yield from ((due[record][0], view) for record in sorted(lacking) if due[record][1] > view.step.ret)


def _places(view: View, appends: Mapping[int, Step], tally: Tally, found: Findings) -> None:
    """Records that one view has more than once, or elsewhere than was said."""
    say, places = found.say, dict[Any, list[int]]()
    for offset, record in view.content:
        places.setdefault(record, []).append(offset)
    tally.shown |= places.keys() & appends.keys()
    for record, offsets in places.items():
        step = appends.get(record)
        if step is None:
            continue
        if len(offsets) > 1 and record not in tally.doubled:
            tally.doubled.add(record)
            where = f"{view.where(say)} has the record {record} {count(len(offsets), 'time')}"
            found.add(DUPLICATE, [step.row, view.step.row], f"{where}, at {listed(map(str, offsets))}")
        if step.result not in offsets and view.node is None and view.step.call > step.ret:
            said = f"which {say.who(step.row)}'s append said {say.ended(step.row)} to stand at {step.result}"
            found.add(
                OFFSET, [step.row, view.step.row], f"{view.where(say)} has the record {record} at {offsets[0]}, {said}"
            )


def _unreadable(steps: Sequence[Step], stays: Sequence[tuple[Step, Stay]], found: Findings) -> None:
    """Files of which no final read came back, and one because of what all replicas hold."""
    kept = Counter(stay.path for _, stay in stays)
    finals: dict[str, list[Step]] = {}
    for step in steps:
        if step.f == READ and step.final:
            finals.setdefault(step.path, []).append(step)
    for path, reads in finals.items():
        refused = [step for step in reads if step.answer == CORRUPT]
        if refused and kept[path] and not any(step.ok for step in reads):
            say, row = found.say, refused[-1].row
            whole = f"{count(kept[path], 'acknowledged record')} of {name(path)} could not be read in the end"
            found.add(
                UNREADABLE,
                [row],
                f"{whole}: no replica had right checksums, as {say.who(row)} was told {say.ended(row)}",
            )
