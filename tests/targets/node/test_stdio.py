"""A real node on its three pipes, as Maelstrom would run it: only what goes in and what comes out counts."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent.parent
INIT = {"type": "init", "msg_id": 1, "node_id": "n1", "node_ids": ["n1", "n2"]}


def wire(body: dict[str, Any], src: str = "c1") -> str:
    return json.dumps({"id": 7, "src": src, "dest": "n1", "body": body}) + "\n"


def node(
    *arguments: str, feed: str, program: str = "echo", as_file: Path | None = None
) -> tuple[int, list[dict[str, Any]], list[dict[str, Any]]]:
    """Run a node on this input to its end: its status, the bodies that it sent, the lines that it logged."""
    argv = [sys.executable, "-m", "targets.node", program, *arguments]
    if as_file is not None:
        as_file.write_text(feed, encoding="utf-8")
        with as_file.open(encoding="utf-8") as stdin:
            done = subprocess.run(argv, stdin=stdin, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    else:
        done = subprocess.run(argv, input=feed, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(message["src"] == "n1" for message in messages)
    return done.returncode, [m["body"] for m in messages], [json.loads(line) for line in done.stderr.splitlines()]


def test_a_node_answers_and_ends_with_its_input() -> None:
    status, bodies, log = node(feed=wire(INIT) + wire({"type": "echo", "msg_id": 2, "echo": ["ä", 1]}))
    assert status == 0
    assert bodies == [{"type": "init_ok", "in_reply_to": 1}, {"type": "echo_ok", "in_reply_to": 2, "echo": ["ä", 1]}]
    assert [line["event"] for line in log] == ["start"]


def test_the_input_may_be_a_file(tmp_path: Path) -> None:
    status, bodies, _ = node(
        feed=wire(INIT) + wire({"type": "echo", "msg_id": 2, "echo": 5}), as_file=tmp_path / "input"
    )
    assert status == 0
    assert bodies[1]["echo"] == 5


@pytest.mark.parametrize(
    "line",
    [
        "junk",
        "[]",
        "5",
        '{"src": "c1"}',
        '{"src": "c1", "body": {}}',
        '{"src": "c1", "body": {"type": 5}}',
        '{"body": {"type": "echo"}}',
    ],
)
def test_what_is_no_message_is_logged_and_skipped(line: str) -> None:
    status, bodies, log = node(feed=wire(INIT) + line + "\n\n" + wire({"type": "echo", "msg_id": 2, "echo": 1}))
    assert status == 0
    assert [body["type"] for body in bodies] == ["init_ok", "echo_ok"]
    assert [(entry["event"], entry.get("line")) for entry in log] == [("start", None), ("malformed", line)]


def test_a_failing_program_ends_the_node_after_what_it_had_sent() -> None:
    status, bodies, log = node(
        feed=wire(INIT) + wire({"type": "fail", "msg_id": 2}) + wire({"type": "echo", "msg_id": 3})
    )
    assert status == 1
    assert [body["type"] for body in bodies] == ["init_ok"]
    assert log[-1]["event"] == "crash"
    assert "asked to fail" in log[-1]["traceback"]


def test_what_fails_when_the_node_has_ended_is_no_crash() -> None:
    """A task of the program is cut short in the middle of its clean-up, which then fails: the node was told to end."""
    status, bodies, log = node(feed=wire(INIT), program="tests.targets.node.test_stdio:Untidy")
    assert (status, [body["type"] for body in bodies]) == (0, ["init_ok"])
    assert [line["event"] for line in log] == ["start"]


def test_storage_is_kept_in_the_directory_that_is_given(tmp_path: Path) -> None:
    save = {"type": "save", "msg_id": 2, "name": "log", "text": "kept", "sync": True}
    node("--data", str(tmp_path / "data"), feed=wire(INIT) + wire(save))
    _, bodies, _ = node(
        "--data", str(tmp_path / "data"), feed=wire(INIT) + wire({"type": "load", "msg_id": 2, "name": "log"})
    )
    assert bodies[1]["text"] == "kept"


def test_options_dice_lives_and_clock_come_from_the_command_line() -> None:
    skew = json.dumps({"since_s": 0.0, "offset_s": 0.0, "drift": 1.0, "strobe_period_s": 0.0})
    arguments = [
        "--option",
        "bug=none",
        "--option",
        "quorum=2",
        "--seed",
        "3",
        "--incarnation",
        "4",
        "--skew",
        skew,
        "--epoch",
        "0",
    ]
    _, bodies, log = node(
        *arguments, feed=wire(INIT) + wire({"type": "show", "msg_id": 2}), program="tests.targets.node.test_stdio:Show"
    )
    assert bodies[1]["options"] == {"bug": "none", "quorum": 2}
    assert bodies[1]["random"] == bodies[1]["expected"]
    assert bodies[1]["wall"] > 3e9  # twice the true time
    assert log[0]["incarnation"] == 4
    assert log[0]["t"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "no node program is called 'nothing'"),
        (["echo", "--option", "bug"], "'bug' is not NAME=VALUE"),
        (["echo", "--seed", "x"], "--seed"),
    ],
)
def test_wrong_arguments_are_explained(arguments: list[str], words: str) -> None:
    argv = [sys.executable, "-m", "targets.node", *arguments]
    done = subprocess.run(argv, input="", capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 2
    assert words in done.stderr


class Untidy:
    """Has work that never ends, and raises when it is cancelled."""

    def __init__(self, _env: Any) -> None:
        self._task = asyncio.get_running_loop().create_task(self._work())  # as a library of the program's may

    async def _work(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("cut short")


class Show:
    """Tells what the command line made of it."""

    def __init__(self, env: Any) -> None:
        from harness import rng

        first = env.random.random()
        expected = rng.stream(3, "node/n1/4").random()
        env.on(
            "show",
            lambda _message: {
                "type": "show_ok",
                "options": dict(env.options),
                "random": first,
                "expected": expected,
                "wall": env.wall_time(),
            },
        )
