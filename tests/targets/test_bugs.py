"""Every variant has seeded bugs of its own, enough of them to show that its checkers and faults find what can go wrong with it."""

from __future__ import annotations

import pytest

from harness.protocols import Target
from harness.registry import Registry
from targets import TARGETS

BUGS_MIN = 6
_REGISTRY = Registry("target", TARGETS)
KV: list[Target] = [_REGISTRY.get(name) for name in TARGETS if name.startswith("kv/")]


@pytest.mark.parametrize("target", KV, ids=lambda target: target.name)
def test_a_variant_has_six_seeded_bugs(target: Target) -> None:
    assert len({bug.name for bug in target.bugs}) >= BUGS_MIN


@pytest.mark.parametrize("name", TARGETS)
def test_names_of_bugs_differ_and_each_says_what_is_wrong(name: str) -> None:
    bugs = _REGISTRY.get(name).bugs
    assert len({bug.name for bug in bugs}) == len(bugs)
    assert all(bug.summary and bug.checker for bug in bugs)
