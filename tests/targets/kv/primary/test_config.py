"""Options: what comes from a command line or a plan is converted and judged."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from targets.kv.primary.bugs import Bugs
from targets.kv.primary.config import Config, Mode, ReadsBy
from targets.kv.primary_bugs import ASYNC_BUGS, SYNC_BUGS


def test_without_options_the_defaults_hold() -> None:
    assert Config.of({}) == Config()
    assert Bugs.named(None) == Bugs()
    assert not any(getattr(Bugs(), field.name) for field in fields(Bugs))


def test_options_are_converted_to_the_type_of_their_field() -> None:
    config = Config.of({"mode": "async", "reads": "any", "tail_entries": "7", "failover_max_s": "0.9", "bug": "x"})
    assert (config.mode, config.reads, config.tail_entries, config.failover_max_s) == (Mode.ASYNC, ReadsBy.ANY, 7, 0.9)
    assert not config.sync


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"mode": "semisync"}, "mode='semisync' must be one of sync, async"),
        ({"reads": "some"}, "reads='some' must be one of primary, any"),
        ({"heartbeat_s": "often"}, "heartbeat_s='often' must be a number"),
        ({"heartbeat_s": 0.4}, "heartbeat_s < failover_min_s"),
        ({"failover_min_s": 0.9}, "failover_min_s <= failover_max_s"),
        ({"checkpoint_entries": 0}, "checkpoint_entries"),
        ({"tail_entries": -1}, "tail_entries"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Config.of(options)


def test_an_unknown_bug_is_refused() -> None:
    with pytest.raises(ValueError, match="known are vote-forgotten, "):
        Bugs.named("none-such")


def test_every_flag_is_a_seeded_bug_of_some_variant_and_the_other_way_round() -> None:
    flags = {field.name.replace("_", "-") for field in fields(Bugs)}
    assert flags == {bug.name for bug in (*SYNC_BUGS, *ASYNC_BUGS)}
    assert all(Bugs.named(name) != Bugs() for name in flags)
