"""The client of the transactional store: what an operation's completion may say, given the one answer."""

from __future__ import annotations

import asyncio

import pytest

from harness.op import Op, OpType
from harness.protocols import NoAnswer, NotSent, RpcError
from harness.workloads.bank import ACCOUNTS, OPENING
from harness.workloads.predicates import MODULUS
from targets.node import codes
from targets.txn.client import ERRORS, TxnClient
from tests.targets.answering import Answering, seat_on

OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO
WRITES = Op(f="txn", value=[["r", 1, None], ["append", 2, 3]], process=1)
READS = Op(f="txn", value=[["r", 1, None]], process=1)
TRANSFER = Op(f="transfer", value={"from": "a0", "to": "a1", "amount": 2}, process=1)
BALANCES = Op(f="read", process=1)
INSERT = Op(f="insert", key=4, value=["b", 9], process=1)


def carried_out(node: Answering, op: Op) -> Op:
    return asyncio.run(TxnClient(seat_on(node)).invoke(op))


@pytest.mark.parametrize("op", [WRITES, TRANSFER, INSERT, READS, BALANCES], ids=lambda op: op.f)
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (NoAnswer("n2"), INFO),
        (NotSent("n2"), FAIL),
        (RpcError(codes.TXN_CONFLICT, "a participant did not agree"), FAIL),
        (RpcError(codes.PRECONDITION, "overdrawn"), FAIL),
        (RpcError(codes.UNAVAILABLE, "no stamp"), FAIL),
        (RpcError(codes.TIMEOUT, "no answer"), INFO),
        (RpcError(4321, "what?"), INFO),
    ],
)
def test_an_operation_is_a_fail_only_if_it_certainly_did_nothing(op: Op, answer: Exception, outcome: OpType) -> None:
    node = Answering(answer)
    assert carried_out(node, op).type is (FAIL if op in (READS, BALANCES) else outcome)
    assert [name for name, _ in node.asked] == ["n2"]


def test_the_table_says_what_the_protocol_says() -> None:
    assert all(codes.is_definite(code) == certain for code, certain in ERRORS.items())


def test_a_transaction_completes_with_what_it_read() -> None:
    done = [["r", 1, [5]], ["append", 2, 3]]
    node = Answering({"type": "txn_ok", "txn": done})
    assert (carried_out(node, WRITES).type, carried_out(node, WRITES).value) == (OK, done)
    assert node.asked[0][1] == {"type": "txn", "txn": WRITES.value}


def test_a_predicate_reads_its_whole_group_and_finds_what_is_there() -> None:
    find = ["rp", ["mod", MODULUS, 3], None]
    keys = [f"g3.{place}" for place in range(4)]
    seen = dict(zip(keys, [None, 3 + MODULUS, None, None], strict=True))
    op = Op(f="txn", value=[find, ["insert", "g3.0", 3]], process=1)
    node = Answering({"type": "txn_ok", "txn": [*(["r", key, seen[key]] for key in keys), ["w", "g3.0", 3]]})
    found = [["rp", ["mod", MODULUS, 3], {"g3.1": 3 + MODULUS}], ["insert", "g3.0", 3]]
    assert (carried_out(node, op).type, carried_out(node, op).value) == (OK, found)
    assert node.asked[0][1] == {"type": "txn", "txn": [*(["r", key, None] for key in keys), ["w", "g3.0", 3]]}
    assert carried_out(Answering(NoAnswer("n2")), op).type is INFO
    assert carried_out(Answering(NoAnswer("n2")), Op(f="txn", value=[find], process=1)).type is FAIL


def test_a_bank_knows_its_accounts() -> None:
    node = Answering({"type": "balances_ok", "balances": {"a0": 3}})
    assert carried_out(node, BALANCES).value == {"a0": 3}
    assert carried_out(node, TRANSFER).value == TRANSFER.value
    assert [body for _, body in node.asked] == [
        {"type": "balances", "accounts": list(ACCOUNTS), "opening": OPENING},
        {"type": "transfer", "from": "a0", "to": "a1", "amount": 2, "opening": OPENING},
    ]


def test_an_insert_names_its_pair() -> None:
    node = Answering({"type": "insert_ok"})
    assert carried_out(node, INSERT).type is OK
    assert node.asked == [("n2", {"type": "insert", "tables": ["a", "b"], "key": 4, "table": "b", "id": 9})]


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(KeyError):
        carried_out(Answering({}), Op(f="peek", process=1))
