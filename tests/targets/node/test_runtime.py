"""The runtime of a node over a world of lists: dispatch, rpc, refusals, crashes, and the harness's own questions."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import pytest

from harness.clusters.sim_disk import Disk
from harness.clusters.virtual_loop import VirtualTimeLoop
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.node.runtime import LIFE_IDS, Runtime, World
from targets.node.wallclock import WallClock


class Program:
    """Refuses, fails, answers now, answers later, asks others."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self.started = False
        env.on("now", lambda message: {"type": "now_ok", "from": message["src"]})
        env.on("later", self.later)
        env.on("by-hand", self.by_hand)
        env.on("refuse", self.refuse)
        env.on("refuse-later", self.refuse_later)
        env.on("fail", self.fail)
        env.on("fail-later", self.fail_later)
        env.on("ask", self.ask)
        env.on("quiet", lambda _message: None)

    def start(self) -> None:
        self.started = True

    def status(self) -> dict[str, Any]:
        return {"role": "leader", "started": self.started}

    async def later(self, _message: Message) -> Body:
        await asyncio.sleep(1)
        return {"type": "later_ok"}

    def by_hand(self, message: Message) -> None:
        self.env.call_later(2, self.env.reply, message, {"type": "by-hand_ok"})

    def refuse(self, _message: Message) -> Body:
        raise Refusal(codes.KEY_MISSING, "no such key")

    async def refuse_later(self, _message: Message) -> Body:
        await asyncio.sleep(1)
        raise Refusal(codes.ABORT, "no more")

    def fail(self, _message: Message) -> Body:
        raise KeyError("broken")

    async def fail_later(self, _message: Message) -> Body:
        await asyncio.sleep(1)
        raise KeyError("broken later")

    async def ask(self, message: Message) -> Body:
        try:
            answer = await self.env.rpc("n2", {"type": "question"}, timeout_s=3)
        except TimeoutError as error:
            return {"type": "ask_ok", "timed out": str(error)}
        except Refusal as refusal:
            return {"type": "ask_ok", "refused": [refusal.code, refusal.text]}
        return {"type": "ask_ok", "answer": answer["answer"], "asked by": message["src"]}


class Bench:
    """A runtime, what it sent and logged, and how it ended."""

    def __init__(self, program: Callable[[Env], Any] = Program, incarnation: int = 0) -> None:
        self.sent: list[tuple[str, Body]] = []
        self.logged: list[Mapping[str, Any]] = []
        self.crashes: list[BaseException] = []
        loop = asyncio.get_running_loop()
        self.runtime = Runtime(
            program,
            World(
                transmit=lambda dest, body: self.sent.append((dest, body)),
                write=self.logged.append,
                crashed=self.crashes.append,
                dice=lambda node: random.Random(f"dice of {node}"),
                storage=Disk(),
                clock=WallClock(lambda: 1000.0 + loop.time()),
                options={"bug": "none"},
                incarnation=incarnation,
            ),
        )

    def init(self) -> None:
        self.receive({"type": "init", "msg_id": 0, "node_id": "n1", "node_ids": ["n1", "n2"]})
        assert self.sent == [("c1", {"type": "init_ok", "in_reply_to": 0})]
        self.sent.clear()

    def receive(self, body: Body, src: str = "c1") -> None:
        self.runtime.receive({"src": src, "dest": "n1", "body": body})

    async def answer(self, body: Body) -> Body:
        """The only reply to this body, however long it takes."""
        self.sent.clear()
        self.receive({**body, "msg_id": 7})
        await asyncio.sleep(10)
        [(dest, reply)] = self.sent
        assert dest == "c1"
        assert reply.pop("in_reply_to") == 7
        return reply


def run(
    main: Callable[[Bench], Coroutine[Any, Any, Any] | Awaitable[Any]], *, initialised: bool = True, **settings: Any
) -> Any:
    async def body() -> Any:
        bench = Bench(**settings)
        if initialised:
            bench.init()
        return await main(bench)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(body())


def error(code: int, text: str) -> Body:
    return {"type": "error", "code": code, "text": text}


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ({"type": "now"}, {"type": "now_ok", "from": "c1"}),
        ({"type": "later"}, {"type": "later_ok"}),
        ({"type": "by-hand"}, {"type": "by-hand_ok"}),
        ({"type": "refuse"}, error(codes.KEY_MISSING, "no such key")),
        ({"type": "refuse-later"}, error(codes.ABORT, "no more")),
        ({"type": "unheard-of"}, error(codes.NOT_SUPPORTED, "no handler for messages of type 'unheard-of'")),
        (
            {"type": "init", "node_id": "n9", "node_ids": []},
            error(codes.MALFORMED, "this node has been initialised before"),
        ),
        ({"type": "sb_ping"}, {"type": "sb_ping_ok", "life": 0}),
        ({"type": "sb_status"}, {"type": "sb_status_ok", "status": {"role": "leader", "started": True}}),
        ({"type": "sb_clock"}, {"type": "sb_clock_ok", "wall": 1000.0, "mono": 0.0}),
    ],
)
def test_answers(body: Body, reply: Body) -> None:
    assert run(lambda bench: bench.answer(body)) == reply


@pytest.mark.parametrize("type_", ["now", "later", "refuse", "refuse-later", "unheard-of"])
def test_a_message_without_an_id_wants_no_answer(type_: str) -> None:
    async def main(bench: Bench) -> None:
        bench.receive({"type": type_})
        await asyncio.sleep(5)
        assert bench.sent == []
        assert bench.crashes == []

    run(main)


def test_the_node_learns_its_name_its_peers_and_its_dice_by_init() -> None:
    async def main(bench: Bench) -> None:
        env = bench.runtime
        assert (env.node_id, env.node_ids, env.options) == ("n1", ("n1", "n2"), {"bug": "none"})
        assert env.random.random() == random.Random("dice of n1").random()

    run(main)


def test_before_init_only_the_harness_is_answered() -> None:
    async def main(bench: Bench) -> tuple[Body, Body]:
        return await bench.answer({"type": "now"}), await bench.answer({"type": "sb_ping"})

    refused, pong = run(main, initialised=False)
    assert (refused["code"], pong) == (codes.UNAVAILABLE, {"type": "sb_ping_ok", "life": 0})


@pytest.mark.parametrize(("type_", "words"), [("fail", "broken"), ("fail-later", "broken later")])
def test_any_other_exception_is_the_node_s_end(type_: str, words: str) -> None:
    async def main(bench: Bench) -> None:
        bench.receive({"type": type_, "msg_id": 1})
        await asyncio.sleep(5)
        assert bench.sent == []
        [failure] = bench.crashes
        assert str(failure) == repr(words)
        assert bench.logged[-1]["event"] == "crash"
        assert bench.logged[-1]["error"] == f"KeyError: {words!r}"
        assert "Traceback" in bench.logged[-1]["traceback"]

    run(main)


def test_a_program_that_cannot_be_made_is_a_crash() -> None:
    def broken(_env: Env) -> Any:
        raise OSError("no disk")

    async def main(bench: Bench) -> None:
        bench.receive({"type": "init", "msg_id": 0, "node_id": "n1", "node_ids": ["n1"]})
        assert bench.sent == []
        assert [str(failure) for failure in bench.crashes] == ["no disk"]

    run(main, initialised=False, program=broken)


def test_start_may_be_a_coroutine_and_its_failure_is_a_crash() -> None:
    class Starter:
        def __init__(self, _env: Env) -> None: ...

        async def start(self) -> None:
            await asyncio.sleep(1)
            raise ValueError("cannot start")

    async def main(bench: Bench) -> None:
        assert await bench.answer({"type": "sb_status"}) == {"type": "sb_status_ok", "status": {}}
        assert [str(failure) for failure in bench.crashes] == ["cannot start"]

    run(main, program=Starter)


def test_an_rpc_ends_with_its_answer() -> None:
    async def main(bench: Bench) -> list[Any]:
        bench.receive({"type": "ask", "msg_id": 1})
        await asyncio.sleep(1)
        [(dest, question)] = bench.sent
        assert (dest, question["type"]) == ("n2", "question")
        bench.receive({"type": "answer", "answer": 42, "in_reply_to": question["msg_id"]}, src="n2")
        bench.receive({"type": "answer", "answer": 43, "in_reply_to": question["msg_id"]}, src="n2")
        await asyncio.sleep(5)
        return bench.sent[1:]

    assert run(main) == [("c1", {"type": "ask_ok", "answer": 42, "asked by": "c1", "in_reply_to": 1})]


def test_an_rpc_ends_with_a_refusal() -> None:
    async def main(bench: Bench) -> Body:
        bench.receive({"type": "ask", "msg_id": 1})
        await asyncio.sleep(1)
        bench.receive({**error(codes.ABORT, "no"), "in_reply_to": bench.sent[0][1]["msg_id"]}, src="n2")
        await asyncio.sleep(1)
        return bench.sent[1][1]

    assert run(main)["refused"] == [codes.ABORT, "no"]


def test_an_rpc_ends_after_its_time_and_its_late_answer_reaches_nobody() -> None:
    async def main(bench: Bench) -> Body:
        bench.receive({"type": "ask", "msg_id": 1})
        bench.receive({"type": "quiet", "in_reply_to": [1]}, src="n2")
        await asyncio.sleep(3.5)
        reply = bench.sent[1][1]
        bench.receive({"type": "quiet", "answer": 1, "in_reply_to": bench.sent[0][1]["msg_id"]}, src="n2")
        await asyncio.sleep(1)
        assert len(bench.sent) == 2
        assert bench.crashes == []
        return reply

    assert run(main)["timed out"] == "no answer from n2 within 3 s"


def test_an_earlier_life_s_answers_are_not_for_this_one() -> None:
    async def main(bench: Bench) -> int:
        bench.receive({"type": "ask"})
        await asyncio.sleep(1)
        return int(bench.sent[0][1]["msg_id"])

    assert run(main) == 1
    assert run(main, incarnation=3) == 3 * LIFE_IDS + 1
    assert 2**20 * LIFE_IDS < 2**53


def test_one_handler_per_type() -> None:
    async def main(bench: Bench) -> None:
        for taken in ("now", "sb_ping", "init"):
            with pytest.raises(ValueError, match="two handlers"):
                bench.runtime.on(taken, lambda _message: None)

    run(main)


def test_the_clock_is_skewed_and_set_right_by_message() -> None:
    async def main(bench: Bench) -> list[float]:
        seen = []
        await bench.answer({"type": "sb_skew", "offset_s": -4, "drift": 0.5})
        seen.append(bench.runtime.wall_time())
        assert bench.logged[-1]["event"] == "clock-skewed"
        assert (await bench.answer({"type": "sb_clock"}))["mono"] == 10
        await bench.answer({"type": "sb_unskew"})
        seen.append(bench.runtime.wall_time())
        assert bench.runtime.monotonic() == 30
        return seen

    assert run(main) == [1010 - 4 + 5, 1030]
