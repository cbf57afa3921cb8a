from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.effects import Cut, Kill, Pause, Terminate, Throttle
from harness.errors import PlanError
from harness.schedule import Schedule
from nemesis.package import load_faults
from nemesis.schedules import complete_schedule, make_schedule, read_schedule, rules
from tests.nemesis.scenes import KINDS, ROLES, counts, dice, names, one, quick, random_roles, scene, seeds, steps_of

GOLDEN = Path(__file__).parents[1] / "golden" / "schedules"
ROOT = Path(__file__).parents[2]


def make(seed, kinds=KINDS, count=5, limit_s=60.0, interval_s=5.0, roles=ROLES):
    return make_schedule(kinds, names(count), roles, limit_s, interval_s, dice(seed))


@quick
@given(st.lists(st.sampled_from(KINDS), unique=True), counts, st.floats(min_value=8, max_value=120), seeds)
def test_a_random_schedule_passes_its_own_rules_and_survives_its_file(kinds, count, limit_s, seed):
    schedule = make(seed, kinds, count, limit_s)
    schedule.validate(rules(names(count), ROLES), limit_s)
    assert {fault.kind for fault in schedule.faults} == set(kinds)
    again = Schedule.from_json(json.loads(schedule.dumps()), "again.json")
    assert again == schedule
    assert complete_schedule(again, names(count), ROLES, limit_s, dice(seed + 1)) == schedule


def test_a_schedule_is_a_function_of_kinds_and_dice():
    assert make(1) == make(1)
    assert make(1, reversed(KINDS)) == make(1)
    assert len({make(seed).dumps() for seed in range(20)}) == 20


def test_no_kinds_no_faults():
    assert make(1, ()) == Schedule()


def test_too_few_nodes_are_refused():
    with pytest.raises(PlanError, match="partition faults need at least 2 nodes, not 1: ask for more --nodes"):
        make(1, ["partition"], 1)
    assert {fault.kind for fault in make(1, ["kill", "pause", "clock"], 1).faults} == {"kill", "pause", "clock"}


def test_at_no_time_is_a_node_held_twice_by_kills_or_pauses():
    """The brute-force twin of the lanes: every half second of a run, who holds which node."""
    for seed in range(40):
        schedule, rng = make(seed), dice(seed)
        held = [
            (fault.start_s, fault.end_s, set(steps_of(fault, 5, random_roles(5, rng))[0]))
            for fault in schedule.faults
            if fault.kind in ("kill", "pause", "term", "memory")
        ]
        for half in range(120):
            now = [nodes for start_s, end_s, nodes in held if start_s <= half / 2 < end_s]
            assert sum(map(len, now)) == len(set().union(*now))


def deposes(fault, leader):
    """Whether this fault takes the leader from the cluster for good: dead, still, or heard by no majority."""
    _, steps = steps_of(fault, 5, {leader: "leader"})
    for effect in (step.effect for step in steps):
        if isinstance(effect, Kill | Pause | Terminate | Throttle) and leader in effect.nodes:
            return True
        if isinstance(effect, Cut) and sum((leader, other) in effect.links for other in names(5)) >= 3:
            return True
    return False


def test_nearly_every_minute_of_all_faults_deposes_a_leader_often():
    hits = [sum(deposes(fault, "n3") for fault in make(seed).faults) for seed in range(300)]
    assert sum(count >= 1 for count in hits) >= 0.99 * len(hits)
    assert sum(hits) / len(hits) >= 3


def test_about_half_of_the_faults_are_aimed_at_the_leader():
    faults = [fault for seed in range(100) for fault in make(seed).faults]
    aimed = sum("target" in fault.args for fault in faults) / len(faults)
    assert 0.45 <= aimed <= 0.65
    assert {fault.args["target"] for fault in faults if "target" in fault.args} == {"leader"}


def test_a_target_without_roles_is_hit_by_chance_alone():
    assert all("target" not in fault.args for seed in range(20) for fault in make(seed, roles=()).faults)


def test_swarm_some_runs_never_do_what_others_often_do():
    shapes = [
        {fault.args["shape"] for fault in make(seed, ["partition"], limit_s=300, roles=()).faults} for seed in range(30)
    ]
    assert set().union(*shapes) == {
        "one", "halves", "minority-third", "split", "bridge", "majority-ring", "one-way", "swizzle-clog",
    }  # fmt: skip
    assert sum(len(found) < 8 for found in shapes) > 15


def test_roles_stay_open_and_all_else_is_drawn():
    schedule = one("partition", {"shape": "halves"})
    (fault,) = complete_schedule(schedule, names(5), ROLES, 60, dice(1)).faults
    assert sorted(map(len, fault.args["sides"])) == [2, 3]
    (fault,) = complete_schedule(one("kill", {"target": "leader"}), names(5), ROLES, 60, dice(1)).faults
    assert fault.args["target"] == "leader"
    assert fault.args["else"] in names(5)


def test_the_same_seed_completes_the_same_way():
    def complete(seed):
        return complete_schedule(one("partition", {}), names(5), ROLES, 60, dice(seed))

    assert complete(1) == complete(1)
    assert len({complete(seed).dumps() for seed in range(10)}) > 5


def test_the_random_schedule_of_a_seed_stays_the_same():
    """If this changes, schedules of old runs are still replayed from their files, but no seed gives its old run: say so in CHANGELOG."""
    assert make(7).dumps() == (GOLDEN / "seed-7.json").read_text()


def test_the_written_example_completes_as_it_always_did():
    completed = read_schedule(GOLDEN / "by-hand.json", names(5), ROLES, 60, dice(7))
    assert completed.dumps() == (GOLDEN / "by-hand-completed.json").read_text()


@pytest.mark.parametrize("path", sorted((GOLDEN / "bad").glob("*.json")), ids=lambda path: path.stem)
def test_all_that_is_wrong_with_a_file_is_said_at_once(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with pytest.raises(PlanError) as caught:
        read_schedule(Path(path.name), names(5), ROLES, 60, dice(1))
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text()


def test_a_schedule_read_without_rules_is_judged_when_it_is_completed():
    with pytest.raises(PlanError) as caught:
        complete_schedule(one("kill", {"target": "boss"}), names(5), ROLES, 10, dice(1))
    assert str(caught.value).splitlines() == [
        "test.json: 2 problems",
        "  fault 1 (kill), end_s: 12.0 is after the time limit of 10 s, when all is healed",
        (
            '  fault 1 (kill), args.target: unknown "boss": known: all, candidate, follower, leader, majority, minority, '
            "minority-third, one, some"
        ),
    ]


def test_too_few_nodes_for_a_written_fault():
    with pytest.raises(PlanError, match="partition faults need at least 2 nodes, here are 1"):
        complete_schedule(one("partition", {}), names(1), ROLES, 60, dice(1))


@pytest.mark.process
def test_hash_seeds_change_nothing():
    program = (
        "import random\n"
        "from nemesis.schedules import make_schedule\n"
        "nodes = tuple(f'n{i}' for i in range(1, 8))\n"
        f"kinds = {KINDS!r}\n"
        "for seed in range(20):\n"
        "    print(make_schedule(kinds, nodes, ('leader',), 60, 5, random.Random(seed)).dumps())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert outputs.pop().count('"version": 1') == 20


# Garbage that looks like a schedule: right names with wrong values get further in than wrong names.
WORDS = [
    "shape", "target", "nodes", "else", "sides", "bridge", "grudge", "clogs", "cannot", "times", "down_s", "up_s", "offset_s",
    "drift", "strobe_period_s", "delay_s", "jitter_s", "loss", "duplicate", "reorder", "node", "at_s", "length_s",
    "one", "halves", "minority-third", "split", "majority-ring", "isolate-leader", "one-way", "swizzle-clog", "crash-loop",
    "bump", "strobe", "step-back", "leader", "minority", "all", "send", "hear", "n1", "n2", "n3", "n9", "",
]  # fmt: skip
leaves = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, 2, -1, 0.5, 0.2, 3.5, 1e308, 10**400, -(10**400)])
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=3)
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)
plausible = st.fixed_dictionaries(
    {},
    optional={
        "shape": st.sampled_from(WORDS[23:35]) | values,
        "target": st.sampled_from(["leader", "one", "minority", "all"]) | values,
        "nodes": st.lists(st.sampled_from(names(5)), max_size=5) | values,
        "sides": st.lists(st.lists(st.sampled_from(names(5)), max_size=4), max_size=3) | values,
        "grudge": st.dictionaries(st.sampled_from(names(5)), st.lists(st.sampled_from(names(5)), max_size=3)) | values,
        "clogs": st.lists(
            st.fixed_dictionaries({"node": st.sampled_from(names(5)), "at_s": leaves, "length_s": leaves})
        )
        | values,
    },
)
faults = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(KINDS) | values,
        "start_s": st.floats(min_value=0, max_value=20) | values,
        "end_s": st.floats(min_value=20, max_value=60) | values,
        "args": plausible | st.dictionaries(st.sampled_from(WORDS), values, max_size=4) | values,
        "id": st.integers(min_value=0, max_value=3) | values,
    },
)
documents = (
    st.fixed_dictionaries({"version": st.just(1), "faults": st.lists(faults, max_size=3)})
    | st.dictionaries(st.sampled_from(["version", "faults", "x"]), values)
    | values
)
kinds_with_args = st.tuples(
    st.sampled_from(KINDS), plausible | st.dictionaries(st.sampled_from(WORDS), values, max_size=4)
)


def judged(document):
    """Completes ``document``, or not: then with a PlanError. What is completed can be carried out and told."""
    with contextlib.suppress(PlanError):
        schedule = Schedule.from_json(document, "fuzz.json", rules(names(5), ROLES), 60)
        completed = complete_schedule(schedule, names(5), ROLES, 60, dice(1))
        completed.validate(rules(names(5), ROLES), 60)
        for fault in completed.faults:
            hit, steps = steps_of(fault, 5, {"n2": "leader"})
            assert hit
            assert steps
            assert load_faults()[fault.kind].describe(fault.args)
        return True
    return False


@quick
@given(documents)
def test_garbage_is_refused_and_nothing_else_happens(document):
    judged(document)


@quick
@given(kinds_with_args)
def test_garbage_in_arguments_is_refused_and_nothing_else_happens(entry):
    kind, args = entry
    judged({"version": 1, "faults": [{"kind": kind, "start_s": 1, "end_s": 9, "args": args}]})


@st.composite
def nearly_right(draw):
    """A good fault with arguments forgotten, and perhaps one that is spoilt or taken from another fault."""
    kind = draw(st.sampled_from(KINDS))
    fault = load_faults()[kind]
    where = scene(aim=draw(st.sampled_from([None, "leader"])))
    args = fault.plan(where, dice(draw(seeds)))
    for name in draw(st.lists(st.sampled_from(sorted(args)), unique=True)):
        del args[name]
    if draw(st.booleans()):
        args[draw(st.sampled_from([*sorted(args), *WORDS]))] = draw(values)
    if draw(st.booleans()):
        args |= {name: value for name, value in fault.plan(where, dice(draw(seeds))).items() if draw(st.booleans())}
    return kind, args


@quick
@given(nearly_right())
def test_what_is_nearly_right_is_completed_or_refused(entry):
    kind, args = entry
    judged({"version": 1, "faults": [{"kind": kind, "start_s": 1, "end_s": 7, "args": args}]})


def test_the_fuzz_judge_lets_good_schedules_through():
    assert judged({"version": 1, "faults": [{"kind": "kill", "start_s": 1, "end_s": 9}]})
