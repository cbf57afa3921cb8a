"""The options of a node of the locks: each wrong one is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from targets.lock.service.bugs import Bugs
from targets.lock.service.config import Config


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"holder": "hopes"}, "option holder='hopes' is none of told, clock"),
        ({"clock": "sun"}, "option clock='sun' is none of monotonic, wall"),
        ({"lease_s": 0}, "0 < lease_s <= idle_s"),
        ({"lease_s": 4.0}, "0 < lease_s <= idle_s"),
        ({"fenced": "perhaps"}, "option fenced='perhaps' must be true or false"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Config.of(options)


def test_an_unknown_bug_is_refused() -> None:
    with pytest.raises(ValueError, match="lock has no seeded bug 'nonsense'"):
        Bugs.named("nonsense")
