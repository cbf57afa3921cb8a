"""Healing decides by the controller alone, goes on when something resists, and makes records whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import mark, store
from harness.errors import ClusterError, PlanError
from harness.formats import load_history
from harness.heal import Leftover, close_journal, make_whole, runs_to_make_whole, sweep
from harness.journal import FaultJournal, HistoryJournal
from harness.mark import Mark
from harness.op import Op
from harness.plan import Plan

OURS = mark.mine()
DEAD = replace(OURS, started=OURS.started + 1)
UNSEEN = replace(OURS, boot="feedbeef")
PLAN = Plan(target="kv/raft", workload="register", cluster="docker", nodes=("n1",), seed=7)


class World:
    """Things that a finder finds; ``gone`` are those that were removed."""

    def __init__(self) -> None:
        self.gone: list[str] = []

    def thing(self, name: str, owner: Mark, run: str = "", fails: bool = False) -> Leftover:
        def remove() -> None:
            if fails:
                raise ClusterError(f"{name} resists")
            self.gone.append(name)

        return Leftover(kind="container", name=name, owner=owner, run=run, remove=remove)

    def finder(self, *things: Leftover) -> Callable[[], Iterator[Leftover]]:
        return lambda: iter(things)


def dead_run(path: Path, owner: Mark = DEAD) -> store.Run:
    run = store.create(path, PLAN)
    (run.path / store.CONTROLLER).write_text(json.dumps({"version": 1, "mark": str(owner)}))
    return run


def test_only_what_dead_controllers_left_is_removed() -> None:
    world = World()
    healing = sweep({"x": world.finder(*(world.thing(str(o), o) for o in (OURS, DEAD, UNSEEN)))})
    assert world.gone == [str(DEAD)]
    assert [thing.owner for thing in healing.removed] == [DEAD]
    assert [thing.owner for thing, _ in healing.kept] == [OURS, UNSEEN]
    assert not healing.failed


def test_what_nobody_here_can_judge_is_removed_on_demand_and_never_what_lives() -> None:
    world = World()
    sweep({"x": world.finder(*(world.thing(str(o), o) for o in (OURS, DEAD, UNSEEN)))}, unseen=True)
    assert world.gone == [str(DEAD), str(UNSEEN)]


def test_one_that_resists_keeps_no_other() -> None:
    def broken() -> Iterator[Leftover]:
        raise ClusterError("the engine sleeps")

    world = World()
    things = world.finder(world.thing("a", DEAD, fails=True), world.thing("b", DEAD))
    healing = sweep({"networks": broken, "containers": things})
    assert world.gone == ["b"]
    assert healing.failed == [("looking for networks", "the engine sleeps"), ("container a", "a resists")]


def test_one_run_alone(tmp_path: Path) -> None:
    run, other = dead_run(tmp_path), dead_run(tmp_path, replace(DEAD, pid=DEAD.pid + 1))
    world = World()
    finder = world.finder(
        world.thing("by-name", DEAD, run=str(run.path)),
        world.thing("by-controller", DEAD),
        world.thing("of-another", DEAD, run=str(other.path)),
        world.thing("of-another-controller", replace(DEAD, pid=DEAD.pid + 1)),
    )
    sweep({"x": finder}, run=run.path)
    assert world.gone == ["by-name", "by-controller"]


def test_a_cut_short_run_is_made_whole_once(tmp_path: Path) -> None:
    run = dead_run(tmp_path)
    history = HistoryJournal(run.history)
    history.record(Op(index=0, process=0, f="read", time_ns=1).stamped(0, 1, "n1"))
    history.record(Op(index=1, process=1, f="read", time_ns=2).stamped(1, 2, "n1"))
    history.close()
    faults = FaultJournal(run.faults, lambda: 5)
    faults.record("intent", 1, kind="kill")
    faults.record("applied", 1)
    faults.record("intent", 2, kind="kill")
    faults.record("healed", 2)
    faults.close()
    with run.faults.open("ab") as file:
        file.write(b'{"time": 9, "sta')
    assert make_whole(run) == {"run": str(run.path), "operations": 2, "faults": [1]}
    assert [op.type for op in load_history(run.history)] == ["invoke", "invoke", "info", "info"]
    lines = [json.loads(line) for line in run.faults.read_text().splitlines()]
    assert [(line["id"], line["state"]) for line in lines[1:]][-2:] == [(2, "healed"), (1, "healed")]
    assert make_whole(run) is None


@pytest.mark.parametrize("left", [b"", b'{"splitbrain":"his'])
def test_a_run_that_died_before_its_first_operation_has_a_history_without_any(tmp_path: Path, left: bytes) -> None:
    run = dead_run(tmp_path)
    run.history.write_bytes(left)
    assert make_whole(run) is None
    assert len(load_history(run.history)) == 0


def test_a_journal_without_a_fault_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    FaultJournal(path, lambda: 0).close()
    before = path.read_bytes()
    assert close_journal(path) == []
    assert path.read_bytes() == before


def test_a_run_that_goes_on_is_refused(tmp_path: Path) -> None:
    lives = replace(mark.mine(), pid=1, started=mark._started(1) or 0)
    if lives.life() is not mark.Life.LIVES:
        pytest.skip("there is no other process whose life can be seen here")
    run = dead_run(tmp_path, lives)
    with pytest.raises(PlanError, match="still goes on: its controller is process 1 "):
        make_whole(run)
    assert runs_to_make_whole([run]) == []


def test_a_run_that_tells_no_controller_is_left_alone(tmp_path: Path) -> None:
    run = store.create(tmp_path, PLAN)
    assert run.controller() is None
    assert make_whole(run) is None
    run.note_controller()
    assert run.controller() == mark.mine()
