"""Are the tests of the checkers any good? Change the checkers' source in one small place after the other, and see whether a test notices.

    python benchmarks/mutation.py                        all of TESTS below, every mutant
    python benchmarks/mutation.py unique_ids queues/order
    python benchmarks/mutation.py --every 5              one mutant of five

A mutant flips a comparison, swaps ``and`` and ``or``, plus and minus, drops a ``not``, adds one to a number, turns True into False, or
leaves out a statement. It is *killed* if a test fails or does not end in time. Each runs in a child process that sees the changed module in
the place of the file; nothing is written. Prints the score, and each survivor as the line before and what takes its place.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import hypothesis  # noqa: F401 - loaded here once, for all children
import numpy as np  # noqa: F401
import pytest

ROOT = Path(__file__).parents[1]
_HEALTH = tuple(f"checkers/test_health{part}.py" for part in ("_told", "_spans", ""))
# Tests of kernels that compare with no compiled one (that would be the unchanged one) and do not take minutes uncompiled.
_SEARCHES = (
    "checkers/test_searches.py",
    *(
        f"checkers/test_algorithms.py::test_{test}"
        for test in (
            "unique_is_the_definition_where_values_are_written_once",
            "the_searches_are_the_definition",
            "every_algorithm_is_the_definition",
            "layers_refute_what_depth_cannot",
            "layers_that_find_no_place_are_unknown",
            "configurations_that_share_a_place_in_the_table_are_told_apart",
            "out_of_budget_is_unknown_and_says_how_far",
        )
    ),
)
# A module of checkers/ → its tests, below tests/.
TESTS = {
    "agreement": ("checkers/test_convergence.py",),
    "atomicity": ("checkers/test_atomicity.py",),
    "availability": ("checkers/test_availability.py",),
    "bank": ("checkers/test_small_checkers.py",),
    "broadcast": ("checkers/test_broadcast.py",),
    "causal_reverse": ("checkers/test_small_checkers.py",),
    "clocks": ("checkers/test_clocks.py",),
    "commits/check": ("checkers/test_commits.py",),
    "commits/sightings": ("checkers/test_commits.py",),
    "convergence": ("checkers/test_convergence.py",),
    "counter": ("checkers/test_counter.py",),
    "echo": ("checkers/test_echo.py",),
    "files/check": ("checkers/test_files.py", "checkers/test_substance.py"),
    "files/lives": ("checkers/test_files.py",),
    "files/names": ("checkers/test_files.py",),
    "files/namespace": ("checkers/test_files.py",),
    "files/records": ("checkers/test_files.py",),
    "files/regions": ("checkers/test_files.py",),
    "files/replicas": ("checkers/test_files.py",),
    "files/steps": ("checkers/test_files.py",),
    "g2": ("checkers/test_small_checkers.py",),
    "health/check": _HEALTH,
    "health/facts": _HEALTH,
    "health/judge": _HEALTH,
    "health/spans": _HEALTH,
    "health/watches": _HEALTH,
    "kafka/check": ("checkers/test_kafka.py",),
    "kafka/cycles": ("checkers/test_kafka.py",),
    "kafka/finders": ("checkers/test_kafka.py",),
    "kafka/log": ("checkers/test_kafka.py",),
    "leadership": ("checkers/test_leadership.py",),
    "linearizable/apart": ("checkers/test_apart.py",),
    "linearizable/appends": ("checkers/test_objects.py",),
    "linearizable/chains": ("checkers/test_chains.py",),
    "linearizable/changing": ("checkers/test_changing.py",),
    "linearizable/check": ("checkers/test_check.py",),
    "linearizable/containers/case": ("checkers/test_containers.py", "checkers/test_golden.py"),
    "linearizable/containers/judging": ("checkers/test_containers.py",),
    "linearizable/containers/lifo": ("checkers/test_golden.py", "checkers/test_containers.py"),
    "linearizable/containers/lives": ("checkers/test_containers.py",),
    "linearizable/containers/sweeps": ("checkers/test_containers.py",),
    "linearizable/containers/telling": ("checkers/test_containers.py", "checkers/test_golden.py"),
    "linearizable/elements": ("checkers/test_elements.py",),
    "linearizable/encode": ("checkers/test_check.py", "checkers/test_chains.py"),
    "linearizable/explain": ("checkers/test_witness.py", "checkers/test_golden.py", "checkers/test_check.py"),
    "linearizable/generic": (
        "checkers/test_steps.py",
        "checkers/test_objects.py::test_the_portfolio_is_the_definition",
    ),
    "linearizable/growing": ("checkers/test_growing.py",),
    "linearizable/layers": (*_SEARCHES, "checkers/test_steps.py"),
    "linearizable/layout": _SEARCHES,
    "linearizable/limits": ("checkers/test_limits.py", "checkers/test_check.py", "checkers/test_apart.py"),
    "linearizable/models": ("checkers/test_models.py",),
    "linearizable/moments": ("checkers/test_changing.py",),
    "linearizable/objects": ("checkers/test_objects.py", "checkers/test_golden.py"),
    "linearizable/orders": ("checkers/test_orders.py",),
    "linearizable/patterns": ("checkers/test_patterns.py", "checkers/test_golden.py"),
    "linearizable/quick": ("checkers/test_quick.py",),
    "linearizable/register_search": (*_SEARCHES, "checkers/test_steps.py"),
    "linearizable/registers": ("checkers/test_check.py", "checkers/test_golden.py"),
    "linearizable/sets": ("checkers/test_changing.py", "checkers/test_elements.py", "checkers/test_growing.py"),
    "linearizable/shrink": ("checkers/test_witness.py",),
    "linearizable/sources": ("checkers/test_sources.py", "checkers/test_witness.py", "checkers/test_patterns.py"),
    "linearizable/steps": ("checkers/test_steps.py", "checkers/test_objects.py::test_the_portfolio_is_the_definition"),
    "linearizable/tabled": ("checkers/test_steps.py", "checkers/test_objects.py::test_the_portfolio_is_the_definition"),
    "linearizable/touches": ("checkers/test_elements.py", "checkers/test_changing.py"),
    "linearizable/unique": ("checkers/test_unique.py", *_SEARCHES),
    "linearizable/wgl": _SEARCHES,
    "linearizable/witness": ("checkers/test_witness.py",),
    "locks/check": ("checkers/test_locks.py",),
    "locks/holds": ("checkers/test_locks.py",),
    "long_fork": ("checkers/test_small_checkers.py",),
    "memory/coherence": ("checkers/test_coherence.py",),
    "memory/litmus": ("checkers/test_litmus.py",),
    "memory/models": ("checkers/test_litmus.py",),
    "memory/orders": ("checkers/test_coherence.py",),
    "memory/owners": ("checkers/test_coherence.py",),
    "monotonic": ("checkers/test_small_checkers.py", "checkers/test_substance.py"),
    "mutants": ("checkers/test_strength.py",),
    "or_sets": ("checkers/test_or_sets.py",),
    "precedence": ("checkers/test_locks.py", "checkers/test_queues.py"),
    "queues/facts": ("checkers/test_queues.py",),
    "queues/order": ("checkers/test_queues.py",),
    "queues/total": ("checkers/test_queues.py",),
    "registry/check": ("checkers/test_registry.py",),
    "registry/entries": ("checkers/test_registry.py",),
    "registry/facts": ("checkers/test_registry.py",),
    "registry/views": ("checkers/test_registry_views.py",),
    "registry/watches": ("checkers/test_registry.py",),
    "replacements": ("checkers/test_versions.py",),
    "sanity": ("checkers/test_sanity.py",),
    "security": ("checkers/test_security.py",),
    "sessions/chains": ("checkers/test_sessions.py",),
    "sessions/check": ("checkers/test_sessions.py",),
    "sessions/circles": ("checkers/test_circles.py", "checkers/test_sessions.py"),
    "sessions/orders": ("checkers/test_sessions.py",),
    "sessions/telling": ("checkers/test_sessions.py",),
    "set_facts": ("checkers/test_sets.py",),
    "sets": ("checkers/test_sets.py", "checkers/test_substance.py"),
    "sides": ("checkers/test_sides.py",),
    "staleness": ("checkers/test_staleness.py",),
    "stats": ("checkers/test_stats.py",),
    "strength": ("checkers/test_strength.py",),
    "subset_sums": ("checkers/test_subset_sums.py",),
    "substance": ("checkers/test_substance.py", "checkers/test_weak.py"),
    "time_bounds": ("checkers/test_time_bounds.py",),
    "transactions/closed_predicate": (
        "checkers/transactions/test_predicates.py",
        "checkers/transactions/test_golden.py",
    ),
    "transactions/cycles": ("checkers/transactions/test_graph.py", "checkers/transactions/test_golden.py"),
    "transactions/graph": ("checkers/transactions/test_graph.py", "checkers/transactions/test_golden.py"),
    "transactions/judging": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/list_append": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/list_edges": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/list_facts": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/lists": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/models": ("checkers/transactions/test_models.py",),
    "transactions/parse": ("checkers/transactions/test_reading.py",),
    "transactions/predicates": ("checkers/transactions/test_predicates.py", "checkers/transactions/test_golden.py"),
    "transactions/register_edges": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/register_facts": ("checkers/transactions/test_golden.py",),
    "transactions/register_orders": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/registers": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/rw_register": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "transactions/scc": ("checkers/transactions/test_graph.py",),
    "transactions/telling": ("checkers/transactions/test_golden.py",),
    "transactions/times": ("checkers/transactions/test_graph.py", "checkers/transactions/test_checkers.py"),
    "transactions/txns": (
        "checkers/transactions/test_reading.py",
        "checkers/transactions/test_files.py",
        "checkers/transactions/test_golden.py",
    ),
    "transactions/visibility": ("checkers/transactions/test_views.py", "checkers/transactions/test_checkers.py"),
    "transactions/visible": ("checkers/transactions/test_views.py", "checkers/transactions/test_golden.py"),
    "transactions/walk": ("checkers/transactions/test_graph.py",),
    "transactions/writes": ("checkers/transactions/test_checkers.py", "checkers/transactions/test_golden.py"),
    "unique_ids": ("checkers/test_unique_ids.py",),
    "versions": ("checkers/test_versions.py",),
    "weak/check": ("checkers/test_weak.py",),
    "weak/reads_from": ("checkers/test_weak.py",),
    "weak/registers": ("checkers/test_weak.py",),
    "weak/relations": ("checkers/test_weak.py",),
    "weak/sequential": ("checkers/test_weak.py",),
    "windows": ("checkers/test_windows.py",),
    "wording": ("checkers/test_wording.py",),
}
# A mutant has so many times as long as the unchanged module, and so many seconds more.
PATIENCE, PATIENCE_S = 5, 20
FLIPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What can stand in the place of ``node``, as new nodes."""
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            other = copy.deepcopy(node)
            other.ops[place] = FLIPS[type(op)]()
            yield other
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(op=ast.Or() if isinstance(node.op, ast.And) else ast.And(), values=node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield ast.BinOp(left=node.left, op=ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), right=node.right)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(value=not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(value=node.value + 1)
    elif isinstance(node, ast.AugAssign | ast.Continue | ast.Break) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Yield | ast.YieldFrom)
    ):
        yield ast.Pass()


def mutants(source: str) -> Iterator[tuple[int, str, str, str]]:
    """(line, before, after, source) of every mutant. Annotations, declarations of classes and texts of f-strings stay as they are."""
    tree = ast.parse(source)
    lines = source.splitlines()
    passed_over = {id(inner) for node in ast.walk(tree) for inner in _untouched(node)}
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            places = enumerate(value) if isinstance(value, list) else [(None, value)]
            for place, child in places:
                if not isinstance(child, ast.AST) or id(child) in passed_over:
                    continue
                for other in variants(child):
                    _put(parent, name, place, ast.copy_location(other, child))
                    changed = ast.unparse(ast.fix_missing_locations(tree))
                    _put(parent, name, place, child)
                    line = getattr(child, "lineno", 0)
                    yield line, lines[line - 1].strip(), ast.unparse(other), changed


def _untouched(node: ast.AST) -> Iterator[ast.AST]:
    """What is no behaviour: annotations, decorators, the formatting of words."""
    roots: list[ast.AST | None] = []
    if isinstance(node, ast.FunctionDef):
        roots += [*node.decorator_list, node.returns]
    elif isinstance(node, ast.ClassDef):
        roots += [*node.decorator_list, *(field for field in node.body if isinstance(field, ast.AnnAssign))]
    elif isinstance(node, ast.arg | ast.AnnAssign):
        roots.append(node.annotation)
    elif isinstance(node, ast.JoinedStr):
        roots.append(node)
    for root in roots:
        yield from ast.walk(root) if root is not None else ()


def _put(parent: ast.AST, name: str, place: int | None, child: ast.AST) -> None:
    if place is None:
        setattr(parent, name, child)
    else:
        getattr(parent, name)[place] = child


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from ``source`` in the place of its file."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self, origin=str(self._path)) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, str(self._path), "exec"), module.__dict__)  # noqa: S102 - our own source, changed


def passes(name: str, source: str, tests: Sequence[str], limit_s: float) -> bool:
    """Whether all tests pass with this source, in a child process."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        sys.meta_path.insert(0, Instead(f"checkers.{name.replace('/', '.')}", ROOT / "checkers" / f"{name}.py", source))
        _run_kernels_as_they_are_written()
        wanted = [str(ROOT / "tests" / test) for test in tests]
        os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--rootdir", str(ROOT), *wanted]))
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run_kernels_as_they_are_written() -> None:
    """What was compiled of the file knows nothing of the change."""
    from checkers.kernels import engine

    for bar in ("LOAD_FROM_STEPS", "LOADED_FROM_STEPS", "COMPILE_FROM_STEPS"):
        setattr(engine, bar, 1 << 62)


def judged(name: str, every: int) -> tuple[int, list[str]]:
    """How many mutants there were, and the survivors."""
    source = (ROOT / "checkers" / f"{name}.py").read_text()
    began = time.monotonic()
    if not passes(name, source, TESTS[name], 600):
        raise SystemExit(f"the tests of {name} fail without any change")
    limit_s = PATIENCE * (time.monotonic() - began) + PATIENCE_S
    chosen = list(mutants(source))[::every]
    survivors = []
    for line, before, after, changed in chosen:
        if passes(name, changed, TESTS[name], limit_s):
            survivors.append(f"  {name}.py:{line}: {before}   →   {after}")
    return len(chosen), survivors


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("modules", nargs="*", choices=[*TESTS, []], help="modules of checkers/, as queues/order")
    parser.add_argument("--every", type=int, default=1, help="one mutant of so many")
    given = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    total = alive = 0
    for name in given.modules or TESTS:
        made, survivors = judged(name, given.every)
        total, alive = total + made, alive + len(survivors)
        print(f"{name}: {made - len(survivors)} of {made} mutants killed", *survivors, sep="\n", flush=True)
    print(f"score: {total - alive} of {total} ({100 * (total - alive) / max(1, total):.1f} %)")


if __name__ == "__main__":
    main()
