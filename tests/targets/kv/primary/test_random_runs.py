"""Random lives of small clusters: whatever order of failures, sync loses nothing, and async loses but ends in one mind.

Minutes of cluster time in milliseconds, so that Hypothesis can search for (and shrink to) the order of events that breaks a promise.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.targets.kv.primary.cluster import Cluster

NODES = 3
OPTIONS: dict[str, Any] = {"checkpoint_entries": 8, "tail_entries": 4, "batch_entries": 5}

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ("add", "add", "add", "add", "burst", "kill", "restart", "split", "join", "run", "copies", "loss", "calm")
        ),
        st.integers(0, NODES - 1),
    ),
    max_size=40,
)


class Life:
    """One cluster through a list of events, and what was asked of it."""

    def __init__(self, mode: str, dice: int) -> None:
        self.dice = random.Random(dice)
        self.cluster = Cluster(NODES, mode, **OPTIONS)
        self.cluster.dice = random.Random(dice + 1)
        self.asked: dict[int, int] = {}  # element → number of the request

    def event(self, name: str, node: int) -> None:
        cluster, target = self.cluster, self.cluster.names[node]
        match name:
            case "add" | "burst":
                for _ in range(12 if name == "burst" else 1):
                    if target in cluster.envs:
                        element = len(self.asked)
                        self.asked[element] = cluster.send(
                            target, "add", key="x", element=element, client=f"c{element}", seq=1
                        )
                cluster.run(0.01)
            case "kill" if target in cluster.envs:
                cluster.kill(target)
            case "restart" if target not in cluster.envs:
                cluster.restart(target)
            case "split":
                cluster.split((target,))
            case "join":
                cluster.split()
            case "copies":
                cluster.copies = lambda: self.dice.choice((1, 2, 3))
            case "loss":
                cluster.copies = lambda: self.dice.choice((0, 1, 1))
            case "calm":
                cluster.copies = lambda: 1
            case _:
                cluster.run(0.4)

    def end(self) -> tuple[set[int], list[int]]:
        """Everything healed: what was acknowledged, and what is there."""
        cluster = self.cluster
        cluster.copies = lambda: 1
        cluster.heal()
        cluster.run(2.0)
        primary = cluster.agree()
        cluster.ask(primary, "add", key="x", element="last")
        cluster.run(0.5)
        replies = {element: cluster.reply(number) for element, number in self.asked.items()}
        acknowledged = {element for element, reply in replies.items() if reply and reply["type"] == "add_ok"}
        return acknowledged, cluster.value(primary)


@pytest.mark.parametrize("mode", ["sync", "async"])
@settings(max_examples=25, deadline=None)
@given(events=EVENTS, dice=st.integers(0, 1000))
def test_a_random_life(mode: str, events: list[tuple[str, int]], dice: int) -> None:
    life = Life(mode, dice)
    for event in events:
        life.event(*event)
    acknowledged, value = life.end()
    assert len(set(value)) == len(value)
    assert set(value) <= {*life.asked, "last"}
    if mode == "sync":
        assert acknowledged <= set(value)
    programs = life.cluster.programs.values()
    assert len({str(program.replica.machine.dump()) for program in programs}) == 1
    assert len({program.replica.log.end for program in programs}) == 1
    for program in programs:
        assert program.replica.applied == program.replica.commit == program.replica.log.last_index
