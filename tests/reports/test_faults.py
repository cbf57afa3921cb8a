"""Faults and phases as the history and the results tell them."""

from __future__ import annotations

from typing import Any

from harness.history import History
from harness.op import NEMESIS, Op, OpType
from reports.faults import Fault, end_ns, faults, phases
from reports.report import Report
from tests.builders import history
from tests.reports.runs import small_run, synthetic_run, untimed_run


def report(text: str, told: list[dict[str, Any]] | None = None) -> Report:
    return Report(results={"faults": told or []}, history=history(text))


def brief(found: list[Fault]) -> list[tuple[str, int, int | None, bool | None, bool | None]]:
    return [(fault.kind, fault.first, fault.last, fault.bit, fault.healed) for fault in found]


def test_a_fault_holds_from_its_start_to_the_completion_of_its_stop() -> None:
    fault = faults(small_run("invalid"))[0]
    assert (fault.kind, fault.targets, fault.what) == ("partition", ("n1", "n2"), "grudge halves")
    assert (fault.first, fault.last, fault.start_ns, fault.end_ns) == (2, 13, 1_100_000_000, 3_010_000_000)
    assert (fault.bit, fault.evidence, fault.healed, fault.heal_evidence) == (
        True,
        "12_of_12_links_cut",
        True,
        "all_open",
    )


def test_stops_end_the_fault_of_their_id_not_of_their_turn() -> None:
    found = faults(
        report("""
            nemesis info start-kill - {"id":0}
            nemesis info start-kill - {"id":0,"bit":true}
            nemesis info start-kill - {"id":1}
            nemesis info start-kill - {"id":1,"bit":true}
            nemesis info stop-kill  - {"id":0}
            nemesis info stop-kill  - {"id":0,"healed":true}
        """)
    )
    assert brief(found) == [("kill", 0, 5, True, True), ("kill", 2, None, True, None)]


def test_what_was_done_is_told_as_people_write_it() -> None:
    args = {
        "shape": "halves",
        "sides": [["n1"], ["n2", "n3"]],
        "grudge": {"n1": ["n2", "n3"], "n2": ["n1"]},
        "nodes": ["n1", "n2"],
        "down_s": 1.5,
        "times": 2,
        "odd": [1, {"a": []}],
    }
    start = Op(type=OpType.INFO, process=NEMESIS, f="start-x", value={"kind": "x", "args": args})
    (fault,) = faults(Report(results={}, history=History.of([start.stamped(0, 0, None), start.stamped(1, 1, None)])))
    assert fault.what == (
        "shape halves, sides n1 | n2 n3, grudge n1 deaf to n2 n3; n2 deaf to n1, nodes n1 n2, down 1.5 s, times 2, "
        'odd [1, {"a": []}]'
    )


def test_heal_ends_what_still_holds() -> None:
    found = faults(
        report("""
            nemesis info start-pause - {"id":0}
            nemesis info start-pause - {"id":0,"bit":false}
            nemesis info heal - _
            nemesis info heal - {"healed":false,"evidence":"n1_does_not_answer"}
        """)
    )
    assert brief(found) == [("pause", 0, 3, False, False)]
    assert found[0].heal_evidence == "n1_does_not_answer"


def test_a_bite_that_shows_only_at_the_end_counts() -> None:
    found = faults(
        report("""
            nemesis info start-clock - {"id":0}
            nemesis info start-clock - {"id":0,"bit":false,"evidence":"no_drift_yet"}
            nemesis info stop-clock  - {"id":0}
            nemesis info stop-clock  - {"id":0,"bit":true,"bit_evidence":"off_by_3s","healed":true,"evidence":"on_time"}
        """)
    )
    assert (found[0].bit, found[0].evidence, found[0].heal_evidence) == (True, "off_by_3s", "on_time")


def test_what_the_packets_of_all_links_met_is_summed_up() -> None:
    (fault,) = faults(
        report("""
            nemesis info start-packet - {"id":0}
            nemesis info stop-packet  - {"id":0}
            nemesis info stop-packet  - {"id":0,"packets":[{"src":"n1","dest":"n2","cut":1200,"sent":9},{"cut":4,"lost":2},{"lost":"x"},7]}
        """)
    )
    assert fault.met == "1,204 cut, 2 lost on 3 links"


def test_a_run_that_was_cut_short_leaves_the_fault_open() -> None:
    assert brief(faults(report('nemesis info start-kill - {"id":0}'))) == [("kill", 0, None, None, None)]


def test_a_planned_fault_that_never_began_is_listed_with_the_others() -> None:
    told = [
        {"kind": "kill", "targets": ["n1"], "start_s": 0.0, "end_s": 0.001, "bit": True, "healed": True},
        {"kind": "kill", "targets": ["n2"], "start_s": 0.002, "end_s": None, "bit": False, "healed": False},
    ]
    found = faults(
        report(
            """
            nemesis info start-kill - {"id":0}
            nemesis info start-kill - {"id":0,"targets":["n1"]}
            p0 invoke read x _
            p0 ok     read x 1
            """,
            told,
        )
    )
    assert brief(found) == [("kill", 0, None, True, True), ("kill", 2, None, False, False)]
    assert [fault.targets for fault in found] == [("n1",), ("n2",)]


def test_results_alone_will_do() -> None:
    told = [
        {
            "kind": "clock",
            "targets": ["n1"],
            "start_s": 0.5,
            "end_s": 1.5,
            "bit": True,
            "healed": True,
            "evidence": "-30 s",
        }
    ]
    run = Report(results={"faults": told}, history=History.of([]))
    assert [(f.kind, f.start_ns, f.end_ns, f.evidence) for f in faults(run)] == [
        ("clock", 500_000_000, 1_500_000_000, "-30 s")
    ]
    assert end_ns(run) == 1_500_000_000


def test_nemesis_values_of_other_tools_are_shown_as_they_are() -> None:
    found = faults(untimed_run())
    assert brief(found) == [("nemesis", 1, 6, None, None)]
    assert found[0].what == '"isolate n1"'


def test_phases_follow_one_another_without_a_gap() -> None:
    run = synthetic_run(500)
    found = phases(run)
    assert [phase.name for phase in found] == ["faults", "healed", "final"]
    assert [phase.start_ns for phase in found[1:]] == [phase.end_ns for phase in found[:-1]]
    assert (found[0].start_ns, found[-1].end_ns) == (0, end_ns(run))


def test_a_run_without_marks_is_one_phase() -> None:
    run = report("p0 invoke read x _")
    assert [(p.name, p.start_ns, p.end_ns) for p in phases(run)] == [("faults", 0, 0)]


def test_documents_with_broken_rows_do_no_harm() -> None:
    odd: list[Any] = ["x", {"start_s": float("inf")}, {"kind": 3, "targets": "n1", "start_s": "soon", "bit": "yes"}]
    found = faults(Report(results={"faults": odd}, history=History.of([])))
    assert [(f.kind, f.targets, f.start_ns, f.bit) for f in found] == [("nemesis", (), 0, None), ("3", (), 0, None)]
