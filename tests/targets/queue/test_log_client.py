"""The client of the log: what an operation's completion may say, given what became of its attempts."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.op import Op, OpType
from harness.protocols import ClientSeat
from targets.node import codes
from targets.queue.log_client import ERRORS, REBALANCED, LogClient, Verdict, verdict_of
from tests.targets.answering import SILENCE, UNSENT
from tests.targets.queue.scripted import Scripted

NODES = ("n1", "n2", "n3")
LEADERS = {"t0-0": ["n1", 3], "t0-1": ["n2", 1], "__offsets-0": ["n3", 1]}


class Cluster(Scripted):
    """Brokers that tell who leads, and their settings."""

    def __init__(
        self, *, acks: str = "all", idempotent: bool = True, when: str = "late", keys: int = 0, **script: list[Any]
    ) -> None:
        settings = {"acks": acks, "idempotent": idempotent, "commit": when, "keys": keys}
        super().__init__(
            {
                "metadata": [{"leaders": LEADERS, "settings": settings}],
                "producer_id": [{"producer": 9}],
                **script,
            }
        )


def carried_out(cluster: Cluster, *ops: Op) -> list[Op]:
    async def main() -> list[Op]:
        seat = ClientSeat(
            channel=cluster, node="n2", nodes=NODES, name="c5", rng=random.Random(1), timeout_s=2.0, workload="kafka"
        )
        client = LogClient(seat)
        return [await client.invoke(op) for op in ops]

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def send(*messages: int, key: str = "k0") -> Op:
    return Op(f="send", value=[["send", key, message] for message in messages], process=1)


def poll() -> Op:
    return Op(f="poll", value=[["poll"]], process=1)


def assign(*keys: str, **extra: Any) -> Op:
    return Op(f="assign", value=list(keys), process=1, extra=extra)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([{"offset": 4}], OpType.OK),
        ([codes.UNAVAILABLE, {"offset": 4}], OpType.OK),
        ([SILENCE, {"offset": 4}], OpType.OK),
        ([codes.UNAVAILABLE], OpType.FAIL),
        ([UNSENT], OpType.FAIL),
        ([codes.PRECONDITION], OpType.FAIL),
        ([SILENCE, codes.UNAVAILABLE], OpType.INFO),
        ([codes.TIMEOUT, codes.UNAVAILABLE], OpType.INFO),
        ([SILENCE], OpType.INFO),
        ([1000], OpType.INFO),
    ],
)
def test_a_send_is_a_fail_only_if_every_attempt_was_refused_for_good(answers: list[Any], outcome: OpType) -> None:
    (done,) = carried_out(Cluster(produce=answers), send(7))
    assert done.type is outcome
    if outcome is OpType.OK:
        assert done.value == [["send", "k0", [4, 7]]]


def test_every_code_has_one_meaning() -> None:
    assert {verdict_of(code) for code in ERRORS} == {Verdict.NOT_HERE, Verdict.NEVER}
    assert all(codes.is_definite(code) for code in ERRORS), "what may have happened is in doubt"
    assert verdict_of(codes.CRASH) is verdict_of(1234) is Verdict.UNKNOWN


def test_attempts_of_one_message_have_one_sequence_and_messages_follow_one_another() -> None:
    cluster = Cluster(produce=[SILENCE, {"offset": 0}, {"offset": 1}])
    carried_out(cluster, send(7), send(8))
    assert [body["producer"] for body in cluster.bodies("produce")] == [[9, 0, 0], [9, 0, 0], [9, 0, 1]]


def test_a_sequence_that_was_refused_for_good_is_used_again() -> None:
    cluster = Cluster(produce=[codes.PRECONDITION, {"offset": 0}])
    refused, sent = carried_out(cluster, send(7), send(8))
    assert (refused.type, sent.type) == (OpType.FAIL, OpType.OK)
    assert [body["producer"][2] for body in cluster.bodies("produce")] == [0, 0]


def test_messages_of_one_send_are_in_flight_together() -> None:
    cluster = Cluster(produce=[{"offset": 5}, {"offset": 6}])
    (done,) = carried_out(cluster, send(1, 2))
    assert done.value == [["send", "k0", [5, 1]], ["send", "k0", [6, 2]]]
    assert [body["producer"][2] for body in cluster.bodies("produce")] == [0, 1]


def test_a_send_of_which_a_part_was_refused_is_in_doubt() -> None:
    (done,) = carried_out(Cluster(produce=[{"offset": 5}, codes.PRECONDITION]), send(1, 2))
    assert done.type is OpType.INFO


def test_without_acks_a_send_that_nobody_answers_is_taken_for_sent() -> None:
    (done,) = carried_out(Cluster(acks="0", produce=[SILENCE]), send(1))
    assert (done.type, done.value) == (OpType.OK, [["send", "k0", [None, 1]]])


def test_without_idempotence_messages_have_no_sequence() -> None:
    cluster = Cluster(idempotent=False, produce=[{"offset": 0}])
    carried_out(cluster, send(1))
    assert "producer" not in cluster.bodies("produce")[0]
    assert not cluster.bodies("producer_id")


def test_messages_have_as_many_keys_as_the_cluster_wants() -> None:
    cluster = Cluster(keys=3, produce=[{"offset": 0}])
    carried_out(cluster, send(7), send(9))
    assert [body["key"] for body in cluster.bodies("produce")] == ["1", "0"]
    cluster = Cluster(produce=[{"offset": 0}])
    carried_out(cluster, send(7))
    assert "key" not in cluster.bodies("produce")[0]


def test_polls_go_on_where_the_last_one_ended_and_begin_anew_if_asked_to() -> None:
    given_ = {"messages": {"t0-0": [[0, "a"], [3, "b"]]}}
    cluster = Cluster(consume=[given_])
    done = carried_out(cluster, assign("k0"), poll(), poll(), assign("k0", seek_to_beginning=True), poll())
    assert done[1].value == [["poll", {"k0": [[0, "a"], [3, "b"]]}]]
    assert [body["partitions"]["t0-0"] for body in cluster.bodies("consume")] == [[3, 0], [3, 4], [3, 0]]


def test_a_poll_without_an_answer_is_a_fail_and_moves_nothing() -> None:
    cluster = Cluster(consume=[SILENCE, {"messages": {"t0-0": []}}])
    done = carried_out(cluster, assign("k0"), poll(), poll())
    assert [op.type for op in done] == [OpType.OK, OpType.FAIL, OpType.OK]
    assert [body["partitions"]["t0-0"][1] for body in cluster.bodies("consume")] == [0, 0]


JOINED = {"generation": [1, 4], "offsets": {"t0-0": 6}}


def subscribe() -> Op:
    return Op(f="subscribe", value=["k0", "k1"], process=1)


def test_a_member_reads_its_partitions_and_commits_what_it_was_given_with_the_next_poll() -> None:
    cluster = Cluster(join=[JOINED], commit=[{}], consume=[{"messages": {"t0-0": [[6, "a"]]}}])
    done = carried_out(cluster, subscribe(), poll(), poll())
    assert done[0].value == ["k0"]
    assert [body["offsets"] for body in cluster.bodies("commit")] == [{"t0-0": 6}, {"t0-0": 7}]


def test_a_member_that_was_expelled_polls_nothing_until_it_subscribes_again() -> None:
    cluster = Cluster(join=[JOINED], commit=[codes.PRECONDITION, {}], consume=[{"messages": {}}])
    done = carried_out(cluster, subscribe(), poll(), poll(), subscribe(), poll())
    assert [op.type for op in done] == [OpType.OK, OpType.FAIL, OpType.FAIL, OpType.OK, OpType.OK]
    assert done[1].error == REBALANCED
    assert len(cluster.bodies("commit")) == 2, "it does not ask again before it has joined again"


def test_who_commits_early_commits_before_it_returns() -> None:
    cluster = Cluster(when="early", join=[JOINED], consume=[{"messages": {"t0-0": [[6, "a"]]}}])
    cluster.script["commit"] = [{}, SILENCE]
    done = carried_out(cluster, subscribe(), poll())
    assert done[1].type is OpType.FAIL, "the message was committed, perhaps, and given to nobody"
    assert cluster.bodies("commit")[1]["offsets"] == {"t0-0": 7}


def test_metadata_of_a_node_that_is_behind_does_not_replace_what_is_known() -> None:
    settings = {"acks": "all", "idempotent": False, "commit": "late", "keys": 0}
    new, old = ({"leaders": {"t0-0": [name, epoch]}, "settings": settings} for name, epoch in (("n3", 5), ("n1", 4)))
    cluster = Cluster(metadata=[new, old], produce=[codes.UNAVAILABLE, {"offset": 0}])
    carried_out(cluster, send(1))
    assert [node for node, body in cluster.asked if body["type"] == "produce"] == ["n3", "n3"]
