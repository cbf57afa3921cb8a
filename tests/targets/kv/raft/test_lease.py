"""Reads under a lease (thesis 6.4.1), and the promises on which a lease rests."""

from __future__ import annotations

from typing import Any

import pytest

from targets.kv.raft.config import Config
from targets.kv.raft.local_clock import STEP_S
from tests.targets.kv.raft.desk import Desk, of_type

LEASE_S = (Config().election_min_s - STEP_S) / Config().drift_bound
FOLLOWERS = ("n2", "n3", "n4", "n5")


def leader(**options: Any) -> Desk:
    """The leader of term 1 of five, with x = 1 committed, just now acknowledged by everybody."""
    desk = Desk(5, reads="lease", **options)
    desk.lead(1)
    desk.ask("write", key="x", value=1)
    for follower in FOLLOWERS:
        desk.acknowledge(follower)
    return desk


def answered(desk: Desk) -> bool:
    """Whether a read is answered at once, without asking anybody."""
    return bool(of_type(desk.ask("read", key="x"), "read_ok"))


def wait(desk: Desk, seconds: float, rate: float = 1.0) -> None:
    """Let time pass, in which the wall clock runs at ``rate``."""
    steps = max(1, round(seconds / 0.005))
    for _ in range(steps):
        desk.turn(seconds / steps)
        desk.env.skew_s += (rate - 1) * seconds / steps


def test_the_leader_answers_at_once_as_long_as_its_lease_holds() -> None:
    desk = leader()
    assert answered(desk)
    wait(desk, LEASE_S - 0.02)
    assert answered(desk)
    wait(desk, 0.03)
    assert not answered(desk)


def test_after_the_lease_a_majority_is_asked() -> None:
    desk = leader()
    wait(desk, LEASE_S + 0.01)
    asked = desk.ask("read", key="x")
    assert of_type(asked, "read_ok") == {}
    assert of_type(desk.acknowledge("n2") + desk.acknowledge("n3"), "read_ok")["c0"]["value"] == 1


def test_a_lease_needs_a_majority_that_has_acknowledged() -> None:
    desk = leader()
    wait(desk, LEASE_S + 0.01)
    desk.acknowledge("n2")
    assert not answered(desk)
    desk.acknowledge("n3")
    assert answered(desk)


def test_bug_lease_from_one() -> None:
    desk = leader(bug="lease-from-one")
    wait(desk, LEASE_S + 0.01)
    desk.acknowledge("n2")
    assert answered(desk)


def test_the_lease_begins_when_the_heartbeats_left() -> None:
    assert not _after_late_answers(leader())
    assert _after_late_answers(leader(bug="lease-from-reply"))


def _after_late_answers(desk: Desk) -> bool:
    wait(desk, 0.1)
    sent_s = desk.raft.core.replication.clock()
    wait(desk, LEASE_S + 0.01)
    for follower in FOLLOWERS:
        number = desk.raft.core.replication.peers[follower].number
        desk.say(follower, type="append_reply", term=1, ok=True, match=2, number=number, round=0, sent=sent_s)
    return answered(desk)


@pytest.mark.parametrize(
    ("bug", "longer"), [("lease-ignores-drift", True), ("lease-whole-timeout", True), (None, False)]
)
def test_the_lease_is_the_shortest_timeout_divided_by_the_bound(bug: str | None, longer: bool) -> None:
    desk = leader(bug=bug)
    wait(desk, LEASE_S + 0.03)
    assert answered(desk) is longer


def test_the_lease_is_measured_by_a_clock_that_drifts() -> None:
    desk = leader()
    wait(desk, 1.5 * LEASE_S, rate=0.5)
    assert answered(desk)
    wait(desk, LEASE_S, rate=0.5)
    assert not answered(desk)


@pytest.mark.parametrize(("bug", "holds"), [("lease-counts-steps", True), (None, False)])
def test_a_clock_that_is_set_back_prolongs_no_lease(bug: str | None, holds: bool) -> None:
    desk = leader(bug=bug)
    wait(desk, LEASE_S - 0.02)
    desk.env.skew_s -= 0.13
    assert answered(desk) is holds
    wait(desk, 0.03)
    assert answered(desk) is holds


def test_after_a_step_the_next_acknowledgement_begins_a_new_lease() -> None:
    desk = leader()
    desk.env.skew_s += 3600.0
    assert not answered(desk)
    wait(desk, 0.01)
    for follower in FOLLOWERS:
        desk.acknowledge(follower)
    assert answered(desk)


def test_a_new_leader_has_no_lease_before_anybody_acknowledged() -> None:
    desk = Desk(5, reads="lease")
    desk.elect(1)
    assert not answered(desk)


def test_a_leader_that_has_not_committed_in_its_term_asks_whatever_its_lease() -> None:
    desk = Desk(3, reads="lease")
    desk.append("n2", 1, entries=[[1, ["write", "x", 1, None, None]]])
    desk.elect(2)
    desk.acknowledge("n2", match=1)
    assert not answered(desk)


def heard(**options: Any) -> Desk:
    """A follower that has just heard its leader n2."""
    desk = Desk(3, reads="lease", **options)
    desk.append("n2", 1)
    return desk


def test_a_follower_that_has_heard_a_leader_does_not_vote() -> None:
    assert not heard().vote_asked("n3", 2)["granted"]


def test_the_promise_is_kept_by_the_clock_that_drifts() -> None:
    desk = heard()
    wait(desk, 0.2, rate=0.5)
    wait(desk, 0.2, rate=0.5)
    assert not desk.vote_asked("n3", 2)["granted"]
    wait(desk, 0.4)
    assert desk.vote_asked("n3", desk.state.term + 1)["granted"]


def test_a_restart_does_not_end_the_promise() -> None:
    desk = heard().restart()
    assert not desk.vote_asked("n3", 2)["granted"]
    wait(desk, Config().election_min_s)
    assert desk.vote_asked("n3", desk.state.term + 1)["granted"]


def test_without_a_lease_the_wall_clock_means_nothing() -> None:
    desk = Desk(3)
    desk.append("n2", 1)
    desk.env.skew_s += 3600.0
    assert not desk.vote_asked("n3", 2)["granted"]
    assert desk.state.local is None


def test_without_stickiness_a_follower_votes_whatever_it_has_heard() -> None:
    desk = Desk(3, stickiness=False)
    desk.append("n2", 1)
    assert desk.vote_asked("n3", 2)["granted"]
