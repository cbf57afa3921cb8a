"""Stories of a few nodes: quorums, stand-ins, hints, repairs, crashes. Each with the rule that it is about."""

from __future__ import annotations

import pytest

from targets.node import codes
from tests.targets.kv.dynamo.cluster import Cluster

# Homes of a key are the first three of ``homes``; the others may stand in for them.
QUIET = {"anti_entropy_s": 0.0, "read_repair": False}
CONFLICTS = ("siblings", "lww", "hlc")


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_any_node_serves_any_client(conflict: str) -> None:
    cluster = Cluster(conflict=conflict)
    for number, node in enumerate(cluster.names):
        assert cluster.write(node, number)["type"] == "write_ok"
        assert [cluster.values(other) for other in cluster.names] == [[number]] * 5
    assert cluster.ask("n2", "delete", key="x", context=cluster.context("n2"))["type"] == "delete_ok"
    assert cluster.values("n4") == []
    assert cluster.values("n4", "never written") == []


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_writes_lie_on_all_homes_and_nowhere_else_unless_they_were_numbered_there(conflict: str) -> None:
    cluster = Cluster(conflict=conflict)
    homes = cluster.homes()
    cluster.write(homes[4], "v")
    cluster.run(0.1)
    having = [node for node in homes if cluster.copy(node) is not None]
    assert having == [*homes[:3], *([homes[4]] if conflict == "siblings" else [])]


def test_concurrent_writes_on_both_sides_stay_side_by_side_until_one_replaces_both() -> None:
    cluster = Cluster(r=1, w=1)
    homes = cluster.homes()
    cluster.write(homes[0], "before")
    cluster.run(0.1)
    cluster.split(homes[:1])
    cluster.run(3.0)
    cluster.write(homes[0], "one side")
    cluster.write(homes[1], "other side")
    cluster.heal()
    cluster.run(3.0)
    assert {tuple(cluster.values(node)) for node in homes} == {("one side", "other side")}
    cluster.write(homes[3], "both")
    cluster.run(1.0)
    assert {tuple(cluster.values(node)) for node in homes} == {("both",)}


@pytest.mark.parametrize(("conflict", "left"), [("lww", "first"), ("hlc", "second")])
def test_the_last_write_wins_by_the_clock_of_the_rule(conflict: str, left: str) -> None:
    cluster = Cluster(conflict=conflict)
    cluster.skew("n1", 30.0)
    cluster.write("n1", "first")
    cluster.run(0.1)
    assert cluster.write("n2", "second")["type"] == "write_ok"
    assert cluster.values("n3") == [left]


def test_a_strict_quorum_refuses_where_too_few_homes_are_up_and_a_sloppy_one_does_not() -> None:
    for sloppy in (False, True):
        cluster = Cluster(sloppy=sloppy)
        homes = cluster.homes()
        cluster.split(homes[:3])
        cluster.run(3.0)  # what was heard before the split still goes round for a while
        answer = cluster.ask(homes[3], "write", key="x", value=1)
        assert answer["type"] == ("write_ok" if sloppy else "error")
        if not sloppy:
            assert answer["code"] == codes.UNAVAILABLE
            assert "of the 2 nodes that this needs 0 seem to be up" in answer["text"]
            assert cluster.copy(homes[3]) is None  # definite: nothing was written


def test_a_write_that_finds_no_quorum_is_in_doubt() -> None:
    cluster = Cluster(sloppy=False)
    homes = cluster.homes()
    cluster.split(homes[:1])
    answer = cluster.ask(homes[0], "write", key="x", value=1)  # nobody is suspected yet
    assert (answer["type"], answer["code"]) == ("error", codes.TIMEOUT)
    cluster.heal()
    cluster.run(2.0)
    assert cluster.values(homes[1]) == [1]


def away(cluster: Cluster, home: str) -> str:
    """A write while ``home`` is dead; who holds the hint."""
    cluster.kill(home)
    cluster.run(3.0)
    others = [node for node in cluster.homes() if node != home]
    cluster.write(others[0], "new")
    (holder,) = [node for node in others if cluster.hints(node)]
    assert cluster.hints(holder) == {home: 1}
    return holder


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_a_hint_goes_to_its_home_and_leaves_nothing_behind(conflict: str) -> None:
    cluster = Cluster(conflict=conflict, **QUIET)
    homes = cluster.homes()
    holder = away(cluster, homes[1])
    assert holder == homes[3]
    assert cluster.copy(holder) is not None
    cluster.restart(homes[1])
    cluster.run(2.0)
    assert cluster.copy(homes[1]) == cluster.copy(homes[0])
    assert cluster.hints(holder) == {}
    assert cluster.copy(holder) is None


def test_a_hint_outlives_its_holder_and_is_offered_until_it_is_confirmed() -> None:
    cluster = Cluster(**QUIET)
    homes = cluster.homes()
    holder = away(cluster, homes[1])
    cluster.kill(holder)
    cluster.restart(holder)
    assert cluster.hints(holder) == {homes[1]: 1}
    lost = []
    cluster.lost = lambda _src, _dest, body: body["type"] == "handed_over" and not lost.append(body)
    cluster.restart(homes[1])
    cluster.run(3.0)
    assert len(lost) > 2
    assert cluster.hints(holder) == {homes[1]: 1}
    cluster.lost = lambda _src, _dest, _body: False
    cluster.run(1.0)
    assert cluster.hints(holder) == {}


def test_a_hint_does_not_replace_what_is_newer_at_home() -> None:
    cluster = Cluster(conflict="hlc", n=1, r=1, w=1, **QUIET)
    home, other = cluster.homes()[:2]
    cluster.split((home,))
    cluster.run(3.0)
    cluster.write(other, "older")
    cluster.run(0.1)
    cluster.write(home, "newer")
    cluster.heal()
    cluster.run(3.0)
    assert cluster.values(home) == ["newer"]


def behind(cluster: Cluster, home: str) -> None:
    """``home`` misses a write: it is cut off from the messages that carry it."""
    cluster.write(home, "old")
    cluster.run(0.1)
    cluster.lost = lambda _src, dest, body: dest == home and body["type"] in {"put", "exchange"}
    cluster.write(next(node for node in cluster.homes() if node != home), "new")
    cluster.run(1.0)
    cluster.lost = lambda _src, _dest, _body: False
    assert cluster.copy(home) != cluster.copy(cluster.homes()[0])


@pytest.mark.parametrize(("read_repair", "anti_entropy_s"), [(True, 0.0), (False, 0.5), (False, 0.0)])
def test_either_repair_brings_a_replica_up_to_date_and_without_them_nothing_does(
    read_repair: bool, anti_entropy_s: float
) -> None:
    cluster = Cluster(sloppy=False, read_repair=read_repair, anti_entropy_s=anti_entropy_s)
    homes = cluster.homes()
    behind(cluster, homes[2])
    if read_repair:
        assert cluster.values(homes[0]) == ["new"]
    cluster.run(3.0)
    assert (cluster.copy(homes[2]) == cluster.copy(homes[0])) == (read_repair or anti_entropy_s > 0)


def test_a_read_that_writes_back_leaves_what_it_returned_at_a_quorum() -> None:
    cluster = Cluster(conflict="hlc", sloppy=False, write_back=True, **QUIET)
    homes = cluster.homes()
    cluster.lost = lambda _src, _dest, body: body["type"] == "put"
    failed = cluster.ask(homes[0], "write", key="x", value="half")  # one home has it, and nobody knows
    assert failed["code"] == codes.TIMEOUT
    cluster.lost = lambda _src, _dest, _body: False
    cluster.run(1.5)
    assert cluster.values(homes[0]) == ["half"]
    assert sum(cluster.copy(home) is not None for home in homes[:3]) >= 2


def test_what_is_not_synced_is_not_acknowledged() -> None:
    cluster = Cluster(n=1, r=1, w=1)
    home, other = cluster.homes()[:2]
    for number in range(5):
        cluster.write(other, number)
        cluster.kill(home)
        cluster.restart(home)
        cluster.run(1.5)
        assert cluster.values(other) == [number]


def test_a_long_log_is_rewritten_and_means_the_same() -> None:
    cluster = Cluster(3, log_bytes=2000, conflict="siblings")
    for number in range(60):
        cluster.write("n1", number, key=f"k{number % 4}")
    sizes = [len(disk.read("cells")) for disk in cluster.disks.values()]
    assert max(sizes) < 6000
    before = {key: cluster.values("n2", key) for key in ("k0", "k1", "k2", "k3")}
    for name in cluster.names:
        cluster.kill(name)
    cluster.heal()
    cluster.run(0.5)
    assert {key: cluster.values("n3", key) for key in before} == before


def test_a_tombstone_goes_after_its_time_and_not_before() -> None:
    for grace_s, gone in ((1.0, True), (1e6, False)):
        cluster = Cluster(conflict="hlc", gc_grace_s=grace_s)
        homes = cluster.homes()
        cluster.write(homes[0], "v")
        cluster.ask(homes[0], "delete", key="x", context=cluster.context(homes[0]))
        cluster.run(4.0)
        assert [cluster.copy(home) is None for home in homes[:3]] == [gone] * 3
        assert cluster.values(homes[4]) == []


def test_a_session_vector_is_met_or_refused() -> None:
    cluster = Cluster(n=3, r=1, w=1, sloppy=False, **QUIET)
    homes = cluster.homes()
    behind(cluster, homes[2])
    seen = cluster.context(homes[0])
    assert cluster.values(homes[2]) == ["old"]
    assert cluster.ask(homes[2], "read", key="x", least=seen)["values"] == ["new"]
    cluster.split((homes[2],))
    answer = cluster.ask(homes[2], "read", key="x", least=seen)
    assert answer["code"] == codes.UNAVAILABLE


@pytest.mark.parametrize(
    ("type_", "fields"), [("write", {"key": "x"}), ("read", {}), ("read", {"key": ["a"]}), ("delete", {})]
)
def test_a_malformed_request_is_refused(type_: str, fields: dict[str, object]) -> None:
    assert Cluster(3).ask("n1", type_, **fields)["code"] == codes.MALFORMED
