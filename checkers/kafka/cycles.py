"""Circles of transactions on logs: each polled what another one sent, or comes behind it by time or (asked for) by offsets."""

from __future__ import annotations

from typing import Final

from checkers.findings import Findings
from checkers.kafka.log import Logs
from checkers.transactions.cycles import CLASSES, Cycle, Search
from checkers.transactions.graph import Graph, Kind, Level
from checkers.transactions.times import timed
from checkers.wording import Narrator, name, text
from harness.verdict import Budget

CYCLES: Final = tuple(cycle for cycle, (level, _) in CLASSES.items() if level <= Level.READS)
# Of an edge: key, a message, the message at the next offset (or None).
Facts = dict[tuple[int, int, int], tuple[object, object, object]]


def cycles(logs: Logs, found: Findings, budget: Budget, *, ww: bool) -> bool:
    """Add what cycles there are; whether the search was cut short."""
    graph, facts = _graph(logs, ww=ww)
    search = Search(graph.core(), budget.steps_max)
    wanted = sorted((CLASSES[name] for name in CYCLES), key=lambda pair: (pair[1], pair[0]))
    for cycle in search.cycles(wanted):
        found.add(cycle.name, [edge.src for edge in cycle.edges], _told(cycle, facts, found.say))
    return len(search.covered) < len(wanted)


def _graph(logs: Logs, *, ww: bool) -> tuple[Graph, Facts]:
    """The transactions of the history, by their rows, and who sent what whom polled."""
    facts = Facts()
    for log in logs.logs.values():
        for row, message in log.sights:
            sent = log.sends.get(message)
            if sent is not None and not sent.failed:
                facts[sent.row, row, Kind.WR] = (log.key, sent.message, None)
        for before, after in zip(log.known, log.known[1:], strict=False) if ww else ():
            for one in log.at[before]:
                for other in log.at[after]:
                    if one in log.sends and other in log.sends:
                        edge = (log.sends[one].row, log.sends[other].row, Kind.WW)
                        facts[edge] = (log.key, log.sends[one].message, log.sends[other].message)
    return timed(logs.calls, list(facts)), facts


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
            key, message, following = facts[edge.src, edge.dst, edge.kind]
            why = f"{dst} polled {text(message)} from {name(key)}, which {src} had sent"
            if edge.kind is Kind.WW:
                why = f"{src} sent {text(message)} to {name(key)}, and {dst} sent {text(following)} to the offset after it"
        parts.append(f"{src} must come before {dst}, since {why}")
    who = ", ".join(f"{label} is the operation of {say.who(row)} {say.span(row)}" for row, label in labels.items())
    return f"{'; '.join(parts)}: so each must come before itself ({who})"
