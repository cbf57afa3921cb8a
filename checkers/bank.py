"""The checker ``bank``: money moves between accounts, and none is made or lost. By Jepsen's names:

* ``wrong-total``: a read of all accounts does not add up to what there is;
* ``negative-value``: an account was overdrawn, where that may not be;
* ``unexpected-key``: a read has other accounts than there are; ``nil-balance``: an account without a balance.

Operations are ``transfer`` (any value) and ``read`` (a map of all accounts to balances). Every read is a transaction of its own, so each
must add up, whatever else goes on: that is snapshot isolation's promise, and no weaker model's. Source: jepsen.tests.bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.findings import Findings, unknown
from checkers.wording import Narrator, count, listed, text
from harness.history import OK, History
from harness.verdict import Budget, Checker, Verdict

NAME = "bank"
WRONG_TOTAL, NEGATIVE, UNEXPECTED, NIL = "wrong-total", "negative-value", "unexpected-key", "nil-balance"
READ, TRANSFER = "read", "transfer"


def make(*, total: int | None = None, negative: bool = False) -> Checker:
    """Does every read of all accounts add up? Options: total (None: what the first read says) and negative (accounts may be overdrawn)."""
    return Bank(total=total, negative=negative)


@dataclass(slots=True, kw_only=True)
class Bank:
    """See the module."""

    total: int | None = None
    negative: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        f = [history.fs[code] for code in calls.f.tolist()]
        ok = calls.outcome == OK
        rows = [row for row in np.flatnonzero(ok).tolist() if f[row] == READ]
        transfers = sum(f[row] == TRANSFER for row in np.flatnonzero(ok).tolist())
        values = [history.values[calls.result[row]] for row in rows]
        for value in values:
            if not isinstance(value, Mapping):
                return unknown(
                    NAME,
                    f"not a history of a bank: a read returned {text(value)}, which is no map of accounts to balances",
                )
        found = Findings(NAME, Narrator(calls), (NEGATIVE,) if self.negative else ())
        total, accounts = self.total, set(values[0]) if values else set()
        for row, value in zip(rows, values, strict=True):
            total = self._read(row, value, accounts, total, found)
        moved = {text(value) for value in values}
        stats = {
            "reads": len(rows),
            "transfers": transfers,
            "accounts": len(accounts),
            "total": total,
            "states_seen": len(moved),
        }
        doubt = ""
        if not rows or not transfers:
            doubt = f"{count(len(rows), 'read')} and {count(transfers, 'transfer')} succeeded, so there was nothing to judge"
        elif len(moved) < 2:
            doubt = "all reads saw the same balances, so none saw money on its way"
        reads = f"{count(len(rows), 'read')} of {count(len(accounts), 'account')}"
        fine = f"{reads} all add up to {total}, beside {count(transfers, 'transfer')}"
        return found.verdict(doubt=doubt, fine=fine + found.allowed_words(), stats=stats)

    def _read(
        self, row: int, value: Mapping[Any, Any], accounts: set[Any], total: int | None, found: Findings
    ) -> int | None:
        """Judge one read; the total that is right from now on."""
        who = f"{found.say.who(row)} read {found.say.span(row)}"
        if set(value) != accounts:
            strange = sorted(map(text, set(value) ^ accounts))
            found.add(UNEXPECTED, [row], f"{who} other accounts than there are: they differ in {listed(strange)}")
            return total
        if any(type(balance) is not int for balance in value.values()):
            missing = sorted(text(account) for account, balance in value.items() if type(balance) is not int)
            found.add(NIL, [row], f"{who} no balance of {listed(missing)}")
            return total
        below = sorted(text(account) for account, balance in value.items() if balance < 0)
        if below:
            found.add(NEGATIVE, [row], f"{who} that {listed(below)} {'is' if len(below) == 1 else 'are'} overdrawn")
        balance = sum(value.values())
        if total is not None and balance != total:
            found.add(WRONG_TOTAL, [row], f"{who} balances that add up to {balance:,}, but there is {total:,} in all")
        return balance if total is None else total
