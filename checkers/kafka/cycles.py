"""Circles of transactions on logs: each polled what another one sent, or comes behind it by time or (asked for) by offsets."""

from __future__ import annotations

from typing import Final

import numpy as np

from checkers.findings import Findings
from checkers.kafka.log import Logs
from checkers.transactions.cycles import Cycle, Exhausted, Search
from checkers.transactions.graph import Builder, Graph, Kind
from checkers.transactions.models import SUFFIXES, Level, Time
from checkers.wording import Narrator, name, text
from harness.history import FAIL, OK
from harness.verdict import Budget

CYCLES: Final = tuple(kind + suffix for kind in ("G0", "G1c") for suffix in SUFFIXES.values())
Facts = list[tuple[object, object, object]]  # key, a message, the message at the next offset (or None)


def cycles(logs: Logs, found: Findings, budget: Budget, *, ww: bool) -> bool:
    """Add what cycles there are; whether the search was cut short."""
    graph, facts = _graph(logs, ww=ww)
    try:
        for cycle in Search(graph, budget.steps_max).cycles(Level.READS, Time.REAL):
            found.add(cycle.name, [edge.src for edge in cycle.edges], _told(cycle, facts, found.say))
    except Exhausted:
        return True
    return False


def _graph(logs: Logs, *, ww: bool) -> tuple[Graph, Facts]:
    """The transactions of the history, by their rows, and who sent what whom polled."""
    calls, facts = logs.calls, Facts()
    builder = Builder(len(calls))
    for log in logs.logs.values():
        for row, message in log.sights:
            sent = log.sends.get(message)
            if sent is not None and not sent.failed:
                facts.append((log.key, sent.message, None))
                builder.edge(sent.row, row, Kind.WR, len(facts) - 1)
        for before, after in zip(log.known, log.known[1:], strict=False) if ww else ():
            for one in log.at[before]:
                for other in log.at[after]:
                    if one in log.sends and other in log.sends:
                        facts.append((log.key, log.sends[one].message, log.sends[other].message))
                        builder.edge(log.sends[one].row, log.sends[other].row, Kind.WW, len(facts) - 1)
    builder.process_order(calls.process.tolist(), (calls.outcome == OK).tolist())
    builder.real_time(calls.call, calls.ret)
    graph = builder.graph()
    alive = np.concatenate([calls.outcome != FAIL, np.ones(graph.size - len(calls), dtype=np.bool_)])
    return graph.only(alive[graph.src] & alive[graph.dst]), facts


def _told(cycle: Cycle, facts: Facts, say: Narrator) -> str:
    labels = {edge.src: f"T{place}" for place, edge in enumerate(cycle.edges, start=1)}
    parts = []
    for edge in cycle.edges:
        src, dst = labels[edge.src], labels[edge.dst]
        if edge.kind is Kind.PROCESS:
            why = f"the same process ran {src} first"
        elif edge.kind is Kind.REALTIME:
            why = f"{src} had ended {say.ended(edge.src)} when {dst} began {say.began(edge.dst)}"
        else:
            key, message, following = facts[edge.fact]
            why = f"{dst} polled {text(message)} from {name(key)}, which {src} had sent"
            if edge.kind is Kind.WW:
                why = f"{src} sent {text(message)} to {name(key)}, and {dst} sent {text(following)} to the offset after it"
        parts.append(f"{src} must come before {dst}, since {why}")
    who = ", ".join(f"{label} is the operation of {say.who(row)} {say.span(row)}" for row, label in labels.items())
    return f"{'; '.join(parts)}: so each must come before itself ({who})"
