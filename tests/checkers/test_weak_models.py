"""What all checkers of weak models have in common: strange histories make them unknown, never crash them, never pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.formats import load_history
from harness.history import History
from harness.verdict import Budget, Checker, Validity
from tests.builders import history, timeline
from tests.checkers.weak_goldens import MAKERS, cases, drawn

STRANGE = {
    "empty": "",
    "only the nemesis": 'nemesis info heal - _\nnemesis info heal - {"healed": true}',
    "nothing completed": "p0 invoke read x _\np1 invoke write x 1\np2 invoke add x 1\np3 invoke generate - _",
    "everything failed": "p0 invoke read x _\np0 fail read x _\np1 invoke add x 1\np1 fail add x 1",
    "other functions": 'p0 invoke txn - [["r",1,null]]\np0 ok txn - [["r",1,[2]]]',
    "only reads of nothing": "p0 invoke read x _ final=true\np0 ok read x _ final=true\np1 invoke read x _\np1 ok read x _",
}
# Those that give replicas time: without times they cannot.
SETTLING = {"convergence", "broadcast", "g_set", "counter", "or_set"}


@pytest.fixture(params=sorted(MAKERS))
def checker(request: pytest.FixtureRequest) -> Checker:
    return MAKERS[request.param]()


@pytest.mark.parametrize("name", STRANGE)
def test_where_there_is_nothing_to_judge_the_verdict_is_unknown_and_says_why(checker: Checker, name: str) -> None:
    verdict = checker.check(history(STRANGE[name]), Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert len(verdict.reason.split()) > 5
    assert verdict.anomalies == ()


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent.parent / "golden" / "histories").iterdir()), ids=lambda p: p.name
)
def test_histories_of_others_crash_nobody(checker: Checker, path: Path) -> None:
    verdict = checker.check(load_history(path), Budget())
    assert verdict.checker == checker.name
    assert json.loads(json.dumps(dict(verdict.stats))) == verdict.stats


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_verdicts_are_whole(name: str) -> None:
    for _, options, drawing, _ in cases(name):
        run = drawn(drawing)
        verdict = MAKERS[name](**json.loads(options)).check(run, Budget())
        assert json.loads(json.dumps(dict(verdict.stats))) == verdict.stats
        assert (verdict.validity is Validity.INVALID) == bool(verdict.anomalies)
        for anomaly in verdict.anomalies:
            assert anomaly.checker == verdict.checker == MAKERS[name]().name
            assert list(anomaly.ops) == sorted(set(anomaly.ops))
            assert len(run.rows_of(anomaly.ops)) == len(anomaly.ops) > 0


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_a_history_without_times_is_judged_all_the_same(name: str) -> None:
    for _, options, drawing, wanted in cases(name):
        run = drawn(drawing)
        untimed = History.from_columns(
            **{column: getattr(run, column) for column in ("type", "process", "f", "key", "value", "node")},
            **{table: getattr(run, table) for table in ("fs", "keys", "values", "nodes")},
            errors=run.errors,
            extras=run.extras,
        )
        chosen = json.loads(options)
        verdict = MAKERS[name](**chosen).check(untimed, Budget())
        settles = chosen.get("settle_s", 0 if name == "counter" else 1) > 0
        lasts = any(word in drawing for word in ("lease_s", "ttl_s"))
        timed = (settles and name in SETTLING) or {"max_seconds", "blocked_max_s"} & set(chosen) or lasts
        if timed:
            assert verdict.validity is not Validity.VALID or wanted.startswith("valid")
        assert timed or str(verdict.validity) == wanted.split(maxsplit=1)[0]


def test_the_same_history_gives_the_same_words() -> None:
    drawing = "p0 |-- write x 7 --| |-- write x 9 --| |-- read x 7 --| |-- read x 8 --|"
    for make in MAKERS.values():
        assert make().check(timeline(drawing), Budget()) == make().check(timeline(drawing), Budget())
