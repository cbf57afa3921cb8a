"""The checker ``rw-register``: transactions that read registers and overwrite them, each value once per key; null is the initial one.

Versions are inferred (``register_orders``), and so for neither workload complete: nobody knows the place of a write that nobody read. What
is known from elsewhere may be told: that keys by themselves are linearizable or sequential, that writes follow reads under every model, or
the order itself, by a field of the completions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Engine, engine
from checkers.transactions.graph import Graph, Kind, Time, begin_with, graph_of, room, together
from checkers.transactions.judging import Analysis, judged, model_named
from checkers.transactions.list_append import indexed
from checkers.transactions.models import CAUSAL as CAUSAL_MODEL
from checkers.transactions.models import DEFAULT, FRACTURED, NON_CAUSAL, NON_MONOTONIC, forbids, time_of
from checkers.transactions.parse import NOTHING
from checkers.transactions.register_edges import Ends, count_edges, depend_followers, depend_readers
from checkers.transactions.register_facts import Facts
from checkers.transactions.register_orders import (
    ATOMIC,
    CAUSAL,
    FOLLOW,
    LATE,
    SESSION,
    SURE,
    Follows,
    Groups,
    Steps,
    Zones,
    find_steps,
    find_zones,
    follow_reads,
    follow_real_time,
    follow_sessions,
    group_pairs,
)
from checkers.transactions.registers import NOWHERE, Reads, Versions, find_versions, judge_reads
from checkers.transactions.scc import components
from checkers.transactions.times import time_graph
from checkers.transactions.txns import Mops, Spans, Txns, Unjudgeable, txns_of
from checkers.transactions.visibility import Shown
from checkers.transactions.visible import CLOCKS_CHEAP, CLOCKS_MAX, Sights, Viewer, views
from checkers.transactions.writes import NONE, Writes, mark_happened
from harness.history import History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME, WRITE = "rw-register", "w"
Pairs = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the order of versions, besides what reads say."""

    linearizable_keys: bool = False
    sequential_keys: bool = False
    wfr_keys: bool = False
    order: str = ""


def make(
    *,
    model: str = DEFAULT,
    linearizable_keys: bool = False,
    sequential_keys: bool = False,
    wfr_keys: bool = False,
    order: str = "",
) -> Checker:
    """Does any anomaly refute a consistency model? Option model: its name, such as strict-serializable (the default), serializable,
    snapshot-isolation, causal, read-atomic, read-committed. Options linearizable_keys, sequential_keys: each key by itself is, so time
    or the order of a process tells the order of its versions. wfr_keys: what a transaction writes follows what it had read, under every
    model. order: the field of completions that tells the order in which transactions took effect.
    """
    known = Known(linearizable_keys=linearizable_keys, sequential_keys=sequential_keys, wfr_keys=wfr_keys, order=order)
    return RwRegister(model=model_named(model), known=known)


@dataclass(slots=True, kw_only=True)
class RwRegister:
    """See the module."""

    model: str
    known: Known = field(default_factory=Known)
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            txns = txns_of(history, WRITE, lists=False)
            return judged(NAME, analysed(txns, self.model, self.known), self.model, budget)
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))


def analysed(txns: Txns, model: str, known: Known | None = None) -> Analysis:
    """All dependencies and other anomalies that may refute a model, or (but for orders of time that it does not keep) another one.

    Raises Unjudgeable.
    """
    if ((txns.write == 1) & (txns.value == NOTHING)).any():
        raise Unjudgeable(
            "null is written to a register, so nobody knows whether a read of null saw that or nothing at all"
        )
    run = engine(txns.size)
    spans, mops = txns.spans(run), txns.mops(run)
    table = indexed(txns, run, mops)
    reads, versions = seen(txns, run, spans, mops, table)
    work = _Work(txns, run, spans, mops, table, reads, versions)
    time = time_graph(txns, run, spans, reads.happened, time_of(model))
    before = together(time.of_kinds((Kind.PROCESS,)), _read_from(txns, table, reads))
    sights = work.sights(before, CLOCKS_MAX if model == CAUSAL_MODEL else CLOCKS_CHEAP, time_of(model))
    pairs, cyclic = work.orders(known or Known(), sights, model)
    facts = Facts(txns, table, reads, pairs=pairs, cyclic=cyclic, sights=sights)
    return Analysis(
        txns=txns,
        found=facts.found(),
        tell=facts.tell,
        graph=work.graph(pairs, time),
        explain=facts.explain,
        views=lambda steps: views(table, sights, before, steps),
        always=True,
    )


def _read_from(txns: Txns, table: Writes, reads: Reads) -> Graph:
    """Who read from whom."""
    source, author = np.asarray(reads.source, dtype=np.int32), np.asarray(table.author, dtype=np.int32)
    read = np.flatnonzero(source >= 0)
    src, dst = author[source[read]], author[read]
    other = src != dst
    kind = np.full(int(other.sum()), Kind.WR, np.int8)
    return Graph(size=len(txns), txns=len(txns), src=src[other], dst=dst[other], kind=kind)


def seen(txns: Txns, run: Engine, spans: Spans, mops: Mops, table: Writes) -> tuple[Reads, Versions]:
    """What reads saw, and which versions there are."""
    keys, count = len(txns.keys), len(txns.key)
    reads = Reads(
        run.narrow(count, NOWHERE),
        run.narrow(count, NONE),
        run.view(np.zeros(count + keys, np.int32)),
        run.view(np.zeros(len(txns), np.int8)),
    )
    run.kernel(mark_happened)(spans, reads.happened)
    run.kernel(judge_reads)(spans, mops, table, reads)
    rows = (keys + 1, count, keys + 1, count, count + 1, count)
    versions = Versions(*(run.view(np.zeros(size, np.int32)) for size in rows))
    run.kernel(find_versions)(spans, mops, table, reads, versions)
    used = {"version": "key_start", "initial": "initial_start", "reader": "reader_start"}
    cut = {rows: getattr(versions, rows)[: int(getattr(versions, start)[-1])] for rows, start in used.items()}
    return reads, versions._replace(**cut)


@dataclass(slots=True)
class _Work:
    """The inference of orders and dependencies, on one engine."""

    txns: Txns
    run: Engine
    spans: Spans
    mops: Mops
    table: Writes
    reads: Reads
    versions: Versions

    def sights(self, before: Graph, clocks_max: int, time: Time) -> dict[str, Sights]:
        """What transactions saw although they should have seen something else; without the causal past if that is too much."""
        none = self._zeros(0)
        shown = Shown(self.reads.source, none, none, none)
        viewer = Viewer(self.txns, self.run, self.spans, self.mops, self.table, shown)
        direct = viewer.direct()
        found = {NON_MONOTONIC: direct.monotonic(), FRACTURED: direct}
        if time is Time.NONE:
            return found  # clocks need the order of each process
        past = viewer.past(before, np.asarray(self.versions.version, dtype=np.int32), clocks_max)
        return found if past is None else found | {NON_CAUSAL: past}

    def orders(self, known: Known, sights: dict[str, Sights], model: str) -> tuple[Pairs, list[int]]:
        """Pairs of versions in order (rows: first, second, kind), and a version of each key whose order goes round in a circle.

        Orders that could only make cycles that ``model`` allows are left out.
        """
        follow = self._pairs(follow_reads, (self.table, self.reads, self.versions), SURE if known.wfr_keys else FOLLOW)
        late = session = np.zeros((3, 0), dtype=np.int32)
        if known.linearizable_keys or forbids(model, "G-single-item-realtime"):
            kind = SURE if known.linearizable_keys else LATE
            late = self._pairs(follow_real_time, (self.versions, self._zones()), kind)
        if known.sequential_keys or forbids(model, "G-single-item-process"):
            session = self._sessions(SURE if known.sequential_keys else SESSION)
        seen = [
            _of_kind(sights[name].pairs(), kind)
            for name, kind in ((FRACTURED, ATOMIC), (NON_CAUSAL, CAUSAL))
            if name in sights and forbids(model, "G-single-item")
        ]
        pairs = np.concatenate([follow, late, session, self._given(known.order), *seen], axis=1)
        sure = pairs[:, pairs[2] == SURE]
        if not sure.shape[1]:
            return pairs, []
        component = components(len(self.txns.key), sure[0], sure[1])
        circular = component[sure[0]] == component[sure[1]]
        if not circular.any():
            return pairs, []
        keys, firsts = np.unique(self.txns.key[sure[0][circular]], return_index=True)
        left = ~((pairs[2] == SURE) & np.isin(self.txns.key[pairs[0]], keys))
        return pairs[:, left], sure[0][circular][firsts].tolist()

    def _pairs(self, kernel: Any, arguments: Iterable[Any], kind: int) -> Pairs:
        """The pairs that a kernel finds: again, where the first guess at how many these are was too small."""
        size = 2 * len(self.versions.version) + 16
        while True:
            follows = Follows(self._zeros(size), self._zeros(size), self._zeros(size), self.run.full(1, 0))
            count = self.run.kernel(kernel)(*arguments, follows, kind)
            if count <= size:
                return _rows(follows, count)
            size = count

    def _zones(self) -> Zones:
        count, lines = len(self.txns.key), len(self.txns.calls.history)
        zones = Zones(
            self.run.full(count, 0),
            self.run.full(count, 0),
            self._zeros(len(self.versions.version)),
            self._zeros(lines + 1),
            self._zeros(len(self.versions.version)),
            self.run.view(np.array(self.versions.key_start, dtype=np.int32)),
        )
        self.run.kernel(find_zones)(self.spans, self.mops, self.table, self.versions, zones)
        return zones

    def _sessions(self, kind: int) -> Pairs:
        sessions = int(self.txns.session.max(initial=-1)) + 1
        steps = Steps(
            self._zeros(len(self.txns.keys) + 1),
            self._zeros(len(self.txns.key)),
            self._zeros(sessions),
            self._zeros(sessions),
        )
        size = self.run.kernel(find_steps)(self.spans, self.mops, self.table, self.reads, steps)
        follows = Follows(self._zeros(size), self._zeros(size), self._zeros(size), self.run.full(1, 0))
        size = self.run.kernel(follow_sessions)(self.spans, self.mops, self.table, self.reads, steps, follows, kind)
        count = len(self.txns.key)
        groups = Groups(self._zeros(count + 1), self._zeros(size), self._zeros(count))
        grouped = Follows(self._zeros(size), self._zeros(size), self._zeros(size), self.run.full(1, 0))
        return _rows(grouped, self.run.kernel(group_pairs)(follows, size, groups, grouped))

    def _given(self, order: str) -> Pairs:
        """Pairs by a field of the completions. Raises Unjudgeable where it is no number."""
        if not order:
            return np.zeros((3, 0), dtype=np.int32)
        calls = self.txns.calls
        extras = calls.history.extras
        rank = [extras.get(row, {}).get(order) for row in calls.history.pair[calls.call].tolist()]
        if not all(number is None or type(number) in (int, float) for number in rank):
            raise Unjudgeable(f"the field {order!r} is not a number everywhere, so it tells no order")
        if all(number is None for number in rank):
            raise Unjudgeable(f"no completion has the field {order!r}, which is to tell the order of transactions")
        version = np.asarray(self.versions.version, dtype=np.int32)
        author = np.asarray(self.table.author, dtype=np.int32)[version]
        ranks = np.array([np.nan if number is None else number for number in rank], dtype=np.float64)[author]
        ranked = version[~np.isnan(ranks)]
        ranked = ranked[np.lexsort((ranks[~np.isnan(ranks)], self.txns.key[ranked]))]
        next_ = self.txns.key[ranked[:-1]] == self.txns.key[ranked[1:]]
        return np.stack([ranked[:-1][next_], ranked[1:][next_], np.full(int(next_.sum()), SURE)]).astype(np.int32)

    def graph(self, pairs: Pairs, time: Graph) -> Graph:
        before, after, kind = (self.run.view(column) for column in pairs)
        follows = Follows(before, after, kind, self.run.full(1, 0))
        ends = Ends(*(self._zeros(max(len(self.txns), pairs.shape[1])) for _ in range(3)))
        most = self.run.kernel(count_edges)(self.versions, follows)
        edges = room(self.run, time.size, most + len(time.src))
        begin_with(edges, time)
        self.run.kernel(depend_readers)(self.table, self.versions, ends, edges)
        self.run.kernel(depend_followers)(self.spans, self.table, self.versions, follows, ends, edges)
        return graph_of(edges, len(self.txns))

    def _zeros(self, size: int) -> Any:
        return self.run.view(np.zeros(size, np.int32))


def _of_kind(pairs: Pairs, kind: int) -> Pairs:
    return np.concatenate([pairs, np.full((1, pairs.shape[1]), kind, np.int32)])


def _rows(follows: Follows, size: int) -> Pairs:
    return np.stack([np.asarray(column, dtype=np.int32)[:size] for column in follows[:3]])
