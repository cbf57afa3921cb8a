"""Ten thousand attempts to get in, while leaders are cut off and killed: none has an effect, and each is noticed."""

from __future__ import annotations

import pytest

from benchmarks.impostor import besieged
from harness.effects import TOKEN_ATTEMPTS

pytestmark = pytest.mark.sweep

ATTEMPTS = 10_000


def test_of_ten_thousand_attempts_none_has_an_effect_and_each_is_noticed() -> None:
    results = besieged("kv/tokens", "sim", ATTEMPTS)
    assert results["verdict"] == "valid", results["reason"]
    (stats,) = [verdict["stats"] for verdict in results["checkers"] if verdict["checker"] == "security"]
    assert set(stats["kinds"]) == set(TOKEN_ATTEMPTS)
    assert stats["met_a_node"] >= ATTEMPTS
    assert all(fault["bit"] and fault["healed"] for fault in results["faults"])
