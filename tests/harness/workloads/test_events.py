"""The workload of events: both kinds come, for ever, and the checker of clocks judges them."""

from __future__ import annotations

from collections import Counter

from harness.generator import clients, limit
from harness.workloads.events import EVENTS
from tests.harness.workloads.stores import options
from tests.virtual_time import after, invocations, simulate


def test_events_and_messages_come_in_equal_shares() -> None:
    ops = invocations(simulate(clients(limit(400, EVENTS.generator(options()))), after(1000), concurrency=3))
    assert len(ops) == 400
    shares = Counter(op.f for op in ops)
    assert set(shares) == set(EVENTS.fs)
    assert min(shares.values()) > 150
    assert EVENTS.checkers[0] == ("clock-condition", {})
    assert EVENTS.final(options()) is None
