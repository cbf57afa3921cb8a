"""What packet logs tell, and that the clusters that carry messages themselves tell the truth about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.clusters.message_log import MessageLog
from harness.errors import PlanError
from harness.messages import OPTION, PACKETS, Message, read_messages, type_of
from harness.protocols import ClusterSpec
from harness.store import Run
from reports.report import Report
from tests import simulation


def spec(directory: Path, *, logged: bool = True) -> ClusterSpec:
    options = {OPTION: True} if logged else {}
    return ClusterSpec(target="t", program="m:a", nodes=("n1", "n2"), options=options, seed=0, directory=directory)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"type":"read","key":1}', "read"),
        (b'\x00\x00{"src":"a","body":{"type": "cas_ok"}}{"type":"x"}', "cas_ok"),
        (b'<map><text name="type">read</text><int name="key">3</int></map>', "read"),
        (b"no JSON at all", ""),
        (b'{"type":7}', ""),
        (b'{"type":"a b"}', ""),
    ],
)
def test_the_type_of_what_travels(data: bytes, kind: str) -> None:
    assert type_of(data) == kind


def test_messages_are_told_with_every_arrival(tmp_path: Path) -> None:
    now = [1.0]
    log = MessageLog(spec(tmp_path), lambda: now[0])
    arrived = log.sent("n1", "n2", b'{"type":"ping"}')
    log.sent("n2", "n1", b'{"type":"lost"}')
    now[0] = 1.5
    arrived()
    arrived()
    log.close()
    told = Run(tmp_path).messages()
    assert [(m.src, m.dest, m.kind, m.sent_s, m.arrived_s) for m in told] == [
        ("n1", "n2", "ping", 1.0, (1.5, 1.5)),
        ("n2", "n1", "lost", 1.0, ()),
    ]
    assert (told[0].text, told[0].size) == ('{"type":"ping"}', 15)


def test_of_very_many_the_last_are_kept_and_the_others_counted(tmp_path: Path) -> None:
    log = MessageLog(spec(tmp_path), lambda: 0.0, most=2)
    for number in range(5):
        log.sent("n1", "n2", b'{"type":"m%d"}' % number)
    log.close()
    assert [message.kind for message in Run(tmp_path).messages()] == ["m3", "m4"]
    assert json.loads((tmp_path / PACKETS).read_text().splitlines()[-1]) == {"missed": 3}


def test_without_the_option_nothing_is_noted_or_written(tmp_path: Path) -> None:
    log = MessageLog(spec(tmp_path, logged=False), lambda: 0.0)
    log.sent("n1", "n2", b"{}")()
    log.close()
    assert not (tmp_path / PACKETS).exists()
    assert Run(tmp_path).messages() == []


def packet(way: str, t_ns: int, mark: int, **more: object) -> str:
    return json.dumps({"t_ns": t_ns, "way": way, "src": "n1", "dest": "n2", "bytes": 300, "mark": mark, **more})


def test_packets_become_messages_in_the_history_s_time() -> None:
    lines = [
        '{"began_ns": 1000000000}',
        packet("in", 2_000_000_000, 1, type="read"),
        packet("out", 2_500_000_000, 1),
        packet("in", 3_000_000_000, 2),
        packet("out", 3_000_000_001, 9),  # a damaged one: it never came in like this
        '{"missed": 0}',
    ]
    shown = read_messages(lines, boot_s=0.5)
    assert [(m.kind, m.sent_s, m.arrived_s) for m in shown] == [("read", 0.5, (1.0,)), ("", 1.5, ())]


def test_bare_headers_are_no_messages() -> None:
    assert read_messages([packet("in", 1, 1, bytes=52)], 0.0) == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        '{"sent": "x"}',
        '{"sent": 1}',
        '{"way": "in"}',
        '{"began_ns": []}',
        '{"sent":1,"arrived":3}',
    ],
)
def test_what_is_no_line_of_a_log_is_passed_over(line: str) -> None:
    good = '{"sent":1,"src":"a","dest":"b","type":"t","bytes":1,"arrived":[2]}'
    assert read_messages([line, good], 0.5) == [
        Message(src="a", dest="b", kind="t", size=1, sent_s=0.5, arrived_s=(1.5,))
    ]


def test_a_log_changes_nothing_of_a_simulated_run_and_tells_its_cuts(tmp_path: Path) -> None:
    def simulated(path: Path, **options: bool) -> Report:
        brief = {"time_limit_s": 4.0, "recovery_s": 2.0, "progress_s": 2.0, "rate": 20.0, "interval_s": 1.0}
        return simulation.conduct(simulation.plan_of(seed=7, nemesis="partition", options=options, **brief), path=path)

    logged, plain = simulated(tmp_path / "logged", packet_log=True), simulated(tmp_path / "plain")
    lines = [list(report.history) for report in (logged, plain)]
    assert lines[0] == lines[1]
    assert not plain.messages
    kinds = {message.kind for message in logged.messages}
    assert {"append_entries", "append_reply", "write", "write_ok"} <= kinds
    assert any(not message.arrived_s for message in logged.messages if message.kind == "append_entries")
    for message in logged.messages:
        assert all(0 < arrived_s - message.sent_s < 0.1 for arrived_s in message.arrived_s)


def test_a_cluster_that_keeps_no_log_says_so() -> None:
    with pytest.raises(PlanError, match="the cluster ssh keeps no packet log: all others do, docker as root alone"):
        simulation.plan_of(seed=1, cluster="ssh", options={OPTION: True})
