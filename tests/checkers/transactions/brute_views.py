"""Atomic and causal visibility by their definition, for tests: all orders of commit are tried, and all of some visibilities.

A history of registers or lists satisfies a model iff there are a set of transactions that happened, one order of commit (which is the order
of versions of every key), and a visibility within that order, so that every read that says what was there before its transaction shows the
last visible version (a list: that version with all before it). The visibility must contain:

* monotonic atomic view: whom the transaction read from before this read (so each read has its own);
* read atomic: whom it read from at all;
* causal: whom it read from, what its process ran before, and transitively all that these see.

A list has one order: also a read behind its own transaction's append shows a beginning of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

from harness.history import History
from tests.checkers.transactions.brute import Txn, _choices, _consistent, txns

Reads = list[tuple[int, Any, Any]]  # place in the transaction, key, value


def allowed(history: History, model: str) -> bool:
    """Whether the history satisfies monotonic-atomic-view, read-atomic or causal."""
    return any(_allowed(chosen, model) for chosen in _choices(txns(history)))


def _allowed(chosen: Sequence[Txn], model: str) -> bool:
    if model != "monotonic-atomic-view" and not all(internally_right(txn) for txn in chosen if txn.ok):
        return False
    return any(_explains([chosen[place] for place in order], model) for order in permutations(range(len(chosen))))


def internally_right(txn: Txn) -> bool:
    """Its reads follow from what it did itself."""
    if any(f == "append" for f, _, _ in txn.mops) or any(isinstance(v, tuple) for f, _, v in txn.mops if f == "r"):
        known: dict[Any, Any] = {}
        own: dict[Any, tuple[Any, ...]] = {}
        for f, key, value in txn.mops:
            if f != "r":
                own[key] = (*own.get(key, ()), value)
                if key in known:
                    known[key] = (*known[key], value)
                continue
            shown, mine = tuple(value or ()), own.get(key, ())
            if key in known and known[key] != shown:
                return False
            if mine and shown[-len(mine) :] != mine:
                return False
            known[key] = shown
        return True
    return _consistent(txn)


def _explains(order: Sequence[Txn], model: str) -> bool:
    """Whether this order of commit does, with the least visibility that the model asks for."""
    versions: dict[Any, list[tuple[int, Any]]] = {}  # key → (writer, version) in order
    for place, txn in enumerate(order):
        for key in dict.fromkeys(key for f, key, _ in txn.mops if f != "r"):
            written = [value for f, k, value in txn.mops if f != "r" and k == key]
            before = versions.get(key, [(-1, ())])[-1][1]
            listed = any(f == "append" for f, _, _ in txn.mops)
            versions.setdefault(key, []).append((place, (*before, *written) if listed else written[-1]))
    reads = [(txn, key, value) for txn in order if txn.ok for f, key, value in txn.mops if f == "r"]
    if not all(
        _begins(value, versions.get(key, [])) and _committed(txn, key, value, versions) for txn, key, value in reads
    ):
        return False
    past: list[set[int]] = []
    for place, txn in enumerate(order):
        seen = _read_from(order, place, versions)
        if seen is None or any(writer >= place for writers, _, _, _ in seen for writer in writers):
            return False
        direct = {writer for writers, _, _, _ in seen for writer in writers}
        if model == "causal":
            mine = [
                other for other, one in enumerate(order) if one.process == txn.process and one.ok and one.ret < txn.call
            ]
            if any(other > place for other in mine):
                return False
            direct |= set(mine)
            for other in list(direct):
                direct |= past[other]
        past.append(direct)
        for _, at, key, last in seen:
            visible = direct
            if model == "monotonic-atomic-view":
                visible = {w for writers, before, _, _ in seen if before < at for w in writers}
            if any(last < writer for writer, _ in versions.get(key, []) if writer in visible):
                return False
    return True


def _begins(value: Any, versions: list[tuple[int, Any]]) -> bool:
    if not isinstance(value, tuple) or not value:
        return True
    return bool(versions) and versions[-1][1][: len(value)] == value


def _committed(txn: Txn, key: Any, value: Any, versions: dict[Any, list[tuple[int, Any]]]) -> bool:
    """Whether a register's value is what some transaction that happened left, or this one's own: also of a read behind an own write."""
    if value is None or isinstance(value, tuple):
        return True
    own = [v for f, k, v in txn.mops if f != "r" and k == key]
    return value in own or any(version == value for _, version in versions.get(key, []))


def _read_from(
    order: Sequence[Txn], place: int, versions: dict[Any, list[tuple[int, Any]]]
) -> list[tuple[set[int], int, Any, int]] | None:
    """Of each read that says what was there before: from whom, its place, its key, and the writer of the version; None: from nobody."""
    txn, found, touched = order[place], [], set()
    if not txn.ok:
        return []
    for at, (f, key, value) in enumerate(txn.mops):
        if f == "r" and key not in touched:
            if value is None or value == ():
                found.append((set[int](), at, key, -1))
            else:
                mine = [writer for writer, version in versions.get(key, []) if version == value]
                if not mine:
                    return None
                whole = isinstance(value, tuple)
                before = {writer for writer, _ in versions[key] if writer <= mine[0]} if whole else {mine[0]}
                found.append((before, at, key, mine[0]))
        touched.add(key)
    return found
