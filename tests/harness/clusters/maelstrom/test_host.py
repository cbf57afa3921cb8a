"""The host: nodes that know nothing of the harness are introduced, reached, delayed, seen alive from outside."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.maelstrom.host import MaelstromHost
from harness.errors import TargetError
from harness.powers import powers_of
from harness.protocols import ClusterSpec, NoAnswer

pytestmark = pytest.mark.process
PATIENCE_S = 30.0

# A node that tells what it has received, sends where it is told to, and dies at a question that it does not know.
NODE = """
import json, sys
got = []
for line in sys.stdin:
    message = json.loads(line)
    body, me = message["body"], message["dest"]
    got.append([message["src"], body])
    def say(dest, **fields):
        print(json.dumps({"src": me, "dest": dest, "body": fields}), flush=True)
    if body["type"] in ("init", "topology"):
        say(message["src"], type=body["type"] + "_ok", in_reply_to=body["msg_id"])
    elif body["type"] == "got":
        say(message["src"], type="got_ok", got=got, in_reply_to=body["msg_id"])
    elif body["type"] == "tell":
        for number in range(body["count"]):
            say(body["to"], **{**body["body"], "number": number})
        say(message["src"], type="tell_ok", in_reply_to=body["msg_id"])
    elif body["type"] not in ("note", "error") and "in_reply_to" not in body:
        sys.exit("what is " + body["type"] + "?")
"""


def run(
    directory: Path, scenario: Callable[[MaelstromHost], Awaitable[Any]], workload: str = "echo", **options: Any
) -> Any:
    async def body() -> Any:
        chosen = {"bin": sys.executable, "args": ["-c", NODE], **options}
        nodes = ("n1", "n2", "n3")
        spec = ClusterSpec(
            target="maelstrom", program="", nodes=nodes, options=chosen, seed=1, directory=directory, workload=workload
        )
        host = MaelstromHost(spec)
        await host.start()
        try:
            return await scenario(host)
        finally:
            await host.stop()

    with asyncio.Runner() as runner:
        return runner.run(body())


async def got(host: MaelstromHost, node: str) -> list[Any]:
    return list((await host.channel("c1").rpc(node, {"type": "got"}, PATIENCE_S))["got"])


async def tell(host: MaelstromHost, node: str, to: str, count: int = 1, **body: Any) -> None:
    await host.channel("c1").rpc(node, {"type": "tell", "to": to, "count": count, "body": body}, PATIENCE_S)


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await condition()):
            await asyncio.sleep(0.01)
    return found


async def from_(host: MaelstromHost, node: str, src: str) -> list[Any]:
    """What ``node`` has received from ``src``."""
    return [body for sender, body in await got(host, node) if sender == src]


def test_its_powers_are_those_that_need_no_answer_of_the_node() -> None:
    assert powers_of(MaelstromHost) == {"cut", "shape", "kill", "terminate", "pause", "throttle"}


def test_init_is_all_that_a_node_hears_at_first_and_no_question_of_ours_reaches_it(tmp_path: Path) -> None:
    async def scenario(host: MaelstromHost) -> list[Any]:
        assert await host.ask("n1", {"type": "sb_ping"}, PATIENCE_S) == {"type": "sb_ping_ok"}
        assert await host.ask("n1", {"type": "sb_status"}, 1.0) is None
        return await got(host, "n1")

    [[_, init], [client, _]] = run(tmp_path, scenario)
    assert (init["type"], init["node_id"], init["node_ids"]) == ("init", "n1", ["n1", "n2", "n3"])
    assert client == "c1"


def test_in_broadcast_nodes_are_told_their_neighbours_again_when_they_start_again(tmp_path: Path) -> None:
    async def scenario(host: MaelstromHost) -> tuple[list[Any], list[Any]]:
        before = await got(host, "n2")
        await host.kill("n2")
        assert await host.ask("n2", {"type": "sb_ping"}, 1.0) is None
        await host.restart("n2")
        return before, await got(host, "n2")

    for received in run(tmp_path, scenario, workload="broadcast", topology="line"):
        assert [body["type"] for _, body in received] == ["init", "topology", "got"]
        assert received[1][1]["topology"] == {"n1": ["n2"], "n2": ["n1", "n3"], "n3": ["n2"]}


def test_a_node_that_refuses_its_neighbours_does_not_start(tmp_path: Path) -> None:
    got = 'elif body["type"] == "got"'
    refusal = 'elif body["type"] == "topology":\n        say("sb", type="no", in_reply_to=body["msg_id"])\n    '
    stubborn = NODE.replace('("init", "topology")', '("init",)').replace(got, refusal + got)

    async def scenario(_host: MaelstromHost) -> None:
        raise AssertionError("the cluster started")

    with pytest.raises(TargetError, match="n1 of maelstrom answered topology with .*right is a topology_ok"):
        run(tmp_path, scenario, workload="broadcast", args=["-c", stubborn])


def test_a_node_that_was_asked_to_end_has_not_crashed(tmp_path: Path) -> None:
    async def scenario(host: MaelstromHost) -> None:
        assert await host.terminate("n1")
        assert await host.ask("n1", {"type": "sb_ping"}, 1.0) is None

    run(tmp_path, scenario)
    assert "crash" not in (tmp_path / "nodes" / "n1" / "node.log").read_text()


def test_a_paused_node_stands_still_as_seen_from_outside(tmp_path: Path) -> None:
    async def scenario(host: MaelstromHost) -> None:
        await host.pause("n1")
        await until(lambda: _quiet(host, "n1"))
        await host.resume("n1")
        await until(lambda: host.ask("n1", {"type": "sb_ping"}, 1.0))

    run(tmp_path, scenario)


async def _quiet(host: MaelstromHost, node: str) -> bool:
    return await host.ask(node, {"type": "sb_ping"}, 0.01) is None


def test_services_answer_nodes_by_name(tmp_path: Path) -> None:
    async def scenario(host: MaelstromHost) -> list[Any]:
        await tell(host, "n1", "lin-kv", type="write", key="x", value=3, msg_id=7)
        await tell(host, "n2", "lin-kv", type="read", key="x", msg_id=8)
        await tell(host, "n2", "lin-tso", type="ts", msg_id=9)
        await tell(host, "n2", "lin-tso", type="ts")  # asks for nothing
        await tell(host, "n2", "no-kv", type="read", msg_id=10)
        await until(lambda: from_(host, "n2", "lin-tso"))
        return [await from_(host, "n1", "lin-kv"), await got(host, "n2")]

    wrote, received = run(tmp_path, scenario)
    assert wrote == [{"type": "write_ok", "in_reply_to": 7}]
    answers = {body["in_reply_to"]: body for _, body in received if "in_reply_to" in body}
    assert answers[8] == {"type": "read_ok", "value": 3, "in_reply_to": 8}
    assert answers[9] == {"type": "ts_ok", "ts": 0, "in_reply_to": 9}
    assert answers[10]["code"] == 1  # nobody has that name
    assert len(answers) == 3


def test_messages_between_nodes_take_at_least_the_latency_and_those_of_clients_do_not(tmp_path: Path) -> None:
    async def scenario(host: MaelstromHost) -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await tell(host, "n1", "n2", type="note")
        while not await from_(host, "n2", "n1"):
            assert len(await got(host, "n3")) > 0  # clients are answered meanwhile
        return loop.time() - began_s

    assert run(tmp_path, scenario, latency_ms=300) >= 0.3


def test_random_latencies_let_messages_overtake_one_another_and_constant_ones_keep_order(tmp_path: Path) -> None:
    async def numbers(host: MaelstromHost) -> list[int]:
        await tell(host, "n1", "n2", 50, type="note")

        async def all_of_them() -> list[int]:
            notes = await from_(host, "n2", "n1")
            return [note["number"] for note in notes] if len(notes) == 50 else []

        return list(await until(all_of_them))

    shuffled = run(tmp_path / "a", numbers, latency_ms=50, latency_dist="exponential")
    assert sorted(shuffled) == list(range(50))
    assert shuffled != list(range(50))
    assert run(tmp_path / "b", numbers) == list(range(50))


def test_a_node_that_ends_is_down_and_its_end_is_known(tmp_path: Path) -> None:
    async def scenario(host: MaelstromHost) -> dict[str, str]:
        with pytest.raises(NoAnswer):
            await host.channel("c1").rpc("n3", {"type": "riddle"}, PATIENCE_S)
        await until(lambda: _quiet(host, "n3"))
        return dict(host.crashes())

    assert run(tmp_path, scenario) == {"n3": "ended with status 1"}
    log = (tmp_path / "nodes" / "n3" / "node.log").read_text()
    assert "it ended with status 1; its last lines: what is riddle?" in log
