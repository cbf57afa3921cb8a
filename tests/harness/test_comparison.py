"""What a comparison says of findings, figures and settings of runs and verifications."""

from __future__ import annotations

from typing import Any

from harness.comparison import Side, comparison, run_side, verification_side
from tests.verifications import case, outcome, trial, verification


def results(*names: str, **more: Any) -> dict[str, Any]:
    anomalies = [{"checker": "set", "name": name, "reason": f"{name} is why"} for name in names]
    return {"verdict": "invalid" if names else "valid", "reason": "so", "anomalies": anomalies, **more}


def side(*names: str, **more: Any) -> Side:
    return run_side("run", results(*names, **more))


def test_findings_are_new_ongoing_rare_or_resolved() -> None:
    earlier = [side("old"), side("lost"), side("lost"), side("lost", "gone")]
    told = comparison(side("fresh", "lost", "old"), earlier)
    assert told["findings"] == {
        "new": ["set/fresh"],
        "ongoing": ["set/lost"],
        "rare": ["set/old"],
        "resolved": ["set/gone"],
    }
    assert told["seen"]["set/gone"] == [False, True, False, False, False]
    assert told["seen"]["set/old"] == [True, False, False, False, True]
    assert told["examples"]["set/gone"] == "gone is why"
    assert (told["verdict"], told["reason"]) == (
        "invalid",
        "findings against 4 earlier: 1 new, 1 ongoing, 1 rare, 1 resolved",
    )


def test_what_is_known_already_is_no_failure() -> None:
    assert comparison(side("lost"), [side("lost")])["verdict"] == "valid"
    assert comparison(side(), [side()])["reason"] == "no findings, against the one before"


def test_figures_and_settings_stand_side_by_side() -> None:
    now = side(
        stats={"ok": 9, "by_f": {}}, checkers=[{"checker": "set", "stats": {"lost": 2, "on": True}}], plan={"seed": 1}
    )
    last = side(stats={"ok": 7}, checkers=[{"checker": "stats", "stats": {"ok": 7}}], plan={"seed": 2, "rate": 5})
    told = comparison(now, [last])
    assert told["figures"] == {"ok": [9, 7], "set: lost": [2, None]}
    assert told["settings"] == {"seed": [1, 2], "rate": [None, 5]}


def test_the_newest_of_the_earlier_comes_first() -> None:
    sides = [run_side(str(at), results()) for at in range(4)]
    assert [side["name"] for side in comparison(sides[3], sides[:3])["sides"]] == ["3", "2", "1", "0"]


def test_a_verification_s_findings_are_those_against_its_claims() -> None:
    holds = case("c")
    good = verification_side("good", verification(trial(holds, outcome())))
    bad = verification_side("bad", verification(trial(holds, outcome("invalid", "set/lost"))))
    told = comparison(bad, [good])
    assert told["findings"]["new"] == list(told["seen"])
    assert len(told["seen"]) == 1
    assert next(iter(told["seen"])).endswith(": set/lost")
    assert told["figures"]["VIOLATED"] == [1, 0]
