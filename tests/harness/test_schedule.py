from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import PlanError
from harness.schedule import LATEST_S, PROBLEMS_SHOWN_MAX, PlannedFault, Schedule, shown

EXAMPLE = {
    "version": 1,
    "faults": [
        {"kind": "partition", "start_s": 5, "end_s": 12, "args": {"shape": "halves"}},
        {"kind": "kill", "start_s": 3, "end_s": 5, "args": {"target": "leader"}},
        {"kind": "pause", "start_s": 3, "end_s": 4},
    ],
}
RULES = {
    "kill": lambda args, length_s: [f"{name}: no {name} in {length_s:g} s" for name in args],
    "pause": lambda args, length_s: [],
}


def read(*faults, rules=None, limit_s=None):
    return Schedule.from_json({"version": 1, "faults": list(faults)}, "f.json", rules, limit_s)


def kill(start_s=1, end_s=2, **more):
    return {"kind": "kill", "start_s": start_s, "end_s": end_s, **more}


def refusal(call, *args, **kwargs):
    with pytest.raises(PlanError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_faults_are_sorted_and_keep_their_place_in_the_file_as_id():
    schedule = Schedule.from_json(EXAMPLE, "f.json")
    assert [(fault.id, fault.kind, fault.start_s) for fault in schedule.faults] == [
        (2, "kill", 3.0),
        (3, "pause", 3.0),
        (1, "partition", 5.0),
    ]
    assert schedule.faults[1].args == {}
    assert schedule.faults[2].length_s == 7


def test_ids_that_are_written_stay_and_the_others_find_free_numbers():
    schedule = read(kill(id=2), kill(), kill(id=1), kill(), kill(id=0))
    assert [fault.id for fault in schedule.faults] == [0, 1, 2, 3, 4]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def schedules(draw):
    faults = []
    for fault_id in draw(st.lists(st.integers(min_value=0, max_value=99), unique=True, max_size=5)):
        start_s = draw(st.floats(min_value=0, max_value=LATEST_S / 2))
        length_s = draw(st.floats(min_value=1, max_value=LATEST_S / 2))
        args = draw(st.dictionaries(st.text(max_size=5), json_values, max_size=3))
        kind = draw(st.sampled_from(["kill", "disk-full"]))
        faults.append(PlannedFault(id=fault_id, kind=kind, start_s=start_s, end_s=start_s + length_s, args=args))
    return Schedule(faults=tuple(sorted(faults, key=lambda fault: (fault.start_s, fault.id))))


@settings(deadline=None, max_examples=60)
@given(schedules())
def test_text_and_back(schedule):
    text = schedule.dumps()
    again = Schedule.from_json(json.loads(text), "f.json")
    assert again == schedule
    assert again.dumps() == text
    assert json.loads(text) == schedule.to_json()


def test_text_does_not_depend_on_the_order_of_keys():
    turned = json.loads(json.dumps(EXAMPLE), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert Schedule.from_json(turned, "f.json").dumps() == Schedule.from_json(EXAMPLE, "f.json").dumps()


def test_an_empty_schedule_has_a_text_too():
    assert Schedule().dumps() == '{"faults": [],\n"version": 1}\n'


def test_json_is_a_copy():
    schedule = read(kill(args={"nodes": ["n1"]}))
    schedule.to_json()["faults"][0]["args"]["nodes"].append("n2")
    assert schedule.faults[0].args == {"nodes": ["n1"]}


def test_the_source_is_for_messages_only():
    assert Schedule.from_json(EXAMPLE, "a.json") == Schedule.from_json(EXAMPLE, "b.json")
    assert Schedule.from_json(EXAMPLE, "a.json").source == "a.json"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], '[] is not a schedule: write {"version": 1, "faults": [...]}'),
        ({"faults": []}, 'version is missing: write "version": 1'),
        ({"version": 2, "faults": []}, "version: 2, but this splitbrain reads schedules of version 1"),
        ({"version": True, "faults": []}, "version: true, but this splitbrain reads schedules of version 1"),
        ({"version": 1}, 'faults: missing, must be a list such as [{"kind": "kill", "start_s": 3, "end_s": 5}]'),
        ({"version": 1, "faults": {}}, 'faults: {} is not a list such as [{"kind": "kill", "start_s": 3, "end_s": 5}]'),
        ({"version": 1, "fauls": [], "faults": []}, "\"fauls\": unknown field: did you mean 'faults'?"),
    ],
)
def test_broken_documents(document, message):
    assert refusal(Schedule.from_json, document, "f.json") == f"f.json: {message}"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("kill", 'fault 1: "kill" is not a fault: write {"kind": "kill", "start_s": 3, "end_s": 5, "args": {}}'),
        (
            {"kind": "kill", "end_s": 1},
            "fault 1 (kill), start_s is missing: seconds from the start of the run, 0 to a week",
        ),
        ({"start_s": 0, "end_s": 1}, 'fault 1, kind is missing: the name of a fault, such as "partition"'),
        (kill(start_s=-1), "fault 1 (kill), start_s: -1 is not seconds from the start of the run, 0 to a week"),
        (kill(start_s="3s"), 'fault 1 (kill), start_s: "3s" is not seconds from the start of the run, 0 to a week'),
        (kill(start_s=True), "fault 1 (kill), start_s: true is not seconds from the start of the run, 0 to a week"),
        (kill(end_s=10**400), None),
        (kill(end_s=float("inf")), None),
        (kill(5, 3), "fault 1 (kill), end_s: 3 is not after start_s 5"),
        (kill(5, 5), "fault 1 (kill), end_s: 5 is not after start_s 5"),
        (kill(id=-1), "fault 1 (kill), id: -1 is not a whole number from 0"),
        (kill(args=[]), 'fault 1 (kill), args: [] is not an object such as {"target": "leader"}'),
        (kill(until=3), 'fault 1 (kill), "until": unknown field: known: args, end_s, id, kind, start_s'),
        (kill(end=3), "fault 1 (kill), \"end\": unknown field: did you mean 'end_s'?"),
        ({**kill(), "kind": "Kill!"}, 'fault 1, kind: "Kill!" is not the name of a fault, such as "partition"'),
    ],
)
def test_broken_faults(fault, message):
    found = refusal(read, fault)
    assert found.startswith("f.json: fault 1")
    if message is not None:
        assert found == f"f.json: {message}"


def test_rules_judge_kinds_and_arguments():
    assert (
        refusal(read, {**kill(), "kind": "kil"}, rules=RULES)
        == "f.json: fault 1 (kil), kind: unknown fault \"kil\": did you mean 'kill'?"
    )
    assert refusal(read, kill(1, 4, args={"gun": 1}), rules=RULES) == "f.json: fault 1 (kill), args.gun: no gun in 3 s"
    assert read(kill(), rules=RULES).faults


def test_a_time_limit_is_kept_when_it_is_given():
    assert read(kill(1, 60), limit_s=60.0).faults
    message = "f.json: fault 1 (kill), end_s: 61 is after the time limit of 60 s, when all is healed"
    assert refusal(read, kill(1, 61), limit_s=60.0) == message


def test_all_problems_come_at_once():
    faults = [kill(5, 3, args={"gun": 1}), {"kind": "qill"}, 7]
    assert refusal(read, *faults, rules=RULES).splitlines() == [
        "f.json: 6 problems",
        "  fault 1 (kill), end_s: 3 is not after start_s 5",
        "  fault 1 (kill), args.gun: no gun in inf s",
        "  fault 2 (qill), start_s is missing: seconds from the start of the run, 0 to a week",
        "  fault 2 (qill), end_s is missing: seconds from the start of the run, 0 to a week",
        "  fault 2 (qill), kind: unknown fault \"qill\": did you mean 'kill'?",
        '  fault 3: 7 is not a fault: write {"kind": "kill", "start_s": 3, "end_s": 5, "args": {}}',
    ]


def test_a_flood_of_problems_is_cut_short():
    lines = refusal(read, *range(100)).splitlines()
    assert len(lines) == PROBLEMS_SHOWN_MAX + 2
    assert lines[-1] == f"  and {100 - PROBLEMS_SHOWN_MAX} more"


def test_ids_must_differ():
    assert refusal(read, kill(id=4), kill(id=4)) == "f.json: fault 4, id: 2 faults have the id 4, but ids must differ"


def test_a_message_names_a_fault_by_its_written_id():
    assert refusal(read, kill(), kill(5, 3, id=9)) == "f.json: fault 9 (kill), end_s: 3 is not after start_s 5"


def test_a_schedule_made_in_memory_obeys_the_same_rules():
    early, late = (PlannedFault(id=n, kind="kill", start_s=n, end_s=n + 1) for n in (1, 2))
    assert "sorted by their start" in refusal(Schedule, faults=(late, early))
    assert "ids must differ" in refusal(Schedule, faults=(early, early))
    assert "end_s: 3 is after the time limit" in refusal(Schedule(faults=(early, late)).validate, RULES, 2.5)
    Schedule(faults=(early, late)).validate(RULES, 60)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"version": 1,\n "faults": [}', "line 2, column 13: not JSON (Expecting value)"),
        (
            b'{"version": 1, "version": 1, "faults": []}',
            'not a JSON document (the key "version" stands 2 times in one object)',
        ),
        (b'{"version": NaN, "faults": []}', "not a JSON document (NaN is not a number that JSON knows)"),
        (b"\xff{}", "not UTF-8 text (byte 0)"),
        (b"", "line 1, column 1: not JSON (Expecting value)"),
        (b"[" * 100_000, None),
        (b'{"version": 1, "faults": [{"kind": "kill", "start_s": 1, "end_s": 1e999}]}', None),
        (b'{"version": ' + b"9" * 5000 + b"}", None),
    ],
)
def test_files_that_are_no_schedule(tmp_path, text, message):
    path = tmp_path / "f.json"
    path.write_bytes(text)
    found = refusal(Schedule.load, path)
    assert found.startswith(f"{path}: ")
    if message is not None:
        assert found == f"{path}: {message}"


def test_a_file_that_is_not_there(tmp_path):
    assert refusal(Schedule.load, tmp_path / "f.json").endswith("cannot be read (No such file or directory)")
    assert refusal(Schedule.load, tmp_path).endswith("cannot be read (Is a directory)")


def test_a_file_is_loaded(tmp_path):
    path = tmp_path / "f.json"
    path.write_text(json.dumps(EXAMPLE))
    assert Schedule.load(path) == Schedule.from_json(EXAMPLE, "f.json")
    assert Schedule.load(path).source == str(path)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,01.e-kindverso ', max_size=60).map(str.encode))
def test_no_file_raises_anything_but_a_plan_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_bytes(text)
    with contextlib.suppress(PlanError):
        Schedule.load(path)


def test_values_are_shown_short():
    assert shown({"a": [1, None, "x"]}) == '{"a": [1, null, "x"]}'
    assert len(shown("x" * 1000)) == 60
    assert "\n" not in shown("a\nb")
