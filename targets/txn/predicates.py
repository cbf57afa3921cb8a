"""Transactions that find by predicates, as the store knows them: reads of all keys that may match, and writes.

The store reads what is not there as null, and holds that against whoever inserts it in the meantime, as it does with every other read: so
the keys that a predicate may find (``harness.workloads.predicates``) are all read, and the client says which of them match.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.workloads.predicates import FIND, INSERT, keys_of

Mops = Sequence[Sequence[Any]]


def by_predicates(mops: Mops) -> bool:
    return any(mop[0] in (FIND, INSERT) for mop in mops)


def asked(mops: Mops) -> list[list[Any]]:
    """What the store is asked for."""
    found: list[list[Any]] = []
    for f, what, value in mops:
        found += [["r", key, None] for key in keys_of(what)] if f == FIND else [["w", what, value]]
    return found


def answered(mops: Mops, answer: Mops) -> list[list[Any]]:
    """What ``mops`` found, from what the store answered to ``asked``: all that is there of a group matches."""
    at, found = 0, list[list[Any]]()
    for f, what, value in mops:
        width = len(keys_of(what)) if f == FIND else 1
        seen = {key: there for _, key, there in answer[at : at + width] if there is not None}
        found.append([f, what, seen if f == FIND else value])
        at += width
    return found
