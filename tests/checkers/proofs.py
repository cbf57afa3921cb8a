"""Where the proofs of each checker are, and samples of histories: data for ``test_every_checker``."""

from __future__ import annotations

from dataclasses import dataclass

from checkers import counter
from checkers.linearizable import explain
from checkers.sessions import telling as sessions
from checkers.transactions import models

RULE = "it reports figures, and its tests recount each"
MOVED = "test_every_checker.py::test_other_names_and_another_hour_change_nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``twin`` and ``moved`` are FILE::TEST, or a sentence that says why there is none. ``shown``: the files of the histories that show
    ``anomalies``.
    """

    twin: str
    moved: str = MOVED
    shown: tuple[str, ...] = ()
    anomalies: tuple[str, ...] = ()


def _golden(name: str, twin: str, *anomalies: str, moved: str = MOVED) -> Proof:
    return Proof(twin=twin, moved=moved, shown=(f"golden/{name}.txt",), anomalies=anomalies)


def _tested(file: str, twin: str, *anomalies: str, moved: str = MOVED) -> Proof:
    return Proof(twin=twin, moved=moved, shown=(file,), anomalies=anomalies)


_DEFINITION = "test_verdicts_are_those_of_the_definition"
_TXN = "transactions/test_checkers.py::"
_STRONGER = f"{_TXN}test_what_refutes_a_model_refutes_every_stronger_one"
_PREDICATES = "transactions/test_predicates.py::"
_OF_PREDICATES = ("predicate-read-miss", "predicate-read-mismatch", "G-single", "G-nonadjacent", "G2")
_ATOMIC = ("disagreement", "changed-decision", "wrong-answer", "commit-despite-no", "blocked")
_FILES = (
    "lost-file",
    "resurrected-file",
    "phantom-file",
    "nonlinearizable",
    "lost-record",
    "stale-read",
    "wrong-offset",
)
_CONTENTS = ("duplicate-record", "phantom-record", "corrupt-read", "unreadable-file", "lost-write", "undefined-region")
_LOGS = ("duplicate", "int-poll-skip", "int-nonmonotonic-poll", "int-nonmonotonic-send", "int-send-skip", "unseen")
_MORE_LOGS = ("inconsistent-offsets", "precommitted-read", "lost-write", "nonmonotonic-poll", "nonmonotonic-send")
_ENTRIES = ("phantom-entry", "early-expiry", "late-expiry", "ghost-entry")
_WATCHES = ("watch-gap", "watch-order", "watch-disagrees", "watch-phantom", "watch-missed")
_PROBED = (
    "phantom-instance",
    "ghost-instance",
    "false-alarm",
    "healthy-though-silent",
    "not-deregistered",
    "lost-instance",
)
_VERSIONS = ("phantom-read",)  # what no order of versions could explain
PROOFS: dict[str, Proof] = {
    "atomic-commit": _golden("atomic_commit", f"test_commits.py::{_DEFINITION}", *_ATOMIC),
    "atomicity": _tested(
        "test_atomicity.py",
        "test_atomicity.py::test_k_and_delta_are_the_least_by_definition",
        "too-stale",
        "never-atomic",
    ),
    "availability": _tested(
        "test_availability.py",
        f"{RULE}; a bound compares one of them with a number",
        "no-progress",
        "fault-not-served",
        "stalled",
        moved="test_availability.py::test_the_bound_and_its_near_misses",
    ),
    "bank": _golden(
        "bank",
        "each read is judged by itself, by adding it up: the rule is the definition",
        *("wrong-total", "negative-value", "unexpected-key", "nil-balance"),
    ),
    "broadcast": _golden(
        "broadcast", f"test_broadcast.py::{_DEFINITION}", "lost", "undelivered", "phantom", "duplicated"
    ),
    "causal-reverse": _golden(
        "causal_reverse", "test_small_checkers.py::test_causal_reverse_is_the_definition", "causal-reverse"
    ),
    "clock-condition": _tested(
        "test_clocks.py",
        f"test_clocks.py::{_DEFINITION}",
        "clock-condition",
        "false-order",
        moved="test_clocks.py::test_right_clocks_pass",
    ),
    "closed-predicate": Proof(
        twin=f"{_PREDICATES}test_it_is_exact_for_serializability",
        moved=f"{_PREDICATES}test_what_refutes_a_model_refutes_every_stronger_one",
        shown=("transactions/golden.txt",),
        anomalies=_OF_PREDICATES,
    ),
    "coherence": Proof(
        twin="test_coherence.py::test_one_order_per_location_is_the_definition",
        shown=("golden/coherence.txt", "test_coherence.py"),
        anomalies=("two-writers", "reader-beside-writer", "incoherent", "future-read", "phantom"),
    ),
    "convergence": _golden("convergence", f"test_convergence.py::{_DEFINITION}", "diverged", "lost-update", *_VERSIONS),
    "counter": _golden("counter", f"test_counter.py::{_DEFINITION}", *counter.ANOMALIES),
    "echo": _tested("test_echo.py", f"test_echo.py::{_DEFINITION}", "wrong-echo"),
    "fifo-per-producer": _golden("fifo_per_producer", "test_queues.py::test_order_is_the_definition", "reordered"),
    "files": _golden(
        "files",
        "test_files.py::test_what_replicas_hold_is_judged_as_byte_by_byte",
        *(*_FILES, *_CONTENTS, "replicas-differ", "under-replicated"),
    ),
    "g-set": _golden("g_set", "test_broadcast.py::test_a_set_is_judged_as_a_broadcast_is", "lost", "duplicated"),
    "g2": _golden("g2", "test_small_checkers.py::test_g2_is_the_definition", "G2"),
    "health": _tested("test_health.py", f"test_health.py::{_DEFINITION}", *_PROBED, *_WATCHES),
    "kafka": _tested(
        "test_kafka.py",
        "test_kafka.py::test_a_right_log_is_valid_and_one_message_less_is_not",
        *(*_LOGS, *_MORE_LOGS, "G1a", "phantom"),
    ),
    "latency": Proof(twin=RULE, moved=RULE),
    "leadership": _tested(
        "test_leadership.py",
        "who leads which term stands in the logs: two names for one term are the definition",
        "two-leaders",
        moved="test_leadership.py::test_one_leader_per_term_is_fine",
    ),
    "linearizable": Proof(
        twin="test_check.py::test_the_verdict_is_the_definition",
        moved="test_metamorphic.py::test_verdicts_move_one_way_only",
        shown=("golden/linearizable.txt",),
        anomalies=tuple(explain.ANOMALIES),
    ),
    "list-append": Proof(
        twin=f"{_TXN}test_of_lists_also_valid_means_that_some_order_does",
        moved=_STRONGER,
        shown=("transactions/golden.txt",),
        anomalies=tuple(models.ANOMALIES),
    ),
    "litmus": _tested(
        "test_litmus.py",
        "test_litmus.py::test_models_are_what_they_are_by_definition",
        "forbidden-outcome",
        moved="test_litmus.py::test_the_outcome_that_tells_models_apart_is_judged_by_them",
    ),
    "locks": _golden(
        "locks",
        f"test_locks.py::{_DEFINITION}",
        *("mutual-exclusion", "intrusion", "token-order", "stale-token"),
    ),
    "long-fork": _golden("long_fork", "test_small_checkers.py::test_long_fork_is_the_definition", "long-fork"),
    "monotonic": _golden(
        "monotonic",
        "test_small_checkers.py::test_monotonic_is_the_definition",
        *("nonmonotonic", "duplicate", "unexpected"),
    ),
    "or-set": _golden(
        "or_set",
        f"test_or_sets.py::{_DEFINITION}",
        *("lost", "resurrected", "diverged", "phantom", "duplicated"),
    ),
    "registry": Proof(
        twin=f"test_registry_views.py::{_DEFINITION}",
        shown=("test_registry.py", "golden/registry.txt"),
        anomalies=(*_ENTRIES, *_WATCHES, "mixed-view", "view-went-back"),
    ),
    "rw-register": Proof(
        twin=f"{_TXN}test_of_registers_invalid_means_that_no_order_of_versions_helps",
        moved=_STRONGER,
        shown=("transactions/golden.txt",),
        anomalies=tuple(models.ANOMALIES),
    ),
    "sanity": _tested(
        "test_sanity.py",
        "it never says invalid; each of its doubts is one comparison, with its near miss",
        moved="test_sanity.py::test_a_run_that_does_not_is_unknown",
    ),
    "security": _tested(
        "test_security.py",
        "an attempt is in a log or it is not: the rule is the definition",
        *("let-in", "unauthorized-write", "unnoticed"),
        moved="test_security.py::test_others_that_were_refused_are_false_alarms_and_no_anomaly",
    ),
    "sessions": _golden("sessions", f"test_sessions.py::{_DEFINITION}", *sessions.ANOMALIES, *_VERSIONS),
    "set": Proof(
        twin="test_sets.py::test_the_rules_are_their_definitions",
        shown=("golden/sets.txt",),
        anomalies=("lost", "stale", "unexpected", "duplicated", "fork", "reordered"),
    ),
    "sides": _tested(
        "test_sides.py",
        "test_sides.py::test_it_counts_as_one_who_counts_op_by_op",
        "minority-served",
        "side-not-served",
        moved="test_sides.py::test_only_what_happened_within_the_partition_counts",
    ),
    "staleness": _golden(
        "staleness", "test_staleness.py::test_figures_are_those_of_the_definition", "too-stale", *_VERSIONS
    ),
    "stats": Proof(twin=RULE, moved=RULE),
    "time-bound": _tested("test_time_bounds.py", f"test_time_bounds.py::{_DEFINITION}", "out-of-bound", "vague"),
    "total-queue": _golden(
        "total_queue",
        "test_queues.py::test_total_queue_is_the_definition",
        *("lost", "duplicated", "unexpected", "reordered"),
    ),
    "unique-ids": _golden("unique_ids", f"test_unique_ids.py::{_DEFINITION}", "duplicate-id"),
    "weak": _tested("test_weak.py", "test_weak.py::test_every_model_is_its_definition", "cyclic-order", "phantom-read"),
    "weak-registers": _tested(
        "test_weak.py", "test_algorithms.py::test_orphans_are_the_operations_with_no_source_each"
    ),
}
_CHECK = '{"instance":"a","interval_s":1,"timeout_s":1,"failures":3,"deregister_s":9}'
# Of checkers whose goldens are no files of lines or drawings: (options, history).
SAMPLES: dict[str, list[tuple[dict[str, object], str]]] = {
    "atomicity": [
        ({}, "p0 |-- write x 1 --| |-- write x 2 --| |-- read x 2 --|"),
        ({"k": 1}, "p0 |-- write x 1 --| |-- write x 2 --| |-- read x 1 --|"),
    ],
    "coherence": [
        ({}, "p0 |-- write x 1 --| |-- write x 2 --|\np1 |-- read x 2 --| |-- read x 1 --|"),
        ({}, "p0 |-- write x 1 --| |-- write x 2 --|\np1 |-- read x 1 --| |-- read x 2 --|"),
    ],
    "echo": [({}, "p0 |-- echo - 1 --| |-- echo - 2 --|"), ({}, "p0 invoke echo - 1\np0 ok echo - 2")],
    "health": [
        (
            {},
            f"""
            p0 invoke serve s "a"
            p0 ok     serve s {_CHECK}
            p1 invoke instances s _
            p1 ok     instances s [["a","{status}"]]
            p2 invoke watch - _
            p2 ok     watch - {{"since":0,"upto":1,"changes":[[1,"{what}","s","a"]]}}
            """,
        )
        for status, what in (("critical", "up"), ("passing", "down"))
    ],
    "kafka": [
        (
            {},
            """
            p0 invoke send - [["send","k",7]]
            p0 ok     send - [["send","k",[0,7]]]
            p1 invoke poll - [["poll"]]
            p1 ok     poll - [["poll",{"k":[[0,8]]}]]
            """,
        )
    ],
    "registry": [
        (
            {},
            """
            p0 invoke register s {"session":"a"}
            p0 ok     register s {"session":"a","ttl_s":3}
            p1 invoke lookup s _
            p1 ok     lookup s {"b":1}
            """,
        )
    ],
    "set": [
        ({}, "p0 |-- add x 1 --| |-- read x [1] --|"),
        ({}, "p0 |-- add x 1 --| |-- read x [] --|"),
        ({}, "p0 |-- add x 1 --| |-- read x [1,1] --|"),
    ],
    "time-bound": [
        ({}, 'p0 invoke now - _\np0 ok now - {"time_s": 5.0, "bound_s": 1.0} true_s=[4.5,5.5]'),
        ({}, 'p0 invoke now - _\np0 ok now - {"time_s": 9.0, "bound_s": 1.0} true_s=[4.5,5.5]'),
    ],
    "weak": [
        ({}, "p0 |-- write x 1 --| |-- write x 2 --|\np1 |-- read x 2 --| |-- read x 1 --|"),
        ({}, "p0 |-- write x 1 --| |-- write x 2 --|\np1 |-- read x 1 --| |-- read x 2 --|"),
    ],
    "weak-registers": [
        ({}, "p0 |-- write x 1 --| |-- write x 2 --| |-- read x 1 --|"),
        ({}, "p0 |-- write x 1 --| |-- write x 2 --| |-- read x 2 --|"),
    ],
}
