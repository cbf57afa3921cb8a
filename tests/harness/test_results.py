"""The document of a run: what its history says of the faults, and the sentence for the whole."""

from __future__ import annotations

import json

from harness.history import History
from harness.results import document, faults, reason
from harness.verdict import Anomaly, Validity, Verdict
from tests.builders import history

KILL = '{"id": 1, "kind": "kill", "args": {"target": "leader"}'
RUN = f"""
nemesis info start-kill - {KILL}}}                                                                 time=1s
nemesis info start-kill - {KILL}, "targets": ["n2"], "bit": true, "evidence": "n2 is dead"}}        time=1.1s
nemesis info stop-kill  - {{"id": 1, "kind": "kill"}}                                              time=3s
nemesis info stop-kill  - {{"id": 1, "kind": "kill", "healed": true, "evidence": "n2 is back"}}     time=3.1s
"""


def test_a_fault_says_whom_it_hit_when_and_how_it_was_proved() -> None:
    assert faults(history(RUN)) == [
        {
            "id": 1,
            "kind": "kill",
            "args": {"target": "leader"},
            "targets": ["n2"],
            "start_s": 1.0,
            "end_s": 3.0,
            "bit": True,
            "healed": True,
            "evidence": "n2 is dead",
            "healed_evidence": "n2 is back",
            "packets": [],
        }
    ]


def test_a_fault_tells_what_the_packets_of_its_links_have_met() -> None:
    met = [{"src": "n1", "dest": "n2", "cut": 7}]
    counted = RUN.replace('"healed": true', f'"healed": true, "packets": {json.dumps(met)}')
    [fault] = faults(history(counted))
    assert fault["packets"] == met


def test_a_fault_may_show_only_at_its_end() -> None:
    late = RUN.replace('"bit": true', '"bit": false').replace(
        '"healed": true', '"healed": true, "bit": true, "bit_evidence": "2 s behind"'
    )
    [fault] = faults(history(late))
    assert (fault["bit"], fault["evidence"]) == (True, "2 s behind")


def test_what_nobody_stopped_ends_with_the_heal_and_else_counts_as_not_healed() -> None:
    started = "\n".join(RUN.splitlines()[:3])
    heal = """
nemesis info heal - null                                           time=9s
nemesis info heal - {"healed": true, "evidence": "1 was active"}   time=9.1s
"""
    [left] = faults(history(started))
    assert (left["healed"], left["end_s"]) == (False, None)
    [healed] = faults(history(started + heal))
    assert (healed["healed"], healed["end_s"]) == (True, 9.0)
    [kept] = faults(history(started + heal.replace("true", "false")))
    assert not kept["healed"]


def test_nemesis_lines_of_other_tools_are_passed_over() -> None:
    foreign = """
nemesis info start-partition - "majority"
nemesis info start-partition - ["isolated", {"n1": ["n2"]}]
nemesis info stop - null
nemesis info stop - "network healed"
"""
    assert faults(history(foreign)) == []


def verdict(validity: Validity, name: str, why: str, *anomalies: Anomaly) -> Verdict:
    return Verdict(checker=name, validity=validity, reason=why, anomalies=anomalies)


LOST = Anomaly(checker="set", name="lost", ops=(1, 2), reason="element 7 was lost", witness=(1, 2))


def test_the_reason_is_that_of_the_first_of_the_worst() -> None:
    valid = verdict(Validity.VALID, "linearizable", "all is well")
    unknown = verdict(Validity.UNKNOWN, "sanity", "nothing happened")
    invalid = verdict(Validity.INVALID, "set", "lost 1 of 3: element 7 was lost", LOST)
    assert reason([valid]) == "all is well"
    assert reason([valid, unknown]) == "sanity: nothing happened"
    assert reason([unknown, invalid, valid]) == "lost 1 of 3: element 7 was lost"
    assert reason([]) == "no checker was asked"


def test_the_document_holds_every_verdict_and_anomaly() -> None:
    verdicts = [verdict(Validity.INVALID, "set", "1 lost", LOST), verdict(Validity.VALID, "stats", "3 operations")]
    found = document(history=History.of([]), verdicts=verdicts, plan={}, run="r", repeat="again", stats={"ok": 3})
    assert found["verdict"] == "invalid"
    assert [c["checker"] for c in found["checkers"]] == ["set", "stats"]
    assert found["anomalies"] == [
        {"checker": "set", "name": "lost", "ops": [1, 2], "reason": "element 7 was lost", "witness": [1, 2]}
    ]
