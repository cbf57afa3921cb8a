"""The order that is shown for a valid history is one: legal step by step, and respecting real time."""

from __future__ import annotations

from checkers.linearizable import generic
from checkers.linearizable.check import make
from checkers.linearizable.models import CAS_REGISTER, successors
from harness.columns import FOREVER
from harness.verdict import Budget, Validity
from tests.builders import timeline
from tests.checkers.runs import register_run, rolls

CHECKER = make(order=True)


def test_an_order_is_legal_and_respects_real_time() -> None:
    shown = 0
    for seed in range(40):
        run = register_run(rolls(60, seed), domain=seed % 4, keys=1 + seed % 2, lies=seed % 5 == 0)
        verdict = CHECKER.check(run, Budget())
        if verdict.validity is not Validity.VALID:
            assert "orders" not in verdict.stats
            continue
        cases = generic.cases(run.calls(), CAS_REGISTER)
        assert len(cases) == len(verdict.stats["orders"])
        for case, row in zip(cases, verdict.stats["orders"], strict=True):
            at = {int(run.index[call.call]): call for call in case.calls}
            order = [at[index] for index, _ in row["order"]]
            assert {call for call in case.calls if call.ret != FOREVER} <= set(order)
            state = CAS_REGISTER.init
            for n, call in enumerate(order):
                (state,) = successors(CAS_REGISTER, state, call.f, call.argument, call.result)
                assert all(later.ret > call.call for later in order[n + 1 :])
            shown += len(order)
    assert shown >= 300


def test_each_order_stands_beside_its_key() -> None:
    for keys in (["a", "b"], ["-"]):
        bars = "  ".join(f"|- write {key} 1 -| |- read {key} 1 -|" for key in keys)
        told = CHECKER.check(timeline(f"p0 {bars}"), Budget()).stats["orders"]
        assert [row["key"] for row in told] == [None if key == "-" else key for key in keys]
        assert [index for row in told for index, _ in row["order"]] == list(range(0, 4 * len(keys), 2))
