"""The options of a node of the file system: each wrong one is refused in a sentence."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.config import Config
from targets.dfs.gfs_target import GFS


def test_options_are_taken_by_name_and_converted() -> None:
    config = Config.of({"replicas": "2", "checksums": "false", "lease_s": 1, "bug": "x"})
    assert (config.replicas, config.checksums, config.lease_s) == (2, False, 1.0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"clock": "sun"}, "neither monotonic nor wall"),
        ({"replicas": 0}, "at least 1"),
        ({"record_bytes": 20}, "multiples of 8"),
        ({"record_bytes": 512}, "record_bytes <= chunk_bytes"),
        ({"beat_s": 5}, "beat_s < dead_s"),
        ({"failover_max_s": 0.1}, "failover_min_s <= failover_max_s"),
        ({"lease_s": 0}, "must be above 0"),
        ({"cache_s": -1}, "must be 0 or more"),
        ({"fencing": "perhaps"}, "must be true or false"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Config.of(options)


def test_every_flag_is_a_bug_of_the_target_and_every_bug_a_flag() -> None:
    assert {field.name.replace("_", "-") for field in fields(Bugs)} == {bug.name for bug in GFS.bugs}
