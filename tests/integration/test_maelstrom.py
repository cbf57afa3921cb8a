"""Programs of other languages as nodes, under Maelstrom's workloads: right ones are valid, and one broken node per workload is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run_command
from harness.cli.planning import Request, make_plan
from harness.errors import EXIT_BROKEN, EXIT_VALID
from harness.workloads import WORKLOADS
from reports.report import Report
from targets.node import codes
from targets.systems.maelstrom import MAELSTROM
from tests.simulation import run, why

pytestmark = pytest.mark.process

NODES = Path(__file__).parent.parent / "maelstrom_nodes"
SHELL = ("echo", "unique-ids", "broadcast", "g-set", "g-counter", "lin-kv")
PERL = (*SHELL, "pn-counter")
C = ("echo", "unique-ids", "broadcast", "g-set", "g-counter", "pn-counter")
# Which anomaly the broken node of each workload must show (see BROKEN in maelstrom_nodes/node.py, and node.c).
BROKEN = {
    "echo": {"wrong-echo"},
    "unique-ids": {"duplicate-id"},
    "broadcast": {"undelivered"},
    "g-set": {"lost"},
    "g-counter": {"extra-add"},
    "pn-counter": {"too-low", "too-high", "extra-add", "impossible-sum"},
    "lin-kv": {"stale-read", "lost-write", "nonlinearizable"},
    "txn-list-append": {"G1c", "G-single", "G2-item", "lost-update", "G-nonadjacent"},
    "txn-rw-register": {"lost-update", "G-single", "G-single-realtime"},
    "kafka": {"lost-write"},
}

# Echoes five times, says why it cannot go on, and ends.
CRASHING = """
import json, sys
for count, line in enumerate(sys.stdin):
    message = json.loads(line)
    body = {**message["body"], "type": message["body"]["type"] + "_ok", "in_reply_to": message["body"]["msg_id"]}
    if count > 5:
        print("disk full", "I give up", sep=chr(10), file=sys.stderr, flush=True)
        sys.exit(3)
    print(json.dumps({"src": message["dest"], "dest": message["src"], "body": body}), flush=True)
"""


def hosted(binary: str | Path, *args: str, workload: str, seed: int = 1, **wishes: Any) -> Report:
    """A short run of five nodes."""
    settings = {"time_limit_s": 3.0, "recovery_s": 1.0, "progress_s": 1.0, "rate": 50.0, **wishes}
    options = {"bin": str(binary), "args": list(args), **settings.pop("options", {})}
    return run(
        "maelstrom",
        seed=seed,
        cluster="auto",
        workload=workload,
        options=options,
        workload_options={"quiet_s": 2.0},
        **settings,
    )


def python(workload: str, *args: str, **wishes: Any) -> Report:
    return hosted(sys.executable, str(NODES / "node.py"), workload, *args, workload=workload, **wishes)


def test_all_ten_workloads_are_there_and_each_has_a_broken_node() -> None:
    assert set(MAELSTROM.workloads) == set(BROKEN) <= set(WORKLOADS)


@pytest.mark.parametrize("workload", SHELL)
def test_a_node_in_shell_is_valid(workload: str) -> None:
    report = hosted(NODES / "node.sh", workload, workload=workload)
    assert report.results["verdict"] == "valid", why(report)


@pytest.mark.parametrize("workload", PERL)
def test_a_node_in_perl_is_valid(workload: str) -> None:
    report = hosted(NODES / "node.pl", workload, workload=workload)
    assert report.results["verdict"] == "valid", why(report)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The node in C."""
    program = tmp_path_factory.mktemp("c") / "node"
    subprocess.run(["cc", "-std=c11", "-Wall", "-Werror", "-o", program, NODES / "node.c"], check=True)
    return program


@pytest.mark.parametrize("workload", C)
def test_a_node_in_c_is_valid_and_a_broken_one_is_not(workload: str, compiled: Path) -> None:
    report = hosted(compiled, workload, workload=workload)
    assert report.results["verdict"] == "valid", why(report)
    report = hosted(compiled, workload, "broken", workload=workload)
    assert report.results["verdict"] == "invalid", why(report)
    assert {anomaly["name"] for anomaly in report.results["anomalies"]} & BROKEN[workload]


@pytest.mark.parametrize("workload", MAELSTROM.workloads)
def test_a_right_node_is_valid(workload: str) -> None:
    report = python(workload)
    assert report.results["verdict"] == "valid", why(report)


@pytest.mark.parametrize("workload", MAELSTROM.workloads)
def test_a_broken_node_is_invalid(workload: str) -> None:
    report = python(workload, "broken")
    assert report.results["verdict"] == "invalid", why(report)
    assert {anomaly["name"] for anomaly in report.results["anomalies"]} & BROKEN[workload]


@pytest.mark.parametrize("workload", ["broadcast", "g-counter", "lin-kv", "txn-list-append", "kafka"])
def test_a_right_node_is_valid_under_partitions_and_latency(workload: str) -> None:
    latency = {"latency_ms": 10, "latency_dist": "exponential"}
    wishes = {"nemesis": "partition", "interval_s": 1.0, "recovery_s": 2.0, "progress_s": 2.0}
    report = python(workload, options=latency, **wishes)
    assert report.results["verdict"] == "valid", why(report)
    assert report.results["faults"]
    assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"])


def test_pauses_and_kills_are_proved_without_asking_the_node() -> None:
    """Nodes that keep nothing of their own, so a kill costs them nothing."""
    wishes = {"nemesis": "kill,pause", "interval_s": 1.0, "time_limit_s": 5.0, "recovery_s": 3.0, "progress_s": 3.0}
    report = python("lin-kv", **wishes)
    assert report.results["verdict"] == "valid", why(report)
    assert {fault["kind"] for fault in report.results["faults"]} == {"kill", "pause"}
    assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"])


@pytest.mark.parametrize("service", ["seq-kv", "lww-kv"])
def test_a_weaker_service_below_lin_kv_is_found(service: str) -> None:
    """The shell node with another store below it: stale and lost values show."""
    script = (NODES / "node.sh").read_text().replace('"dest":"lin-kv"', f'"dest":"{service}"')
    report = hosted("sh", "-c", script, "sh", "lin-kv", workload="lin-kv")
    assert report.results["verdict"] == "invalid", why(report)
    assert {anomaly["checker"] for anomaly in report.results["anomalies"]} == {"linearizable"}


def test_our_own_nodes_run_under_our_own_host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    argv = [
        "run",
        "maelstrom",
        "--bin",
        sys.executable,
        "--bin-arg",
        "-m",
        "--bin-arg",
        "targets.node",
        "--workload",
        "lin-kv",
    ]
    argv += ["--time-limit", "4", "--recovery", "3", "--progress", "3", "--store", str(tmp_path), "--", "kv/raft"]
    assert run_command(argv) == EXIT_VALID, capfd.readouterr()
    assert "cluster process: nodes of other languages are child processes" in " ".join(capfd.readouterr().out.split())


def test_our_own_nodes_speak_the_protocol_on_bare_stdin_and_stdout(tmp_path: Path) -> None:
    """No host of ours: what Maelstrom itself does with ``python -m targets.node kv/raft``, as its bin of lin-kv."""
    argv = [sys.executable, "-m", "targets.node", "kv/raft"]
    requests = [
        {"type": "init", "node_id": "n1", "node_ids": ["n1"]},
        {"type": "write", "key": 7, "value": 1},
        {"type": "read", "key": 7},
        {"type": "cas", "key": 7, "from": 1, "to": 2},
        {"type": "cas", "key": 7, "from": 1, "to": 3},
        {"type": "read", "key": 8},
        {"type": "sing"},
    ]
    answers: list[tuple[Any, ...]] = []
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=NODES.parent.parent, text=True
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        asked = 0
        while len(answers) < len(requests):
            asked += 1
            body = {**requests[len(answers)], "msg_id": asked}
            node.stdin.write(json.dumps({"src": "c1", "dest": "n1", "body": body}) + "\n")
            node.stdin.flush()
            answer = json.loads(node.stdout.readline())
            assert (answer["src"], answer["dest"], answer["body"]["in_reply_to"]) == ("n1", "c1", asked)
            if answer["body"].get("code") != codes.UNAVAILABLE:  # a leader is elected first
                answers.append((answer["body"]["type"], answer["body"].get("value"), answer["body"].get("code")))
        node.stdin.close()
        assert node.wait(timeout=30) == 0
    assert answers == [
        ("init_ok", None, None),
        ("write_ok", None, None),
        ("read_ok", 1, None),
        ("cas_ok", None, None),
        ("error", None, codes.PRECONDITION),
        ("error", None, codes.KEY_MISSING),
        ("error", None, codes.NOT_SUPPORTED),
    ]


def test_a_crash_is_told_with_its_status_and_last_lines() -> None:
    report = hosted(sys.executable, "-c", CRASHING, workload="echo")
    assert report.results["verdict"] == "invalid", why(report)
    [reason, *_] = [a["reason"] for a in report.results["anomalies"] if a["name"] == "node-crash"]
    assert "crashed by itself" in reason
    assert "it ended with status 3; its last lines: disk full | I give up" in reason


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            'while read -r line; do echo "debug: got a line"; done',
            "node n1 of maelstrom broke the protocol: it wrote a line that is no message",
        ),
        ("echo no licence >&2; exit 7", "did not start: it ended with status 7; no licence"),
    ],
)
def test_a_node_that_does_not_speak_the_protocol_is_one_clear_sentence(
    script: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["run", "maelstrom", "--bin", "sh", "--workload", "echo", "--nodes", "1", "--store", str(tmp_path)]
    assert run_command([*argv, "--", "-c", script]) == EXIT_BROKEN
    said = capsys.readouterr().err
    [line] = [line for line in said.splitlines() if line.startswith("splitbrain: ")]
    assert sentence in line
    assert "Traceback" not in said
    if "protocol" in sentence:
        assert "debug: got a line" in line
        assert (
            'each line of standard output must be one message, {"src": "n1", "dest": ..., "body": {"type": ...}}'
            in line
        )


def test_an_answer_of_another_shape_is_one_clear_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        (NODES / "node.sh").read_text().replace('"\\"type\\":\\"echo_ok\\",\\"echo\\":$value"', '\'"type":"echo_ok"\'')
    )
    argv = ["run", "maelstrom", "--bin", "sh", "--workload", "echo", "--nodes", "1", "--store", str(tmp_path), "--"]
    assert run_command([*argv, "-c", script, "sh", "echo"]) == EXIT_BROKEN
    assert 'node n1 answered echo with {"type": "echo_ok"' in capsys.readouterr().err.replace("'", '"')


def test_the_plan_repeats_the_whole_command_line(tmp_path: Path) -> None:
    binary = tmp_path / "node"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    request = Request(target="maelstrom", options={"bin": str(binary), "args": ["--verbose", "x y"]}, seed=1)
    plan = make_plan(request)
    assert (plan.cluster, plan.nemesis) == ("process", ())
    assert plan.options == {"bin": str(binary), "args": ["--verbose", "x y"]}
