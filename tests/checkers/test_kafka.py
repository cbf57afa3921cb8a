"""Logs: each anomaly beside a near miss that is fine, and random logs against the definition."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.kafka.check import make
from harness.errors import PlanError
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict

END = [(9, "assign", ["k"], "final"), (9, "poll", "rest", "final"), (9, "poll", {}, "final")]


def history(steps: list[Any]) -> History:
    """Each step is one operation, over before the next begins: (process, f, ...).

    ("send", message, offset) is acknowledged; offset "fail" or "info" is the outcome instead. ("poll", {key: pairs}); ("assign", keys).
    ("txn", micro-operations as they completed).
    A fourth element marks it as final; "rest" polls everything that was sent and acknowledged to k, by offset.
    """
    ops: list[Op] = []
    log: dict[int, Any] = {}
    for process, f, *rest in steps:
        extra = {"final": True} if rest[-1] == "final" else {}
        if f == "send":
            call = Op(process=process, f=f, value=[["send", "k", rest[0]]])
            offset = rest[1]
            if offset == "fail":
                done = call.fail("no")
            elif offset == "info":
                done = call.info("timeout")
            else:
                done = call.ok([["send", "k", [offset, rest[0]]]])
                log[offset] = rest[0]
        elif f == "txn":
            call = Op(
                process=process,
                f=f,
                value=[[mop[0], *mop[1:2], *([mop[2][1]] if mop[0] == "send" else [])] for mop in rest[0]],
            )
            done = call.ok(rest[0])
            log |= {mop[2][0]: mop[2][1] for mop in rest[0] if mop[:2] == ["send", "k"]}
        elif f == "poll":
            call = Op(process=process, f=f, value=[["poll"]], extra=extra)
            pairs = {"k": [[at, log[at]] for at in sorted(log)]} if rest[0] == "rest" else rest[0]
            done = call.ok([["poll", pairs]])
        else:
            call = Op(process=process, f=f, value=rest[0], extra=extra)
            done = call.ok(rest[0])
        ops += [call, done]
    return History.of(op.stamped(index, index * 1_000_000, None) for index, op in enumerate(ops))


def compacted(steps: list[Any], keys: int = 2) -> Verdict:
    return make(keys=keys).check(history(steps), Budget())


TAIL = [END[0], (9, "poll", {"k": [[2, 2], [3, 3]]}, "final"), END[2]]
SHOWN = [(0, "send", message, message) for message in range(4)]


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([*SHOWN, *TAIL], set()),  # 2 and 3 are the last of their keys
        ([*SHOWN, (1, "poll", {"k": [[0, 0], [3, 3]]}), *TAIL], {"int-poll-skip"}),  # passes over 2
        ([*SHOWN, (1, "poll", {"k": [[0, 0], [2, 2]]}), *TAIL], set()),  # 1 may be gone: 3 is there
        ([*SHOWN, END[0], (9, "poll", {"k": [[1, 1], [3, 3]]}, "final"), END[2]], {"lost-write", "int-poll-skip"}),
        ([*SHOWN, END[0], (9, "poll", {"k": [[2, 2]]}, "final"), END[2]], {"unseen"}),  # 3 itself
    ],
)
def test_of_each_key_of_a_compacted_log_the_last_message_must_be_kept(steps: list[Any], found: set[str]) -> None:
    assert {anomaly.name for anomaly in compacted(steps).anomalies} == found


def test_what_compaction_may_take_is_missed_where_there_is_none() -> None:
    assert {anomaly.name for anomaly in check([*SHOWN, *TAIL]).anomalies} == {"lost-write"}
    assert compacted([*SHOWN, *TAIL]).stats["compacted"] == 2


@given(st.integers(1, 4), st.lists(st.booleans(), min_size=1, max_size=12))
def test_a_compacted_log_by_its_definition(keys: int, kept: list[bool]) -> None:
    """Messages 0, 1, 2, ... at their own offsets, of which the final poll shows those that are kept; missing the last of a key is wrong."""
    shown = {offset for offset, keep in enumerate(kept) if keep}
    sends = [(0, "send", message, message) for message in range(len(kept))]
    end = [END[0], (9, "poll", {"k": [[at, at] for at in sorted(shown)]}, "final"), END[2]]
    lasts = {max(at for at in range(len(kept)) if at % keys == key) for key in range(min(keys, len(kept)))}
    fine = lasts <= shown
    assert (compacted([*sends, *end], keys).validity is Validity.VALID) == fine


def test_keys_are_a_number() -> None:
    with pytest.raises(PlanError, match="keys must be a whole number"):
        make(keys=-1)


def check(steps: list[Any]) -> Verdict:
    return make().check(history(steps), Budget())


def names(steps: list[Any]) -> set[str]:
    return {anomaly.name for anomaly in check(steps).anomalies}


EMPTY_BETWEEN = [(1, "poll", {"k": [[0, 0]]}), (1, "poll", {}), (1, "poll", {"k": [[2, 2]]})]
SENDS = [(0, "send", message, message) for message in range(4)]
CASES: list[tuple[str, list[Any], set[str]]] = [
    ("all is well", [*SENDS, *END], set()),
    ("offsets may be sparse", [(0, "send", "a", 0), (0, "send", "b", 7), *END], set()),
    (
        "a message below a polled offset that nobody polled",
        [*SENDS, (1, "poll", {"k": [[0, 0], [3, 3]]})],
        {"lost-write", "int-poll-skip"},
    ),
    (
        "polled by another one",
        [*SENDS, (1, "poll", {"k": [[0, 0], [1, 1]]}), (2, "poll", {"k": [[2, 2], [3, 3]]})],
        set(),
    ),
    (
        "never seen, though polled to the end",
        [*SENDS, END[0], (9, "poll", {"k": [[0, 0]]}, "final"), END[2]],
        {"unseen"},
    ),
    ("never assigned, so its silence means nothing", [*SENDS, (8, "poll", {"k": [[0, 0]]}), END[2]], set()),
    ("one message at two offsets", [*SENDS, (1, "poll", {"k": [[3, 3], [4, 3]]}), *END], {"duplicate"}),
    (
        "two messages at one offset",
        [(0, "send", "a", 0), (1, "send", "b", 0), (2, "poll", {"k": [[0, "a"]]}), (3, "poll", {"k": [[0, "b"]]})],
        {"inconsistent-offsets"},
    ),
    (
        "a poll passes over an offset",
        [*SENDS, (1, "poll", {"k": [[0, 0]]}), (1, "poll", {"k": [[2, 2]]}), *END],
        {"poll-skip"},
    ),
    (
        "after an assignment it may",
        [*SENDS, (1, "poll", {"k": [[0, 0]]}), (1, "assign", ["k"]), (1, "poll", {"k": [[2, 2]]}), *END],
        set(),
    ),
    ("another process may", [*SENDS, (1, "poll", {"k": [[0, 0]]}), (2, "poll", {"k": [[2, 2]]}), *END], set()),
    (
        "a poll that gives nothing in between changes nothing",
        [*SENDS, (1, "poll", {"k": [[0, 0]]}), (1, "poll", {}), (1, "poll", {"k": [[2, 2]]}), *END],
        {"poll-skip"},
    ),
    (
        "a poll goes back",
        [*SENDS, (1, "poll", {"k": [[0, 0], [1, 1]]}), (1, "poll", {"k": [[1, 1], [2, 2]]}), *END],
        {"nonmonotonic-poll"},
    ),
    (
        "a poll is out of order in itself",
        [*SENDS, (1, "poll", {"k": [[1, 1], [0, 0]]}), *END],
        {"int-nonmonotonic-poll"},
    ),
    ("a poll skips in itself", [*SENDS, (1, "poll", {"k": [[0, 0], [2, 2]]}), *END], {"int-poll-skip"}),
    ("sends go back", [(0, "send", "a", 5), (0, "send", "b", 3), *END], {"nonmonotonic-send"}),
    (
        "the sends of one transaction go back",
        [(0, "txn", [["send", "k", [5, "a"]], ["send", "k", [3, "b"]]]), *END],
        {"int-nonmonotonic-send"},
    ),
    (
        "those of one transaction go on",
        [(0, "txn", [["send", "k", [3, "a"]], ["send", "k", [5, "b"]]]), *END],
        set(),
    ),
    ("sends of different processes may", [(0, "send", "a", 5), (1, "send", "b", 3), *END], set()),
    ("a failed send was polled", [*SENDS, (0, "send", "x", "fail"), (1, "poll", {"k": [[4, "x"]]}), *END], {"G1a"}),
    (
        "one of unknown outcome was polled",
        [*SENDS, (0, "send", "x", "info"), (1, "poll", {"k": [[4, "x"]]}), *END],
        set(),
    ),
    (
        "a transaction polls what it sends",
        [*SENDS, (1, "txn", [["send", "k", [4, 4]], ["poll", {"k": [[4, 4]]}]]), *END],
        {"precommitted-read"},
    ),
    (
        "a transaction polls what others sent",
        [*SENDS, (1, "txn", [["send", "k", [4, 4]], ["poll", {"k": [[3, 3]]}]]), *END],
        set(),
    ),
    (
        "two transactions poll from each other",
        [
            (0, "txn", [["send", "k", [0, "a"]], ["poll", {"j": [[0, "b"]]}]]),
            (1, "txn", [["send", "j", [0, "b"]], ["poll", {"k": [[0, "a"]]}]]),
            *END,
        ],
        {"G1c"},
    ),
    (
        "one polls from the other",
        [
            (0, "txn", [["send", "k", [0, "a"]], ["poll", {}]]),
            (1, "txn", [["send", "j", [0, "b"]], ["poll", {"k": [[0, "a"]]}]]),
            (2, "poll", {"j": [[0, "b"]]}),
            *END,
        ],
        set(),
    ),
    ("polled before it is sent", [(1, "poll", {"k": [[0, 0]]}), *SENDS, *END], {"G1c-realtime"}),
    ("polled before its own process sends it", [(0, "poll", {"k": [[0, 0]]}), *SENDS, *END], {"G1c-process"}),
    ("nobody sent it", [*SENDS, (1, "poll", {"k": [[4, "x"]]}), *END], {"phantom"}),
]


@pytest.mark.parametrize(("_what", "steps", "anomalies"), CASES, ids=[case[0] for case in CASES])
def test_each_anomaly_has_its_name(_what: str, steps: list[Any], anomalies: set[str]) -> None:
    verdict = check(steps)
    assert names(steps) == anomalies
    assert (verdict.validity is Validity.INVALID) == bool(anomalies)


def test_what_jepsen_allows_is_counted_and_no_anomaly() -> None:
    skip = [*SENDS, (1, "poll", {"k": [[0, 0]]}), (1, "poll", {"k": [[2, 2]]}), *END]
    subscribed = check([(1, "subscribe", ["k"]), *skip])
    assert subscribed.validity is Validity.VALID
    assert subscribed.reason.endswith("(and 1 poll-skip, which may be)")
    back = [*SENDS, (1, "poll", {"k": [[0, 0], [1, 1]]}), (1, "poll", {"k": [[1, 1], [2, 2]]}), *END]
    assert (names(back), names([(1, "subscribe", ["k"]), *back])) == ({"nonmonotonic-poll"}, set())
    apart = [(0, "txn", [["send", "k", [0, "a"]], ["send", "k", [2, "c"]]]), (1, "send", "b", 1), *END]
    assert check(apart).stats["anomalies"] == {"int-send-skip": 1}
    assert check(apart).validity is Validity.VALID
    together = [(0, "txn", [["send", "k", [0, "a"]], ["send", "k", [1, "c"]]]), (1, "send", "b", 2), *END]
    assert check(together).stats["anomalies"] == {}


def test_a_name_can_be_allowed() -> None:
    steps = [*SENDS, (1, "poll", {"k": [[3, 3], [4, 3]]}), *END]
    for allow in ("duplicate", ["duplicate", "unseen"]):
        assert make(allow=allow).check(history(steps), Budget()).validity is Validity.VALID
    assert make(allow=["unseen"]).check(history(steps), Budget()).validity is Validity.INVALID
    with pytest.raises(PlanError, match="unknown anomaly 'dupe'"):
        make(allow=["dupe"])


def test_the_order_of_offsets_makes_circles_if_asked() -> None:
    """Two transactions whose writes interleave on two logs: G0, which may always be. One that polls from what comes behind it: G1c."""
    k = [["send", "k", [0, "a"]], ["send", "j", [1, "d"]]]
    j = [["send", "j", [0, "c"]], ["send", "k", [1, "b"]]]
    seen = (2, "poll", {"j": [[0, "c"], [1, "d"]]})
    steps = [(0, "txn", k), (1, "txn", j), seen, *END]
    assert check(steps).stats["anomalies"] == {}
    verdict = make(ww_deps=True).check(history(steps), Budget())
    assert verdict.stats["anomalies"] == {"G0": 1}
    assert verdict.validity is Validity.VALID
    polls = [
        (0, "txn", [["send", "k", [0, "a"]], ["poll", {"k": [[1, "b"]]}]]),
        (1, "send", "b", 1),
        (*seen[:2], {}),
        *END,
    ]
    assert names(polls) == {"G1c-realtime"}
    assert make(ww_deps=True).check(history(polls), Budget()).stats["anomalies"]["G1c"] == 1
    assert make(ww_deps=True).check(history(polls), Budget()).validity is Validity.VALID


def test_a_circle_is_told_edge_by_edge() -> None:
    [anomaly] = check([(1, "poll", {"k": [[0, 0]]}), *SENDS, *END]).anomalies
    assert anomaly.reason == (
        "T1 must come before T2, since T1 had ended at 0.0010 s when T2 began at 0.0020 s; T2 must come before T1, since T1 polled 0 "
        "from k, which T2 had sent: so each must come before itself (T1 is the operation of process 1 (0.0000 s – 0.0010 s), "
        "T2 is the operation of process 0 (0.0020 s – 0.0030 s))"
    )


def test_a_search_that_runs_out_is_unknown() -> None:
    verdict = make().check(history([(1, "poll", {"k": [[0, 0]]}), *SENDS, *END]), Budget(steps_max=0))
    assert verdict.validity is Validity.UNKNOWN


def test_without_polls_to_the_end_nothing_is_known_of_what_was_not_polled() -> None:
    verdict = check([*SENDS, (1, "poll", {"k": [[0, 0]]})])
    assert verdict.validity is Validity.UNKNOWN
    assert "3 of 4 acknowledged messages were never polled" in verdict.reason


def test_who_was_not_assigned_anew_need_not_have_polled_all_in_the_end() -> None:
    early = [*SENDS, (9, "assign", ["k"]), (9, "poll", {"k": [[0, 0]]}), (9, "poll", {}, "final")]
    assert check(early).validity is Validity.UNKNOWN
    assert check([*SENDS, END[0], *early[-2:]]).validity is Validity.INVALID


def test_nothing_acknowledged_or_nothing_polled_is_nothing_judged() -> None:
    assert check([(0, "send", 1, "info")]).validity is Validity.UNKNOWN
    assert check(SENDS).validity is Validity.UNKNOWN


def test_the_words() -> None:
    [anomaly, *_] = check([*SENDS, (1, "poll", {"k": [[0, 0], [3, 3]]})]).anomalies
    assert anomaly.reason == (
        "process 0 was told at 0.0030 s that 1 stands at offset 1 of k, but nobody ever polled it, though offset 3 was polled"
    )
    assert anomaly.ops == (2, 3, 6, 7)
    [skip] = check(CASES[8][1]).anomalies
    assert "and so never saw offset 1, which holds a message" in skip.reason


@pytest.mark.parametrize("value", [3, [[]], [["poll", [1]]]])
def test_what_is_no_operation_of_a_log_is_unknown(value: Any) -> None:
    call = Op(process=0, f="poll", value=[["poll"]])
    ops = [call, call.ok(value)]
    verdict = make().check(History.of(op.stamped(index, index, None) for index, op in enumerate(ops)), Budget())
    assert verdict.validity is Validity.UNKNOWN


@given(st.integers(0, 10**9))
def test_a_right_log_is_valid_and_one_message_less_is_not(seed: int) -> None:
    """Consumers of random logs with sparse offsets; then the same with one message hidden from everybody."""
    dice = random.Random(seed)

    def steps(hidden: int | None) -> list[Any]:
        dice.seed(seed)
        log: list[tuple[int, int]] = []
        positions = {1: 0, 2: 0}
        found: list[Any] = []
        for message in range(dice.randrange(2, 12)):
            log.append((log[-1][0] + dice.randrange(1, 4) if log else 0, message))
            found.append((0, "send", message, log[-1][0]))
            reader = dice.choice([1, 2])
            pairs = [[at, value] for at, value in log if at >= positions[reader] and value != hidden][
                : dice.randrange(1, 4)
            ]
            if pairs:
                positions[reader] = pairs[-1][0] + 1
                found.append((reader, "poll", {"k": pairs}))
        rest = {"k": [[at, value] for at, value in log if value != hidden]}
        return [*found, END[0], (9, "poll", rest, "final"), END[2]]

    assert check(steps(None)).validity is Validity.VALID
    assert "lost-write" in names(steps(0))
