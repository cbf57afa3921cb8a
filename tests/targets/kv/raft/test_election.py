"""Leader election: each test is named after a sentence of the paper or the thesis. Three parts: init, test, check."""

from __future__ import annotations

from typing import Any

import pytest

from targets.kv.raft.state import Role
from tests.targets.kv.raft.desk import Desk, of_type


def test_when_servers_start_up_they_begin_as_followers() -> None:
    desk = Desk()
    assert desk.state.role is Role.FOLLOWER
    assert desk.state.term == 0
    assert desk.events() == ["follower"]


def test_if_a_follower_receives_no_communication_it_begins_an_election() -> None:
    desk = Desk(3)
    sent = desk.turn(0.6)
    asked = of_type(sent, "request_vote")
    assert sorted(asked) == ["n2", "n3"]
    assert desk.state.role is Role.PRE_CANDIDATE


def test_a_server_remains_follower_as_long_as_it_receives_heartbeats() -> None:
    desk = Desk(3)
    for _ in range(40):
        desk.append("n2", 1)
        sent = desk.turn(0.1)
        assert of_type(sent, "request_vote") == {}
    assert desk.state.role is Role.FOLLOWER
    assert desk.state.leader == "n2"


def test_election_timeouts_are_chosen_randomly_from_a_fixed_interval() -> None:
    desk = Desk(3)
    timeouts = set()
    for _ in range(50):
        desk.append("n2", 1)
        heard_s = desk.env.now_s
        while not of_type(desk.turn(0.005), "request_vote"):
            pass
        timeouts.add(round(desk.env.now_s - heard_s, 3))
    assert min(timeouts) >= 0.295
    assert max(timeouts) <= 0.61
    assert len(timeouts) > 20


def test_bug_fixed_election_timeout_all_servers_campaign_at_the_same_instants() -> None:
    desks = [Desk(3, bug="fixed-election-timeout") for _ in range(2)]
    desks[1].append("n2", 1)
    desks[1].turn(0.1)
    desks[0].turn(0.1)
    when = []
    for desk in desks:
        while not of_type(desk.turn(0.001), "request_vote"):
            pass
        when.append(round(desk.env.now_s - 100, 2))
        assert desk.state.role is Role.CANDIDATE  # without asking first whether anybody would vote for it
    assert when[0] == pytest.approx(when[1], abs=0.01)


def test_a_candidate_increments_its_term_only_if_a_majority_would_grant_its_votes() -> None:
    desk = Desk(5)
    desk.turn(0.6)
    desk.say("n2", type="vote", pre=True, term=1, granted=True)
    before = (desk.state.role, desk.state.term)
    desk.say("n3", type="vote", pre=True, term=1, granted=True)
    assert before == (Role.PRE_CANDIDATE, 0)
    assert (desk.state.role, desk.state.term, desk.state.voted_for) == (Role.CANDIDATE, 1, "n1")


def test_without_pre_vote_a_server_that_nobody_hears_increments_its_term_for_ever() -> None:
    with_it, without = Desk(3), Desk(3, pre_vote=False)
    for desk in (with_it, without):
        desk.turn(5.0)
    assert with_it.state.term == 0
    assert without.state.term >= 8


def test_a_candidate_wins_if_it_receives_votes_from_a_majority_of_the_full_cluster() -> None:
    desk = Desk(5)
    desk.turn(0.6)
    for pre in (True, False):
        desk.say("n2", type="vote", pre=pre, term=1, granted=True)
        desk.say("n2", type="vote", pre=pre, term=1, granted=True)  # the same vote, doubled by the network
        assert not desk.state.leads
        sent = desk.say("n3", type="vote", pre=pre, term=1, granted=True)
    assert desk.state.leads
    assert sorted(of_type(sent, "append_entries")) == [
        "n2",
        "n3",
        "n4",
        "n5",
    ]  # "sends heartbeat messages to all others"


def test_votes_of_another_term_or_of_strangers_do_not_count() -> None:
    desk = Desk(3)
    desk.turn(0.6)
    desk.say("n2", type="vote", pre=True, term=1, granted=True)
    desk.say("n9", type="vote", pre=False, term=1, granted=True)
    desk.say("n2", type="vote", pre=False, term=0, granted=True)
    desk.say("n2", type="vote", pre=True, term=1, granted=True)
    assert desk.state.role is Role.CANDIDATE


def test_each_server_will_vote_for_at_most_one_candidate_in_a_given_term() -> None:
    desk = Desk(3)
    first = desk.vote_asked("n2", 1)
    second = desk.vote_asked("n3", 1)
    again = desk.vote_asked("n2", 1)
    assert [first["granted"], second["granted"], again["granted"]] == [True, False, True]


def test_a_vote_is_on_stable_storage_before_it_is_answered() -> None:
    desk = Desk(3)
    desk.vote_asked("n2", 1)
    again = desk.restart()
    assert (again.state.term, again.state.voted_for) == (1, "n2")
    assert not again.vote_asked("n3", 1)["granted"]


def test_bug_volatile_vote_a_restarted_server_votes_again_in_the_same_term() -> None:
    desk = Desk(3, bug="volatile-vote")
    desk.vote_asked("n2", 1)
    again = desk.restart()
    assert again.state.term == 0
    assert again.vote_asked("n3", 1)["granted"]


@pytest.mark.parametrize(
    ("last", "granted"),
    [((3, 2), True), ((4, 2), True), ((1, 3), True), ((2, 2), False), ((9, 1), False)],
)
def test_the_voter_denies_its_vote_if_its_own_log_is_more_up_to_date(last: tuple[int, int], granted: bool) -> None:
    def voter(**options: Any) -> Desk:
        desk = Desk(3, **options)
        desk.append("n2", 2, entries=[[1, None], [1, None], [2, None]])
        desk.turn(0.31)
        return desk

    for pre in (True, False):
        assert voter().vote_asked("n3", 3, last=last, pre=pre)["granted"] is granted
        assert voter(bug="vote-for-outdated-log").vote_asked("n3", 3, last=last, pre=pre)["granted"]


def test_a_rehearsed_vote_changes_nothing() -> None:
    desk = Desk(3)
    answer = desk.vote_asked("n2", 5, pre=True)
    assert answer == {"type": "vote", "pre": True, "term": 5, "granted": True}
    assert (desk.state.term, desk.state.voted_for) == (0, None)


@pytest.mark.parametrize("pre", [True, False])
def test_a_server_that_has_heard_its_leader_within_the_minimum_timeout_neither_votes_nor_updates_its_term(
    pre: bool,
) -> None:
    desk = Desk(3)
    desk.append("n2", 1)
    desk.turn(0.2)
    early = desk.vote_asked("n3", 7, pre=pre)
    term = desk.state.term
    desk.turn(0.11)
    late = desk.vote_asked("n3", 7, pre=pre)
    assert (early["granted"], early["term"], term) == (False, 1, 1)
    assert late["granted"]


def test_a_leader_does_not_vote_for_another_server() -> None:
    desk = Desk(3)
    desk.lead(1)
    desk.vote_asked("n2", 9, last=(99, 8))
    assert desk.state.leads


def test_if_one_servers_term_is_smaller_it_updates_to_the_larger_value_and_becomes_follower() -> None:
    answers = [
        {"type": "vote", "pre": False, "term": 9, "granted": False},
        {"type": "append_reply", "term": 9, "ok": False, "prev": -1, "number": 1, "round": 0, "sent": 0.0},
    ]
    for answer in answers:
        desk = Desk(3)
        desk.lead(1)
        desk.say("n2", **answer)
        assert (desk.state.role, desk.state.term) == (Role.FOLLOWER, 9)
        assert desk.restart().state.term == 9


def test_a_candidate_that_hears_the_new_leader_returns_to_follower_state() -> None:
    desk = Desk(5)
    desk.turn(0.6)
    for voter in ("n2", "n3"):
        desk.say(voter, type="vote", pre=True, term=1, granted=True)
    assert desk.state.role is Role.CANDIDATE
    desk.append("n4", 1)
    assert (desk.state.role, desk.state.leader) == (Role.FOLLOWER, "n4")


def test_a_single_server_elects_itself() -> None:
    desk = Desk(1)
    desk.turn(0.7)
    assert desk.state.leads
    assert desk.state.commit == 1


def test_a_server_that_is_no_member_does_not_campaign() -> None:
    desk = Desk(3, members="n2,n3")
    assert of_type(desk.turn(3.0), "request_vote") == {}
    assert desk.events() == ["follower"]


def test_a_server_that_is_no_member_makes_itself_heard_by_the_autopilot_and_is_never_elected() -> None:
    desk = Desk(3, members="n2,n3", autopilot_s=1.0)
    assert sorted(of_type(desk.turn(3.0), "request_vote")) == ["n2", "n3"]
    for pre in (True, False):
        for voter in ("n2", "n3"):
            desk.say(voter, type="vote", pre=pre, term=1, granted=True)
    assert desk.state.role is Role.FOLLOWER
    assert "candidate" not in desk.events()


def test_the_log_tells_each_change_of_role_with_its_term() -> None:
    desk = Desk(3)
    desk.lead(4)
    desk.append("n2", 5)
    assert [(event, fields["term"]) for event, fields in desk.env.logged] == [
        ("follower", 0),
        ("pre-candidate", 3),
        ("candidate", 4),
        ("leader", 4),
        ("follower", 5),
    ]
