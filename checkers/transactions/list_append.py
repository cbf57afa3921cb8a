"""The checker ``list-append``: transactions that read lists and append elements to them, each element once per key.

A read shows all earlier versions of its key, so the order of versions is read off the longest read (``lists``), and all dependencies
follow from it (``list_edges``). With a real database of many sorts of wrong this is the strongest test that there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.kernels.engine import Engine, engine
from checkers.transactions.cycles import circles
from checkers.transactions.graph import Graph, Kind, Time, graph_of, room, together
from checkers.transactions.judging import Analysis, judged, model_named
from checkers.transactions.list_edges import Ends, depend_lists, depend_unseen, find_ends
from checkers.transactions.list_facts import Facts
from checkers.transactions.lists import Orders, find_longest, judge_reads, order_versions
from checkers.transactions.models import DEFAULT, FRACTURED, NON_CAUSAL, NON_MONOTONIC, time_of
from checkers.transactions.registers import INITIAL, NOWHERE
from checkers.transactions.times import EDGES_EACH, follow_time
from checkers.transactions.txns import Mops, Spans, Txns, Unjudgeable, is_ok, txns_of
from checkers.transactions.visibility import Shown
from checkers.transactions.visible import Viewer, Views, views
from checkers.transactions.writes import NONE, Keys, Writes, index_writes, lay_out_tables, mark_happened
from checkers.wording import name, text
from harness.history import History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME, APPEND = "list-append", "append"


def make(*, model: str = DEFAULT) -> Checker:
    """Does any anomaly refute a consistency model? Option model: its name, such as strict-serializable (the default), serializable,
    snapshot-isolation, causal, read-atomic, read-committed.
    """
    return ListAppend(model=model_named(model))


@dataclass(slots=True, kw_only=True)
class ListAppend:
    """See the module."""

    model: str
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            return judged(NAME, analysed(txns_of(history, APPEND, lists=True), self.model), self.model, budget)
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))


def analysed(txns: Txns, model: str) -> Analysis:
    """All dependencies and other anomalies, with the order of time that ``model`` keeps. Raises Unjudgeable."""
    run = engine(txns.size)
    spans, mops = txns.spans(run), txns.mops(run)
    table = indexed(txns, run, mops)
    orders = _ordered(txns, run, spans, mops, table)
    graph = _depended(txns, run, spans=spans, mops=mops, table=table, orders=orders, time=time_of(model))
    facts = Facts(txns, table, orders)

    def seen(steps: int) -> Views:
        viewer = Viewer(txns, run, spans, mops, table, shown_by(txns, run, table, orders))
        direct = viewer.direct()
        sights = {NON_MONOTONIC: direct.monotonic(), FRACTURED: direct}
        if time_of(model) is Time.NONE:
            facts.sights = sights  # clocks need the order of each process
            return _with_unseen(views(table, sights, graph, steps), graph, steps)
        before = together(graph.of_kinds((Kind.PROCESS,)), read_from(txns, table, orders))
        happened = np.asarray(orders.happened, dtype=np.int8)[np.asarray(table.author, dtype=np.int32)] == 1
        versions = happened & (txns.write == 1) & (np.asarray(table.later, dtype=np.int8) == 0)
        past = viewer.past(before, np.flatnonzero(versions).astype(np.int32))
        facts.sights = sights if past is None else sights | {NON_CAUSAL: past}
        return _with_unseen(views(table, facts.sights, before, steps), graph, steps)

    return Analysis(txns=txns, found=facts.found(), tell=facts.tell, graph=graph, explain=facts.explain, views=seen)


def _with_unseen(found: Views, graph: Graph, steps: int) -> Views:
    """Also circles by appends that nobody saw: these come after all that was seen, since no append loses another one.

    Who commits after whom (the order of versions, who read from whom) must then not go round, under any model of views.
    """
    for anomaly, time in ((NON_MONOTONIC, ()), (NON_CAUSAL, (Kind.PROCESS,))):
        if anomaly in found.circles:
            ordered = graph.of_kinds((Kind.WW, Kind.UNSEEN_WW, Kind.WR, Kind.VIA, *time))
            found.circles[anomaly].extend(
                edges for edges in circles(ordered, steps) if any(edge.kind is Kind.UNSEEN_WW for edge in edges)
            )
    return found


def shown_by(txns: Txns, run: Engine, table: Writes, orders: Orders) -> Shown:
    """What reads saw that say what was there before their transaction, of keys whose order is known."""
    bad, start = np.asarray(orders.bad, dtype=np.int8), np.asarray(orders.start, dtype=np.int32)
    external = (txns.write == 0) & (np.asarray(table.before, dtype=np.int32) == NONE) & (bad[txns.key] == 0)
    read = np.flatnonzero(external & is_ok(txns)[np.asarray(table.author, dtype=np.int32)])
    length = txns.first[read + 1] - txns.first[read]
    source = np.full(len(txns.key), NOWHERE, dtype=np.int32)
    source[read] = INITIAL
    some = read[length > 0]
    last = np.asarray(orders.version, dtype=np.int32)[start[txns.key[some]] + length[length > 0] - 1]
    source[some] = np.where(last == NONE, NOWHERE, last)
    return Shown(run.view(source), orders.start, orders.version, orders.place)


def read_from(txns: Txns, table: Writes, orders: Orders) -> Graph:
    """Who saw whose elements: each version is a joint, to which its writer and the version before lead, and which leads to its readers."""
    count, author = len(txns), np.asarray(table.author, dtype=np.int32)
    version, start = np.asarray(orders.version, dtype=np.int32), np.asarray(orders.start, dtype=np.int32)
    known = np.flatnonzero(version != NONE)
    next_ = np.ones(len(version), dtype=np.bool_)
    next_[start[:-1][start[:-1] < len(version)]] = False
    later = np.flatnonzero(next_)
    bad = np.asarray(orders.bad, dtype=np.int8)
    length = txns.first[1:] - txns.first[:-1]
    external = (txns.write == 0) & (np.asarray(table.before, dtype=np.int32) == NONE) & (bad[txns.key] == 0)
    read = np.flatnonzero(external & (length > 0))
    columns: list[tuple[Any, Any, Kind]] = [
        (author[version[known]], count + known, Kind.WR),
        (count + later - 1, count + later, Kind.VIA),
        (count + start[txns.key[read]] + length[read] - 1, author[read], Kind.VIA),
    ]
    return Graph(
        size=count + len(version),
        txns=count,
        src=np.concatenate([src for src, _, _ in columns]).astype(np.int32),
        dst=np.concatenate([dst for _, dst, _ in columns]).astype(np.int32),
        kind=np.concatenate([np.full(len(src), kind, np.int8) for src, _, kind in columns]),
    )


def indexed(txns: Txns, run: Engine, mops: Mops) -> Writes:
    """Who wrote what. Raises Unjudgeable if a value of a key was written twice."""
    start = run.view(np.zeros(len(txns.keys) + 1, np.int32))
    size, count = run.kernel(lay_out_tables)(mops, start), len(txns.key)
    table = Writes(
        start,
        run.view(np.zeros(size, np.int32)),
        run.view(np.zeros(count, np.int32)),
        run.narrow(count, NONE),
        run.view(np.zeros(count, np.int8)),
        run.view(np.zeros(count, np.int32)),
        run.view(np.zeros(count, np.int32)),
    )
    keys = Keys(run.narrow(len(txns.keys), NONE), run.narrow(len(txns.keys), NONE))
    twice = run.kernel(index_writes)(mops, table, keys)
    if twice != NONE:
        value, key = txns.object(int(txns.value[twice])), txns.key_object(int(txns.key[twice]))
        raise Unjudgeable(
            f"{text(value)} is written to key {name(key)} more than once, so nobody knows which write a read of it saw"
        )
    return table


def _ordered(txns: Txns, run: Engine, spans: Spans, mops: Mops, table: Writes) -> Orders:
    keys = len(txns.keys)

    def zeros(size: int) -> Any:
        return run.view(np.zeros(size, np.int32))

    longest, start = run.narrow(keys, NONE), zeros(keys + 1)
    size = run.kernel(find_longest)(spans, mops, longest, start)
    happened = run.view(np.zeros(len(txns), np.int8))
    run.kernel(mark_happened)(spans, happened)
    bad = run.view(np.zeros(keys, np.int8))
    count = len(txns.key)
    orders = Orders(
        longest, start, bad, run.narrow(size, NONE), zeros(count), zeros(size + keys), zeros(count), happened
    )
    run.kernel(order_versions)(spans, mops, table, orders)
    run.kernel(judge_reads)(spans, mops, table, orders)
    return orders


def _depended(txns: Txns, run: Engine, *, spans: Spans, mops: Mops, table: Writes, orders: Orders, time: Time) -> Graph:
    keys, count = len(txns.keys), len(txns.key)

    def zeros(size: int) -> Any:
        return run.view(np.zeros(size, np.int32))

    ends = Ends(
        zeros(keys + 1),
        zeros(count),
        zeros(keys + 1),
        zeros(count),
        zeros(len(txns)),
        zeros(len(txns)),
        zeros(len(txns)),
    )
    more = run.kernel(find_ends)(spans, mops, table, orders, ends)
    most = len(orders.version) + 2 * (count - int(txns.write.sum())) + EDGES_EACH * len(txns) + more
    edges = room(run, len(txns), most)
    run.kernel(depend_lists)(spans, mops, table, orders, edges)
    run.kernel(depend_unseen)(spans, table, orders, ends, edges)
    lines, sessions = len(txns.calls.history), int(txns.session.max(initial=-1)) + 1
    run.kernel(follow_time)(spans, orders.happened, zeros(lines), zeros(sessions), int(time), edges)
    return graph_of(edges, len(txns))
