"""Options: what is wrong is said in one sentence, all of it at once."""

from __future__ import annotations

from typing import Any

import pytest

from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo.config import Config, Conflict


def test_options_are_fields_and_others_are_left_alone() -> None:
    config = Config.of({"n": 5, "r": 1, "conflict": "hlc", "sloppy": False, "bug": "x"}, 5)
    assert (config.n, config.r, config.w, config.conflict, config.sloppy) == (5, 1, 2, Conflict.HLC, False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n": 6}, "option n=6 must be 1 to 5, the number of nodes"),
        ({"r": 4}, "option r=4 must be 1 to n=3"),
        ({"w": 0}, "option w=0 must be 1 to n=3"),
        ({"r": 2.0}, "option r=2.0 must be a whole number"),
        ({"r": True}, "option r=True must be a whole number"),
        ({"conflict": "last"}, "option conflict='last' must be one of siblings, lww, hlc"),
        ({"sloppy": "no"}, "option sloppy='no' must be true or false"),
        ({"read_repair": 1}, "option read_repair=1 must be true or false"),
        ({"hedge_s": "fast"}, "option hedge_s='fast' must be a number"),
        ({"gossip_s": 2}, "0 < gossip_s=2.0 < suspect_s=1.0 must hold"),
        ({"hedge_s": 0}, "0 < hedge_s=0.0 < request_s=0.8 must hold"),
        ({"anti_entropy_s": -1}, "option anti_entropy_s=-1.0 must be 0 (never) or more"),
        ({"n": 9, "r": 10}, "option n=9 must be 1 to 5, the number of nodes; option r=10 must be 1 to n=9"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match="option|must hold") as caught:
        Config.of(options, 5)
    assert str(caught.value) == sentence


def test_bugs_have_names() -> None:
    assert Bugs.named("vector-pruned").vector_pruned
    assert Bugs.named(None) == Bugs()
    with pytest.raises(ValueError, match="kv/dynamo has no seeded bug 'vector': known are vector-pruned"):
        Bugs.named("vector")
