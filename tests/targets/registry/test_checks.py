"""Instances that are probed: their state against a dumb twin and over snapshots; who is probed, how often, and what is made of it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from targets.registry.service.bugs import Bugs
from targets.registry.service.machine import Entries
from tests.simulation import run

CHECK = {"interval_s": 0.5, "timeout_s": 0.5, "failures": 3, "deregister_s": 3.0}
SERVICES, NAMES = st.sampled_from(["s0", "s1"]), st.sampled_from(["a", "b"])
COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("enrol"), SERVICES, NAMES, st.just("n1"), st.just(CHECK)),
        st.tuples(st.just("withdraw"), NAMES),
        st.tuples(st.just("report"), NAMES, st.integers(1, 3), st.sampled_from(["passing", "critical"])),
        st.tuples(st.just("reap"), NAMES, st.integers(1, 3)),
    ),
    max_size=30,
)


class Dumb:
    """The whole past, looked through anew for every command."""

    def __init__(self) -> None:
        self.past: list[tuple[Any, ...]] = []

    def life(self, name: str) -> list[tuple[Any, ...]]:
        """What was carried out on it since it was enrolled; nothing if it is not there."""
        found: list[tuple[Any, ...]] = []
        for command in self.past:
            if command[0] == "enrol" and command[2] == name:
                found = [command]
            elif command[1] == name:
                found = [*found, command] if command[0] == "report" else []
        return found

    def apply(self, command: tuple[Any, ...]) -> bool:
        f, *rest = command
        life = self.life(rest[1] if f == "enrol" else rest[0])
        may = not life if f == "enrol" else bool(life) and (f == "withdraw" or len(life) == rest[1])
        self.past += [command] if may else []
        return may

    def found(self, service: str) -> list[list[str]]:
        lives = {name: self.life(name) for name in ("a", "b")}
        mine = {name: life for name, life in lives.items() if life and life[0][1] == service}
        return [[name, mine[name][-1][3] if len(mine[name]) > 1 else "critical"] for name in sorted(mine)]


@given(COMMANDS, st.integers(0, 30))
def test_instances_are_what_their_whole_past_says_and_a_snapshot_changes_nothing(
    commands: list[tuple[Any, ...]], at: int
) -> None:
    entries, dumb = Entries(Bugs()), Dumb()
    for place, command in enumerate(commands):
        if place == at:
            saved = json.loads(json.dumps(entries.dump()))
            entries = Entries(Bugs())
            entries.load(saved)
        assert entries.apply(list(command))["ok"] == dumb.apply(command)
        for service in ("s0", "s1"):
            wanted = dumb.found(service)
            assert entries.apply(["instances", service])["found"] == wanted
            healthy = [name for name, status in wanted if status == "passing"]
            assert entries.apply(["healthy", service])["found"] == healthy


@given(COMMANDS)
def test_watches_are_told_every_status_in_turn(commands: list[tuple[Any, ...]]) -> None:
    entries, status = Entries(Bugs()), dict[str, str]()
    for command in commands:
        entries.apply(list(command))
    for _, what, _, name in entries.since(0, 1000):
        if what == "down":
            del status[name]
        else:
            assert (what == "up") == (name not in status)
            status[name] = "critical" if what == "up" else what
    told = [pair for service in ("s0", "s1") for pair in entries.apply(["instances", service])["found"]]
    assert sorted(told) == sorted([name, now] for name, now in status.items())


def test_a_run_notices_silences_and_raises_no_alarm_where_nothing_fails() -> None:
    report = run("registry", seed=1, workload="health", nemesis="none", time_limit_s=15.0, rate=40.0)
    (figures,) = (one["stats"] for one in report.results["checkers"] if one["checker"] == "health")
    assert report.results["verdict"] == "valid"
    assert figures["alarms_on_the_answering"] == 0
    assert figures["silences_noticed"] >= 3
    assert 1.0 < figures["noticed_after_median_s"] < 3.0
