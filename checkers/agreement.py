"""Whether the final reads of registers agree, and when agreement was reached: facts for ``convergence``, which judges them.

Pure functions of versions. Positions are rows of the history. What *settled* means: a row lies at least ``settle_s`` before a
call began.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from checkers.finals import is_final
from checkers.replacements import Replacements
from checkers.versions import BEFORE_ALL, NONE, Bools, Versions
from harness.history import NO_KEY, Calls, Ints

SECOND_NS = 1_000_000_000
Content = tuple[int, ...]  # the versions that a read returned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What every read returned: per call a number of its ``contents`` (NONE: it is no read, or saw what no write explains), and
    ``since``, the row by which all of that had taken effect.
    """

    content: Ints
    contents: list[Content]
    since: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Of one key: two final reads that differ, how many different answers there were, and of how many final reads."""

    key: int
    one: int
    other: int
    answers: int
    reads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Of one key: a final read, and the call whose acknowledged write it lacks."""

    key: int
    read: int
    write: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """``judged`` are the final reads that began late enough; ``finals`` counts all that succeeded.

    Keys are numbers of registers: ``written`` those that were (or may have been) written, ``compared`` those of which final reads
    came from two places, ``unsettled`` those whose final reads differ, but not for certain. Times in ns, per key:
    ``converge_ns`` and ``stale_ns`` as the module ``convergence`` says, -1 where there is none.
    """

    finals: int
    judged: Ints
    written: Ints
    compared: Ints
    diverged: list[Disagreement]
    unsettled: list[int]
    lost: list[Loss]
    converge_ns: Ints
    stale_ns: Ints


def examine(versions: Versions, healed_row: int, settle_s: float) -> Findings:
    """The facts about final reads that began ``settle_s`` after row ``healed_row`` (-1: there was no heal)."""
    calls = versions.calls
    answers = answers_of(versions)
    last_write = _last(versions, versions.certain & (versions.made != NONE))
    horizon = horizons(calls, settle_s)
    sees = answers.content != NONE
    finals = sees & is_final(calls)
    judged = np.flatnonzero(finals & (np.maximum(last_write, healed_row)[versions.key] < horizon))
    differing = dict(_disagreements(versions, answers, horizon, judged))
    diverged = [case for case in differing.values() if case is not None]
    quiet = np.maximum(last_write, healed_row)
    writes = Replacements(versions)
    newer = writes.first(versions.key, answers.since)
    stale = sees & (newer < calls.call)
    return Findings(
        finals=int(finals.sum()),
        judged=judged,
        written=np.unique(versions.key[versions.made != NONE]),
        compared=_compared(versions, judged),
        diverged=diverged,
        unsettled=[key for key, case in differing.items() if case is None],
        lost=list(_losses(versions, judged, stale, writes.write_ending(newer), {case.key for case in diverged})),
        converge_ns=_converged(versions, answers, judged, quiet, set(differing)),
        stale_ns=_elapsed(
            calls, _last(versions, stale & (calls.call > healed_row)), np.full(versions.keys, healed_row)
        ),
    )


def answers_of(versions: Versions) -> Answers:
    """The answers of all reads, so numbered that equal sets of versions have equal numbers."""
    calls = versions.calls
    found: dict[int, list[int]] = {}
    reads = versions.made == NONE
    of_reads = reads[versions.sight_call]
    for call, version in zip(versions.sight_call[of_reads].tolist(), versions.sight[of_reads].tolist(), strict=True):
        found.setdefault(call, []).append(version)
    for call in versions.odd_call.tolist():
        found.pop(call, None)
    numbers: dict[Content, int] = {}
    content = np.full(len(calls), NONE, dtype=np.int64)
    for call, members in found.items():
        content[call] = numbers.setdefault(tuple(sorted(members)), len(numbers))
    since = np.full(len(calls), BEFORE_ALL, dtype=np.int64)
    np.maximum.at(since, versions.sight_call, versions.since[versions.sight])
    return Answers(content=content, contents=list(numbers), since=since)


def horizons(calls: Calls, settle_s: float) -> Ints:
    """Per call, the first row that does not lie ``settle_s`` before it began."""
    if settle_s <= 0:
        return calls.call
    times = np.maximum.accumulate(calls.history.time_ns)
    settled = np.searchsorted(times, times[calls.call] - round(settle_s * SECOND_NS), side="right")
    return np.minimum(settled, calls.call).astype(np.int64)


def _last(versions: Versions, which: Bools) -> Ints:
    """Per key, the row in which the last of these calls completed; -1 if there is none."""
    last = np.full(versions.keys, BEFORE_ALL, dtype=np.int64)
    np.maximum.at(last, versions.key[which], versions.calls.ret[which])
    return last


def _compared(versions: Versions, judged: Ints) -> Ints:
    """The keys of which these reads came from at least two places: nodes, or processes where no node is known."""
    calls = versions.calls
    node, process = calls.node[judged], calls.process[judged]
    place = np.where(node == NO_KEY, process + len(calls.history.nodes), node)
    pairs = np.unique(np.stack([versions.key[judged], place], axis=1), axis=0)
    keys, places = np.unique(pairs[:, 0], return_counts=True)
    return keys[places > 1]


def _by_key(versions: Versions, reads: Ints) -> Iterator[tuple[int, Ints]]:
    """(key, its reads in the order of their invocations)."""
    order = reads[np.argsort(versions.key[reads], kind="stable")]
    for part in np.split(order, np.flatnonzero(np.diff(versions.key[order])) + 1) if len(order) else []:
        yield int(versions.key[part[0]]), part


def _disagreements(
    versions: Versions, answers: Answers, horizon: Ints, judged: Ints
) -> Iterator[tuple[int, Disagreement | None]]:
    """The keys whose final reads differ, each with two that certainly should not (None: there are no such two).

    All that two answers hold must have settled before the earlier read began. What an answer holds does not depend on the
    read, so of every answer the latest read is the one to ask.
    """
    for key, reads in _by_key(versions, judged):
        latest = {int(answers.content[read]): read for read in reads.tolist()}
        if len(latest) > 1:
            certain = (
                Disagreement(key=key, one=one, other=other, answers=len(latest), reads=len(reads))
                for one, other in combinations(sorted(latest.values()), 2)
                if max(answers.since[one], answers.since[other]) < horizon[one]
            )
            yield key, next(certain, None)


def _losses(versions: Versions, judged: Ints, stale: Bools, newer: Ints, diverged: set[int]) -> Iterator[Loss]:
    """At most one per key. Where nodes disagree, an update is lost only if no answer has it or a newer one."""
    for key, reads in _by_key(versions, judged):
        lacking = reads[stale[reads]]
        if len(lacking) and (key not in diverged or len(lacking) == len(reads)):
            yield Loss(key=key, read=int(lacking[0]), write=int(newer[lacking[0]]))


def _converged(versions: Versions, answers: Answers, judged: Ints, quiet: Ints, differing: set[int]) -> Ints:
    """Per key the time from row ``quiet`` to the end of the last read after it that did not return the final answer; -1 for keys
    that have none.
    """
    final = np.full(versions.keys, NONE, dtype=np.int64)
    final[versions.key[judged]] = answers.content[judged]  # in order of invocation: the last one stays
    final[list(differing)] = NONE
    known = final[versions.key] != NONE
    differs = known & (answers.content != NONE) & (answers.content != final[versions.key])
    differs &= versions.calls.call > quiet[versions.key]
    last = np.maximum(_last(versions, differs), quiet)
    return np.where(final == NONE, -1, _elapsed(versions.calls, last, quiet))


def _elapsed(calls: Calls, until: Ints, since: Ints) -> Ints:
    """The time from row to row; -1 where one of them is none, 0 where they are the same."""
    times = calls.history.time_ns
    if not len(times) or int(times.min()) < 0:
        return np.full(len(until), -1, dtype=np.int64)
    known = (until > BEFORE_ALL) & (since > BEFORE_ALL)
    passed_ns = times[np.where(known, until, 0)] - times[np.where(known, since, 0)]
    return np.where(known, np.maximum(passed_ns, 0), -1).astype(np.int64)
