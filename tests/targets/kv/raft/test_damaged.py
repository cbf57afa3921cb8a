"""A server whose disk does not give back what was synced stands aside; one whose disk was only cut off in mid-write does not."""

from __future__ import annotations

from typing import Any

import pytest

from harness.clusters.sim_disk import Disk
from harness.effects import DiskFault
from targets.kv.raft import Raft, server
from targets.kv.raft.damaged import Refuser
from targets.node import codes
from targets.node.env import Refusal
from tests.targets.kv.raft.desk import Desk, DeskEnv


def used() -> Disk:
    """The disk of a server that has voted, stored entries and taken a snapshot."""
    desk = Desk(3, snapshot_entries=5, snapshot_tail=2)
    desk.lead(1)
    for value in range(12):
        desk.ask("write", key="x", value=value, client="c0", seq=value)
        desk.acknowledge("n2")
    disk = desk.disk
    assert isinstance(disk, Disk)
    assert all(disk.read(name) for name in ("log", "vote", "snapshot"))
    return disk


def born(disk: Disk, **options: Any) -> tuple[Raft | Refuser, DeskEnv]:
    env = DeskEnv("n1", ("n1", "n2", "n3"), disk, options)
    return server(env), env


@pytest.mark.parametrize("name", ["log", "vote", "snapshot"])
def test_one_flipped_bit_anywhere_is_refused_or_changes_nothing(name: str) -> None:
    whole, _ = born(used())
    assert isinstance(whole, Raft)
    refused = 0
    for seed in range(60):
        disk = used()
        disk._dice.seed(seed)
        disk.damage(DiskFault(action="bit-flip", path=name))
        found, env = born(disk)
        if isinstance(found, Refuser):
            refused += 1
            assert found.status() == {"role": "damaged"}
            assert "append_entries" not in env.handlers
            assert "request_vote" not in env.handlers
            with pytest.raises(Refusal) as caught:
                env.handlers["read"]({"src": "c1", "dest": "n1", "body": {"type": "read", "key": "x", "msg_id": 1}})
            assert caught.value.code == codes.UNAVAILABLE
        else:
            assert found.machine.dump() == whole.machine.dump()
            assert (found.state.term, found.state.voted_for) == (whole.state.term, whole.state.voted_for)
            assert found.state.log.entries == whole.state.log.entries
    assert refused >= 40


def test_a_torn_tail_is_cut_off_and_nothing_else_happens() -> None:
    disk = used()
    disk.append("log", b"\0\0\0\x20and then the power went")
    found, env = born(disk)
    assert isinstance(found, Raft)
    assert "torn-tail" in [event for event, _ in env.logged]
    assert isinstance(born(disk)[0], Raft)


def test_without_checksums_it_takes_what_it_gets() -> None:
    disk = used()
    disk.damage(DiskFault(action="bit-flip", path="log", count=8))
    assert isinstance(born(disk, bug="no-checksum")[0], Raft)
