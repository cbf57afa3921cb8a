"""Names of files, each judged alone: what must be there and is not, what is there and must not.

* ``lost-file``: an answer said that there is no such file, though one had got this name before, and nothing has taken it away since;
* ``resurrected-file``: an answer said that there is such a file, though it had been taken away before, and none has got this name since;
* ``phantom-file``: an answer said that there is a file of a name that none had ever been given by then.

That something was taken away, or given, may be unknown: then it excuses all that comes after. What these rules do not find, ``namespace``
does; but they say it in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from checkers.files.steps import Step, additions, removals
from checkers.findings import Findings
from checkers.precedence import greatest_before
from checkers.wording import name
from harness.files import ABSENT, CREATE, DELETE, EXISTS, LIST, RENAME, STAT
from harness.history import Ints

LOST, RESURRECTED, PHANTOM = "lost-file", "resurrected-file", "phantom-file"

Seen = tuple[str, Step, bool]  # a path, who saw it, whether there was a file


def judge_names(steps: Sequence[Step], found: Findings) -> None:
    """Tell of every path whether it was ever seen, or not seen, against all that is known."""
    given, taken = additions(steps), removals(steps)
    seen: dict[tuple[str, bool], list[Step]] = {}
    for path, step, there in _sightings(steps, {*given, *taken}):
        seen.setdefault((path, there), []).append(step)
    for (path, there), lookers in seen.items():
        judge = _too_many if there else _too_few
        judge(path, lookers, given.get(path, []), taken.get(path, []), found)


def _sightings(steps: Sequence[Step], known: set[str]) -> Iterator[Seen]:
    """What each answer says about names; ``known`` are those of which a list that lacks them says something."""
    for step in steps:
        if step.f == LIST and step.ok:
            yield from ((path, step, path in step.result) for path in sorted(known | step.result))
        elif step.f == CREATE and (step.ok or step.answer == EXISTS):
            yield step.path, step, not step.ok
        elif step.f in (DELETE, STAT, RENAME) and (step.ok or step.answer == ABSENT):
            yield step.path, step, step.ok
        if step.f == RENAME and (step.ok or step.answer == EXISTS):
            yield step.argument, step, not step.ok


def _too_few(path: str, lookers: Sequence[Step], given: Sequence[Step], taken: Sequence[Step], found: Findings) -> None:
    for looker, before in _undone(lookers, given, taken):
        say = found.say
        what = f"{say.who(looker.row)}'s {looker.f} {say.span(looker.row)} found no file {name(path)}"
        since = f"{say.who(before.row)}'s {before.f} had made it {say.ended(before.row)}"
        found.add(LOST, [before.row, looker.row], f"{what}, but {since}, and nothing took it away")


def _too_many(
    path: str, lookers: Sequence[Step], given: Sequence[Step], taken: Sequence[Step], found: Findings
) -> None:
    say, first = found.say, min((step.call for step in given), default=None)
    told = set()
    for looker in lookers:
        if first is None or first > looker.ret:
            told.add(looker.row)
            what = f"{say.who(looker.row)}'s {looker.f} {say.span(looker.row)} found a file {name(path)}"
            found.add(PHANTOM, [looker.row], f"{what}, but nobody had ever made one")
    for looker, before in _undone(lookers, taken, given):
        if looker.row not in told:
            what = f"{say.who(looker.row)}'s {looker.f} {say.span(looker.row)} found a file {name(path)}"
            since = f"{say.who(before.row)}'s {before.f} had taken it away {say.ended(before.row)}"
            found.add(RESURRECTED, [before.row, looker.row], f"{what}, but {since}, and nobody made another one")


def _undone(lookers: Sequence[Step], done: Sequence[Step], undone: Sequence[Step]) -> Iterator[tuple[Step, Step]]:
    """Each looker that began after one of ``done`` had ended, and none of ``undone`` was under way since that began; with the last such."""
    certain = [step for step in done if step.ok]
    if not certain:
        return
    calls = _column([step.call for step in lookers])
    latest = greatest_before(_column([s.ret for s in certain]), _column([s.call for s in certain]), calls)
    starts = _column([step.call for step in undone])  # in the order of invocations, as all steps are
    ends = np.maximum.accumulate(_column([step.ret for step in undone]))
    begun = np.searchsorted(starts, _column([step.ret for step in lookers]))
    for looker, place, many in zip(lookers, latest.tolist(), begun.tolist(), strict=True):
        if place >= 0 and (not many or ends[many - 1] < certain[place].call):
            yield looker, certain[place]


def _column(numbers: list[int]) -> Ints:
    return np.array(numbers, dtype=np.int64)
