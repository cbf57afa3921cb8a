"""The checker ``list-append``: transactions that read lists and append elements to them, each element once per key.

A read shows all earlier versions of its key, so the order of versions is read off the longest read (``lists``), and all dependencies
follow from it (``list_edges``). With a real database of many sorts of wrong this is the strongest test that there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.kernels.engine import Engine, engine
from checkers.transactions.graph import Graph, graph_of, room
from checkers.transactions.judging import Analysis, judged, model_named
from checkers.transactions.list_edges import Ends, depend_lists, depend_unseen, find_ends
from checkers.transactions.list_facts import Facts
from checkers.transactions.lists import Orders, find_longest, judge_reads, order_versions
from checkers.transactions.models import DEFAULT
from checkers.transactions.times import EDGES_EACH, follow_time
from checkers.transactions.txns import Mops, Spans, Txns, Unjudgeable, txns_of
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
            return judged(NAME, analysed(txns_of(history, APPEND, lists=True)), self.model, budget)
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))


def analysed(txns: Txns) -> Analysis:
    """All dependencies and other anomalies. Raises Unjudgeable."""
    run = engine(txns.size)
    spans, mops = txns.spans(run), txns.mops(run)
    table = indexed(txns, run, mops)
    orders = _ordered(txns, run, spans, mops, table)
    graph = _depended(txns, run, spans=spans, mops=mops, table=table, orders=orders)
    facts = Facts(txns, table, orders)
    return Analysis(txns=txns, found=facts.found(), tell=facts.tell, graph=graph, explain=facts.explain)


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


def _depended(txns: Txns, run: Engine, *, spans: Spans, mops: Mops, table: Writes, orders: Orders) -> Graph:
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
    run.kernel(follow_time)(spans, orders.happened, zeros(lines), zeros(sessions), edges)
    return graph_of(edges, len(txns))
