"""Names, suggestions, duplicates, and lazy loading."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

import harness.registry as registry_module
from harness.errors import PlanError, PluginError
from harness.registry import Registry, load


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    """What other distributions add is read anew in every test."""
    registry_module._points.cache_clear()
    yield
    registry_module._points.cache_clear()


TABLE = {
    "error": "harness.errors:PlanError",
    "broken": "harness.errors:NoSuchThing",
    "missing": "harness.nowhere:Thing",
}


def test_a_member_is_loaded_when_asked_for() -> None:
    assert Registry("thing", TABLE).get("error") is PlanError


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(PlanError, match="unknown thing 'eror': did you mean 'error'"):
        Registry("thing", TABLE).get("eror")


@pytest.mark.parametrize(
    ("name", "sentence"), [("broken", "has no 'NoSuchThing'"), ("missing", "cannot import 'harness.nowhere'")]
)
def test_a_plugin_that_cannot_be_loaded_is_named(name: str, sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        Registry("thing", TABLE).get(name)


def test_a_name_claimed_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rival = SimpleNamespace(name="error", value="rival:Error")
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [rival] if group == "splitbrain.things" else [])
    with pytest.raises(PluginError, match="'error' is claimed by harness.errors:PlanError and by rival:Error"):
        Registry("thing", TABLE).names()


def test_other_distributions_join_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = SimpleNamespace(name="extra", value="harness.errors:TargetError")
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [extra])
    assert Registry("thing", TABLE).get("extra") is load("harness.errors:TargetError")
