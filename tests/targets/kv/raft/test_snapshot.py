"""Snapshots (paper section 7): what is saved, what the log gives up, what a restart finds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from targets.kv.raft.log import FILE as LOG_FILE
from targets.kv.raft.snapshot import FILE
from targets.node.records import whole
from tests.targets.kv.raft.desk import Desk, of_type


def busy(count: int, **options: Any) -> Desk:
    """A leader of three that has committed ``count`` writes x = 1, 2, ..., each with a request id."""
    desk = Desk(3, **{"snapshot_entries": 10, "snapshot_tail": 3, **options})
    desk.lead(1)
    for value in range(1, count + 1):
        desk.ask("write", key="x", value=value, client="c0", seq=value)
        desk.acknowledge("n2")
    return desk


def test_a_snapshot_is_taken_after_so_many_applied_entries_and_the_log_keeps_a_tail() -> None:
    desk = busy(12)
    assert desk.raft.core.snapshots.index == 10
    assert desk.state.log.base_index == 7
    assert "snapshot" in desk.events()


def test_a_restart_finds_the_snapshot_and_the_log_behind_it() -> None:
    again = busy(12).restart()
    assert (again.state.applied, again.state.log.last_index) == (10, 13)
    assert again.raft.machine.read("x")["value"] == 9  # the first entry is the no-op
    again.append("n2", 2, prev=(13, 1), commit=13)
    assert again.raft.machine.read("x")["value"] == 12


def test_sessions_survive_in_snapshots() -> None:
    again = busy(12).restart()
    again.append("n2", 2, prev=(13, 1), commit=13)
    again.append("n2", 2, prev=(13, 1), entries=[[2, ["write", "x", 12, "c0", 12]]], commit=14)
    dump = again.raft.machine.dump()
    assert dump["sessions"] == [["c0", 12, {"type": "write_ok"}]]


def test_bug_snapshot_drops_sessions_also_in_the_server_that_takes_it() -> None:
    desk = busy(9, bug="snapshot-drops-sessions")
    assert desk.raft.core.snapshots.index == 10
    assert desk.raft.machine.dump()["sessions"] == []
    desk.ask("write", key="x", value=1, client="c0", seq=1)
    desk.acknowledge("n2")
    assert desk.raft.machine.read("x")["value"] == 1  # a copy of the first request was carried out again


@pytest.mark.parametrize("lost", ["log", "nothing"])
def test_a_crash_between_snapshot_and_log_leaves_a_state_that_can_be_used(lost: str) -> None:
    desk = busy(9)
    old_log = Desk(3, snapshot_entries=1000)
    old_log.append("n2", 1, entries=[list(entry) for entry in desk.state.log.entries[:0]])
    if lost == "log":
        desk.disk.replace(LOG_FILE, b"")
    again = desk.restart()
    assert again.state.applied == 10
    assert again.state.log.last_index == 10
    assert again.state.log.last_term == 1
    assert again.raft.machine.read("x")["value"] == 9


def test_a_snapshot_that_another_server_sent_is_durable_with_its_members() -> None:
    leader = busy(12)
    leader.raft.core.replication.peers["n3"].next = 2
    leader.raft.core.replication.peers["n3"].waiting = False
    leader.turn(0.2)
    message = of_type(leader.env.sent, "install_snapshot")["n3"]
    follower = Desk(3)
    follower.say("n2", **json.loads(json.dumps(message)))
    again = follower.restart()
    assert again.raft.machine.dump() == json.loads(whole(follower.disk.read(FILE)))["machine"]
    assert again.raft.machine.read("x")["value"] == 9
    assert again.state.members.nodes == ("n1", "n2", "n3")


def test_a_change_of_members_behind_a_snapshot_counts_after_a_restart() -> None:
    desk = busy(9)
    desk.ask("remove_member", node="n3")
    desk.acknowledge("n2")
    again = desk.restart()
    assert again.state.members.nodes == ("n1", "n2")
    assert again.state.members.at(again.raft.core.snapshots.index) == ("n1", "n2", "n3")
