"""Lost updates: two transactions that succeeded read the same version of a key, and both wrote to it. Pure.

Whichever came first, the other one should have read what it wrote.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from checkers.transactions.models import LOST_UPDATE
from checkers.transactions.txns import READ, Mop, Txn
from checkers.transactions.values import Finding, named, shown


def lost_updates(reads: Iterable[tuple[Txn, Mop, Hashable]]) -> Iterator[Finding]:
    """``reads`` are first reads of a key by a transaction that had not written it, with the version that they saw."""
    groups: dict[tuple[Hashable, Hashable], list[tuple[Txn, Mop]]] = {}
    for txn, mop, version in reads:
        if txn.ok and any(other.f != READ and other.name == mop.name for other in txn.mops):
            groups.setdefault((mop.name, version), []).append((txn, mop))
    for group in groups.values():
        if len(group) > 1:
            (one, mop), (other, _) = group[:2]
            words = (
                f"{{0}} and {{1}} both read {shown(mop.value)} from key {named(mop.key)} and both wrote to it: "
                "whichever came first, the other one should have seen its write"
            )
            yield Finding(name=LOST_UPDATE, txns=(one.number, other.number), words=words)
