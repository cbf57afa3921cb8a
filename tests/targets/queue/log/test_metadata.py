"""The metadata: who may lead, who is in sync, and which wishes of leaders are granted."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from targets.queue.log.bugs import Bugs
from targets.queue.log.config import Config
from targets.queue.log.metadata import Metadata, Partition

NODES = ("n1", "n2", "n3")


def cluster(*, bug: str | None = None, **options: Any) -> Metadata:
    """Three brokers, n1 to n3, in their first life, and the partition t-0, which n1 leads."""
    metadata = Metadata(Config.of(options), Bugs.named(bug))
    for node in NODES:
        metadata.apply(["register", node, 1, True])
    assert metadata.apply(["create", "t", 1, 3]) == {"ok": True}
    return metadata


def part(metadata: Metadata) -> Partition:
    return metadata.partitions["t-0"]


def shrink(metadata: Metadata, *isr: str) -> None:
    now = part(metadata)
    wanted = [[node, metadata.incarnation(node)] for node in isr]
    assert metadata.apply(["isr", "t-0", now.leader, now.epoch, now.version, wanted])["ok"]


def test_a_new_partition_is_led_by_its_first_replica_and_all_are_in_sync() -> None:
    now = part(cluster())
    assert (now.leader, now.isr, now.epoch) == ("n1", ["n1", "n2", "n3"], 1)


def test_too_few_brokers_make_no_topic() -> None:
    metadata = Metadata(Config(), Bugs())
    metadata.apply(["register", "n1", 1, True])
    assert metadata.apply(["create", "t", 1, 3]) == {"ok": False}
    assert not metadata.partitions


def test_another_in_sync_replica_leads_when_the_leader_falls_silent() -> None:
    metadata = cluster()
    metadata.apply(["fence", "n1", 1])
    now = part(metadata)
    assert (now.leader, now.isr, now.epoch) == ("n2", ["n2", "n3"], 2)
    assert metadata.apply(["fence", "n1", 1]) == {"ok": False}, "once is enough"


def test_who_restarts_leads_in_a_new_epoch_only() -> None:
    metadata = cluster()
    metadata.apply(["register", "n1", 2, True])
    assert part(metadata).epoch == 2
    metadata.apply(["register", "n1", 2, True])
    assert part(metadata).epoch == 2, "to register again changes nothing"


def test_the_last_in_sync_replica_is_waited_for() -> None:
    metadata = cluster()
    shrink(metadata, "n1")
    metadata.apply(["fence", "n1", 1])
    assert (part(metadata).leader, part(metadata).isr) == (None, ["n1"])
    metadata.apply(["unfence", "n1", 1])
    assert part(metadata).leader == "n1"


def test_an_unclean_election_makes_do_with_whoever_lives() -> None:
    for metadata in (cluster(unclean=True), cluster(bug="unclean-election")):
        shrink(metadata, "n1")
        metadata.apply(["fence", "n1", 1])
        assert (part(metadata).leader, part(metadata).isr) == ("n2", ["n2"])


def test_a_wish_is_granted_to_the_present_leader_that_knows_the_present_version() -> None:
    for wish in (
        ["isr", "t-0", "n2", 1, 1, [["n2", 1]]],  # not the leader
        ["isr", "t-0", "n1", 2, 1, [["n1", 1]]],  # not this epoch
        ["isr", "t-0", "n1", 1, 0, [["n1", 1]]],  # not this version
        ["isr", "t-0", "n1", 1, 1, [["n1", 1], ["n2", 9]]],  # not this life of n2 (KIP-903)
        ["isr", "t-1", "n1", 1, 1, [["n1", 1]]],  # no such partition
    ):
        metadata = cluster()
        assert metadata.apply(wish) == {"ok": False}
        assert part(metadata).isr == ["n1", "n2", "n3"]


def test_a_fenced_broker_is_not_taken_for_in_sync() -> None:
    metadata = cluster()
    metadata.apply(["fence", "n3", 1])
    now = part(metadata)
    wanted = [["n1", 1], ["n2", 1], ["n3", 1]]
    assert metadata.apply(["isr", "t-0", "n1", now.epoch, now.version, wanted]) == {"ok": False}


def test_who_left_a_set_that_became_too_small_stays_eligible() -> None:
    metadata = cluster(elr=True, min_isr=2)
    shrink(metadata, "n1")
    assert part(metadata).elr == ["n2", "n3"]
    metadata.apply(["register", "n1", 2, False])  # it lost what it had not synced
    now = part(metadata)
    assert (now.leader, now.isr) == ("n2", ["n2"])
    shrink(metadata, "n2", "n3")
    assert part(metadata).elr == [], "two are in sync again: only they have what is acknowledged from now on"


def test_when_all_crash_the_last_leader_is_the_best_guess() -> None:
    metadata = cluster(elr=True, min_isr=2)
    for node in NODES:
        metadata.apply(["register", node, 2, False])
    now = part(metadata)
    assert now.leader == now.last
    assert now.isr == [now.leader]


def test_ids_of_producers_are_fresh() -> None:
    metadata = cluster()
    ids = [metadata.apply(["producer"])["producer"] for _ in range(3)]
    assert len(set(ids)) == 3


COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("register"), st.sampled_from(NODES), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("fence"), st.sampled_from(NODES), st.integers(1, 3)),
        st.tuples(st.just("unfence"), st.sampled_from(NODES), st.integers(1, 3)),
        st.tuples(st.just("shrink"), st.sets(st.sampled_from(NODES), min_size=1)),
    ),
    max_size=25,
)


@given(COMMANDS, st.booleans(), st.booleans())
def test_whatever_happens_leaders_live_and_are_in_sync_and_snapshots_are_whole(
    commands: list[tuple[Any, ...]], elr: bool, unclean: bool
) -> None:
    metadata = cluster(elr=elr, unclean=unclean, min_isr=2)
    for command in commands:
        now = part(metadata)
        before = (now.epoch, now.leader)
        if command[0] == "shrink":
            isr = sorted({*command[1], *([now.leader] if now.leader else [])})
            wanted = [[node, metadata.incarnation(node)] for node in isr]
            metadata.apply(["isr", "t-0", now.leader, now.epoch, now.version, wanted])
        else:
            metadata.apply(list(command))
        now = part(metadata)
        assert now.leader is None or (metadata.lives(now.leader) and now.leader in now.isr)
        assert (now.leader == before[1]) or now.epoch > before[0], "a new leader has a new epoch"
        assert not set(now.isr) & set(now.elr)
        other = Metadata(Config.of({"elr": elr, "unclean": unclean}), Bugs())
        other.load(json.loads(json.dumps(metadata.dump())))
        assert other.dump() == metadata.dump()
