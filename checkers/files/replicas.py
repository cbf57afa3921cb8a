"""Replicas in the end: are there enough of each file, and do they hold the same? By names:

* ``under-replicated``: the last look at a file found fewer live replicas than there must be;
* ``replicas-differ``: of what is acknowledged, one replica lacks what another one has; or, where each record must be there exactly once,
  two replicas differ at all. What was never acknowledged may be on some replicas only (GFS calls such regions inconsistent).

How long replicas were too few is told by ``stat``, as a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

from checkers.files.lives import Lives
from checkers.files.records import LOST, View
from checkers.files.regions import Cells
from checkers.files.steps import Content, Step, by_path
from checkers.findings import Findings
from checkers.wording import SECOND_NS, count, listed, name, text
from harness.files import APPEND, REPLICAS, STAT, WRITE
from harness.history import History

DIFFER, UNDER = "replicas-differ", "under-replicated"


def last_looks(steps: Sequence[Step]) -> dict[str, Step]:
    """The last answer about the replicas of each file; of a final look, if the history knows which ones are final."""
    known = any(step.final for step in steps)
    looks = by_path([step for step in steps if step.ok and (step.final or not known)], REPLICAS)
    return {path: max(mine, key=lambda step: step.call) for path, mine in looks.items()}


def judge_counts(looks: Mapping[str, Step], replication: int, found: Findings) -> None:
    for path, look in looks.items():
        if len(look.result) < replication:
            say, nodes = found.say, listed(sorted(look.result)) if look.result else "no node"
            many = f"{count(len(look.result), 'live replica')} of {name(path)} in the end, where {replication} must be"
            found.add(UNDER, [look.row], f"{many}: {say.who(look.row)} found them on {nodes} {say.ended(look.row)}")


def judge_sameness(
    steps: Sequence[Step], lives: Lives, looks: Mapping[str, Step], found: Findings, *, exact: bool
) -> None:
    """Whether the replicas of each file hold the same. ``exact``: also of what was never acknowledged."""
    writes, appends = by_path(steps, WRITE), by_path(steps, APPEND)
    for path, look in looks.items():
        held: Mapping[str, Content] = look.result
        if len(held) < 2 or not lives.settled(path):
            continue
        if path in writes:
            _written(look, Cells([step for step in writes[path] if step.happened]), found)
            continue
        acknowledged = [step for step in appends.get(path, []) if step.ok and step.ret < look.call]
        if _appended(look, acknowledged, found) and exact:
            _alike(look, found)


def _alike(look: Step, found: Findings) -> None:
    for (one, mine), (other, theirs) in combinations(sorted(look.result.items()), 2):
        if sorted(mine, key=str) != sorted(theirs, key=str):
            offset, record = min(set(mine) ^ set(theirs) or set(mine), key=str)
            has, lacks = (one, other) if (offset, record) in mine else (other, one)
            which = f"the replica of {name(look.path)} on {has} has {text(record)} at {offset}, that on {lacks} has not"
            found.add(DIFFER, [look.row], f"{which}, as {found.say.who(look.row)} saw {found.say.ended(look.row)}")


def _appended(look: Step, appends: Sequence[Step], found: Findings) -> bool:
    """Acknowledged records that some replica has not in their place: some, or all; whether there are none."""
    held = {node: set(content) for node, content in look.result.items()}
    fine = True
    for step in appends:
        place = (step.result, step.argument)
        lacking = sorted(node for node, content in held.items() if place not in content)
        if lacking:
            say, fine = found.say, False
            which = f"{listed(lacking)} {'lacks' if len(lacking) == 1 else 'lack'} the record {step.argument} at {step.result}"
            acked = f"which {say.who(step.row)}'s append to {name(step.path)} had been told {say.ended(step.row)}"
            kind, rest = (
                (LOST, "no replica has it") if len(lacking) == len(held) else (DIFFER, "other replicas have it")
            )
            found.add(kind, [step.row, look.row], f"{which}, {acked}; {rest}")
    return fine


def _written(look: Step, cells: Cells, found: Findings) -> None:
    """Bytes of which two replicas show different acknowledged writes, or one shows none. Of one file, one place is told."""
    pieces = {node: cells.pieces(View(step=look, content=content, node=node)) for node, content in look.result.items()}
    cuts = sorted({edge for mine in pieces.values() for piece in mine for edge in (piece.start, piece.end)})
    for start, end in pairwise(cuts):
        tops: dict[Any, str] = {}
        for node in sorted(pieces):
            piece = next((piece for piece in pieces[node] if piece.start <= start and end <= piece.end), None)
            if piece is not None and (piece.on_top is None or piece.on_top.ok):
                tops.setdefault(None if piece.on_top is None else piece.on_top.argument[1], node)
        if len(tops) > 1:
            who = listed(
                f"{node} has {'nothing' if record is None else f'the record {record}'}" for record, node in tops.items()
            )
            where = f"at the bytes {start} to {end} of {name(look.path)}"
            found.add(
                DIFFER, [look.row], f"{where} {who}, as {found.say.who(look.row)} saw {found.say.ended(look.row)}"
            )
            return


def restored_s(history: History, steps: Sequence[Step], replication: int) -> float | None:
    """The longest time for which ``stat`` found too few replicas of a file: from the first such answer to the next good one, or to the last
    of all. None without times, or if it never found any number.
    """
    if not len(history) or int(history.time_ns.min()) < 0:
        return None
    stats = by_path([step for step in steps if step.ok and step.result is not None], STAT)
    longest = None if not stats else 0.0
    for mine in stats.values():
        since: float | None = None
        for step in sorted(mine, key=lambda step: step.ret):
            at_s = int(history.time_ns[step.ret]) / SECOND_NS
            few = step.result < replication
            if few and since is None:
                since = at_s
            if since is not None:
                longest = max(longest or 0.0, at_s - since)
            if not few:
                since = None
    return None if longest is None else round(longest, 6)
