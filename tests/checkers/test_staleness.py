"""Staleness: words by goldens, figures against the definition, and none where the register is linearizable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.staleness import make
from harness.errors import PlanError
from harness.history import FOREVER, History
from harness.verdict import Budget, Validity, Verdict
from tests.builders import timeline
from tests.checkers import loose
from tests.checkers.loose import STEP_NS, Step, loose_run, stamped, steps
from tests.checkers.runs import STEPS as REGISTER_STEPS
from tests.checkers.runs import register_run
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("staleness")


def check(run: History, **options: float) -> Verdict:
    return make(**options).check(run, Budget())  # type: ignore[arg-type]  # numbers of either kind


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("staleness", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def defined(run: History) -> list[tuple[int, int, float]]:
    """Per read: its row, versions behind, seconds behind; by the definition."""
    calls = loose.calls_of(run)
    found = []
    for read in calls:
        if read.saw == loose.NOTHING or read.wrote != loose.NOTHING:
            continue
        newer = loose.replaced(calls, read.key, loose.since(calls, read.key, read.saw), read.call)
        first = min((write.ret for write in newer), default=read.call)
        found.append((read.call, len(newer), (read.call - first) * STEP_NS / 1e9))
    return found


@pytest.mark.parametrize("domain", [0, 3])
@given(drawn=steps(34), bound=st.integers(0, 2))
def test_figures_are_those_of_the_definition(domain: int, drawn: list[Step], bound: int) -> None:
    run = loose_run(drawn, keys=2, domain=domain)
    verdict, calls = check(run, max_versions=bound), loose.calls_of(run)
    if not loose.explained(calls):
        assert verdict.validity is Validity.INVALID
        return
    wanted = defined(run)
    stats = verdict.stats
    assert stats["reads"] == len(wanted)
    assert stats["stale_reads"] == sum(versions > 0 for _, versions, _ in wanted)
    assert stats["versions_behind"].get("1", 0) == max((versions for _, versions, _ in wanted), default=0)
    assert stats["seconds_behind"].get("1", 0) == pytest.approx(max((seconds for _, _, seconds in wanted), default=0))
    beyond = [row for row, versions, _ in wanted if versions > bound]
    assert stats["too_stale_reads"] == len(beyond)
    assert (verdict.validity is Validity.INVALID) == bool(beyond)
    assert all(set(anomaly.ops) & set(beyond) for anomaly in verdict.anomalies)


@given(drawn=REGISTER_STEPS, domain=st.sampled_from([0, 3]))
def test_a_linearizable_register_has_no_stale_read(drawn: list[Step], domain: int) -> None:
    verdict = check(register_run(drawn, lies=False, keys=2, domain=domain), max_versions=0, max_seconds=0)
    assert verdict.validity is not Validity.INVALID
    assert verdict.stats["stale_reads"] == 0


@given(drawn=steps(40), factor=st.integers(1, 1000))
def test_time_only_scales_seconds(drawn: list[Step], factor: int) -> None:
    run = loose_run(drawn, keys=2)
    slow = History.of(replace(op, time_ns=op.time_ns * factor) for op in run)
    one, other = check(run).stats, check(slow).stats
    assert one["versions_behind"] == other["versions_behind"]
    assert {q: s * factor for q, s in one["seconds_behind"].items()} == pytest.approx(other["seconds_behind"])


@given(drawn=steps(40))
def test_names_of_keys_processes_and_values_do_not_matter(drawn: list[Step]) -> None:
    run = loose_run(drawn, keys=2, cas=False)
    renamed = stamped(
        replace(op, process=op.process * 3 + 1, key=f"key {op.key}", value=None if op.value is None else [op.value])  # type: ignore[operator]
        for op in run
    )
    one, other = check(run, max_versions=0), check(renamed, max_versions=0)
    assert (one.validity, one.stats) == (other.validity, other.stats)
    assert [anomaly.ops for anomaly in one.anomalies] == [anomaly.ops for anomaly in other.anomalies]


@given(drawn=steps(40))
def test_siblings_of_one_are_plain_values(drawn: list[Step]) -> None:
    run = loose_run(drawn, keys=2, cas=False)
    alone = stamped(
        replace(op, value=[op.value] if op.type == "ok" and op.f == "read" and op.value is not None else op.value)
        for op in run
    )
    one, other = check(run, max_versions=0), check(alone, max_versions=0, siblings=True)
    assert (one.validity, one.stats) == (other.validity, other.stats)


def test_a_history_without_times_counts_versions_only() -> None:
    drawing = "p0 |-- write x 1 --| |-- write x 2 --| |-- write x 3 --| |-- read x 1 --|"
    run = History.of(replace(op, time_ns=-1) for op in timeline(drawing))
    verdict = check(run)
    assert verdict.validity is Validity.VALID
    assert verdict.reason.endswith("was stale, by up to 2 versions")
    assert verdict.stats["worst"] == {"index": 6, "versions": 2, "seconds": None}
    assert check(run, max_seconds=1).validity is Validity.UNKNOWN
    assert check(run, max_versions=1).validity is Validity.INVALID


def test_only_the_worst_are_told() -> None:
    lines = ["p0 |-- write x 1 --| |-- write x 2 --|"] + [f"p{n}{' ' * (40 + n)}|-- read x 1 --|" for n in range(1, 12)]
    verdict = check(timeline("\n".join(lines)), max_versions=0)
    assert verdict.stats["too_stale_reads"] == 11
    assert len(verdict.anomalies) == 8
    assert verdict.anomalies[0].reason.startswith("process 11 read 1")
    share = "11 of 11 reads (100.00%; 95 % confidence: 74.12% to 100.00%) were stale, by up to 1 version"
    assert verdict.reason.startswith(share)
    assert verdict.reason.endswith(verdict.anomalies[0].reason)


@pytest.mark.parametrize("options", [{"max_versions": -1}, {"max_seconds": -0.5}, {"max_seconds": float("nan")}])
def test_bounds_below_zero_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(PlanError, match="a bound on staleness is a number from 0"):
        make(**options)  # type: ignore[arg-type]  # numbers of either kind


def test_forever_is_no_end() -> None:
    verdict = check(
        timeline("p0 |-- write x 1 -->\np1                  |-- write x 2 --| |-- read x 1 --|"), max_versions=0
    )
    assert verdict.validity is Validity.VALID
    assert FOREVER > 10**18
