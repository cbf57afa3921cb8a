"""The options of a node of the broker: each wrong one is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from targets.queue.broker.bugs import Bugs
from targets.queue.broker.config import Config


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kind": "ring"}, "option kind='ring' is none of quorum, mirrored"),
        ({"partition": "ignore"}, "option partition='ignore' is none of autoheal, pause-minority"),
        ({"consume": "never"}, "option consume='never' is none of late, early, effect"),
        ({"beat_s": 2}, "0 < beat_s < tick_s"),
        ({"priorities": 0}, "priorities at least 1"),
        ({"reject": 1.0}, "reject from 0 to below 1"),
        ({"confirms": "yes"}, "option confirms='yes' must be true or false"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Config.of(options)


def test_an_unknown_bug_is_refused() -> None:
    with pytest.raises(ValueError, match="queue/broker has no seeded bug 'nonsense'"):
        Bugs.named("nonsense")
