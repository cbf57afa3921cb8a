from __future__ import annotations

import pytest

from harness.errors import PlanError
from nemesis.package import load_faults, parse_kinds
from tests.nemesis.scenes import KINDS, POWERS


def test_all_is_what_the_cluster_offers():
    assert parse_kinds("all", POWERS) == KINDS
    assert parse_kinds("all", ["kill", "cut"]) == ("partition", "kill")
    assert parse_kinds("all", []) == ()
    assert parse_kinds("all", POWERS, nodes=1) == ("kill", "pause", "clock", "term", "throttle", "memory", "power")


def test_a_kind_that_all_leaves_out_can_be_named():
    assert parse_kinds("drift,kill", POWERS) == ("kill", "drift")


def test_none_is_none():
    assert parse_kinds("none", POWERS) == ()


@pytest.mark.parametrize("text", ["kill,partition", " partition , kill ", "kill,kill,partition,"])
def test_names_come_once_and_in_the_order_of_the_table(text):
    assert parse_kinds(text, POWERS) == ("partition", "kill")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("partitoin", "--nemesis: unknown fault 'partitoin': did you mean 'partition'?"),
        ("kill,all", '--nemesis "all" stands alone, not in a list with others'),
        (
            "",
            (
                '--nemesis is empty: write "all", "none" or some of partition, packet, kill, pause, clock, term, throttle, '
                "memory, power, drift, disk, corrupt, adversary, impostor"
            ),
        ),
        (
            "clock,quake",
            (
                "this cluster cannot skew clocks, which clock faults need: sim, local can (--cluster sim); "
                "--nemesis: unknown fault 'quake': known: adversary, clock, corrupt, disk, drift, impostor, kill, memory, "
                "packet, partition, pause, power, term, throttle"
            ),
        ),
    ],
)
def test_wrong_names_are_all_reported(text, message):
    clusters = {"process": ["cut", "kill"], "sim": POWERS, "local": ["skew"]}
    with pytest.raises(PlanError) as caught:
        parse_kinds(text, ["cut", "kill"], clusters=clusters)
    assert str(caught.value) == message


def test_a_power_that_nobody_is_known_to_offer():
    with pytest.raises(PlanError, match=r"this cluster cannot pause nodes, which pause faults need$"):
        parse_kinds("pause", ["cut"])


def test_too_few_nodes():
    with pytest.raises(PlanError, match="partition faults need at least 2 nodes, not 1"):
        parse_kinds("partition", POWERS, nodes=1)


def test_an_unknown_kind_cannot_be_loaded():
    with pytest.raises(PlanError, match="did you mean 'clock'"):
        load_faults(["clok"])


def test_a_power_that_this_machine_does_not_let_have_is_refused_with_its_reason_and_no_part_of_all():
    lacks = {"skew": "wall clocks are not faultable here, because of the moon"}
    with pytest.raises(PlanError, match="clock: wall clocks are not faultable here, because of the moon"):
        parse_kinds("kill,clock", POWERS, lacks=lacks)
    assert "clock" not in parse_kinds("all", POWERS, lacks=lacks)
    assert "kill" in parse_kinds("all", POWERS, lacks=lacks)
