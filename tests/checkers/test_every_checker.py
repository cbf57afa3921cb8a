"""That judges are right, checker by checker: what each is compared with, what may not matter to it, and what shows each of its anomalies.

A checker has a twin that decides by the definition, dumbly, or a reason why there can be none; a test of what may not change its verdict;
and, for every anomaly that it can name, a history that shows it, beside near misses that are fine. This table says where they are; a
checker or an anomaly that is not in it fails.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import checkers
from harness.history import History
from harness.op import NEMESIS
from harness.registry import Registry
from harness.verdict import Budget
from targets import TARGETS
from tests.checkers import weak_goldens
from tests.checkers.proofs import MOVED, PROOFS, SAMPLES

HERE, SOURCE = Path(__file__).parent, Path(checkers.__file__).parent
HOUR_NS = 3_600_000_000_000
# As many as any number of threads that the goldens name divides.
MORE_PROCESSES = 1_200


def test_every_checker_is_in_the_table() -> None:
    assert PROOFS.keys() == checkers.CHECKERS.keys()


@pytest.mark.parametrize("name", PROOFS)
def test_twins_and_tests_of_what_may_not_matter_are_there(name: str) -> None:
    for told in (PROOFS[name].twin, PROOFS[name].moved):
        file, bar, test = told.partition("::")
        if not bar:
            assert " " in told, f"{told!r} is neither FILE::TEST nor a reason"
            continue
        tree = ast.parse((HERE / file).read_text())
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", [name for name, proof in PROOFS.items() if proof.anomalies])
def test_every_anomaly_is_shown_beside_a_near_miss(name: str) -> None:
    proof = PROOFS[name]
    constants = {word: value for path in sources(name) for word, value in constants_of(path.read_text()).items()}
    shown, near = set[str](), 0
    for file in proof.shown:
        text = (HERE / file).read_text()
        if file.endswith(".txt"):  # paragraphs: a comment, a history, a bar, and what is said of it
            said = [wanted for _, bar, wanted in (part.partition("\n----") for part in text.split("\n\n")) if bar]
            shown |= {word for wanted in said for word in wanted.split()}
            near += text.count("# Near miss")
        else:
            shown |= {name for name in proof.anomalies if f'"{name}"' in text}
            shown |= {value for word, value in constants.items() if word in text}
            near += len(proof.anomalies) if "Validity.VALID" in text or "set()" in text or ", [])" in text else 0
    assert set(proof.anomalies) <= shown
    assert near >= len(proof.anomalies), f"{near} near misses"


def sources(name: str) -> list[Path]:
    """The modules of a checker."""
    path = SOURCE.parent / (checkers.CHECKERS[name].partition(":")[0].replace(".", "/") + ".py")
    return [path] if path.parent == SOURCE else sorted(path.parent.rglob("*.py"))


@cache
def constants_of(source: str) -> dict[str, str]:
    """The words that a module gives names to."""
    found = {}
    for node in ast.parse(source.replace("from __future__ import annotations", "")).body:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            pairs = zip(target.elts, value.elts, strict=True) if several else [(target, value)]
            for one, other in pairs:
                if isinstance(one, ast.Name) and isinstance(other, ast.Constant) and isinstance(other.value, str):
                    found[one.id] = other.value
    return found


def named(path: Path) -> Iterator[str]:
    """The anomalies that a module names where it finds one: ``found.add(NAME, ...)`` or ``Anomaly(name=NAME, ...)``."""
    source = path.read_text()
    constants = constants_of(source)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        places = [
            word.value for word in node.keywords if word.arg == "name" and getattr(node.func, "id", "") == "Anomaly"
        ]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "add" and len(node.args) >= 3:
            places.append(node.args[0])
        for place in places:
            if isinstance(place, ast.Constant):
                yield place.value
            elif isinstance(place, ast.Name) and place.id in constants:
                yield constants[place.id]


@pytest.mark.parametrize("name", PROOFS)
def test_every_anomaly_that_a_checker_names_is_in_the_table(name: str) -> None:
    kin = {other for other in PROOFS if set(sources(other)) & set(sources(name))}  # which share modules
    known = {anomaly for other in kin for anomaly in PROOFS[other].anomalies}
    assert {anomaly for path in sources(name) for anomaly in named(path)} <= known


def test_every_anomaly_that_a_claim_expects_is_in_the_table() -> None:
    known = {anomaly for proof in PROOFS.values() for anomaly in proof.anomalies}
    targets = Registry("target", TARGETS)
    expected = {anomaly for name in TARGETS for claim in targets.get(name).claims for anomaly in claim.violates}
    assert expected <= known


def moved(run: History) -> History:
    """The same an hour later, by processes with other numbers."""
    return History.of(
        replace(
            op,
            time_ns=op.time_ns + HOUR_NS,
            process=op.process if op.process == NEMESIS else int(op.process) + MORE_PROCESSES,
        )
        for op in run
    )


GOLDENS = [
    (name, json.loads(options), drawing)
    for name, proof in PROOFS.items()
    for file in proof.shown
    if file.startswith("golden/") and Path(file).stem in weak_goldens.MAKERS
    for _, options, drawing, _ in weak_goldens.cases(Path(file).stem)
]
ALL = [*GOLDENS, *((name, options, text) for name, samples in SAMPLES.items() for options, text in samples)]


@pytest.mark.parametrize(("name", "options", "text"), ALL, ids=[f"{name}-{at}" for at, (name, _, _) in enumerate(ALL)])
def test_other_names_and_another_hour_change_nothing(name: str, options: dict[str, object], text: str) -> None:
    checker = Registry("checker", checkers.CHECKERS).get(name)(**options)
    run = weak_goldens.drawn(text)
    before, after = (checker.check(each, Budget()) for each in (run, moved(run)))
    assert after.validity is before.validity, after.reason
    assert [anomaly.name for anomaly in after.anomalies] == [anomaly.name for anomaly in before.anomalies]
    assert [anomaly.ops for anomaly in after.anomalies] == [anomaly.ops for anomaly in before.anomalies]


def test_what_is_moved_is_moved_for_every_checker_that_says_so() -> None:
    assert {name for name, proof in PROOFS.items() if proof.moved == MOVED} == {name for name, _, _ in ALL}
