"""The options of a node of the log: each wrong one is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from targets.queue.log.config import Config


def test_options_are_taken_by_name_and_converted() -> None:
    config = Config.of({"acks": "1", "min_isr": "1", "unclean": "true", "session_s": "2", "bug": "x"})
    assert (config.acks, config.min_isr, config.unclean, config.session_s) == ("1", 1, True, 2.0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"acks": "2"}, "option acks='2' is none of 0, 1, all"),
        ({"commit": "now"}, "option commit='now' is neither late nor early"),
        ({"min_isr": 0}, "must be at least 1"),
        ({"fsync_s": -1}, "fsync_s must be 0 or more"),
        ({"beat_s": 5}, "0 < beat_s < session_s"),
        ({"unclean": "perhaps"}, "option unclean='perhaps' must be true or false"),
        ({"replicas": "three"}, "option replicas='three' must be a whole number"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Config.of(options)
