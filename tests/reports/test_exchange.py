"""Which messages are shown beside a witness, and where the diagram puts them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.history import History
from harness.messages import Message
from reports.exchange import MESSAGES_MAX, Exchange, exchange
from reports.faults import faults
from reports.html import render
from reports.html.space_time import SpaceTime, draw_exchange
from reports.report import Report
from reports.witness import witness
from reports.wording import duration
from tests.builders import history

RUN = """
    p0      invoke write x 1   time=1s      node=n1
    p0      ok     write x 1   time=1.010s  node=n1
    p1      invoke read  x _   time=5s      node=n2
    p1      ok     read  x 0   time=5.002s  node=n2
    p2      invoke read  x _   time=5.001s  node=n3
    p2      info   read  x _   time=7s      node=n3
"""


def message(src: str, dest: str, sent_s: float, *arrived_s: float, kind: str = "m") -> Message:
    return Message(src=src, dest=dest, kind=kind, size=100, sent_s=sent_s, arrived_s=arrived_s)


LOG = [
    message("c0", "n1", 0.5, 0.51, kind="before"),
    message("c0", "n1", 1.0, 1.001, kind="write"),
    message("n1", "n2", 1.002, kind="replicate"),
    message("n1", "n3", 1.002, 1.004, 1.006, kind="replicate"),
    message("c9", "n1", 1.003, 1.004, kind="stranger"),
    message("n1", "c0", 1.009, 1.0099999999, kind="write_ok"),
    message("n1", "n2", 3.0, 3.1, kind="between"),
    message("c1", "n2", 5.0, 5.001, kind="read"),
    message("n2", "c1", 5.001, 5.002, kind="read_ok"),
]


def shown(log: list[Message], ops: list[int]) -> tuple[Report, Exchange | None]:
    report = Report(results={}, history=history(RUN), messages=log)
    return report, exchange(report, witness(report, {"witness": ops}))


def exchanged() -> Report:
    """A run whose page shows the exchange of messages around an anomaly."""
    anomaly = {
        "checker": "linearizable",
        "name": "stale-read",
        "ops": [2],
        "reason": "It is old.",
        "witness": [0, 1, 2, 3],
    }
    return Report(results={"verdict": "invalid", "anomalies": [anomaly]}, history=history(RUN), messages=LOG)


def drawn(log: list[Message], ops: list[int]) -> tuple[Exchange, SpaceTime]:
    report, found = shown(log, ops)
    assert found is not None
    return found, draw_exchange(found, faults(report), report.since, duration)


def test_the_page_draws_it_and_lists_it() -> None:
    html = render(exchanged())
    assert html.count('<g class="arrow') == len([one for one in LOG if one.kind in ("read", "read_ok")])
    assert "Messages meanwhile" in html
    assert "--option packet_log=true" not in html


def test_the_messages_of_the_witness_s_operations_are_shown_and_no_others() -> None:
    _, found = shown(LOG, [0, 1, 2, 3])
    assert found is not None
    kinds = [(one.kind, one.dest, one.arrived_ns is None) for one in found.messages]
    assert kinds == [
        ("write", "n1", False),
        ("replicate", "n2", True),
        ("replicate", "n3", False),
        ("replicate", "n3", False),
        ("write_ok", "c0", False),
        ("read", "n2", False),
        ("read_ok", "c1", False),
    ]
    assert found.places == ["c0", "c1", "n1", "n2", "n3"]
    assert found.left_out == 0


def test_a_moment_that_differs_by_rounding_is_the_operation_s() -> None:
    _, found = shown(LOG, [0, 1])
    assert found is not None
    assert found.messages[-1].arrived_ns == 1_010_000_000


def test_of_many_messages_those_of_the_operation_s_own_node_are_shown_and_the_rest_counted() -> None:
    crowd = [message("n2", "n3", 1.001 + at / 1e6, 1.005, kind="other") for at in range(300)]
    own = [message("n1", "n2", 1.002 + at / 1e6, 1.005, kind="own") for at in range(30)]
    log = sorted([*LOG, *crowd, *own], key=lambda one: one.sent_s)
    _, found = shown(log, [0, 1])
    assert found is not None
    kinds = [one.kind for one in found.messages]
    assert kinds.count("own") == 30
    assert len({(one.kind, one.dest, one.sent_ns) for one in found.messages}) == MESSAGES_MAX
    assert found.left_out == 300 + 30 + 4 - MESSAGES_MAX


@pytest.mark.parametrize("log", [[], [message("c0", "n1", 0.5, 0.6)], [message("c7", "n1", 1.001, 1.002)]])
def test_where_the_log_tells_nothing_there_is_no_diagram(log: list[Message]) -> None:
    assert shown(log, [0, 1])[1] is None


def test_a_history_without_times_has_no_diagram() -> None:
    lines = [replace(op, time_ns=-1) for op in history(RUN)]
    report = Report(results={}, history=History.of(lines), messages=LOG)
    assert not report.timed
    assert exchange(report, witness(report, {"witness": [0, 1]})) is None


def test_time_runs_downwards_and_everything_is_inside_the_frame() -> None:
    found, picture = drawn(LOG, [0, 1, 2, 3, 4, 5])
    assert [place.name for place in picture.places] == found.places
    assert [arrow.y1 for arrow in picture.arrows] == sorted(arrow.y1 for arrow in picture.arrows)
    for arrow in picture.arrows:
        assert arrow.y2 >= arrow.y1
        assert all(0 < x < picture.width for x in (arrow.x1, arrow.x2))
        assert all(picture.top <= y <= picture.bottom for y in (arrow.y1, arrow.y2))
    for strip in picture.strips:
        assert picture.top <= strip.y < strip.y + strip.height <= picture.height
    xs = {place.name: place.x for place in picture.places}
    ends = {(arrow.x1, arrow.x2) for arrow in picture.arrows if not arrow.lost}
    assert (xs["c0"], xs["n1"]) in ends
    lost = [arrow for arrow in picture.arrows if arrow.lost]
    assert [xs["n1"] < arrow.x2 < xs["n2"] for arrow in lost] == [True]


def test_a_pause_between_operations_is_a_break_that_says_how_long() -> None:
    _, picture = drawn(LOG, [0, 1, 2, 3])
    assert [mark.text for mark in picture.breaks] == ["3.99 s later"]


def test_an_operation_of_unknown_outcome_reaches_its_last_moment() -> None:
    log = [*LOG, message("c2", "n3", 5.5, kind="read")]
    _, picture = drawn(log, [2, 3, 4, 5])
    strip = picture.strips[-1]
    assert (strip.outcome, strip.answered) == ("info", "info")
    assert strip.y + strip.height <= picture.bottom
