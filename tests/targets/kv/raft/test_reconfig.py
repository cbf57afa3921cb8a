"""Changes of members, one server at a time (thesis 4.1), and the autopilot."""

from __future__ import annotations

from typing import Any

from targets.node import codes
from tests.targets.kv.raft.desk import Desk, of_type


def leader(nodes: int = 5, **options: Any) -> Desk:
    desk = Desk(nodes, **options)
    desk.lead(1)
    return desk


def refused(desk: Desk, type_: str, node: str) -> int | None:
    error = of_type(desk.ask(type_, node=node), "error").get("c0")
    return None if error is None else int(error["code"])


def test_a_server_uses_the_latest_configuration_in_its_log_whether_it_is_committed_or_not() -> None:
    desk = leader(5)
    desk.ask("remove_member", node="n5")
    assert list(desk.state.members.nodes) == ["n1", "n2", "n3", "n4"]
    assert desk.state.members.index > desk.state.commit
    assert "n5" not in desk.raft.core.replication.peers
    desk.append("n2", 9, prev=(1, 1), entries=[[9, None]])  # another leader overwrites the change
    assert desk.state.members.nodes == ("n1", "n2", "n3", "n4", "n5")


def test_a_change_is_answered_when_the_majority_of_the_new_members_has_it() -> None:
    desk = leader(3)
    desk.ask("remove_member", node="n3")
    sent = desk.acknowledge("n2")
    assert of_type(sent, "remove_member_ok")["c0"]["members"] == ["n1", "n2"]


def test_the_next_change_does_not_begin_before_the_last_one_is_committed() -> None:
    desk = leader(5)
    desk.ask("remove_member", node="n5")
    early = refused(desk, "remove_member", "n4")
    for follower in ("n2", "n3"):
        desk.acknowledge(follower)
    late = refused(desk, "remove_member", "n4")
    assert (early, late) == (codes.UNAVAILABLE, None)


def test_bug_reconfig_while_pending() -> None:
    desk = leader(5, bug="reconfig-while-pending")
    for node in ("n5", "n4", "n3", "n2"):
        assert refused(desk, "remove_member", node) is None
    assert desk.state.commit == desk.state.log.last_index  # one server has decided all this alone


def test_no_change_begins_before_an_entry_of_the_term_is_committed() -> None:
    desk = Desk(5)
    desk.elect(1)
    early = refused(desk, "remove_member", "n5")
    for follower in ("n2", "n3"):
        desk.acknowledge(follower)
    assert (early, refused(desk, "remove_member", "n5")) == (codes.UNAVAILABLE, None)


def test_bug_reconfig_before_term_commit() -> None:
    desk = Desk(5, bug="reconfig-before-term-commit")
    desk.elect(1)
    assert refused(desk, "remove_member", "n5") is None


def test_members_can_be_added_and_removed_once() -> None:
    desk = leader(3, members="n1,n2")
    assert refused(desk, "add_member", "n2") == codes.PRECONDITION
    assert refused(desk, "remove_member", "n3") == codes.PRECONDITION
    assert refused(desk, "add_member", "n9") == codes.PRECONDITION
    assert refused(desk, "add_member", "n3") is None
    assert desk.state.members.nodes == ("n1", "n2", "n3")


def test_the_last_member_stays() -> None:
    desk = Desk(2, members="n1")
    desk.turn(0.7)
    assert refused(desk, "remove_member", "n1") == codes.PRECONDITION


def test_a_leader_that_is_removed_steps_down_once_the_change_is_committed_and_does_not_count_itself() -> None:
    desk = leader(3)
    desk.ask("remove_member", node="n1")
    desk.acknowledge("n2")
    with_one = desk.state.leads
    sent = desk.acknowledge("n3")
    assert with_one
    assert not desk.state.leads
    assert of_type(sent, "remove_member_ok")["c0"]["members"] == ["n2", "n3"]
    assert of_type(desk.turn(3.0), "request_vote") == {}


def silence(desk: Desk, *heard: str, seconds: float = 1.0) -> None:
    """Only ``heard`` answer the leader's messages for so long."""
    for _ in range(round(seconds / 0.05)):
        desk.turn(0.05)
        for follower in heard:
            if desk.state.leads and follower in desk.raft.core.replication.peers:
                desk.acknowledge(follower)


def test_the_autopilot_removes_a_silent_member_and_adds_it_when_it_returns() -> None:
    desk = leader(5, autopilot_s=0.5)
    silence(desk, "n2", "n3", "n4")
    without = desk.state.members.nodes
    desk.vote_asked("n5", 1, pre=True)
    silence(desk, "n2", "n3", "n4", seconds=0.2)
    assert without == ("n1", "n2", "n3", "n4")
    assert desk.state.members.nodes == ("n1", "n2", "n3", "n4", "n5")
    assert desk.state.leads


def test_the_autopilot_keeps_its_least_number_of_members() -> None:
    desk = leader(5, autopilot_s=0.2)
    silence(desk, "n2", "n3")
    assert desk.state.members.nodes == ("n1", "n2", "n3")


def test_the_autopilot_cannot_make_a_majority_of_a_minority() -> None:
    desk = leader(5, autopilot_s=0.2, autopilot_min=1)
    silence(desk, "n2", seconds=0.5)
    assert len(desk.state.members.nodes) == 4
    assert desk.state.members.index > desk.state.commit
    silence(desk, "n2", seconds=0.5)
    assert not desk.state.leads


def test_without_the_option_nobody_is_removed() -> None:
    desk = leader(5)
    silence(desk, "n2", "n3", seconds=2.0)
    assert len(desk.state.members.nodes) == 5
