"""How often has each checker been compared with its definition? Gathers 10^5 examples of Hypothesis each, over as many runs as it takes.

    python -m benchmarks.twins                     until each checker has all
    python -m benchmarks.twins --minutes 60        as many as so much processor time pays for
    python -m benchmarks.twins queues locks        those whose name or twin holds one of the words
    python -m benchmarks.twins --minutes 0         the table alone

The twin of a checker is the test that compares it with its definition (``tests/checkers/proofs.py``); where a test has variants, they have
the examples together. What has passed is kept in a ledger, ``benchmarks/twins.json``, with a fingerprint of the checker's source and one of
the test's: a checker or a twin that is another begins again. The cheapest twin comes first. Examples are others at every run, and a turn of
one has so many at most that little is lost when the run is ended; a twin that has no other examples is complete with fewer.

A disagreement is printed with its example, takes the checker out of the ledger, and the run fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import hypothesis  # loaded here once, for all children
import numpy as np  # noqa: F401
import pytest

from benchmarks import fingerprints
from checkers import CHECKERS

ROOT = Path(__file__).parents[1]
TESTS = "tests/checkers"
SAMPLE, TURN = 150, 25_000


@dataclass(slots=True, kw_only=True)
class Row:
    """What is in the ledger of one test, or of one variant of it. ``complete``: it has no other examples."""

    checker: str
    test: str
    checker_source: str
    test_source: str
    passed: int = 0
    complete: bool = False

    @property
    def place(self) -> tuple[str, ...]:
        return self.checker, self.test, self.checker_source, self.test_source


@dataclass(slots=True, kw_only=True)
class Plan:
    """The tests of one checker, and of how many examples each is to have its part."""

    rows: list[Row]
    wanted: int
    cost_s: float = 0.0

    @property
    def each(self) -> int:
        return -(-self.wanted // len(self.rows))

    def missing(self, row: Row) -> int:
        return 0 if row.complete else max(0, self.each - row.passed)

    @property
    def left_s(self) -> float:
        return self.cost_s * sum(self.missing(row) for row in self.rows)


class Collector:
    """A plugin of pytest: the names of all tests that Hypothesis runs."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.names = [item.nodeid for item in items if hasattr(getattr(item, "obj", None), "hypothesis")]

    def result(self) -> dict[str, Any]:
        return {"names": self.names}


class Counter:
    """A plugin of pytest: so many examples for the test, and how many it passed."""

    def __init__(self, examples: int) -> None:
        self.examples, self.told, self.seconds = examples, "", 0.0

    def pytest_collection(self) -> None:
        nightly = hypothesis.settings.get_profile("nightly")
        hypothesis.settings.register_profile("twins", nightly, max_examples=self.examples)
        hypothesis.settings.load_profile("twins")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        began = time.process_time()
        try:
            yield
        finally:
            self.seconds = time.process_time() - began

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        self.told = getattr(item, "hypothesis_statistics", "")

    def result(self) -> dict[str, Any]:
        generated = self.told.rpartition("during generate phase")[2]
        found = re.search(r"(\d+) passing", generated)
        complete = "nothing left to do" in self.told
        return {"passed": int(found[1]) if found else 0, "complete": complete, "seconds": self.seconds}


def in_child(plugin: Collector | Counter, argv: Sequence[str], scratch: Path) -> dict[str, Any]:
    """What the plugin learnt in a pytest of its own, and the exit code of that. Its output is left in ``scratch``."""
    (scratch / "answer").write_text('{"code": -1, "passed": 0, "complete": false, "seconds": 0}')  # of one that dies
    pid = os.fork()
    if pid == 0:
        output = os.open(scratch / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        wanted = ["-q", "-p", "no:cacheprovider", "--assert=plain", "--rootdir", str(ROOT), *argv]
        try:
            code = pytest.main(wanted, plugins=[plugin])
            (scratch / "answer").write_text(json.dumps({"code": int(code), **plugin.result()}))
        except Exception:  # noqa: BLE001 - the output tells it, and the code that none was told
            traceback.print_exc()
        finally:  # whatever happens, a child does not go on as its parent
            sys.stdout.flush()
            os._exit(0)
    os.waitpid(pid, 0)
    answer: dict[str, Any] = json.loads((scratch / "answer").read_text())
    return answer


def run(name: str, examples: int, scratch: Path) -> dict[str, Any]:
    return in_child(Counter(examples), ["--hypothesis-profile", "nightly", str(ROOT / name)], scratch)


def plans(names: Sequence[str], wanted: int) -> dict[str, Plan]:
    """By checker; without those that have no twin of Hypothesis, as there a reason is given in its place."""
    from tests.checkers.proofs import PROOFS

    found = {}
    for checker, proof in PROOFS.items():
        test = f"{TESTS}/{proof.twin}"
        variants = [name for name in names if name.partition("[")[0] == test]
        if variants:
            source = fingerprints.of_checker(CHECKERS[checker].partition(":")[0])
            twin = fingerprints.of_test(test)
            rows = [Row(checker=checker, test=name, checker_source=source, test_source=twin) for name in variants]
            found[checker] = Plan(rows=rows, wanted=wanted)
    return found


def remembered(ledger: Path, found: dict[str, Plan]) -> None:
    """Fills in what the ledger holds of checkers and tests as they are."""
    rows = [Row(**row) for row in json.loads(ledger.read_text())] if ledger.exists() else []
    known = {row.place: row for row in rows}
    for plan in found.values():
        plan.rows = [known.get(row.place, row) for row in plan.rows]


def keep(ledger: Path, found: dict[str, Plan]) -> None:
    """One line for each, in order, so that versions can be compared; there at once or not at all."""
    rows = sorted((row.test, json.dumps(asdict(row))) for plan in found.values() for row in plan.rows if row.passed)
    beside = ledger.with_suffix(".new")
    beside.write_text("[\n" + ",\n".join(line for _, line in rows) + "\n]\n")
    beside.replace(ledger)


def turns(found: Sequence[Plan], left_s: float, scratch: Path) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Runs one after the other, the cheapest checker first, while there is time; each with what came of it."""
    for plan in sorted(found, key=lambda plan: plan.left_s):
        for row in plan.rows:
            while plan.missing(row) and left_s > SAMPLE * plan.cost_s:
                answer = run(row.test, int(min(plan.missing(row), TURN, left_s / plan.cost_s)), scratch)
                left_s -= answer["seconds"]
                plan.cost_s = answer["seconds"] / max(1, answer["passed"]) or plan.cost_s
                yield row, answer
                if answer["code"] or not answer["passed"]:
                    break


def priced(plan: Plan, scratch: Path) -> None:
    """Finds out what an example costs."""
    row = plan.rows[0]
    answer = run(row.test, SAMPLE, scratch)
    if answer["code"]:
        raise SystemExit(f"{row.test} fails:\n{(scratch / 'output').read_text()}")
    plan.cost_s = answer["seconds"] / max(1, answer["passed"])


def table(found: dict[str, Plan]) -> None:
    for checker, plan in found.items():
        passed = sum(row.passed for row in plan.rows)
        left = "" if not plan.left_s else f"  some {plan.left_s:.0f} s left"
        word = "complete" if all(row.complete for row in plan.rows) else f"of {plan.wanted}{left}"
        print(f"{checker:20} {passed:7} {word}")
    whole = sum(not any(plan.missing(row) for row in plan.rows) for plan in found.values())
    print(f"{whole} of {len(found)} checkers have all their examples", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("words", nargs="*", help="checkers whose name or twin holds one of them")
    parser.add_argument("--examples", type=int, default=100_000, help="of each checker")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of processor time, for all")
    parser.add_argument("--ledger", type=Path, default=ROOT / "benchmarks" / "twins.json")
    given = parser.parse_args()
    ledger = given.ledger.resolve()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="splitbrain-twins-") as made:
        scratch = Path(made)
        found = plans(in_child(Collector(), ["--collect-only", TESTS], scratch)["names"], given.examples)
        remembered(ledger, found)
        chosen = [
            plan
            for plan in found.values()
            if any(plan.missing(row) for row in plan.rows)
            and any(word in plan.rows[0].checker + plan.rows[0].test for word in given.words or [""])
        ]
        for plan in chosen if given.minutes else []:
            priced(plan, scratch)
        for row, answer in turns(chosen if given.minutes else [], 60 * given.minutes, scratch):
            if answer["code"]:
                failed += 1
                row.passed = 0
                print(f"{row.test} FAILED:\n{(scratch / 'output').read_text()}", flush=True)
            else:
                row.passed, row.complete = row.passed + answer["passed"], answer["complete"]
                print(f"{row.test}: {answer['passed']} more in {answer['seconds']:.0f} s, {row.passed}", flush=True)
            keep(ledger, found)
    table(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
