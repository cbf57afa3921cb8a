"""Who gets a vote, who becomes primary, and what of it survives a crash."""

from __future__ import annotations

import pytest

from tests.targets.kv.primary.desk import Desk, entry, of_type


def test_one_vote_in_an_epoch() -> None:
    desk = Desk()
    assert desk.vote_asked("n2", 1)["granted"]
    assert not desk.vote_asked("n3", 1)["granted"]
    assert desk.vote_asked("n2", 1)["granted"]  # a copy of the question gets the same answer
    assert desk.vote_asked("n3", 2)["granted"]


def test_a_vote_is_on_the_disk_before_it_is_given() -> None:
    desk = Desk()
    desk.vote_asked("n2", 3)
    again = desk.restart()
    assert (again.state.epoch, again.state.voted_for) == (3, "n2")
    assert not again.vote_asked("n3", 3)["granted"]


def test_the_bug_that_votes_again() -> None:
    desk = Desk(bug="vote-forgotten")
    assert desk.vote_asked("n2", 1)["granted"]
    assert desk.vote_asked("n3", 1)["granted"]


@pytest.mark.parametrize(
    ("end", "granted"), [((1, 2), True), ((1, 3), True), ((2, 1), True), ((1, 1), False), ((0, 9), False)]
)
def test_a_candidate_must_have_all_that_the_voter_has(end: tuple[int, int], granted: bool) -> None:
    def asked(**options: str) -> bool:
        desk = Desk(**options)
        desk.replicate("n3", 1, entries=[entry(1, "a"), entry(1, "b")])
        desk.turn(1.0)
        return bool(desk.vote_asked("n2", 5, end=end)["granted"])

    assert asked() == granted
    assert asked(bug="promotes-stale")


def test_who_hears_a_primary_wants_no_other() -> None:
    desk = Desk()
    desk.replicate("n3", 1)
    for sounding in (True, False):
        answer = desk.vote_asked("n2", 7, sounding=sounding)
        assert (answer["granted"], answer["epoch"]) == (False, 1)
    desk.turn(0.3)
    assert desk.vote_asked("n2", 7)["granted"]


def test_sounding_out_binds_nobody() -> None:
    desk = Desk()
    assert desk.vote_asked("n2", 1, sounding=True)["granted"]
    assert desk.vote_asked("n3", 1, sounding=True)["granted"]
    assert desk.state.epoch == 0
    assert desk.vote_asked("n3", 1)["granted"]


def test_a_majority_must_miss_the_primary_before_an_epoch_is_begun() -> None:
    desk = Desk(5)
    assert set(of_type(desk.turn(0.6), "ask_vote")) == {"n2", "n3", "n4", "n5"}
    assert (desk.state.epoch, desk.state.role.value) == (0, "backup")
    desk.say("n2", type="vote", epoch=0, asked=1, sounding=True, granted=True)
    desk.say("n2", type="vote", epoch=0, asked=1, sounding=True, granted=True)  # a copy
    assert desk.state.epoch == 0
    sent = desk.say("n3", type="vote", epoch=0, asked=1, sounding=True, granted=True)
    assert of_type(sent, "ask_vote")["n2"]["sounding"] is False
    assert (desk.state.epoch, desk.state.role.value, desk.state.voted_for) == (1, "candidate", "n1")


def test_a_majority_of_votes_makes_a_primary() -> None:
    desk = Desk(5)
    desk.turn(0.6)
    for voter in ("n2", "n3"):
        desk.say(voter, type="vote", epoch=0, asked=1, sounding=True, granted=True)
    for epoch, voter, granted in ((1, "n2", False), (0, "n3", True), (1, "n4", True)):
        desk.say(voter, type="vote", epoch=epoch, asked=epoch, sounding=False, granted=granted)
    assert not desk.state.leads  # one refused, one vote was of another epoch
    desk.say("n5", type="vote", epoch=1, asked=1, sounding=False, granted=True)
    assert desk.state.leads
    assert desk.node.status()["role"] == "primary"


def test_three_of_four_are_a_majority() -> None:
    assert [Desk(nodes).state.majority for nodes in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]
    assert Desk(4, bug="half-is-majority").state.majority == 2
    assert Desk(5, bug="half-is-majority").state.majority == 3


def test_a_later_epoch_ends_a_candidacy() -> None:
    desk = Desk()
    desk.turn(0.6)
    desk.say("n2", type="vote", epoch=0, asked=1, sounding=True, granted=True)
    desk.say("n2", type="vote", epoch=9, asked=1, sounding=False, granted=False)
    assert (desk.state.epoch, desk.state.role.value) == (9, "backup")
    assert desk.restart().state.epoch == 9


def test_a_single_node_elects_itself() -> None:
    desk = Desk(1)
    desk.turn(0.7)
    assert desk.state.leads


def test_failover_takes_between_its_limits() -> None:
    for seed in range(20):
        desk = Desk()
        desk.env.random.seed(seed)
        desk.turn(1.0)
        desk.replicate("n2", desk.state.epoch + 1)
        heard_s = desk.env.now_s
        while not of_type(desk.turn(0.005), "ask_vote"):
            assert desk.env.now_s - heard_s < 0.7
        assert desk.env.now_s - heard_s >= 0.29


def test_the_bug_that_asks_nobody() -> None:
    desk = Desk(bug="promotes-itself")
    sent = desk.turn(0.7)
    assert (desk.state.epoch, desk.state.leads) == (1, True)
    assert not of_type(sent, "ask_vote")
    assert set(of_type(sent, "replicate")) == {"n2", "n3"}
