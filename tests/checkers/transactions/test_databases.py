"""Databases that keep a promise are valid for exactly the models that they promise, and all that these imply."""

from __future__ import annotations

from typing import Any

import pytest

from checkers.transactions import list_append, rw_register
from checkers.transactions.models import MODELS, implied
from harness.verdict import Budget, Validity
from tests.checkers.transactions.databases import run

MAKE: dict[bool, Any] = {True: list_append.make, False: rw_register.make}
SEEDS = 12
# database → the strongest models that it keeps, and the weakest that some run of it must refute; for lists, for registers.
PROMISES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "serial": (("strict-serializable",), ()),
    "serializable-si": (("strict-serializable",), ()),
    "snapshot": (("strong-snapshot-isolation",), ("serializable", "repeatable-read")),
    "stale": (("serializable",), ("strong-session-snapshot-isolation", "strong-snapshot-isolation")),
    "read-committed": (("monotonic-atomic-view",), ("read-atomic",)),
    "read-uncommitted": (("read-uncommitted",), ("read-committed",)),
    "torn": (("read-committed",), ("read-atomic", "monotonic-atomic-view")),
    "last-writer": (("causal",), ("update-atomic", "snapshot-isolation")),
}
OF_REGISTERS = {"last-writer", "read-uncommitted"}  # of lists they would lose elements
CASES = [(kind, lists) for kind in PROMISES for lists in (True, False) if not (lists and kind in OF_REGISTERS)]


@pytest.mark.parametrize(("kind", "lists"), CASES)
def test_a_database_keeps_what_it_promises_and_no_more(kind: str, lists: bool) -> None:
    kept, broken = PROMISES[kind]
    keeps = [model for model in MODELS if any(model in implied(promise) for promise in kept)]
    refuted: set[str] = set()
    for seed in range(SEEDS):
        lines = run(kind, seed, lists=lists)
        found = MAKE[lists]().check(lines, Budget())
        assert found.validity is not Validity.UNKNOWN
        assert not set(found.stats["refuted"]) & set(keeps), (seed, found.reason)
        refuted |= set(found.stats["refuted"])
        for promise in kept:
            verdict = MAKE[lists](model=promise).check(lines, Budget())
            assert verdict.validity is Validity.VALID, (seed, verdict.reason)
    assert set(broken) <= refuted
