"""What was served during faults, and that a run without progress after them is caught; with the near misses."""

from __future__ import annotations

import pytest

from checkers.availability import make
from harness.errors import PlanError
from harness.verdict import Budget, Validity, Verdict
from tests.builders import history

FAULT = """\
p0 invoke write x 1                                            time=0s
p0 ok     write x 1                                            time=0.01s
nemesis info start-kill - {"id": 7, "kind": "kill"}            time=1s
nemesis info start-kill - {"id": 7, "kind": "kill", "bit": true, "targets": ["n1"]} time=1s
p0 invoke read x _                                             time=1.5s
p0 ok     read x 1                                             time=1.52s
p0 invoke write x 2                                            time=2s
p0 info   write x 2                                            time=4s
nemesis info stop-kill - {"id": 7, "kind": "kill"}             time=5s
nemesis info stop-kill - {"id": 7, "healed": true}             time=5s
nemesis info heal - _                                          time=6s
nemesis info heal - {"healed": true}                           time=6s
"""
TRIED = "p1 invoke read x _ time=6.5s\np1 fail read x _ time=10.9s\n"
LAST = "p3 invoke read x _ time=11s\n"


def check(text: str, **options: float) -> Verdict:
    return make(**options).check(history(text), Budget())


def test_what_was_served_during_a_fault() -> None:
    (fault,) = check(FAULT).stats["faults"]
    assert fault == {
        "id": 7,
        "kind": "kill",
        "start_s": 1.0,
        "end_s": 5.0,
        "operations": 2,
        "ok_share": 0.5,
        "unavailable_ms": 3480.0,
        "latency_ms": {"read": {"0.5": 20.0, "0.9": 20.0, "0.99": 20.0, "1": 20.0}},
    }


def test_progress_that_comes_back_is_measured() -> None:
    verdict = check(FAULT + "p1 invoke read x _ time=6.2s\np1 ok read x 1 time=6.25s")
    assert verdict.validity is Validity.VALID
    assert verdict.reason == (
        "during the worst fault (kill 7) 50% of 2 operations succeeded, with 3,480.0 ms without any; "
        "progress came back 250.0 ms after everything was healed"
    )
    assert verdict.stats["recovery_ms"] == 250.0
    assert verdict.stats["after_heal"]["ok"] == 1


def test_no_progress_is_an_anomaly() -> None:
    verdict = check(FAULT + TRIED + LAST)
    assert verdict.validity is Validity.INVALID
    (anomaly,) = verdict.anomalies
    assert anomaly.name == "no-progress"
    assert anomaly.ops == (12, 13)
    assert anomaly.reason == (
        "no operation succeeded within 5 s after the faults were healed at 6.000 s, although 1 was invoked"
    )


def test_a_success_that_comes_too_late_is_told() -> None:
    verdict = check(FAULT + TRIED + LAST + "p3 ok read x 1 time=12s")
    assert verdict.validity is Validity.INVALID
    assert verdict.reason.endswith("although 1 was invoked; the first success came only at 12.000 s")


@pytest.mark.parametrize(
    ("text", "options", "validity"),
    [
        (FAULT + TRIED, {}, Validity.UNKNOWN),  # the run ended at 10.9 s, before the bound of 11 s
        (FAULT + TRIED, {"progress_s": 4.9}, Validity.INVALID),
        (FAULT + LAST, {}, Validity.UNKNOWN),  # nobody tried within the bound
        (FAULT, {}, Validity.UNKNOWN),
        (FAULT + TRIED + "p3 invoke read x _ time=10.91s\np3 ok read x 1 time=11s\n", {}, Validity.VALID),
        (
            FAULT.replace('"healed": true}                           ', '"healed": false} ') + TRIED + LAST,
            {},
            Validity.UNKNOWN,
        ),
        (FAULT.replace('"id": 7, "healed": true', '"id": 7, "healed": false') + TRIED + LAST, {}, Validity.UNKNOWN),
        ("", {}, Validity.VALID),
        ("p0 invoke read x _\np0 fail read x _", {}, Validity.VALID),  # no faults: nothing was promised
    ],
)
def test_the_bound_and_its_near_misses(text: str, options: dict[str, float], validity: Validity) -> None:
    assert check(text, **options).validity is validity


def test_a_success_of_an_operation_invoked_before_the_heal_is_progress() -> None:
    pending = FAULT.replace("nemesis info heal - _  ", "p9 invoke read x _ time=5.9s\nnemesis info heal - _  ")
    assert check(pending + TRIED + "p9 ok read x 1 time=10.95s\n" + LAST).validity is Validity.VALID


def during(ok: int, failed: int, *, start_s: float = 2.0) -> str:
    """So many reads while the fault holds."""
    outcomes = ["ok"] * ok + ["fail"] * failed
    lines = [
        f"p{n + 10} invoke read x _ time={start_s + n / 100:g}s\np{n + 10} {outcome} read x 1 time={start_s + n / 100 + 0.001:g}s\n"
        for n, outcome in enumerate(outcomes)
    ]
    start, stop = FAULT.split("p0 invoke read", 1)[0], FAULT[FAULT.index("nemesis info stop-kill") :]
    return start + "".join(lines) + stop + "p1 invoke read x _ time=6.2s\np1 ok read x 1 time=6.25s"


@pytest.mark.parametrize(
    ("text", "options", "validity"),
    [
        (during(9, 1), {"served_min": 0.9}, Validity.VALID),
        (during(8, 2), {"served_min": 0.9}, Validity.INVALID),
        (during(8, 2), {}, Validity.VALID),
        (during(0, 9), {"served_min": 0.9}, Validity.UNKNOWN),  # too few to blame anybody for
        (during(0, 10), {"served_min": 0.9, "grace_s": 1.0}, Validity.INVALID),
        (during(0, 10), {"served_min": 0.9, "grace_s": 1.001}, Validity.UNKNOWN),  # all but nine are too early
    ],
)
def test_what_must_be_served_during_a_fault(text: str, options: dict[str, float], validity: Validity) -> None:
    assert check(text, **options).validity is validity


def test_the_fault_that_is_not_served_is_named() -> None:
    (anomaly,) = check(during(8, 2), served_min=0.9).anomalies
    assert anomaly.name == "fault-not-served"
    assert len(anomaly.ops) == 4
    assert anomaly.reason == (
        "during fault 7 (kill of n1), from 1.000 s on, 8 of 10 operations succeeded: at least 90% must"
    )


@pytest.mark.parametrize(
    "options", [{"served_min": 1.1}, {"served_min": -0.1}, {"grace_s": -1.0}, {"stall_max_s": -1.0}]
)
def test_options_that_make_no_sense(options: dict[str, float]) -> None:
    with pytest.raises(PlanError):
        make(**options)


# Reads fail at 2.0 s to 2.09 s, one succeeds at 3.9 s: of the fault, which held from 1 s to 5 s, 2.9 s went by without a success.
LATE = "p30 invoke read x _ time=3.89s\np30 ok read x 1 time=3.9s\nnemesis info stop-kill"


@pytest.mark.parametrize(
    ("failed", "options", "names"),
    [
        (10, {"stall_max_s": 2.9}, []),
        (10, {"stall_max_s": 2.8}, ["stalled"]),
        (10, {"stall_max_s": 1.9, "grace_s": 1.0}, []),
        (10, {"stall_max_s": 1.8, "grace_s": 1.0}, ["stalled"]),
        (8, {"stall_max_s": 2.8}, []),  # too few tried
        (10, {}, []),
        (10, {"stall_max_s": 2.8, "served_min": 0.5}, ["fault-not-served", "stalled"]),
    ],
)
def test_how_long_nothing_may_succeed_while_a_fault_holds(
    failed: int, options: dict[str, float], names: list[str]
) -> None:
    verdict = check(during(0, failed).replace("nemesis info stop-kill", LATE, 1), **options)
    assert [anomaly.name for anomaly in verdict.anomalies] == names
    assert (verdict.validity is Validity.INVALID) is bool(names)


def test_a_standstill_is_told_with_its_times() -> None:
    (anomaly,) = check(during(0, 10).replace("nemesis info stop-kill", LATE, 1), stall_max_s=2.0).anomalies
    assert anomaly.reason == (
        "while fault 7 (kill of n1) held, no operation succeeded from 1.000 s to 3.900 s, although 11 were invoked: "
        "some must succeed every 2 s"
    )
