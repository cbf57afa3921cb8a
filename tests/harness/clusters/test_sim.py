"""What the simulator alone promises: exact time, exact repetition, nothing shared, nothing that survives a kill."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.sim import EPOCH_S, SimCluster
from harness.effects import ClockSkew, PacketShape
from harness.errors import ClusterError
from harness.protocols import NoAnswer
from targets.node.env import Body, Env, Message
from tests.conformance.worlds import NODES, World, run, spec

ROOT = Path(__file__).parent.parent.parent.parent
HERE = "tests.harness.clusters.test_sim"


def simulate(directory: Path, scenario: Callable[[World], Awaitable[Any]], **settings: Any) -> Any:
    return run("sim", directory, scenario, **settings)


def log_of(directory: Path, node: str) -> list[dict[str, Any]]:
    lines = (directory / "nodes" / node / "node.log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


class Busy:
    """Uses everything that could bring disorder into a run, and logs all that happens to it."""

    def __init__(self, env: Env) -> None:
        self._env = env
        env.on("work", self.work)
        env.on("echo", lambda message: {"type": "echo_ok", "echo": message["body"]["echo"]})
        self._kept = len(env.storage.read("log"))

    async def start(self) -> None:
        self._env.log("storage", bytes=self._kept)
        while True:
            await asyncio.sleep(0.01 + self._env.random.random() * 0.02)
            try:
                await self._round()
            except ExceptionGroup as group:
                self._env.log("round", failed=[str(error) for error in group.exceptions])

    async def _round(self) -> None:
        async with asyncio.TaskGroup() as group:
            for peer in self._env.node_ids:
                if peer != self._env.node_id:
                    group.create_task(self._ask(peer))

    async def _ask(self, peer: str) -> None:
        try:
            answer = await self._env.rpc(peer, {"type": "work", "n": self._env.random.randrange(100)}, timeout_s=0.005)
            self._env.log("answer", peer=peer, n=answer["n"], wall=self._env.wall_time())
        except asyncio.CancelledError:
            self._env.log("cancelled", peer=peer)
            raise

    def work(self, message: Message) -> Body:
        self._env.storage.append("log", b"0123456789")
        if self._env.random.random() < 0.2:
            self._env.storage.sync("log")
        return {"type": "work_ok", "n": message["body"]["n"] + 1}


async def eventful(world: World) -> None:
    cluster, link = world.cluster, ("n1", "n2")
    await asyncio.sleep(1)
    await cluster.cut([link])
    await cluster.shape(
        [("n2", "n3")], PacketShape(delay_s=0.002, jitter_s=0.002, loss=0.1, duplicate=0.1, reorder=0.1)
    )
    await asyncio.sleep(1)
    await cluster.kill("n3")
    await cluster.pause("n2")
    await cluster.skew("n1", ClockSkew(offset_s=-1, drift=0.01))
    await asyncio.sleep(1)
    await cluster.restart("n3")
    await cluster.resume("n2")
    await cluster.mend([link])
    for number in range(50):
        await world.call("n1", "echo", echo=number)
    await asyncio.sleep(1)


def trace(directory: Path, seed: int) -> str:
    simulate(directory, eventful, seed=seed, program=f"{HERE}:Busy")
    return "".join((directory / "nodes" / node / "node.log").read_text(encoding="utf-8") for node in NODES)


def test_a_run_is_a_function_of_its_seed(tmp_path: Path) -> None:
    first, again, other = trace(tmp_path / "a", 1), trace(tmp_path / "b", 1), trace(tmp_path / "c", 2)
    assert first == again
    assert first != other
    assert first.count("\n") > 500
    assert '"cancelled"' in first
    assert '"unsynced"' in first


def test_a_run_is_the_same_in_every_process_and_hash_seed(tmp_path: Path) -> None:
    here = trace(tmp_path / "here", 1)
    code = "import gc, pathlib, sys; gc.set_threshold(int(sys.argv[2])); "
    code += f"from {HERE} import trace; sys.stdout.write(trace(pathlib.Path(sys.argv[1]), 1))"
    for hash_seed, threshold in (("1", "1"), ("4711", "100000")):
        argv = [sys.executable, "-c", code, str(tmp_path / hash_seed), threshold]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, env=environment, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        assert done.stdout == here


def test_it_needs_virtual_time_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="needs virtual time"):
        asyncio.run(SimCluster(spec(tmp_path)).start())


def test_hours_pass_in_no_time_and_clocks_agree_with_them(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await asyncio.sleep(1000)
        told = await world.call("n1", "time")
        now_s = asyncio.get_running_loop().time()
        assert told["mono"] == pytest.approx(now_s, abs=0.01)
        assert told["wall"] == pytest.approx(EPOCH_S + now_s, abs=0.01)
        ticks = await world.call("n1", "ticks")
        assert ticks["gap_s"] == pytest.approx(0.01)

    simulate(tmp_path, scenario)


def test_a_paused_node_runs_no_timer_and_all_of_them_afterwards(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await asyncio.sleep(1)
        before = await world.call("n2", "ticks")
        await world.cluster.pause("n2")
        await asyncio.sleep(100)
        await world.cluster.resume("n2")
        after = await world.call("n2", "ticks")
        assert after["count"] - before["count"] <= 2  # the one that was due, and one more by now
        assert after["gap_s"] == pytest.approx(100, abs=0.02)

    simulate(tmp_path, scenario)


class Stubborn:
    """Holds on to life by every means that Python has."""

    def __init__(self, env: Env) -> None:
        self._env = env
        env.on("hold", self.hold)
        env.on("load", lambda _message: {"type": "load_ok", "text": env.storage.read("will").decode()})

    async def hold(self, _message: Message) -> Body:
        try:
            await asyncio.sleep(3600)
        finally:
            self._env.log("last-words")
            self._env.storage.replace("will", b"all to me")
            self._env.send("c1", {"type": "farewell"})
            self._env.call_later(1, self._env.log, "ghost")
            self._env.spawn(self._haunt())
            await asyncio.sleep(1)
            self._env.log("still-here")
        return {"type": "hold_ok"}

    async def _haunt(self) -> None:
        self._env.log("haunting")


def test_a_killed_node_does_nothing_any_more(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(NoAnswer):
            await world.call("n2", "hold", timeout_s=1)
        await world.cluster.kill("n2")
        gc.collect()
        await asyncio.sleep(5000)
        await world.cluster.restart("n2")
        assert (await world.call("n2", "load"))["text"] == ""

    simulate(tmp_path, scenario, program=f"{HERE}:Stubborn")
    assert [line["event"] for line in log_of(tmp_path, "n2")] == ["start", "start"]


def test_what_is_under_way_to_a_node_dies_with_it_and_what_it_had_sent_arrives(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        slow = PacketShape(delay_s=1)
        await world.cluster.shape([("n1", "n2"), ("n2", "n3")], slow)
        await world.call("n1", "shout", to="n2", notes=3)
        await world.call("n2", "shout", to="n3", notes=3)
        await world.cluster.kill("n2")
        await world.cluster.restart("n2")
        await asyncio.sleep(5)
        assert (await world.call("n2", "heard", by="n1"))["numbers"] == []
        assert (await world.call("n3", "heard", by="n2"))["numbers"] == [0, 1, 2]

    simulate(tmp_path, scenario)


def test_a_cut_stops_what_is_under_way(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.cluster.shape([("n1", "n2")], PacketShape(delay_s=1))
        await world.call("n1", "shout", to="n2", notes=3)
        await world.cluster.cut([("n1", "n2")])
        await asyncio.sleep(5)
        await world.cluster.mend([("n1", "n2")])
        assert (await world.call("n2", "heard", by="n1"))["numbers"] == []

    simulate(tmp_path, scenario)


class Careless:
    """Sends what it should not: things that it changes afterwards, and things that are no JSON."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._mine: list[int] = []
        self._theirs: list[Any] = []
        env.on("give", self.give)
        env.on("gift", lambda message: self._theirs.append(message["body"]["things"]))
        env.on("show", lambda _message: {"type": "show_ok", "things": self._theirs})
        env.on("send-set", lambda _message: env.send("n2", {"type": "gift", "things": {1, 2}}))
        env.on("send-nan", lambda _message: env.send("n2", {"type": "gift", "things": float("nan")}))
        env.on("send-bytes", lambda _message: env.send("n2", {"type": "gift", "things": b"x"}))

    def give(self, _message: Message) -> Body:
        self._mine.append(1)
        self._env.send("n2", {"type": "gift", "things": self._mine})
        self._mine.append(2)
        return {"type": "give_ok"}


def test_nodes_share_no_objects(tmp_path: Path) -> None:
    async def scenario(world: World) -> Any:
        await world.call("n1", "give")
        await asyncio.sleep(1)
        return (await world.call("n2", "show"))["things"]

    assert simulate(tmp_path, scenario, program=f"{HERE}:Careless") == [[1]]


@pytest.mark.parametrize("type_", ["send-set", "send-nan", "send-bytes"])
def test_what_is_no_json_crashes_its_sender_as_it_would_in_a_real_node(tmp_path: Path, type_: str) -> None:
    async def scenario(world: World) -> list[str]:
        with pytest.raises(NoAnswer):
            await world.call("n1", type_, timeout_s=1)
        return list(world.cluster.crashes())

    assert simulate(tmp_path, scenario, program=f"{HERE}:Careless") == ["n1"]


class FailsByTimer:
    """Fails in a callback that no handler and no task is around."""

    def __init__(self, env: Env) -> None:
        self._env = env

    def start(self) -> None:
        if self._env.node_id == "n1":
            self._env.call_later(1, self._fail)

    def _fail(self) -> None:
        raise KeyError("by timer")


def test_a_failing_timer_crashes_its_node_alone(tmp_path: Path) -> None:
    async def scenario(world: World) -> list[bool]:
        await asyncio.sleep(2)
        return [await world.alive(node) for node in NODES]

    assert simulate(tmp_path, scenario, program=f"{HERE}:FailsByTimer") == [False, True, True]
    assert log_of(tmp_path, "n1")[-1]["error"] == "KeyError: 'by timer'"


def test_logs_carry_virtual_time_and_outlast_lives(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await asyncio.sleep(10)
        await world.cluster.kill("n1")
        await asyncio.sleep(10)
        await world.cluster.restart("n1")

    simulate(tmp_path, scenario)
    first, second = log_of(tmp_path, "n1")
    assert (first["event"], first["incarnation"], second["incarnation"]) == ("start", 0, 1)
    assert 0 < first["t"] < 0.1
    assert 20 < second["t"] < 20.2


def test_nodes_do_not_boot_in_step(tmp_path: Path) -> None:
    async def scenario(_world: World) -> None: ...

    simulate(tmp_path, scenario)
    assert len({log_of(tmp_path, node)[0]["t"] for node in NODES}) == len(NODES)
