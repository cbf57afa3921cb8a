"""Maelstrom's services: their words, and that each is as strong as it says, and no stronger."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.maelstrom.services import LastWriteWins, Linearizable, Sequential, Timestamps, services
from harness.protocols import Body

STORES: dict[str, Callable[[], Any]] = {
    "lin-kv": Linearizable,
    "seq-kv": lambda: Sequential(random.Random(1)),
    "lww-kv": lambda: LastWriteWins(random.Random(1)),
}
every_store = pytest.mark.parametrize("make", STORES.values(), ids=STORES.keys())


def read(key: Any) -> Body:
    return {"type": "read", "key": key}


def write(key: Any, value: Any) -> Body:
    return {"type": "write", "key": key, "value": value}


def cas(key: Any, old: Any, new: Any, **more: Any) -> Body:
    return {"type": "cas", "key": key, "from": old, "to": new, **more}


def test_all_four_are_there_under_maelstroms_names() -> None:
    assert set(services(1)) == {"lin-kv", "seq-kv", "lww-kv", "lin-tso"}


def test_a_linearizable_store_word_by_word() -> None:
    store = Linearizable()
    said = [
        store.answer("n1", body)
        for body in (read("x"), cas("x", 1, 2), write("x", 1), cas("x", 1, [2]), read("x"), cas("x", 1, 3))
    ]
    assert [answer["type"] for answer in said] == ["error", "error", "write_ok", "cas_ok", "read_ok", "error"]
    assert (said[0]["code"], said[1]["code"], said[5]["code"]) == (20, 20, 22)
    assert said[4] == {"type": "read_ok", "value": [2]}


def test_a_cas_may_create_its_key() -> None:
    store = Linearizable()
    assert store.answer("n1", cas("x", 0, 1, create_if_not_exists=True))["type"] == "cas_ok"
    assert store.answer("n1", read("x"))["value"] == 1
    assert store.answer("n1", cas("x", 0, 2, create_if_not_exists=True))["code"] == 22


def test_values_and_keys_are_compared_as_json() -> None:
    store = Linearizable()
    store.answer("n1", write(1, 1))
    assert store.answer("n1", read("1"))["code"] == 20
    assert store.answer("n1", cas(1, True, 2))["code"] == 22
    assert store.answer("n1", write(1, True))["type"] == "write_ok"
    assert store.answer("n1", read(1))["value"] is True
    store.answer("n1", write({"a": 1, "b": 2}, None))
    assert store.answer("n1", read({"b": 2, "a": 1})) == {"type": "read_ok", "value": None}


@every_store
def test_what_is_no_request_is_refused(make: Callable[[], Any]) -> None:
    store = make()
    assert store.answer("n1", {"type": "append", "key": 1})["code"] == 10
    assert store.answer("n1", {"type": "cas", "key": 1, "from": 1})["code"] == 12


def test_timestamps_grow_by_one_for_everybody() -> None:
    oracle = Timestamps()
    assert [oracle.answer(node, {"type": "ts"})["ts"] for node in ("n1", "n2", "n1")] == [0, 1, 2]
    assert oracle.answer("n1", {"type": "read"})["code"] == 10


def asked(
    seed: int, steps: list[tuple[int, bool]], make: Callable[[random.Random], Any]
) -> list[tuple[int, bool, int]]:
    """Clients write 1, 2, 3, ... to one key or read it: (client, whether it wrote, the value; 0 for none)."""
    store, fresh, done = make(random.Random(seed)), 0, []
    for client, writes in steps:
        if writes:
            fresh += 1
            store.answer(f"n{client}", write("x", fresh))
        answer = {"value": fresh} if writes else store.answer(f"n{client}", read("x"))
        done.append((client, writes, answer.get("value", 0)))
    return done


steps = st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=40)


@given(st.integers(0, 1000), steps)
def test_a_sequential_store_never_takes_a_client_back(seed: int, drawn: list[tuple[int, bool]]) -> None:
    """Writes stand in one order, 1, 2, 3, ...; each client sees them in it, its own included."""
    latest: dict[int, int] = {}
    for client, _, value in asked(seed, drawn, Sequential):
        assert value >= latest.get(client, 0)
        latest[client] = value


def test_a_sequential_store_is_stale_to_some_and_a_linearizable_one_to_nobody() -> None:
    drawn = [(0, True), (1, False)] * 20
    stale = [value < at // 2 + 1 for at, (_, _, value) in enumerate(asked(1, drawn, Sequential))]
    assert any(stale)
    fresh = asked(1, drawn, lambda _: Linearizable())
    assert all(value == at // 2 + 1 for at, (_, _, value) in enumerate(fresh))


def test_a_change_of_a_sequential_store_meets_the_latest_state() -> None:
    store = Sequential(random.Random(1))
    for value in range(50):
        store.answer("n1", write("x", value))
    assert store.answer("n2", cas("x", 49, 50))["type"] in {"cas_ok", "error"}  # a refusal may be of the past
    done = [store.answer("n3", write("y", value))["type"] for value in range(3)]
    assert done == ["write_ok"] * 3
    assert store.answer("n3", read("x"))["value"] in {49, 50}  # who has written has met all that came before


def test_the_last_write_may_lose() -> None:
    store = LastWriteWins(random.Random(3))
    for value in range(200):
        store.answer("n1", write(value % 5, value))
    seen = {store.answer("n1", read(0)).get("value") for _ in range(200)}
    assert seen != {195}


def test_replicas_agree_once_nobody_writes() -> None:
    store = LastWriteWins(random.Random(3))
    for value in range(20):
        store.answer("n1", write("x", value))
    for _ in range(500):
        store.answer("n1", read("x"))
    assert len({store.answer("n1", read("x"))["value"] for _ in range(100)}) == 1


@pytest.mark.parametrize("name", ["seq-kv", "lww-kv"])
def test_the_same_seed_gives_the_same_answers(name: str) -> None:
    def answers(seed: int) -> list[Body]:
        answer = services(seed)[name]
        return [answer(f"n{step % 3}", write("x", step) if step % 2 else read("x")) for step in range(200)]

    assert answers(5) == answers(5)
    assert answers(5) != answers(6)
