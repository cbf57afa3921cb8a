"""Failover as a story: what survives it in each variant, what a deposed primary may do, how a node that was away gets back."""

from __future__ import annotations

import pytest

from targets.node import codes
from tests.targets.kv.primary.cluster import Cluster

OK = "add_ok"


def add(cluster: Cluster, node: str, *elements: int) -> None:
    for element in elements:
        answer = cluster.ask(node, "add", key="x", element=element)
        assert answer is not None
        assert answer["type"] == OK


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 5])
def test_any_node_serves_through_the_primary(mode: str, nodes: int) -> None:
    cluster = Cluster(nodes, mode)
    cluster.agree()
    for element, name in enumerate(cluster.names):
        add(cluster, name, element)
        assert cluster.value(name) == list(range(element + 1))
    assert [p.state.role for p in cluster.programs.values()].count("primary") == 1


def test_the_registers_of_maelstrom() -> None:
    cluster = Cluster()
    cluster.agree()
    assert cluster.code("n1", "read", key="r") == codes.KEY_MISSING
    assert cluster.code("n1", "cas", key="r", **{"from": 1, "to": 2}) == codes.KEY_MISSING
    assert cluster.ask("n2", "write", key="r", value=1)["type"] == "write_ok"  # type: ignore[index]  # it is answered, or the test fails
    assert cluster.ask("n3", "cas", key="r", **{"from": 1, "to": 2})["type"] == "cas_ok"  # type: ignore[index]  # as above
    assert cluster.code("n1", "cas", key="r", **{"from": 1, "to": 3}) == codes.PRECONDITION
    assert cluster.value("n1", "r") == 2
    assert cluster.code("n1", "add", key="r", element=1) == codes.PRECONDITION
    assert cluster.code("n1", "add", key="r") == codes.MALFORMED
    assert cluster.code("n1", "add", key=["r"], element=1) == codes.MALFORMED


def test_synchronous_what_was_acknowledged_survives_the_death_of_the_primary() -> None:
    cluster = Cluster()
    first = cluster.primary()
    add(cluster, first, *range(10))
    cluster.kill(first)
    rest = [name for name in cluster.names if name != first]
    second = cluster.primary(*rest)
    assert cluster.value(second) == list(range(10))
    cluster.restart(first)
    assert cluster.agree() == second
    add(cluster, first, 10)
    assert cluster.value(first) == list(range(11))


def test_asynchronous_what_was_not_shipped_dies_with_the_primary() -> None:
    cluster = Cluster(3, "async")
    first = cluster.primary()
    add(cluster, first, 1)
    cluster.run(0.2)
    add(cluster, first, 2)  # acknowledged; it would be shipped with the next heartbeat
    cluster.kill(first)
    rest = [name for name in cluster.names if name != first]
    assert cluster.value(cluster.primary(*rest)) == [1]
    cluster.restart(first)
    cluster.run(1.0)
    assert cluster.value(first) == [1]
    assert cluster.events(first, "truncate") == [{"first": 3, "dropped": 1}]


def test_asynchronous_an_isolated_primary_goes_on_and_all_of_it_is_lost() -> None:
    cluster = Cluster(3, "async")
    old = cluster.primary()
    add(cluster, old, 1)
    cluster.run(0.2)
    cluster.split((old,))
    rest = [name for name in cluster.names if name != old]
    new = cluster.primary(*rest)
    add(cluster, old, 2, 3)
    add(cluster, new, 4)
    assert (cluster.value(old), cluster.value(new)) == ([1, 2, 3], [1, 4])  # a split brain: both are primaries
    cluster.heal()
    cluster.run(0.3)
    assert {cluster.programs[name].state.primary for name in cluster.names} == {new}
    assert [cluster.value(name) for name in cluster.names] == [[1, 4]] * 3
    assert cluster.logs().count(cluster.logs()[0]) == 3


def test_synchronous_an_isolated_primary_acknowledges_nothing_and_steps_down() -> None:
    cluster = Cluster()
    old = cluster.primary()
    cluster.split((old,))
    doubtful = cluster.send(old, "add", key="x", element=1)
    assert cluster.value(old) == {
        "type": "error",
        "code": codes.UNAVAILABLE,
        "text": "the primary was deposed before the read was confirmed",
    } | {"in_reply_to": doubtful + 1}
    assert cluster.reply(doubtful)["code"] == codes.TIMEOUT  # type: ignore[index]  # it may yet be committed: nobody knows
    assert cluster.code(old, "add", key="x", element=2) == codes.UNAVAILABLE
    new = cluster.primary(*(name for name in cluster.names if name != old))
    add(cluster, new, 3)
    cluster.heal()
    cluster.run(0.3)
    assert cluster.value(old) == [3]


def test_a_deposed_primary_that_slept_is_refused_and_steps_down() -> None:
    cluster = Cluster()
    old = cluster.primary()
    sleeper, program = cluster.envs.pop(old), cluster.programs.pop(old)
    new = cluster.primary()
    add(cluster, new, 1)
    cluster.envs[old], cluster.programs[old] = sleeper, program
    assert program.state.leads
    answer = cluster.code(old, "add", key="x", element=2)
    assert answer == codes.TIMEOUT
    assert not program.state.leads
    assert cluster.agree() == new
    assert cluster.value(old) == [1]


def test_no_primary_without_a_majority() -> None:
    cluster = Cluster(4)
    cluster.primary()
    cluster.split(("n1", "n2"))
    cluster.run(3.0)
    assert not any(program.state.leads for program in cluster.programs.values())


def test_a_node_that_hears_nobody_deposes_nobody() -> None:
    cluster = Cluster(5)
    primary = cluster.primary()
    away = next(name for name in cluster.names if name != primary)
    epoch = cluster.programs[primary].state.epoch
    cluster.split((away,))
    cluster.run(5.0)
    cluster.heal()
    cluster.run(0.5)
    assert {program.state.epoch for program in cluster.programs.values()} == {epoch}
    assert {program.state.primary for program in cluster.programs.values()} == {primary}


@pytest.mark.parametrize(("entries", "installs"), [(3, 0), (40, 1)])
def test_a_node_that_was_away_gets_the_difference_or_the_full_state(entries: int, installs: int) -> None:
    cluster = Cluster(checkpoint_entries=10, tail_entries=5)
    primary = cluster.primary()
    away = next(name for name in cluster.names if name != primary)
    add(cluster, primary, 100)
    cluster.kill(away)
    add(cluster, primary, *range(entries))
    cluster.restart(away)
    cluster.run(0.5)
    assert len(cluster.events(away, "install")) == installs
    states = {str(program.replica.machine.dump()) for program in cluster.programs.values()}
    assert len(states) == 1


def test_asynchronous_a_tail_that_has_got_into_a_checkpoint_is_dropped_too() -> None:
    cluster = Cluster(3, "async", checkpoint_entries=4, tail_entries=2)
    old = cluster.primary()
    add(cluster, old, 1)
    cluster.run(0.2)
    cluster.split((old,))
    add(cluster, old, *range(10, 30))
    new = cluster.primary(*(name for name in cluster.names if name != old))
    add(cluster, new, 2)
    cluster.heal()
    cluster.run(0.5)
    assert cluster.events(old, "install")
    assert cluster.programs[old].replica.machine.dump()["sets"] == [["x", [1, 2]]]
    assert cluster.value(old) == [1, 2]


def test_a_repeated_request_takes_effect_once() -> None:
    cluster = Cluster()
    cluster.agree()
    request = {"key": "r", "from": 1, "to": 2, "client": "c9", "seq": 2}
    cluster.ask("n1", "write", key="r", value=1, client="c9", seq=1)
    assert cluster.ask("n1", "cas", **request)["type"] == "cas_ok"  # type: ignore[index]  # it is answered, or the test fails
    assert cluster.ask("n2", "cas", **request)["type"] == "cas_ok"  # type: ignore[index]  # as above
    cluster.ask("n3", "write", key="r", value=1, client="c9", seq=3)
    assert cluster.code("n2", "cas", **request) == codes.TIMEOUT
    assert cluster.value("n2", "r") == 1


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_network_that_makes_copies_is_not_flooded(mode: str) -> None:
    cluster = Cluster(5, mode)
    primary = cluster.primary()
    cluster.copies = lambda: 3
    before = cluster.messages
    for element in range(20):
        cluster.send(primary, "add", key="x", element=element)
        cluster.step()
    cluster.run(1.0)
    assert cluster.value(primary) == list(range(20))
    # Four backups, nine copies of each exchange; each add is one exchange, and there are 14 heartbeats a second.
    assert cluster.messages - before < 4 * 9 * (20 + 14) * 2
