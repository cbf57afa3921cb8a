"""Linearizable reads by read-index (thesis 6.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.targets.kv.raft.desk import Desk, of_type


def leader(**options: Any) -> Desk:
    """The leader of term 1 of five, with x = 1 committed, by a clock that stands where the last answers came."""
    desk = Desk(5, **options)
    desk.lead(1)
    desk.ask("write", key="x", value=1)
    for follower in ("n2", "n3", "n4", "n5"):
        desk.acknowledge(follower)
    return desk


def test_a_read_is_answered_when_a_majority_has_answered_a_heartbeat_sent_after_it() -> None:
    desk = leader()
    asked = desk.ask("read", key="x")
    one = desk.acknowledge("n2")
    two = desk.acknowledge("n3")
    assert sorted(of_type(asked, "append_entries")) == ["n2", "n3", "n4", "n5"]
    assert of_type(one, "read_ok") == {}
    assert of_type(two, "read_ok")["c0"]["value"] == 1


def test_answers_to_heartbeats_sent_before_the_read_do_not_count() -> None:
    desk = leader()
    desk.turn(0.08)  # heartbeats of the round before are on their way
    desk.ask("read", key="x")
    late = []
    for follower in ("n2", "n3", "n4"):
        number = desk.raft.core.replication.peers[follower].number
        late += desk.say(
            follower, type="append_reply", term=1, ok=True, match=2, number=number, round=0, sent=desk.env.now_s
        )
    assert of_type(late, "read_ok") == {}
    assert of_type(desk.acknowledge("n2") + desk.acknowledge("n3"), "read_ok")


def test_reads_that_arrive_while_a_round_is_in_flight_share_the_next_one() -> None:
    desk = leader()
    desk.ask("read", key="x")
    rounds = desk.raft.core.replication.round
    for client in ("c1", "c2", "c3"):
        assert desk.ask("read", src=client, key="x") == []
    first = desk.acknowledge("n2") + desk.acknowledge("n3")
    second = desk.acknowledge("n2") + desk.acknowledge("n3")
    assert sorted(of_type(first, "read_ok")) == ["c0"]
    assert sorted(of_type(second, "read_ok")) == ["c1", "c2", "c3"]
    assert desk.raft.core.replication.round == rounds + 1


def test_a_leader_does_not_answer_reads_before_it_has_committed_an_entry_of_its_term() -> None:
    desk = Desk(3)
    desk.append("n2", 1, entries=[[1, ["write", "x", 1, None, None]]])
    desk.elect(2)
    asked = desk.ask("read", key="x")
    desk.acknowledge("n2", match=1)  # a majority follows, but the entry of the term is not committed yet
    early = desk.acknowledge("n3", match=1)
    late = desk.acknowledge("n2") + desk.acknowledge("n2")
    assert of_type(asked + early, "read_ok") == {}
    assert of_type(late, "read_ok")["c0"]["value"] == 1


def test_bug_read_before_term_commit() -> None:
    desk = Desk(3, bug="read-before-term-commit")
    desk.append("n2", 1, entries=[[1, ["write", "x", 1, None, None]]])  # committed, as far as its client knows
    desk.elect(2)
    desk.ask("read", key="x")
    sent = desk.acknowledge("n2", match=1)
    assert of_type(sent, "error")["c0"]["code"] == 20


def test_a_read_of_a_key_that_was_never_written_is_error_20() -> None:
    desk = leader()
    desk.ask("read", key="y")
    sent = desk.acknowledge("n2") + desk.acknowledge("n3")
    assert of_type(sent, "error")["c0"]["code"] == 20


def test_a_deposed_leader_refuses_its_reads() -> None:
    desk = leader()
    desk.ask("read", key="x")
    sent = desk.say("n2", type="append_reply", term=9, ok=False, prev=-1, number=1, round=0, sent=0.0)
    assert of_type(sent, "error")["c0"]["code"] == 11


def test_bug_read_index_unconfirmed() -> None:
    desk = leader(bug="read-index-unconfirmed")
    assert of_type(desk.ask("read", key="x"), "read_ok")["c0"]["value"] == 1


@pytest.mark.parametrize("bug", ["stale-local-read", None])
def test_bug_stale_local_read(bug: str | None) -> None:
    desk = Desk(3, bug=bug)
    desk.append("n2", 1, entries=[[1, ["write", "x", 1, None, None]]], commit=1)
    sent = desk.ask("read", key="x")
    assert [body["type"] for _, body in sent] == (["read_ok"] if bug else ["forward"])


def test_bug_lease_without_drift_bound_a_clock_that_goes_back_prolongs_the_lease() -> None:
    desk = leader(bug="lease-without-drift-bound")
    within = of_type(desk.ask("read", key="x"), "read_ok")
    desk.turn(0.5)
    after = of_type(desk.ask("read", key="x"), "read_ok")
    desk.env.skew_s = -0.4
    back = of_type(desk.ask("read", key="x"), "read_ok")
    assert (bool(within), bool(after), bool(back)) == (True, False, True)


def test_without_the_bug_the_wall_clock_means_nothing() -> None:
    desk = leader()
    desk.env.skew_s = -3600.0
    assert of_type(desk.ask("read", key="x"), "read_ok") == {}
    desk.turn(2.0)
    assert not desk.state.leads
