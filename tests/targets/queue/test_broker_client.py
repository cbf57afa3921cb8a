"""The client of the broker: what an operation's completion may say, given what became of its attempts."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.op import Op, OpType
from harness.protocols import ClientSeat
from targets.node import codes
from targets.queue.broker_client import ERRORS, BrokerClient, Verdict, verdict_of
from tests.targets.answering import SILENCE, UNSENT
from tests.targets.queue.scripted import Scripted

NODES = ("n1", "n2", "n3")
EMPTY = {"ok": True, "empty": True, "hidden": 0}
HELD = {"ok": True, "empty": True, "hidden": 1}
SEVEN = {"ok": True, "empty": False, "number": 0, "value": 7}
OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO


class Brokers(Scripted):
    """Brokers that tell their settings first."""

    def __init__(self, script: dict[str, list[Any]], **settings: Any) -> None:
        known = {"confirms": True, "numbered": False, "consume": "late", "priorities": 1, "reject": 0.0}
        super().__init__({"settings": [{"settings": known | settings}], **script})


def carried_out(brokers: Brokers, *ops: Op, workload: str = "queue") -> list[Op]:
    async def main() -> list[Op]:
        seat = ClientSeat(
            channel=brokers, node="n2", nodes=NODES, name="c5", rng=random.Random(1), timeout_s=2.0, workload=workload
        )
        client = BrokerClient(seat)
        return [await client.invoke(op) for op in ops]

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


ENQUEUE = Op(f="enqueue", key=0, value=7, process=1)
DEQUEUE = Op(f="dequeue", key=0, process=1)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([{}], OK),
        ([codes.UNAVAILABLE, {}], OK),
        ([SILENCE, {}], OK),
        ([codes.UNAVAILABLE], FAIL),
        ([UNSENT], FAIL),
        ([codes.MALFORMED], FAIL),
        ([SILENCE], INFO),
        ([codes.TIMEOUT, codes.UNAVAILABLE], INFO),
    ],
)
def test_an_enqueue_is_a_fail_only_if_every_attempt_was_refused_for_good(answers: list[Any], outcome: OpType) -> None:
    (done,) = carried_out(Brokers({"publish": answers}), ENQUEUE)
    assert done.type is outcome


def test_every_code_has_one_meaning() -> None:
    assert all(codes.is_definite(code) for code in ERRORS)
    assert verdict_of(codes.TIMEOUT) is verdict_of(4321) is Verdict.UNKNOWN


def test_without_confirms_what_has_been_sent_is_taken_for_published() -> None:
    brokers = Brokers({"publish": [SILENCE]}, confirms=False)
    (done,) = carried_out(brokers, ENQUEUE)
    assert done.type is OK
    assert len(brokers.bodies("publish")) == 1


def test_attempts_have_one_number_if_publishers_number_their_messages() -> None:
    brokers = Brokers({"publish": [SILENCE, {}]}, numbered=True)
    carried_out(brokers, ENQUEUE, ENQUEUE)
    numbers = [body["sequence"] for body in brokers.bodies("publish")]
    assert numbers[0] == numbers[1] < numbers[2]


@pytest.mark.parametrize(
    ("consume", "script", "outcome", "value"),
    [
        ("late", {"get": [SEVEN], "ack": [{"ok": True}]}, OK, 7),
        ("late", {"get": [SEVEN], "ack": [SILENCE]}, OK, 7),
        ("late", {"get": [SEVEN], "ack": [{"ok": False}]}, OK, 7),
        ("late", {"get": [SILENCE, SEVEN], "ack": [{"ok": True}]}, OK, 7),
        ("late", {"get": [SILENCE]}, FAIL, None),
        ("late", {"get": [EMPTY]}, OK, None),
        ("early", {"get": [SEVEN]}, OK, 7),
        ("early", {"get": [SILENCE]}, FAIL, None),
        ("effect", {"get": [SEVEN], "ack": [{"ok": True}]}, OK, 7),
        ("effect", {"get": [SEVEN], "ack": [{"ok": False}]}, FAIL, None),
        ("effect", {"get": [SEVEN], "ack": [SILENCE, {"ok": False}]}, INFO, None),
        ("effect", {"get": [SEVEN], "ack": [SILENCE]}, INFO, None),
        ("effect", {"get": [SEVEN], "ack": [codes.UNAVAILABLE]}, FAIL, None),
    ],
)
def test_a_dequeue_is_ok_when_its_element_was_processed(
    consume: str, script: dict[str, list[Any]], outcome: OpType, value: Any
) -> None:
    (done,) = carried_out(Brokers(script, consume=consume), DEQUEUE)
    assert (done.type, done.value) == (outcome, value)


def test_what_is_delivered_to_others_is_waited_for() -> None:
    (done,) = carried_out(Brokers({"get": [HELD, EMPTY, SEVEN], "ack": [{"ok": True}]}), DEQUEUE)
    assert (done.type, done.value) == (OK, 7)
    (done,) = carried_out(Brokers({"get": [HELD]}), DEQUEUE)
    assert done.type is FAIL, "a queue of which something is delivered is not empty"


def test_dead_letters_are_consumed_too() -> None:
    brokers = Brokers({"get": [EMPTY, SEVEN], "ack": [{"ok": True}]})
    (done,) = carried_out(brokers, DEQUEUE)
    assert done.value == 7
    assert brokers.bodies("ack")[0]["queue"] == "q0.dead"


def test_no_two_deliveries_have_one_token() -> None:
    brokers = Brokers({"get": [SEVEN], "ack": [{"ok": True}]})
    carried_out(brokers, DEQUEUE, DEQUEUE)
    assert len({body["token"] for body in brokers.bodies("get")}) == 2


def test_where_order_matters_a_delivery_that_may_have_been_is_in_doubt() -> None:
    (done,) = carried_out(Brokers({"get": [SILENCE]}), DEQUEUE, workload="ordered-queue")
    assert done.type is INFO


def test_what_is_given_back_was_not_processed() -> None:
    brokers = Brokers({"get": [SEVEN], "nack": [{"ok": True}]}, reject=0.999)
    (done,) = carried_out(brokers, DEQUEUE)
    assert (done.type, done.error) == (FAIL, "given back")
