"""Whole clusters in the simulator: elections, failover, minorities, catching up, changes of members, restarts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from targets.node import codes
from tests.targets.kv.raft.cluster import RaftCluster, in_cluster


@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 5])
def test_a_cluster_elects_one_leader_and_serves_at_every_node(nodes: int) -> None:
    async def story(cluster: RaftCluster) -> None:
        leader = await cluster.leader()
        for value, node in enumerate(cluster.nodes):
            assert (await cluster.write(node, value))["type"] == "write_ok"
            for other in cluster.nodes:
                assert await cluster.read(other) == value
        roles = [(await cluster.status(node))["role"] for node in cluster.nodes]
        assert roles.count("leader") == 1
        assert (await cluster.status(leader))["members"] == list(cluster.nodes)

    in_cluster(story, nodes=nodes)


def test_lin_kv_as_maelstrom_speaks_it_without_request_ids() -> None:
    async def story(cluster: RaftCluster) -> None:
        await cluster.leader()
        assert await cluster.read("n1") == codes.KEY_MISSING
        assert await cluster.say("n2", "cas", key="x", **{"from": 1, "to": 2}) == codes.KEY_MISSING
        await cluster.write("n3", 1)
        assert (await cluster.say("n4", "cas", key="x", **{"from": 1, "to": 2}))["type"] == "cas_ok"
        assert await cluster.say("n5", "cas", key="x", **{"from": 1, "to": 2}) == codes.PRECONDITION
        assert await cluster.read("n1") == 2
        assert await cluster.say("n1", "write", key="x") == codes.MALFORMED
        assert await cluster.say("n1", "append", key="x", value=1) == codes.NOT_SUPPORTED

    in_cluster(story)


def test_what_was_acknowledged_survives_the_death_of_the_leader() -> None:
    async def story(cluster: RaftCluster) -> None:
        first = await cluster.leader()
        for value in range(20):
            await cluster.write(first, value, key=f"k{value}")
        await cluster.sim.kill(first)
        rest = [node for node in cluster.nodes if node != first]
        second = await cluster.leader(rest)
        assert second != first
        assert [await cluster.read(rest[0], f"k{value}") for value in range(20)] == list(range(20))
        await cluster.sim.restart(first)
        await cluster.agree()
        assert await cluster.read(first, "k7") == 7

    in_cluster(story)


def test_the_minority_refuses_and_the_majority_goes_on() -> None:
    async def story(cluster: RaftCluster) -> None:
        old = await cluster.leader()
        await cluster.write(old, "before")
        partner = next(node for node in cluster.nodes if node != old)
        majority = [node for node in cluster.nodes if node not in {old, partner}]
        links = await cluster.isolate(old, partner)
        doubtful = asyncio.create_task(cluster.write(old, "doubtful", patience_s=1.5))
        await cluster.leader(majority)
        assert (await cluster.write(majority[0], "after"))["type"] == "write_ok"
        assert await doubtful == codes.TIMEOUT  # it may yet be committed: nobody knows

        async def refuses() -> bool:
            answers = [await cluster.read(node) for node in (old, partner)]
            assert not {"before", "doubtful", "after"} & set(answers)
            return answers == [codes.UNAVAILABLE] * 2

        await cluster.until(refuses)
        assert await cluster.write(partner, "refused") == codes.UNAVAILABLE
        await cluster.sim.mend(links)
        await cluster.agree()
        assert [await cluster.read(node) for node in cluster.nodes] == ["after"] * 5

    in_cluster(story)


def test_a_leader_that_can_send_but_not_hear_gives_up_and_does_not_disturb() -> None:
    async def story(cluster: RaftCluster) -> None:
        deaf = await cluster.leader()
        await cluster.sim.cut([(node, deaf) for node in cluster.nodes if node != deaf])
        rest = [node for node in cluster.nodes if node != deaf]
        await cluster.leader(rest)
        term = (await cluster.status(rest[0]))["term"]
        await asyncio.sleep(20)
        assert (await cluster.status(rest[0]))[
            "term"
        ] == term  # pre-vote: the deaf node asks in vain, and nobody's term grows
        assert (await cluster.write(rest[0], 1))["type"] == "write_ok"

    in_cluster(story)


def test_nothing_is_lost_when_all_nodes_die_at_once() -> None:
    async def story(cluster: RaftCluster) -> None:
        leader = await cluster.leader()
        for round_ in range(3):
            for value in range(30):
                await cluster.write(leader, [round_, value], key=f"k{value}")
            for node in cluster.nodes:
                await cluster.sim.kill(node)
            for node in cluster.nodes:
                await cluster.sim.restart(node)
            leader = await cluster.leader()
            for value in range(30):
                assert await cluster.read(leader, f"k{value}") == [round_, value]

    in_cluster(story, snapshot_entries=40)


def test_a_follower_that_was_away_catches_up_by_a_snapshot() -> None:
    async def story(cluster: RaftCluster) -> None:
        leader = await cluster.leader()
        away = next(node for node in cluster.nodes if node != leader)
        await cluster.sim.kill(away)
        for value in range(60):
            await cluster.write(leader, value, client="c", seq=value + 1)
        await cluster.sim.restart(away)

        async def caught_up() -> bool:
            status = await cluster.status(away)
            return bool(status) and status["applied"] == (await cluster.status(leader))["applied"]

        await cluster.until(caught_up)
        assert (await cluster.status(away))["snapshot"] > 0
        # It has the sessions, too: leading alone with two others, it recognises the last request.
        rest = [node for node in cluster.nodes if node not in {leader, away}][:2]
        await cluster.isolate(*rest, away)
        await cluster.leader([*rest, away])
        assert (await cluster.write(away, 59, client="c", seq=60))["type"] == "write_ok"
        assert await cluster.write(away, 0, client="c", seq=1) == codes.TIMEOUT
        assert await cluster.read(away) == 59

    in_cluster(story, snapshot_entries=20, snapshot_tail=5)


def test_members_leave_and_join_while_the_cluster_serves() -> None:
    async def story(cluster: RaftCluster) -> None:
        leader = await cluster.leader()
        gone = [node for node in cluster.nodes if node != leader][:2]
        for node in gone:
            assert (await cluster.say(leader, "remove_member", node=node))["type"] == "remove_member_ok"
        rest = [node for node in cluster.nodes if node not in gone]
        assert (await cluster.status(leader))["members"] == rest
        await cluster.sim.kill(next(node for node in rest if node != leader))  # two of three are a majority now
        assert (await cluster.write(leader, "three"))["type"] == "write_ok"
        assert (await cluster.say(leader, "add_member", node=gone[0]))["type"] == "add_member_ok"

        async def joined() -> bool:
            status = await cluster.status(gone[0])
            return gone[0] in status["members"] and status["leader"] == leader

        await cluster.until(joined)
        assert await cluster.read(gone[0]) == "three"

    in_cluster(story)


def test_a_leader_that_is_removed_hands_over() -> None:
    async def story(cluster: RaftCluster) -> None:
        first = await cluster.leader()
        assert (await cluster.say(first, "remove_member", node=first))["type"] == "remove_member_ok"
        rest = [node for node in cluster.nodes if node != first]
        second = await cluster.leader(rest)
        assert (await cluster.status(second))["members"] == rest
        assert (await cluster.write(rest[1], 1))["type"] == "write_ok"

    in_cluster(story)


def test_the_autopilot_replaces_the_dead_and_takes_back_the_living() -> None:
    async def story(cluster: RaftCluster) -> None:
        leader = await cluster.leader()
        dead = [node for node in cluster.nodes if node != leader][:2]
        for node in dead:
            await cluster.sim.kill(node)

        async def members(count: int) -> bool:
            return len((await cluster.status(leader))["members"]) == count

        await cluster.until(lambda: members(3))
        await cluster.sim.kill(next(node for node in cluster.nodes if node not in {leader, *dead}))
        assert (await cluster.write(leader, 1))[
            "type"
        ] == "write_ok"  # with two of five nodes, one after the other gone
        for node in cluster.nodes:
            await cluster.sim.restart(node)
        await cluster.until(lambda: members(5))

    in_cluster(story, autopilot_s=0.5)


def test_a_pause_of_the_leader_is_survived_and_it_follows_when_it_wakes() -> None:
    async def story(cluster: RaftCluster) -> None:
        asleep = await cluster.leader()
        await cluster.write(asleep, 1)
        await cluster.sim.pause(asleep)
        rest = [node for node in cluster.nodes if node != asleep]
        await cluster.leader(rest)
        await cluster.write(rest[0], 2)
        stale = asyncio.create_task(cluster.read(asleep))  # waits in the sleeper's inbox
        await asyncio.sleep(0.1)
        await cluster.sim.resume(asleep)
        assert await stale in {2, codes.UNAVAILABLE, codes.TIMEOUT}
        await cluster.agree()
        assert await cluster.read(asleep) == 2

    in_cluster(story)


def test_a_retry_at_another_node_after_a_lost_answer_is_applied_once() -> None:
    async def story(cluster: RaftCluster) -> None:
        leader = await cluster.leader()
        follower = next(node for node in cluster.nodes if node != leader)
        await cluster.write(leader, 1)
        await cluster.sim.cut([(leader, follower)])  # the answer to what is forwarded will be lost
        request: dict[str, Any] = {"key": "x", "from": 1, "to": 2, "client": "c", "seq": 1}
        assert await cluster.say(follower, "cas", patience_s=0.2, **request) is None
        assert (await cluster.say(leader, "cas", **request))["type"] == "cas_ok"
        assert await cluster.read(leader) == 2

    in_cluster(story)


def test_bug_fixed_election_timeout_splits_every_vote() -> None:
    async def story(cluster: RaftCluster) -> None:
        await asyncio.sleep(20)
        statuses = [await cluster.status(node) for node in cluster.nodes]
        assert all(status["leader"] is None for status in statuses)
        assert min(status["term"] for status in statuses) >= 30

    in_cluster(story, bug="fixed-election-timeout")


def test_bug_wrong_quorum_even_two_halves_both_serve() -> None:
    async def story(cluster: RaftCluster) -> None:
        leader = await cluster.leader()
        partner = next(node for node in cluster.nodes if node != leader)
        rest = [node for node in cluster.nodes if node not in {leader, partner}]
        await cluster.isolate(leader, partner)

        async def other_half_serves() -> bool:
            return isinstance(await cluster.write(rest[0], "there"), dict)

        await cluster.until(other_half_serves)
        assert isinstance(await cluster.write(leader, "here"), dict)
        assert (await cluster.read(leader), await cluster.read(rest[0])) == ("here", "there")

    in_cluster(story, nodes=4, bug="wrong-quorum-even")
