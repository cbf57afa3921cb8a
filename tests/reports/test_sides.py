"""What each side of a partition was served, as the page tells it."""

from __future__ import annotations

import dataclasses
import re

from harness.history import History
from reports.html import render
from reports.report import Report
from reports.sides import Side, sides
from tests.checkers.test_sides import ENDS, MAJORITY, MINORITY, SPLIT, STANDS, Call, built, call
from tests.reports.hostile import ALL, hostile_run
from tests.reports.runs import untimed_run

MS = 1_000_000


def rows(*calls: Call, **options: bool) -> list[Side]:
    return sides(Report(results={}, history=built(calls, SPLIT, **options)))


def test_each_side_has_its_share_its_rate_and_its_latency_while_the_partition_holds() -> None:
    slow = [call("n3", took=10 * n) for n in range(1, 101)]
    _, minority, majority = rows(
        call("n1", start=100, took=7), call("n1", "fail"), call("n1"), call("n2", start=ENDS - 5), *slow
    )
    assert (minority.nodes, minority.rank, minority.served, minority.decided) == (MINORITY, "minority", 1, 2)
    assert (minority.share, minority.waiting, minority.latency_ns) == (0.5, 1, (10 * MS, 10 * MS))
    assert (majority.nodes, majority.rank, majority.share, majority.waiting) == (MAJORITY, "majority", 1.0, 0)
    assert majority.latency_ns == (500 * MS, 990 * MS)
    assert (majority.start_ns, majority.end_ns) == (STANDS * MS, ENDS * MS)
    assert majority.per_s == 100 / ((ENDS - STANDS) / 1_000)


def test_the_whole_cluster_without_a_fault_stands_beside_them() -> None:
    # Asked at 1.0 s, healed at 9.1 s: what overlaps that is not alone.
    before, after = call("n1", start=100, took=20), call("n2", "fail", start=9_200, took=800)
    alone, *_ = rows(before, after, call("n1", start=990, took=20), call("n3"))
    assert (alone.rank, alone.nodes, alone.served, alone.decided) == ("", (), 1, 2)
    assert alone.latency_ns == (20 * MS, 20 * MS)
    assert alone.per_s == 1 / (1.0 + 0.9)  # the run ends at 10.0 s


def test_an_operation_that_never_ended_waits_on_its_own_side_alone() -> None:
    never = dataclasses.replace(call("n1"), end=None)
    _, minority, majority = rows(call("n3", start=100), never, call("n3"))
    assert (minority.decided, minority.share, minority.waiting, minority.latency_ns) == (0, None, 1, ())
    assert majority.waiting == 0


def test_without_two_sides_without_effect_or_without_times_nothing_is_told() -> None:
    assert rows(call("n1"), bit=False) == []
    assert rows() == []
    assert sides(untimed_run()) == []
    assert sides(Report(results={}, history=History.of([]))) == []
    assert sides(hostile_run(ALL)) == []


def test_the_page_shows_the_table_with_units() -> None:
    page = render(Report(results={}, history=built([call("n1", "fail"), call("n3"), call("n3", start=100)], SPLIT)))
    table = page.partition('<table class="sides')[2].partition("</table>")[0]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", table))
    assert "while no fault was on all nodes 100.0% 1 of 1" in text
    assert "1.100 s – 9.000 s minority n1, n2 0.0% 0 of 1 0 0.0 – –" in text
    assert "majority n3, n4, n5 100.0% 1 of 1 0 0.1 10.0 ms 10.0 ms" in text
    assert '<table class="sides' not in render(Report(results={}, history=History.of([])))
