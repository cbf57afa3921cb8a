"""Disks: who may be corrupted, what a person may write, and what each shape becomes."""

from __future__ import annotations

import pytest

from harness.effects import DISK_ACTIONS, BreakDisk, DiskFault, LosePower
from nemesis.disk import CORRUPT, DISK, atlas
from nemesis.power import POWER
from tests.nemesis.scenes import dice, names, scene


@pytest.mark.parametrize("count", range(1, 12))
def test_all_corruption_of_all_runs_together_spares_a_majority(count):
    spared = set(names(count)) - set(atlas(names(count)))
    assert len(spared) > count / 2
    if count < CORRUPT.nodes_min:
        assert atlas(names(count)) == ()
        return
    hit = set()
    for seed in range(200):
        args = CORRUPT.plan(scene(count, aim="leader"), dice(seed))
        hit |= set(CORRUPT.resolve(args, names(count), {"n1": "leader"})[0])
    assert hit == set(atlas(names(count)))


def test_a_cut_file_is_never_drawn_but_can_be_asked_for():
    drawn = {CORRUPT.plan(scene(), dice(seed))["shape"] for seed in range(200)}
    assert drawn == {"bit-flip", "torn-write", "misdirected-write"}
    args = CORRUPT.complete({"shape": "truncate", "nodes": ["n1"]}, scene(), dice(1))
    assert CORRUPT.resolve(args, names(5), {})[1][0].effect == BreakDisk(
        nodes=("n1",), fault=DiskFault(action="truncate")
    )


def test_every_action_is_somebody_s():
    assert set(DISK.allowed) | set(CORRUPT.allowed) == set(DISK_ACTIONS)


def test_what_is_written_is_what_is_done():
    wanted = {"shape": "eio", "path": "wal/*", "operations": ["fsync"], "probability": 0.5, "count": 3, "nodes": ["n2"]}
    args = DISK.complete(wanted, scene(), dice(1))
    (step,) = DISK.resolve(args, names(5), {})[1]
    fault = DiskFault(action="eio", path="wal/*", operations=("fsync",), probability=0.5, count=3)
    assert step.effect == BreakDisk(nodes=("n2",), fault=fault)
    assert DISK.describe(args) == "disk: n2: eio fsync 50% in wal/*"


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"shape": "bit-flip"}, 'shape: unknown "bit-flip": known: eio, enospc, full, slow'),
        ({"probability": 0.5}, "probability: write the shape that it is for, too"),
        ({"shape": "eio", "probability": 0}, "probability: 0 is not a probability from 0.001 to 1"),
        ({"shape": "eio", "delay_s": 1}, 'delay_s: only for the shape "slow"'),
        ({"shape": "eio", "count": 1.5}, "count: 1.5 is not a whole number"),
        ({"shape": "eio", "path": 3}, 'path: 3 is not a pattern of paths such as "log*"'),
        (
            {"shape": "slow", "operations": ["write"]},
            'operations: ["write"] are not operations of "slow": it takes some of fsync',
        ),
    ],
)
def test_what_cannot_be_is_refused(args, problem):
    assert DISK.problems(args, scene()) == [problem]


def test_power_hits_everybody():
    args = POWER.complete({"shape": "kept"}, scene(), dice(1))
    assert POWER.resolve(args, names(3), {})[1][0].effect == LosePower(nodes=names(3), fate="kept")
    assert POWER.problems({"shape": "gone"}, scene()) == [
        'shape: unknown "gone": known: kept, lost, reordered, torn, zeroed'
    ]
