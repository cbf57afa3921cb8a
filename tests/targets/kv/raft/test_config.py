"""Options: what comes from a command line or a plan is converted and judged."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from targets.kv.raft.bugs import Bugs
from targets.kv.raft.config import Config
from targets.kv.raft_reads_target import LEASE_READS, LOCAL_READS
from targets.kv.target import RAFT


def test_without_options_the_defaults_hold() -> None:
    assert Config.of({}) == Config()
    assert Bugs.named(None) == Bugs()
    assert not any(getattr(Bugs(), field.name) for field in fields(Bugs))


def test_options_are_converted_to_the_type_of_their_field() -> None:
    config = Config.of({"snapshot_entries": "50", "election_max_s": "0.9", "pre_vote": "false", "bug": "no-fsync"})
    assert (config.snapshot_entries, config.election_max_s, config.pre_vote) == (50, 0.9, False)


@pytest.mark.parametrize(
    "options",
    [
        {"snapshot_entries": "many"},
        {"pre_vote": "perhaps"},
        {"heartbeat_s": 0.4},
        {"election_min_s": 0.9},
        {"heartbeat_s": 0},
        {"snapshot_entries": 0},
        {"batch_max": 0},
        {"batch_s": -1},
        {"reads": "all"},
        {"drift_bound": 0.9},
        {"reads": "lease", "stickiness": False},
        {"reads": "lease", "election_min_s": 0.04, "heartbeat_s": 0.01},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="|".join(options)):
        Config.of(options)


def test_an_unknown_bug_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'no-sync'.*no-fsync"):
        Bugs.named("no-sync")


@pytest.mark.parametrize("bug", RAFT.bugs, ids=lambda bug: bug.name)
def test_every_bug_of_the_target_is_a_flag_of_its_own(bug: Any) -> None:
    flags = [field.name for field in fields(Bugs) if getattr(Bugs.named(bug.name), field.name)]
    assert flags == [bug.name.replace("-", "_")]


def test_every_flag_is_a_bug_of_a_target() -> None:
    known = {bug.name.replace("-", "_") for target in (RAFT, LEASE_READS, LOCAL_READS) for bug in target.bugs}
    assert known == {field.name for field in fields(Bugs)}
