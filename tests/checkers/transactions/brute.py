"""Isolation by its definition: all orders are tried. For tests only; exponential, for a handful of small transactions.

A twin of the clever checkers: no graph, no inference. What is judged: transactions as lists of micro-operations, some of unknown
outcome (they may or may not have happened), some failed (they did not).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, pairwise, permutations, product
from typing import Any

from checkers.transactions.graph import Level, Time
from checkers.transactions.models import CYCLES, INTERNAL, forbids
from harness.history import FAIL, OK, History

Mop = tuple[str, Any, Any]


@dataclass(frozen=True)
class Txn:
    process: int
    call: int
    ret: int
    ok: bool
    mops: tuple[Mop, ...]


def txns(history: History) -> list[Txn]:
    """Those that may have happened."""
    calls = history.calls()
    found = []
    for row in range(len(calls)):
        ok = bool(calls.outcome[row] == OK)
        if calls.outcome[row] != FAIL:
            value = history.values[(calls.result if ok else calls.argument)[row]]
            mops = tuple((f, key, tuple(v) if isinstance(v, list) else v) for f, key, v in value)
            found.append(Txn(int(calls.process[row]), int(calls.call[row]), int(calls.ret[row]), ok, mops))
    return found


def serializable(history: History, *, strict: bool) -> bool:
    """Whether some order of the transactions that succeeded, and of some of the others, explains every read."""
    return any(
        legal(order)
        for chosen in _choices(txns(history))
        for order in permutations(chosen)
        if not strict or respects_time(order)
    )


def _choices(all_: Sequence[Txn]) -> Iterator[list[Txn]]:
    sure, unsure = [t for t in all_ if t.ok], [t for t in all_ if not t.ok]
    subsets = chain.from_iterable(combinations(unsure, size) for size in range(len(unsure) + 1))
    return ([*sure, *subset] for subset in subsets)


def respects_time(order: Sequence[Txn]) -> bool:
    return not any(later.ret < earlier.call for place, earlier in enumerate(order) for later in order[place + 1 :])


def legal(order: Sequence[Txn]) -> bool:
    state: dict[Any, Any] = {}
    for txn in order:
        after = applied(txn, state)
        if after is None:
            return False
        state = after
    return True


def applied(txn: Txn, state: dict[Any, Any]) -> dict[Any, Any] | None:
    """The state after ``txn``, or None if one of its reads is wrong there."""
    after = dict(state)
    for f, key, value in txn.mops:
        match f:
            case "append":
                after[key] = (*after.get(key, ()), value)
            case "w":
                after[key] = value
            case _ if txn.ok and (after.get(key) or None) != (value or None):
                return None
    return after


def snapshot_isolated(history: History, *, strong: bool) -> bool:
    """Whether some order of beginnings and commits explains every read by the state at its transaction's beginning, where no two
    transactions that overlap in it wrote the same key.
    """
    return any(_some_interleaving(chosen, strong=strong) for chosen in _choices(txns(history)))


def _some_interleaving(chosen: Sequence[Txn], *, strong: bool) -> bool:
    def extend(
        begun: dict[int, dict[Any, Any]], committed: list[int], state: dict[Any, Any], since: dict[int, set[Any]]
    ) -> bool:
        if len(committed) == len(chosen):
            return True
        for number, txn in enumerate(chosen):
            if number in committed:
                continue
            if number not in begun:
                early = strong and any(
                    other.ret < txn.call and place not in committed for place, other in enumerate(chosen)
                )
                if early or applied(txn, state) is None:
                    continue
                if extend({**begun, number: state}, committed, state, {**since, number: set()}):
                    return True
                continue
            keys = {key for f, key, _ in txn.mops if f != "r"}
            if keys & since[number]:
                continue  # first committer wins
            written = applied(txn, begun[number])
            assert written is not None
            after = {**state, **{key: written[key] for key in keys}}
            seen = {place: written_since | keys for place, written_since in since.items()}
            if extend(begun, [*committed, number], after, seen):
                return True
        return False

    return extend({}, [], {}, {})


# Adya's definition, for registers: some order of the versions of each key, of which no forbidden cycle comes


def adya(history: History, model: str) -> bool:
    """Whether the history of registers satisfies ``model``: some transactions of unknown outcome happened, and the versions of each key
    have some order, so that no phenomenon that the model forbids occurs.
    """
    level, time = CYCLES.get(model, (Level.ALL, Time.NONE))
    internal = forbids(model, INTERNAL)
    return any(_adya(chosen, level, time, internal=internal) for chosen in _choices(txns(history)))


def _adya(chosen: Sequence[Txn], level: Level, time: Time, *, internal: bool) -> bool:
    final: dict[Any, dict[Any, int]] = {}  # key → version → its writer
    for number, txn in enumerate(chosen):
        for key, value in {key: value for f, key, value in txn.mops if f == "w"}.items():
            final.setdefault(key, {})[value] = number
    if internal and not all(_consistent(txn) for txn in chosen if txn.ok):
        return False
    reads = [(number, key, value) for number, txn in enumerate(chosen) if txn.ok for key, value in _first_reads(txn)]
    written = {(key, value) for txn in chosen for f, key, value in txn.mops if f == "w"}
    if any(value is not None and (key, value) not in written for _, key, value in reads):
        return False  # nobody who committed wrote it
    seen = {(key, value) for txn in chosen if txn.ok for f, key, value in txn.mops if f == "r" and value is not None}
    if level >= Level.READS and not seen <= written:
        return False  # G1a, also of who had written the key before
    if level >= Level.READS and any(value is not None and value not in final.get(key, {}) for _, key, value in reads):
        return False  # G1b
    times = [
        (one, other, "time")
        for one, first in enumerate(chosen)
        for other, second in enumerate(chosen)
        if first.ret < second.call and (time is Time.REAL or (time is Time.PROCESS and first.process == second.process))
    ]
    orders = [[(key, order) for order in permutations(versions)] for key, versions in final.items()]
    return any(
        not _cycle(_edges(dict(chosen_orders), final, reads) + times, level) for chosen_orders in product(*orders)
    )


def _consistent(txn: Txn) -> bool:
    """It reads what it wrote, or read before, and nothing that it writes only later."""
    known: dict[Any, Any] = {}
    future = [(key, value) for f, key, value in txn.mops if f == "w"]
    for f, key, value in txn.mops:
        if f == "w":
            future.remove((key, value))
        elif (key, value) in future or known.get(key, value) != value:
            return False
        known[key] = value
    return True


def _first_reads(txn: Txn) -> list[tuple[Any, Any]]:
    found: dict[Any, Any] = {}
    touched: set[Any] = set()
    for f, key, value in txn.mops:
        if f == "r" and key not in touched:
            found[key] = value
        touched.add(key)
    return [*found.items()]


def _edges(
    orders: dict[Any, tuple[Any, ...]], final: dict[Any, dict[Any, int]], reads: Sequence[tuple[int, Any, Any]]
) -> list[tuple[int, int, str]]:
    found = []
    for key, order in orders.items():
        writers = [final[key][value] for value in order]
        found += [(one, other, "ww") for one, other in pairwise(writers)]
    for number, key, value in reads:
        order = orders.get(key, ())
        place = order.index(value) if value in order else -1
        if place >= 0:
            found.append((final[key][value], number, "wr"))
        if (place >= 0 or value is None) and place + 1 < len(order):
            found.append((number, final[key][order[place + 1]], "rw"))
    return [edge for edge in found if edge[0] != edge[1]]


def _cycle(edges: Sequence[tuple[int, int, str]], level: Level) -> bool:
    """A closed walk of the kinds of the level; below ALL without two rw in a row, or with at most one."""
    kinds = {Level.WRITES: {"ww"}, Level.READS: {"ww", "wr"}}.get(level, {"ww", "wr", "rw"}) | {"time"}
    usable = [edge for edge in edges if edge[2] in kinds]

    def extend(start: int, first: str, at: int, last: str, reads: int, met: frozenset[tuple[int, bool, int]]) -> bool:
        for src, dst, kind in usable:
            more = min(reads + (kind == "rw"), 2)
            if src != at or (level < Level.ALL and kind == last == "rw") or (level <= Level.SINGLE and more > 1):
                continue
            if dst == start and not (level < Level.ALL and kind == first == "rw"):
                return True
            state = (dst, kind == "rw", more)
            if state not in met and extend(start, first, dst, kind, more, met | {state}):
                return True
        return False

    return any(
        extend(src, kind, dst, kind, int(kind == "rw"), frozenset({(dst, kind == "rw", int(kind == "rw"))}))
        for src, dst, kind in usable
    )
