"""Faults and phases as a history tells them; most of it is tested through sanity and availability."""

from __future__ import annotations

from checkers.windows import windows_of
from tests.builders import history
from tests.checkers.texts import CLIENTS, FAULT, FINAL_READ, HEALED


def test_a_history_without_nemesis_has_no_windows() -> None:
    found = windows_of(history(CLIENTS))
    assert (found.faults, found.heal, found.final, found.strange) == ((), None, None, ())


def test_a_fault_and_the_phases() -> None:
    found = windows_of(history(CLIENTS + FAULT + HEALED + FINAL_READ))
    (fault,) = found.faults
    assert (fault.id, fault.kind, fault.targets) == (1, "partition", ("n1", "n2"))
    assert (fault.start_ns, fault.end_ns) == (24_000_000, 27_000_000)
    assert (fault.bit, fault.healed, fault.evidence, fault.heal_evidence) == (
        True,
        True,
        "4 of 4 links cut",
        "all links open",
    )
    assert found.heal is not None
    assert (found.heal.start_ns, found.heal.done_ns, found.heal.healed) == (28_000_000, 29_000_000, True)
    assert found.final is not None
    assert found.final.row == 30


def test_the_heal_mark_does_not_take_back_that_a_stop_failed() -> None:
    (fault,) = windows_of(history(FAULT.replace('"healed": true', '"healed": false') + HEALED)).faults
    assert not fault.healed


def test_a_heal_that_nobody_saw_end_has_healed_nothing() -> None:
    begun = CLIENTS + 'nemesis info heal - {"healed": true}'
    heal = windows_of(history(begun)).heal
    assert heal is not None
    assert (heal.done_ns, heal.healed) == (None, False)


def test_two_faults_of_a_kind_at_once_are_told_apart() -> None:
    text = """\
nemesis info start-kill - {"id": 1}
nemesis info start-kill - {"id": 1, "bit": true}
nemesis info start-kill - {"id": 2}
nemesis info start-kill - {"id": 2, "bit": false}
nemesis info stop-kill - {"id": 1}
nemesis info stop-kill - {"id": 1, "healed": true}
"""
    one, two = windows_of(history(text)).faults
    assert (one.bit, one.healed, two.bit, two.healed) == (True, True, False, False)
    assert two.end_ns is None


def test_lines_of_other_shapes_are_strange() -> None:
    found = windows_of(
        history('nemesis info start - "all"\nnemesis info start-kill - [1]\nnemesis info stop-kill - {"id": 9}\n')
    )
    assert [op.f for op in found.strange] == ["start", "start-kill", "stop-kill"]
