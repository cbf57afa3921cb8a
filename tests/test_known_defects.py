"""Defects that the field's own tools have had, or have: each has a test of ours, which this table names.

Found by reading jepsen-io/jepsen c4c7473, generator 4908c01, elle ccdee6f and maelstrom cb7f072, and in the issues that are named.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
DEFECTS = (
    (
        "set-full never finds an element that stands twice",
        "checkers/test_sets.py",
        "test_the_rules_are_their_definitions",
    ),
    (
        "final reads leave out the greatest key and an incomplete batch",
        "harness/workloads/test_final.py",
        "test_every_thread_reads_every_key",
    ),
    (
        "a cached generator loses its rest when it hears of an event",
        "harness/generator/test_transform.py",
        "test_a_cached_answer_survives_events_and_keeps_its_rest",
    ),
    (
        "a mixture is blocked by one that is pending",
        "harness/generator/test_choice.py",
        "test_mix_is_not_blocked_by_what_is_pending",
    ),
    (
        "a second packet fault on a link fails",
        "harness/clusters/fabric/test_links.py",
        "test_the_last_shape_counts_and_one_unshape_ends_it",
    ),
    (
        "partitions and packet faults know IPv4 alone",
        "harness/clusters/local/test_layout.py",
        "test_a_link_is_both_addresses_in_both_families",
    ),
    (
        "healing removes rules that are not the tool's (jepsen #600)",
        "harness/test_heal_machine.py",
        "test_mounts_namespaces_and_tables_of_dead_controllers_go_and_no_others",
    ),
    (
        "an interrupt leaves faults in place",
        "integration/test_controller_death.py",
        "test_an_interrupt_heals_all_and_stops_all",
    ),
    (
        "the same seed is another run (jepsen #578)",
        "test_determinism.py",
        "test_two_processes_with_different_hash_seeds_write_the_same_bytes",
    ),
    (
        "a check takes hours, or all memory (knossos #6)",
        "checkers/test_hostile.py",
        "test_a_check_of_hostile_shapes_stays_within_its_memory",
    ),
    (
        "a panic in a node's log passes (openraft #1913)",
        "harness/test_log_patterns.py",
        "test_a_line_that_may_not_be_is_a_finding",
    ),
    (
        "nothing of a verdict can be read by a build server",
        "reports/verification/test_verification_reports.py",
        "test_junit_counts_and_names",
    ),
    (
        "a history in which nothing could be wrong passes",
        "checkers/test_substance.py",
        "test_what_was_never_read_is_no_pass",
    ),
    (
        "models of sessions have names, and nothing that tests them (elle)",
        "checkers/test_sessions.py",
        "test_every_guarantee_is_broken_in_a_golden",
    ),
    (
        "operations on files at once are judged by nobody (jepsen.local-fs)",
        "checkers/test_files.py",
        "test_the_namespace_is_judged_as_by_all_orders",
    ),
    (
        "models of memory are judged by nobody",
        "checkers/test_litmus.py",
        "test_each_model_allows_what_the_literature_says",
    ),
    (
        "a kind of operation that never succeeds makes a run invalid, not unknown",
        "checkers/test_sanity.py",
        "test_a_run_that_does_not_is_unknown",
    ),
    ("a fault without effect passes (maelstrom #44)", "checkers/test_sanity.py", "test_a_run_that_does_not_is_unknown"),
    (
        "a checker's own crash is told apart from no verdict",
        "harness/test_judge.py",
        "test_a_crashing_checker_is_unknown",
    ),
    (
        "any name of a consistency model is accepted",
        "checkers/transactions/test_checkers.py",
        "test_an_unknown_model_is_refused_with_a_suggestion_and_aliases_are_known",
    ),
    (
        "the node of an operation is guessed from its process, wrongly after crashes",
        "harness/test_worker.py",
        "test_after_info_the_next_op_gets_a_new_client",
    ),
    (
        "reads of values that nobody wrote pass (elle)",
        "checkers/transactions/test_golden.py",
        "test_every_name_is_shown_by_a_history_that_shows_nothing_else",
    ),
    (
        "a search that gives up is hidden",
        "checkers/transactions/test_graph.py",
        "test_a_search_that_gives_up_says_what_it_covered",
    ),
    (
        "where a dependency and real time lead the same way, cycles that need the time are overlooked (elle)",
        "checkers/transactions/test_predicates.py",
        "test_an_edge_of_time_counts_where_a_dependency_leads_the_same_way",
    ),
    (
        "keys are lost when a history is written as EDN",
        "harness/formats/test_edn_history.py",
        "test_keyed_values_are_taken_apart",
    ),
    (
        "the timeline shows the first 10,000 operations alone",
        "reports/html/test_page.py",
        "test_a_hundred_thousand_operations_fit_into_fifteen_megabytes",
    ),
)


@pytest.mark.parametrize(("defect", "file", "test"), DEFECTS, ids=[defect[:40] for defect, _, _ in DEFECTS])
def test_every_known_defect_has_a_test(defect: str, file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert test in tests, defect
