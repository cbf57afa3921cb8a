"""The key-value client: what an op's completion may say, given what became of its attempts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.op import Op, OpType
from harness.protocols import Body, ClientSeat
from targets.kv.client import ATTEMPT_SHARE, KvClient, Verdict, verdict_of
from targets.node import codes
from tests.targets.answering import SILENCE, UNSENT, attempt

NODES = ("n1", "n2", "n3")
OK = "ok"


class Script:
    """A channel that answers by a script: an error's code, SILENCE, UNSENT or OK; its last line is repeated."""

    def __init__(self, *lines: Any) -> None:
        self.lines = list(lines)
        self.asked: list[tuple[str, Body]] = []
        self.waited: list[float] = []

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        self.asked.append((node, body))
        self.waited.append(timeout_s)
        line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        assert await attempt(line, node, timeout_s) == OK
        return {"type": f"{body['type']}_ok", "value": 7}


def client(script: Script, timeout_s: float = 2.0, *, forgets: bool = False) -> KvClient:
    seat = ClientSeat(channel=script, node="n2", nodes=NODES, name="c5", rng=random.Random(1), timeout_s=timeout_s)
    return KvClient(seat, forgets=forgets)


def invoke(script: Script, f: str, value: Any = None, timeout_s: float = 2.0) -> Op:
    op = Op(f=f, key="x", value=value, process=5)
    done: Op = on_virtual_time(lambda: client(script, timeout_s).invoke(op))
    return done


def on_virtual_time(make: Callable[[], Any]) -> Any:
    async def main() -> Any:
        return await make()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


CASES = [
    # f, value, what becomes of the attempts, type of the completion, its value
    ("read", None, [OK], OpType.OK, 7),
    ("read", None, [codes.KEY_MISSING], OpType.OK, None),
    ("read", None, [SILENCE], OpType.FAIL, None),
    ("read", None, [codes.CRASH, codes.UNAVAILABLE], OpType.FAIL, None),
    ("read", None, [SILENCE, codes.UNAVAILABLE, OK], OpType.OK, 7),
    ("write", 1, [OK], OpType.OK, 1),
    ("write", 1, [codes.UNAVAILABLE], OpType.FAIL, 1),
    ("write", 1, [UNSENT], OpType.FAIL, 1),
    ("write", 1, [codes.UNAVAILABLE, UNSENT, codes.ABORT], OpType.FAIL, 1),
    ("write", 1, [SILENCE], OpType.INFO, 1),
    ("write", 1, [codes.TIMEOUT, codes.UNAVAILABLE], OpType.INFO, 1),
    ("write", 1, [codes.CRASH, codes.UNAVAILABLE], OpType.INFO, 1),
    ("write", 1, [1234, codes.UNAVAILABLE], OpType.INFO, 1),
    ("write", 1, [codes.UNAVAILABLE, SILENCE, codes.UNAVAILABLE], OpType.INFO, 1),
    ("write", 1, [SILENCE, codes.MALFORMED], OpType.INFO, 1),
    ("write", 1, [codes.MALFORMED], OpType.FAIL, 1),
    ("write", 1, [codes.NOT_SUPPORTED], OpType.FAIL, 1),
    ("write", 1, [SILENCE, OK], OpType.OK, 1),
    ("cas", [1, 2], [OK], OpType.OK, [1, 2]),
    ("cas", [1, 2], [codes.PRECONDITION], OpType.FAIL, [1, 2]),
    ("cas", [1, 2], [codes.KEY_MISSING], OpType.FAIL, [1, 2]),
    # Trustworthy although an earlier attempt is in doubt: it is the recorded result of that request id.
    ("cas", [1, 2], [SILENCE, codes.PRECONDITION], OpType.FAIL, [1, 2]),
    ("cas", [1, 2], [codes.TIMEOUT, codes.KEY_MISSING], OpType.FAIL, [1, 2]),
]


@pytest.mark.parametrize(("f", "value", "lines", "type_", "result"), CASES)
def test_a_completion_says_what_is_known(f: str, value: Any, lines: list[Any], type_: OpType, result: Any) -> None:
    done = invoke(Script(*lines), f, value)
    assert (done.type, done.value) == (type_, result)
    assert (done.f, done.key, done.process) == (f, "x", 5)
    assert (done.error is None) == (type_ is OpType.OK)


@given(
    st.lists(st.sampled_from([OK, SILENCE, UNSENT, *codes.CODES, 1000]), min_size=1, max_size=6),
    st.sampled_from(["write", "cas"]),
)
def test_a_mutation_fails_only_if_no_attempt_can_have_taken_effect(lines: list[Any], f: str) -> None:
    script = Script(*lines)
    done = invoke(script, f, 1 if f == "write" else [1, 2])
    seen = [*lines, *[lines[-1]] * len(script.asked)][: len(script.asked)]
    results = {codes.KEY_MISSING, codes.PRECONDITION}
    doubtful = [line for line in seen if line == SILENCE or (isinstance(line, int) and not codes.is_definite(line))]
    if done.type is OpType.FAIL:
        assert not doubtful or seen[-1] in results
    if done.type is OpType.OK:
        assert seen[-1] == OK
    if done.type is OpType.INFO:
        assert doubtful


@given(st.lists(st.sampled_from([OK, SILENCE, UNSENT, *codes.CODES, 1000]), min_size=1, max_size=6))
def test_a_read_is_never_in_doubt(lines: list[Any]) -> None:
    assert invoke(Script(*lines), "read").type is not OpType.INFO


@pytest.mark.parametrize("code", [*codes.CODES, -1, 999, 1000])
def test_an_error_is_doubtful_iff_the_protocol_calls_it_indefinite(code: int) -> None:
    assert (verdict_of(code) is Verdict.UNKNOWN) == (not codes.is_definite(code))


def test_attempts_go_round_the_nodes_from_the_clients_own_with_the_same_request_id() -> None:
    script = Script(SILENCE, codes.UNAVAILABLE, SILENCE, OK)
    invoke(script, "write", 1)
    assert [node for node, _ in script.asked] == ["n2", "n3", "n1", "n2"]
    assert {(body["client"], body["seq"]) for _, body in script.asked} == {("c5", 1)}


def test_each_mutation_has_a_later_number_and_reads_have_none() -> None:
    script = Script(OK)

    async def session() -> None:
        kv = client(script)
        for f, value in (("write", 1), ("read", None), ("cas", [1, 2]), ("write", 3)):
            await kv.invoke(Op(f=f, key="x", value=value, process=5))

    on_virtual_time(session)
    assert [body.get("seq") for _, body in script.asked] == [1, None, 2, 3]
    assert "client" not in script.asked[1][1]


@pytest.mark.parametrize("line", [SILENCE, codes.UNAVAILABLE, UNSENT])
def test_an_op_ends_within_the_patience_of_its_seat(line: Any) -> None:
    script = Script(line)

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await client(script, 3.0).invoke(Op(f="write", key="x", value=1, process=5))
        return loop.time() - began_s

    assert 2.8 <= on_virtual_time(timed) <= 3.01
    assert max(script.waited) == 3.0 * ATTEMPT_SHARE
    assert len(script.asked) >= 4


@pytest.mark.parametrize(
    ("forgets", "f", "script", "outcome"),
    [
        (False, "cas", [SILENCE, codes.PRECONDITION], OpType.FAIL),
        (True, "cas", [SILENCE, codes.PRECONDITION], OpType.INFO),
        (True, "cas", [SILENCE, codes.KEY_MISSING], OpType.INFO),
        (True, "cas", [codes.UNAVAILABLE, codes.PRECONDITION], OpType.FAIL),
        (True, "cas", [codes.PRECONDITION], OpType.FAIL),
        (True, "write", [SILENCE, OK], OpType.OK),
        (True, "read", [SILENCE, codes.KEY_MISSING], OpType.OK),
    ],
)
def test_of_a_store_that_forgets_a_refusal_says_nothing_of_earlier_attempts(
    forgets: bool, f: str, script: list[Any], outcome: OpType
) -> None:
    op = Op(f=f, key="x", value=[1, 2] if f == "cas" else None, process=5)
    done: Op = on_virtual_time(lambda: client(Script(*script), forgets=forgets).invoke(op))
    assert done.type is outcome
