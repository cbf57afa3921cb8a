"""A run that proves nothing is unknown; each reason has a near miss beside it."""

from __future__ import annotations

import pytest

from checkers.sanity import make
from harness.verdict import Budget, Validity
from tests.builders import history
from tests.checkers.texts import CLIENTS, FAULT, FINAL_READ, HEALED


def verdict(text: str, **options: int) -> tuple[Validity, str]:
    found = make(**options).check(history(text), Budget())
    assert not found.anomalies
    return found.validity, found.reason


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (CLIENTS, "12 of 12 operations succeeded, without faults"),
        (CLIENTS + HEALED, "12 of 12 operations succeeded, without faults"),
        (CLIENTS + FAULT + HEALED, "12 of 12 operations succeeded; the fault took effect and was healed"),
        (CLIENTS + FAULT + HEALED + FINAL_READ, "13 of 13 operations succeeded; the fault took effect and was healed"),
    ],
)
def test_a_run_that_proves_something_is_valid(text: str, sentence: str) -> None:
    assert verdict(text) == (Validity.VALID, sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no client operation was invoked"),
        ("nemesis info heal - _\n" * 2, "no client operation was invoked; healing left something behind"),
        (CLIENTS.replace("p1 ok write x 1", "p1 fail write x 1"), "not one of 1 write operation succeeded"),
        ("p0 invoke read x _\np0 ok read x _", "only 1 operation succeeded, fewer than the 10 that prove anything"),
        (CLIENTS + FAULT, "the run ended before its healing phase"),
        (
            CLIENTS + FAULT.replace('"bit": true', '"bit": false') + HEALED,
            "fault 1 (partition of n1 and n2) had no effect: 4 of 4 links cut",
        ),
        (
            CLIENTS + FAULT.replace('"healed": true', '"healed": false') + HEALED,
            "fault 1 (partition of n1 and n2) was not healed: all links open",
        ),
        (CLIENTS + FAULT + HEALED.replace("true", "false"), "healing left something behind: nothing left"),
        (CLIENTS + FAULT + HEALED.split("\n")[0], "the healing phase never ended"),
        (CLIENTS + FAULT + HEALED + "nemesis info final - _", "final reads were announced, but none was invoked"),
        (
            CLIENTS + FAULT + HEALED + FINAL_READ.replace(" ok ", " fail "),
            "not one of 1 final read succeeded",
        ),
        (
            CLIENTS + FAULT + HEALED + "nemesis info start-flood - _",
            "the nemesis line 'start-flood' of index 30 is not understood",
        ),
    ],
)
def test_a_run_that_does_not_is_unknown(text: str, sentence: str) -> None:
    assert verdict(text) == (Validity.UNKNOWN, sentence)


def test_a_fault_that_was_begun_and_not_completed() -> None:
    begun = FAULT.strip().split("\n")[0] + "\n"
    validity, reason = verdict(CLIENTS + begun + HEALED)
    assert validity is Validity.UNKNOWN
    assert reason == "fault 1 (partition) was begun, but nothing says that it took place"


def test_the_heal_mark_ends_what_no_stop_has_ended() -> None:
    started = "\n".join(FAULT.strip().split("\n")[:2]) + "\n"
    assert verdict(CLIENTS + started + HEALED)[0] is Validity.VALID
    assert verdict(CLIENTS + started)[1] == (
        "fault 1 (partition of n1 and n2) was never ended; the run ended before its healing phase"
    )


def test_a_bite_that_only_the_stop_could_see_counts() -> None:
    late = FAULT.replace('"bit": true', '"bit": false').replace('"healed": true', '"healed": true, "bit": true')
    assert verdict(CLIENTS + late + HEALED)[0] is Validity.VALID


def test_fewer_faults_than_planned() -> None:
    assert verdict(CLIENTS + FAULT + HEALED, faults=1)[0] is Validity.VALID
    assert verdict(CLIENTS + FAULT + HEALED, faults=2)[1] == "2 faults were planned, but 1 began"


def test_histories_of_other_tools_get_the_checks_of_clients_alone() -> None:
    jepsen = 'nemesis info start-partition - "majority"\nnemesis info start-partition - ["isolated", {}]\n'
    assert verdict(CLIENTS + jepsen) == (
        Validity.VALID,
        "12 of 12 operations succeeded; of the faults of another tool nothing is known",
    )


def test_how_much_is_enough_is_an_option() -> None:
    text = "p0 invoke read x _\np0 ok read x _"
    assert verdict(text, ok_min=1)[0] is Validity.VALID
    assert verdict(text, ok_min=2)[0] is Validity.UNKNOWN
