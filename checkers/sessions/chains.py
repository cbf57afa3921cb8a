"""Who came before whom in a session, and which steps went back to an older version. Columns in, columns out; nothing is judged.

A *chain* joins operations of one kind (the reads that returned, or the writes that completed) with those that began after them in
the same group: a session's operations on one key. A source demands of every later target a version that is at least as new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from checkers.versions import NONE, Bools, Versions
from harness.history import NO_KEY, Calls, Ints

RYW, MR, MW, WFR = "read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"
GUARANTEES = (RYW, MR, MW, WFR)
REAL_TIME = "real-time"
PROCESS, NODE, THREAD = "process", "node", "thread"
SESSIONS = (PROCESS, NODE, THREAD)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chain:
    """``source`` are calls in the order of their groups and, within one, of their ends; ``fresh`` marks the first of each group.

    ``target`` are the calls that have a source before them; ``last`` is the place among the sources of the last one that had
    completed when the target began: it and all before it in its group came before the target. ``rules`` are the names of
    the demand on targets that read and on targets that write. ``ordered``: every source is also a target, so that its own demand
    stands for those before it.
    """

    source: Ints
    fresh: Bools
    target: Ints
    last: Ints
    rules: tuple[str, str]
    ordered: bool = False


def sessions_of(calls: Calls, session: str, concurrency: int | None) -> Ints:
    """Per call the number of its session; NONE where it has none (a session per node, and the call names no node)."""
    if session == NODE:
        return np.where(calls.node == NO_KEY, NONE, calls.node).astype(np.int64)
    if session == THREAD:
        assert concurrency is not None
        return calls.process.astype(np.int64) % concurrency
    return calls.process.astype(np.int64)


def touched_by(versions: Versions) -> Ints:
    """Per call the version that it read or made; NONE for a read of what no write explains."""
    touched = versions.made.copy()
    reads = versions.made[versions.sight_call] == NONE
    touched[versions.sight_call[reads]] = versions.sight[reads]
    return touched


def session_chains(
    versions: Versions, session: Ints, judged: Bools, promised: Sequence[str], sequential: bool
) -> list[Chain]:
    """The demands of ``promised`` among the ``judged`` calls. ``sequential``: operations of a session never overlap."""
    numbers = np.unique(session, return_inverse=True)[1].reshape(-1)
    group = (numbers * versions.keys + versions.key).astype(np.int64)
    known = judged & (session != NONE)
    reads, writes = known & (versions.made == NONE), known & (versions.made != NONE)
    chains = []
    for source, rules in ((reads, (MR, WFR)), (writes & versions.certain, (RYW, MW))):
        targets = np.zeros(len(known), dtype=np.bool_)
        for rule, of_kind in zip(rules, (reads, writes), strict=True):
            targets |= of_kind & (rule in promised)
        itself = rules[0] if rules[0] == MR else rules[1]
        ordered = sequential and itself in promised
        chains.append(chain(versions.calls, group, source, targets, rules, ordered=ordered))
    return chains


def real_time_chain(versions: Versions, judged: Bools) -> Chain:
    """Of two writes to a key of which one had completed when the other began, the other made the later version."""
    writes = judged & (versions.made != NONE)
    return chain(versions.calls, versions.key, writes & versions.certain, writes, (REAL_TIME, REAL_TIME))


def chain(
    calls: Calls, group: Ints, sources: Bools, targets: Bools, rules: tuple[str, str], *, ordered: bool = False
) -> Chain:
    """The chain that joins ``sources`` and ``targets`` of equal group."""
    _, dense = np.unique(group, return_inverse=True)
    line = dense.reshape(-1).astype(np.int64) * (len(calls.history) + 1)  # all groups stand on one line
    source = np.flatnonzero(sources)
    source = source[np.argsort(line[source] + calls.ret[source])]
    target = np.flatnonzero(targets)
    last = np.searchsorted(line[source] + calls.ret[source], line[target] + calls.call[target]) - 1
    has = last >= 0
    has[has] = line[source[last[has]]] == line[target[has]]
    fresh = np.ones(len(source), dtype=np.bool_)
    fresh[1:] = line[source[1:]] != line[source[:-1]]
    return Chain(source=source, fresh=fresh, target=target[has], last=last[has], rules=rules, ordered=ordered)


def newest_before(chain: Chain, rank: Ints) -> Ints:
    """Per target the call before it whose version has the greatest ``rank`` (per call), the first of several."""
    if not len(chain.target):
        return chain.target
    reached = np.cumsum(chain.fresh) * (int(rank.max(initial=0)) + 2) + rank[chain.source] + 1
    greatest = np.maximum.accumulate(reached)
    rises = np.ones(len(reached), dtype=np.bool_)
    rises[1:] = greatest[1:] > greatest[:-1]
    place = np.maximum.accumulate(np.where(rises, np.arange(len(reached)), 0))
    newest: Ints = chain.source[place[chain.last]]
    return newest


def steps_back(chain: Chain, rank: Ints) -> tuple[Ints, Ints]:
    """(sources, targets): the targets whose version has a lower ``rank`` (per call) than one before, and the newest of these."""
    newest = newest_before(chain, rank)
    back = rank[newest] > rank[chain.target]
    return newest[back], chain.target[back]


def demands(chain: Chain, versions: Versions) -> Iterator[tuple[str, int]]:
    """(rule, how many operations it was asked of)."""
    writes = versions.made[chain.target] != NONE
    yield from zip(chain.rules, (int((~writes).sum()), int(writes.sum())), strict=True)
