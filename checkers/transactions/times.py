"""The order of time as edges: that of every process, and real time through joints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from checkers.kernels.engine import Engine, Narrow, Tiny, engine
from checkers.transactions.graph import Edges, Graph, Time, add_edge, graph_of, room
from checkers.transactions.txns import Spans, Txns, sessions_of
from harness.columns import FAIL, FOREVER, OK
from harness.history import Calls

PROCESS, REALTIME, VIA = 3, 4, 5
# Edges per transaction at most.
EDGES_EACH = 4


def follow_time(  # noqa: PLR0917 - kernels take columns by position
    spans: Spans, happened: Tiny, at: Narrow, last: Narrow, time: int, edges: Edges
) -> int:
    """Kernel: each transaction that succeeded comes before the next one of its process, and before all that began after it had ended.

    As far as ``time`` counts (see ``graph.Time``). One joint per end, each leading to the next. ``at`` (one entry per line) and ``last``
    (one per process) are zeros.
    """
    for txn in range(len(happened)):
        if happened[txn] == 1:
            at[spans.call[txn]] = txn + 1
            if spans.outcome[txn] == OK and spans.ret[txn] != FOREVER:
                at[spans.ret[txn]] = -txn - 1
    joint = -1
    for line in range(len(at)):
        if at[line] > 0:
            txn = at[line] - 1
            if time > 0 and last[spans.session[txn]] > 0:
                add_edge(edges, last[spans.session[txn]] - 1, txn, PROCESS)
            if joint >= 0:
                add_edge(edges, joint, txn, VIA)
        elif at[line] < 0:
            txn = -at[line] - 1
            last[spans.session[txn]] = txn + 1
            if time < 2:
                continue
            fresh = edges.counts[1]
            edges.counts[1] = fresh + 1
            if joint >= 0:
                add_edge(edges, joint, fresh, VIA)
            add_edge(edges, txn, fresh, REALTIME)
            joint = fresh
    return 0


def time_graph(txns: Txns, run: Engine, spans: Spans, happened: Tiny, time: Time) -> Graph:
    """The order of time alone, as far as it counts."""
    edges = room(run, len(txns), EDGES_EACH * len(txns))
    at, last = (
        run.view(np.zeros(size, np.int32)) for size in (len(txns.calls.history), int(txns.session.max(initial=-1)) + 1)
    )
    run.kernel(follow_time)(spans, happened, at, last, int(time), edges)
    return graph_of(edges, len(txns))


def timed(calls: Calls, pairs: Sequence[tuple[int, int, int]]) -> Graph:
    """The graph of edges (source, target, kind) between calls, and of time; what failed comes before and after nothing."""
    run = engine(8 * len(calls))
    alive = calls.outcome != FAIL
    edges = room(run, len(calls), len(pairs) + EDGES_EACH * len(calls))
    for src, dst, kind in pairs:
        if alive[src] and alive[dst]:
            add_edge(edges, src, dst, kind)
    session = sessions_of(calls.process)
    spans = Spans(run.view(calls.outcome), run.view(session), run.view(calls.call), run.view(calls.ret))
    at, last = run.narrow(len(calls.history), 0), run.narrow(int(session.max(initial=-1)) + 1, 0)
    run.kernel(follow_time)(spans, run.view(alive.astype(np.int8)), at, last, int(Time.REAL), edges)
    return graph_of(edges, len(calls))
