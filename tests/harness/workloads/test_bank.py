"""The workload of a bank: what its ops are, that a bank with transactions passes, and that one without is caught."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checkers.bank import make
from harness.generator import Context, clients, limit, phases
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity, Verdict
from harness.workloads.bank import ACCOUNTS, AMOUNT_MAX, BANK, OPENING
from tests.harness.workloads.stores import options
from tests.virtual_time import World, invocations, simulate


def vault(*, torn: bool = False, crash_every: int = 0) -> World:
    """A bank: an op takes effect when it is invoked; ``torn``, what arrives shows only with the next op."""
    balances = dict.fromkeys(ACCOUNTS, OPENING)
    late: list[tuple[str, int]] = []
    count = 0

    def world(_: Context, op: Op) -> Op:
        nonlocal count
        count += 1
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + 50)
        if op.f == "read":
            done = replace(done, value=dict(balances))
        for account, amount in late:
            balances[account] += amount
        late.clear()
        if op.f == "transfer":
            if balances[op.value["from"]] < op.value["amount"]:
                return replace(done, type=OpType.FAIL, error="overdrawn")
            balances[op.value["from"]] -= op.value["amount"]
            late.append((op.value["to"], op.value["amount"]))
            if not torn:
                balances[late[0][0]] += late[0][1]
                late.clear()
        crashed = crash_every and count % crash_every == 0
        return replace(op, type=OpType.INFO, time_ns=done.time_ns, error="timeout") if crashed else done

    return world


def run(world: World, **chosen: Any) -> list[Op]:
    given = options(4, **chosen)
    final = BANK.final(given)
    assert final is not None
    return simulate(phases(clients(limit(400, BANK.generator(given))), clients(final)), world, concurrency=4, seed=1)


def judged(ops: list[Op]) -> Verdict:
    return make(**dict(BANK.checkers)["bank"]).check(
        History.of(op.stamped(i, op.time_ns, None) for i, op in enumerate(ops)), Budget()
    )


def test_money_goes_from_one_account_to_another() -> None:
    ops = invocations(run(vault()))
    moved = [op.value for op in ops if op.f == "transfer"]
    assert all(value["from"] != value["to"] and 1 <= value["amount"] <= AMOUNT_MAX for value in moved)
    assert {value["from"] for value in moved} == {value["to"] for value in moved} == set(ACCOUNTS)
    assert 150 < len(moved) < 250
    assert sum(bool(op.extra.get("final")) for op in ops) == 4


@pytest.mark.parametrize("crash_every", [0, 9])
def test_a_bank_with_transactions_passes(crash_every: int) -> None:
    assert judged(run(vault(crash_every=crash_every))).validity is Validity.VALID


def test_a_bank_that_shows_money_on_its_way_is_caught() -> None:
    verdict = judged(run(vault(torn=True)))
    assert {anomaly.name for anomaly in verdict.anomalies} == {"wrong-total"}
