"""What the process cluster alone promises: real signals, no process left behind, any binary of the protocol, clear words for bad ones."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.child import BUFFER_MAX
from harness.clusters.process import ProcessCluster
from harness.clusters.starts import NodeStart, python_node
from harness.effects import ClockSkew
from harness.errors import TargetError
from harness.protocols import NoAnswer, NotSent
from targets.node.wallclock import Skew
from tests.conformance.worlds import NODES, World, spec

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent.parent

# A node of another make: it speaks the protocol, and knows nothing of ours.
FOREIGN = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    answer = {"in_reply_to": body["msg_id"]}
    if body["type"] == "init":
        me = body["node_id"]
        answer["type"] = "init_ok"
        sys.stderr.write("hello from " + me + chr(10))
    elif body["type"] == "echo":
        answer.update(type="echo_ok", echo=body["echo"])
    elif body["type"] == "babble":
        print("debug: I am a bad node", flush=True)
        continue
    elif body["type"] == "lie":
        print(json.dumps({"src": "n3", "dest": "n2", "body": {"type": "echo"}}), flush=True)
        continue
    elif body["type"] == "mumble":
        print(json.dumps({"src": me, "dest": "c1", "body": [1]}), flush=True)
        continue
    else:
        answer.update(type="error", code=10, text="not supported")
    print(json.dumps({"src": me, "dest": message["src"], "body": answer}), flush=True)
"""


def foreign(_start: NodeStart) -> Sequence[str]:
    return [sys.executable, "-c", FOREIGN]


def run(
    directory: Path,
    scenario: Callable[[World], Awaitable[Any]],
    argv: Callable[[NodeStart], Sequence[str]] = python_node,
    **settings: Any,
) -> Any:
    async def body() -> Any:
        cluster = ProcessCluster(spec(directory, **settings), argv)
        await cluster.start()
        try:
            return await scenario(World(cluster))
        finally:
            await cluster.stop()

    with asyncio.Runner() as runner:
        return runner.run(body())


def pids(world: World) -> dict[str, int]:
    return {node.name: node.child.pid for node in world.cluster._nodes.values() if node.child is not None}


def exists(pid: int) -> bool:
    """Whether there is such a process, alive or not yet reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_process_is_reaped_and_stopping_leaves_none(tmp_path: Path) -> None:
    async def scenario(world: World) -> list[int]:
        before = pids(world)
        await world.cluster.kill("n2")
        assert not exists(before["n2"])
        assert exists(before["n1"])
        await world.cluster.restart("n2")
        after = pids(world)
        assert after["n2"] != before["n2"]
        await world.cluster.pause("n3")
        return [*before.values(), *after.values()]

    assert [pid for pid in run(tmp_path, scenario) if exists(pid)] == []


def test_a_dead_node_is_certainly_not_sent_to(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.cluster.kill("n2")
        with pytest.raises(NotSent, match="n2 is down"):
            await world.call("n2", "echo", echo=1)
        await world.cluster.restart("n2")
        assert (await world.call("n2", "echo", echo=1))["echo"] == 1

    run(tmp_path, scenario)


def test_a_node_that_ends_by_itself_is_reaped_and_named(tmp_path: Path) -> None:
    async def scenario(world: World) -> dict[str, str]:
        pid = pids(world)["n2"]
        os.kill(pid, signal.SIGABRT)
        assert await world.cluster.ask("n2", {"type": "sb_ping"}, 10.0) is None
        while exists(pid):
            await asyncio.sleep(0.01)
        crashes: dict[str, str] = world.cluster.crashes()
        return crashes

    assert run(tmp_path, scenario) == {"n2": f"ended by signal {int(signal.SIGABRT)}"}


def test_a_busy_restart_loses_no_other_node_s_messages(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(world.cluster.kill("n2"))
            calls = [group.create_task(world.call("n1", "echo", echo=n)) for n in range(200)]
        assert [call.result()["echo"] for call in calls] == list(range(200))

    run(tmp_path, scenario)


def test_a_paused_node_s_clock_can_be_skewed_for_later(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.cluster.pause("n2")
        await world.cluster.skew("n2", ClockSkew(offset_s=100))
        assert await world.cluster.clock_offset("n2") is None
        await world.cluster.resume("n2")
        assert await world.cluster.clock_offset("n2") == pytest.approx(100, abs=5)

    run(tmp_path, scenario)


def test_what_waits_for_a_node_that_does_not_read_is_bounded(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.cluster.pause("n2")
        megabyte = "x" * 2**20
        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(answered(world.call("n2", "echo", timeout_s=1, echo=megabyte))) for _ in range(40)
            ]
        assert not any(call.result() for call in calls)
        waiting = world.cluster._nodes["n2"].child._input.get_write_buffer_size()
        assert BUFFER_MAX - 2**20 < waiting < BUFFER_MAX + 2**21
        await world.cluster.resume("n2")
        while not await world.alive("n2", 1.0):
            await asyncio.sleep(0)
        assert await answered(world.call("n2", "echo", echo=megabyte))

    run(tmp_path, scenario)


async def answered(call: Awaitable[Any]) -> bool:
    try:
        await call
    except NoAnswer:
        return False
    return True


def test_a_node_of_another_make(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        assert (await world.call("n3", "echo", echo="hi"))["echo"] == "hi"
        assert await world.alive("n1")  # a refusal of the ping is an answer, too
        assert await world.cluster.clock_offset("n1") is None
        await world.cluster.kill("n1")
        await world.cluster.restart("n1")
        assert (await world.call("n1", "echo", echo="again"))["echo"] == "again"

    run(tmp_path, scenario, argv=foreign)
    assert (tmp_path / "nodes" / "n1" / "node.log").read_text(encoding="utf-8") == "hello from n1\n" * 2


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        ("babble", r"node n2 of echo broke the protocol: .*debug: I am a bad node"),
        ("lie", r"node n2 of echo broke the protocol: .*its src is 'n3'"),
        ("mumble", r"node n2 of echo broke the protocol: .*n2.*c1"),
    ],
)
def test_a_line_that_is_no_message_ends_the_run_naming_node_and_line(tmp_path: Path, type_: str, words: str) -> None:
    async def scenario(world: World) -> None:
        await world.call("n2", type_)

    with pytest.raises(TargetError, match=words):
        run(tmp_path, scenario, argv=foreign)


def test_every_question_after_a_violation_is_refused(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(Exception, match="n2"):
            await world.call("n2", "babble")
        with pytest.raises(TargetError, match="broke the protocol"):
            await world.alive("n1")

    with pytest.raises(TargetError, match="broke the protocol"):
        run(tmp_path, scenario, argv=foreign)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "print('Starting up...', flush=True); import time; input()",
            "node n1 of echo broke the protocol.*Starting up",
        ),
        (
            "import sys; sys.exit('no licence found')",
            r"(?s)node n1 .* did not start: it ended with status 1.*no licence found",
        ),
        ("import os; os.abort()", r"node n1 .* did not start: it ended by signal 6"),
    ],
)
def test_a_node_that_does_not_start(tmp_path: Path, code: str, words: str) -> None:
    async def scenario(_world: World) -> None:
        raise AssertionError("the cluster started")

    def first_is_bad(start: NodeStart) -> Sequence[str]:
        return [sys.executable, "-c", code] if start.node == "n1" else foreign(start)

    with pytest.raises(TargetError, match=words):
        run(tmp_path, scenario, argv=first_is_bad)


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    async def scenario(_world: World) -> None:
        raise AssertionError("the cluster started")

    with pytest.raises(TargetError, match=r"cannot run '/nowhere/raft': No such file"):
        run(tmp_path, scenario, argv=lambda _start: ["/nowhere/raft"])


def test_a_wrapper_dies_with_what_it_started(tmp_path: Path) -> None:
    """A shell script around a binary, as Maelstrom's demos have it: the signal must reach the binary."""

    def wrapped(start: NodeStart) -> Sequence[str]:
        pid_file = tmp_path / f"{start.node}.pid"
        script = f'exec 3<&0; "{sys.executable}" -c "$1" <&3 & echo $! > "{pid_file}"; wait'
        return ["/bin/sh", "-c", script, "sh", FOREIGN]

    async def scenario(world: World) -> None:
        assert (await world.call("n1", "echo", echo=1))["echo"] == 1
        inner = int((tmp_path / "n1.pid").read_text())
        await world.cluster.pause("n1")
        assert not await world.alive("n1", 0.3)
        await world.cluster.resume("n1")
        assert await world.alive("n1")
        await world.cluster.kill("n1")
        await gone(inner)

    run(tmp_path, scenario, argv=wrapped)


def test_nodes_die_with_the_controller_even_if_they_are_stopped(tmp_path: Path) -> None:
    """The controller is another process, killed without a word while one of its nodes stands still."""
    code = f"""
import asyncio, sys
from pathlib import Path
from harness.clusters.child import BUFFER_MAX
from harness.clusters.process import ProcessCluster
from tests.conformance.worlds import World, spec
from tests.harness.clusters.test_process import pids

async def main():
    cluster = ProcessCluster(spec(Path({str(tmp_path)!r})))
    await cluster.start()
    await cluster.pause("n2")
    print(*pids(World(cluster)).values(), flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, cwd=ROOT
    ) as controller:
        assert controller.stdout is not None
        nodes = [int(pid) for pid in controller.stdout.readline().split()]
        assert len(nodes) == len(NODES)
        controller.kill()

    async def wait() -> None:
        for pid in nodes:
            await gone(pid)

    asyncio.run(wait())


async def gone(pid: int) -> None:
    """Returns when the process is dead, whether or not its new parent has reaped it yet. Fails after a long time."""
    async with asyncio.timeout(30):
        while exists(pid) and not is_zombie(pid):
            await asyncio.sleep(0.01)


def is_zombie(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            return status.read_text().rpartition(")")[2].split()[0] in "ZX"
        except FileNotFoundError:
            return True
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip().startswith("Z")


def test_the_command_line_carries_all_that_a_node_is_told(tmp_path: Path) -> None:
    start = NodeStart(
        spec=spec(tmp_path, seed=5, bug="none", quorum=2, name="2"),
        node="n1",
        data=tmp_path / "data",
        incarnation=3,
        epoch_s=0.5,
        skew=Skew(since_s=1.0, offset_s=2.0),
    )
    assert python_node(start) == [
        sys.executable, "-m", "targets.node", "targets.node.echo:Echo", "--data", str(tmp_path / "data"), "--seed", "5",
        "--incarnation", "3", "--epoch", "0.5", "--option", 'bug="none"', "--option", "quorum=2", "--option", 'name="2"',
        "--skew", '{"since_s": 1.0, "offset_s": 2.0, "drift": 0.0, "strobe_period_s": 0.0}',
    ]  # fmt: skip


def test_log_times_count_from_the_start_of_the_cluster(tmp_path: Path) -> None:
    import json

    async def scenario(world: World) -> None:
        await world.cluster.kill("n1")
        await world.cluster.restart("n1")

    run(tmp_path, scenario)
    times = [json.loads(line)["t"] for line in (tmp_path / "nodes" / "n1" / "node.log").read_text().splitlines()]
    assert 0 < times[0] < times[1]


def test_an_interrupt_while_starting_leaves_no_process(tmp_path: Path) -> None:
    started: list[ProcessCluster] = []
    seen: list[int] = []

    async def body() -> None:
        cluster = ProcessCluster(spec(tmp_path))
        started.append(cluster)
        starting = asyncio.ensure_future(cluster.start())
        while len(seen) < len(NODES):
            await asyncio.sleep(0)
            seen[:] = pids(World(cluster)).values()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(body())
    assert [pid for pid in seen if exists(pid)] == []
