"""The backup's side: what it takes, what it refuses, what it drops, and what survives a crash."""

from __future__ import annotations

from typing import Any

from tests.targets.kv.primary.desk import Desk, entry


def test_entries_are_on_the_disk_before_they_are_confirmed() -> None:
    desk = Desk()
    answer = desk.replicate("n2", 1, entries=[entry(1, "a"), entry(1, "b")])
    assert (answer["ok"], answer["match"]) == (True, 2)
    assert desk.restart().epochs() == [1, 1]
    careless = Desk(bug="replica-acks-before-sync")
    assert careless.replicate("n2", 1, entries=[entry(1, "a")])["match"] == 1
    assert careless.restart().epochs() == []


def test_a_deposed_primary_is_refused_and_told_so() -> None:
    desk = Desk()
    desk.replicate("n3", 5)
    answer = desk.replicate("n2", 4, entries=[entry(4, "a")])
    assert (answer["ok"], answer["epoch"]) == (False, 5)
    assert desk.epochs() == []
    assert desk.state.primary == "n3"
    assert Desk(bug="fencing-off").replicate("n2", 4)["ok"]


def test_a_primary_that_hears_of_a_later_one_follows_it() -> None:
    desk = Desk()
    desk.lead()
    assert desk.replicate("n2", desk.state.epoch + 1, prev=(1, 1))["ok"]
    assert (desk.state.role.value, desk.state.primary) == ("backup", "n2")


def test_only_what_is_committed_is_applied() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(1, "b")], commit=1)
    assert desk.held() == ["a"]
    desk.replicate("n2", 1, prev=(2, 1), commit=9)
    assert desk.held() == ["a", "b"]


def test_an_old_message_takes_nothing_back() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(1, "b")])
    assert desk.replicate("n2", 1, entries=[entry(1, "a")])["match"] == 1
    assert len(desk.epochs()) == 2


def test_a_gap_is_refused_with_where_to_look() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "a")])
    answer = desk.replicate("n2", 1, prev=(5, 1), entries=[entry(1, "f")])
    assert (answer["ok"], answer["prev"], answer["hint"]) == (False, 5, 2)


def test_a_different_tail_is_skipped_epoch_by_epoch_and_dropped() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(2, "b"), entry(2, "c"), entry(2, "d")])
    assert desk.replicate("n3", 4, prev=(4, 3))["hint"] == 2
    assert desk.replicate("n3", 4, prev=(1, 1), entries=[entry(4, "e")])["match"] == 2
    assert desk.restart().epochs() == [1, 4]


def test_the_bug_that_keeps_the_tail() -> None:
    desk = Desk(bug="divergent-tail-kept")
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(2, "b")])
    desk.replicate("n3", 4, prev=(1, 1), entries=[entry(4, "c"), entry(4, "d")])
    assert desk.epochs() == [1, 2, 4]


def test_asynchronous_what_was_applied_and_is_dropped_is_undone() -> None:
    desk = Desk(mode="async")
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(1, "b"), entry(1, "c")], commit=3)
    assert desk.held() == ["a", "b", "c"]
    desk.replicate("n3", 2, prev=(1, 1), entries=[entry(2, "d")], commit=2)
    assert desk.held() == ["a", "d"]
    assert desk.restart().epochs() == [1, 2]


def test_asynchronous_what_a_checkpoint_holds_can_be_replaced_by_the_full_state_alone() -> None:
    desk = Desk(mode="async", checkpoint_entries=2, tail_entries=2)
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(1, "b"), entry(1, "c")], commit=3)
    assert desk.replica.checkpoint_index == 3
    answer = desk.replicate("n3", 2, prev=(1, 1), entries=[entry(2, "d")], commit=2)
    assert (answer["ok"], answer["hint"]) == (False, 0)
    assert desk.held() == ["a", "b", "c"]
    assert desk.install("n3", 2, state(2, 2, ["a", "d"]))["match"] == 2
    assert desk.held() == desk.restart().held() == ["a", "d"]


def test_where_the_log_has_forgotten_its_entries_it_is_asked_at_its_base() -> None:
    desk = Desk(mode="async", checkpoint_entries=4, tail_entries=1)
    desk.replicate("n2", 1, entries=[entry(1, e) for e in "abcd"], commit=4)
    assert desk.replica.log.base_index == 3
    assert desk.replicate("n3", 2, prev=(1, 1))["hint"] == 4
    assert desk.replicate("n3", 2, prev=(3, 2))["hint"] == 0  # at the base they differ


def state(index: int, epoch: int, elements: list[Any]) -> dict[str, Any]:
    return {"index": index, "epoch": epoch, "machine": {"registers": [], "sets": [["x", elements]], "sessions": []}}


def test_the_full_state_replaces_a_log_that_differs() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "z")])
    assert desk.install("n3", 3, state(7, 3, ["a", "b"]))["match"] == 7
    again = desk.restart()
    for one in (desk, again):
        assert (one.replica.log.end, one.replica.commit, one.held()) == ((3, 7), 7, ["a", "b"])
    assert again.replicate("n3", 3, prev=(7, 3), entries=[entry(3, "c")], commit=8)["match"] == 8
    assert again.held() == ["a", "b", "c"]


def test_the_full_state_keeps_what_the_log_has_behind_it() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(1, "b")])
    desk.install("n2", 1, state(1, 1, ["a"]))
    assert (desk.replica.log.last_index, desk.held()) == (2, ["a"])


def test_synchronous_a_late_copy_of_the_full_state_takes_nothing_back() -> None:
    desk = Desk(checkpoint_entries=2, tail_entries=0)
    desk.replicate("n2", 1, entries=[entry(1, e) for e in "abcd"], commit=4)
    assert desk.replica.log.base_index == 4
    desk.install("n2", 1, state(2, 1, ["a", "b"]))
    assert desk.held() == ["a", "b", "c", "d"]


def test_a_crash_between_a_checkpoint_that_was_taken_over_and_its_log() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "z")])
    desk.replica._save(state(7, 3, ["a"]))
    again = desk.restart()
    assert (again.replica.log.end, again.held()) == ((3, 7), ["a"])


def test_the_bug_that_forgets_the_log_behind_the_checkpoint() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "a")])
    assert desk.restart(bug="recovers-checkpoint-only").epochs() == []


def test_the_bug_that_drops_entries_but_not_what_they_changed() -> None:
    desk = Desk(mode="async", bug="dropped-tail-stays-applied")
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(1, "b")], commit=2)
    desk.replicate("n3", 2, prev=(1, 1), entries=[entry(2, "c")], commit=2)
    assert desk.epochs() == [1, 2]
    assert desk.held() == ["a", "b", "c"]


def test_a_primary_that_does_not_know_its_own_epoch_there_is_refused() -> None:
    desk = Desk(mode="async")
    desk.replicate("n2", 1, entries=[entry(1, "a")])
    answer = desk.replicate("n3", 2, prev=(5, None))  # type: ignore[arg-type]  # what a primary sends of an index beyond its log
    assert (answer["ok"], answer["hint"]) == (False, 2)
