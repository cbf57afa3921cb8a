"""Which write made what was seen, and since when it was there; and what had been replaced: against the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.linearizable.encode import Unjudgeable
from checkers.replacements import Replacements, counts_below
from checkers.versions import NONE, ODD_SIGHTS, Versions, odd_sights, versions_of
from harness.history import FOREVER
from harness.samples import quantiles, wilson
from tests.builders import history, timeline
from tests.checkers import loose
from tests.checkers.loose import Step, loose_run, steps


def version_of(versions: Versions, key: object, value: object) -> int | None:
    calls = versions.calls
    for number in range(len(versions.code)):
        mine = int(calls.key[versions.key == versions.register[number]][0])
        if versions.value(number) == value and (None if mine < 0 else calls.history.keys[mine]) == key:
            return number
    return None


@pytest.mark.parametrize("domain", [0, 3])
@given(drawn=steps(24))
def test_since_when_a_version_is_there(drawn: list[Step], domain: int) -> None:
    run = loose_run(drawn, keys=2, domain=domain)
    versions, calls = versions_of(run), loose.calls_of(run)
    assert len(calls) == len(versions.calls)
    assert loose.explained(calls) == (len(versions.odd) == 0)
    if not loose.explained(calls):
        return
    for key, value in {(c.key, v) for c in calls for v in (c.saw, c.wrote) if v != loose.NOTHING}:
        version = version_of(versions, key, value)
        assert version is not None
        assert versions.since[version] == loose.since(calls, key, value)


@given(drawn=steps(24))
def test_what_had_been_replaced(drawn: list[Step]) -> None:
    run = loose_run(drawn, keys=2)
    versions, calls = versions_of(run), loose.calls_of(run)
    writes = Replacements(versions)
    keys = {c.key: int(versions.key[at]) for at, c in enumerate(calls)}
    cases = [(k, s, b) for k in keys for s in range(-1, len(run)) for b in range(0, len(run), 3)]
    if not cases:
        return
    key, since, before = (np.array(column) for column in zip(*((keys[k], s, b) for k, s, b in cases), strict=True))
    found = [loose.replaced(calls, *case) for case in cases]
    assert writes.count(key, since, before).tolist() == [len(part) for part in found]
    first = writes.first(key, since)
    for (k, s, _), row in zip(cases, first.tolist(), strict=True):
        assert row == min((w.ret for w in loose.replaced(calls, k, s, FOREVER)), default=FOREVER)
    ending = writes.write_ending(first)
    assert [int(versions.calls.ret[c]) for c in ending if c != NONE] == [
        row for row in first.tolist() if row != FOREVER
    ]


@given(
    st.lists(st.integers(-5, 5), max_size=20).flatmap(
        lambda values: st.tuples(
            st.just(values), st.lists(st.tuples(st.integers(0, len(values)), st.integers(-6, 6)), max_size=10)
        )
    )
)
def test_counts_below(case: tuple[list[int], list[tuple[int, int]]]) -> None:
    values, queries = case
    prefix, bound = (np.array([query[at] for query in queries], dtype=np.int64) for at in (0, 1))
    wanted = [sum(value < least for value in values[:many]) for many, least in queries]
    assert counts_below(np.array(values, dtype=np.int64), prefix, bound).tolist() == wanted


@pytest.mark.parametrize(
    ("drawing", "name"),
    [
        ("p0 |-- write x 7 --| |-- read x 8 --|", "phantom-read"),
        ("p0 |-- write x 7 --! |-- read x 7 --|", "aborted-read"),
        ("p0 |-- cas x [null,7] --! |-- read x 7 --|", "aborted-read"),
        ("p0 |-- read x 7 --| |-- write x 7 --|", "future-read"),
        ("p0 |-- write y 7 --| |-- read x 7 --|", "phantom-read"),
        ("p0 |-- cas x [6,7] --|", "phantom-read"),
        ('p0 |-- write x 1 --| |-- read x "1" --|', "phantom-read"),
        ("p0 |-- write x 1 --| |-- read x true --|", "phantom-read"),
    ],
)
def test_sights_that_no_write_explains(drawing: str, name: str) -> None:
    (anomaly,) = odd_sights(versions_of(timeline(drawing)), "c")
    assert anomaly.name == name
    assert anomaly.name in ODD_SIGHTS


@pytest.mark.parametrize(
    "drawing",
    [
        "p0 |-- write x 7 -->\np1               |-- read x 7 --|",
        "p0 |-- read x _ --| |-- read x 8 -->",
        "p0      |-- write x 7 --|\np1 |-- read x 7 --|",
        "p0 |-- cas x [6,7] --! |-- cas x [8,9] -->",
        "p0 |-- generate x 7 --|",
    ],
)
def test_near_misses_of_these(drawing: str) -> None:
    assert list(odd_sights(versions_of(timeline(drawing)), "c")) == []


@pytest.mark.parametrize(
    ("drawing", "siblings", "problem"),
    [
        ("p0 |-- cas x 7 --|", False, "the cas of index 0 has the argument 7; a cas takes"),
        ("p0 |-- cas x [1,2] --|", True, "a register with siblings knows no cas"),
        ('p0 |-- read x {"a":1} --|', True, 'the read of index 1 returned {"a": 1}, which is no list'),
    ],
)
def test_what_cannot_be_judged(drawing: str, siblings: bool, problem: str) -> None:
    with pytest.raises(Unjudgeable, match=problem.replace("[", r"\[").replace("{", r"\{")):
        versions_of(timeline(drawing), siblings=siblings)


def test_siblings_are_versions_each_and_none_of_them_is_null() -> None:
    versions = versions_of(
        history("""
            p0 invoke write x 7
            p0 ok     write x 7
            p0 invoke read  x _
            p0 ok     read  x [7,8,7]
            p0 invoke read  x _
            p0 ok     read  x []
        """),
        siblings=True,
    )
    assert [versions.value(v) for v in versions.sight.tolist()] == [7, None]
    assert [versions.value(v) for v in versions.odd.tolist()] == [8]


def test_the_interval_of_a_share() -> None:
    # 0 of 25: 1.96² / (25 + 1.96²); 10 of 20: 0.5 ± 1.96 · √(0.25 · 20 + 1.96² / 4) / (20 + 1.96²).
    assert [round(end, 4) for end in wilson(0, 25)] == [0.0, 0.1332]
    assert [round(end, 4) for end in wilson(10, 20)] == [0.2993, 0.7007]
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 50), st.integers(1, 50))
def test_the_interval_holds_the_share(hits: int, more: int) -> None:
    low, high = wilson(hits, hits + more)
    assert 0 <= low <= hits / (hits + more) <= high <= 1


def test_quantiles_are_values_of_the_sample() -> None:
    assert quantiles([3, 1, 2]) == {"0.5": 2.0, "0.9": 3.0, "0.99": 3.0, "1": 3.0}
    assert quantiles([]) == {}
