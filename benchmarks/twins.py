"""How often have checkers been compared with their definitions? Runs the Hypothesis tests, one at a time, with many examples.

    python -m benchmarks.twins                                10^5 examples of every one
    python -m benchmarks.twins --examples 1000 queues locks   those whose name holds one of the words
    python -m benchmarks.twins --minutes 60                   as many as so much processor time pays for

A short run of each says what an example costs. Then, the cheapest first, each has all its examples, or what is left of the time.
Prints a line for each: the examples that it passed, of how many were asked, processor seconds, and what came of it; a test that runs out
of different examples is complete with fewer. Fails if one fails, and prints its example then. Examples are others at every run.
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
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import hypothesis  # loaded here once, for all children
import numpy as np  # noqa: F401
import pytest

ROOT = Path(__file__).parents[1]
SAMPLE = 150


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


def costs(names: Sequence[str], scratch: Path) -> list[tuple[float, str]]:
    """(seconds of one example, name), the cheapest first."""
    found = []
    for name in names:
        answer = run(name, SAMPLE, scratch)
        if answer["code"]:
            raise SystemExit(f"{name} fails:\n{(scratch / 'output').read_text()}")
        found.append((answer["seconds"] / max(1, answer["passed"]), name))
        print(f"# {1e3 * found[-1][0]:.2f} ms an example, {answer['passed']} of {SAMPLE} pass: {name}", flush=True)
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("words", nargs="*", help="tests whose name holds one of them")
    parser.add_argument("--examples", type=int, default=100_000, help="of each test")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of processor time, for all")
    given = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="splitbrain-twins-") as made:
        scratch = Path(made)
        answer = in_child(Collector(), ["--collect-only", "tests/checkers"], scratch)
        names = [name for name in answer["names"] if not given.words or any(word in name for word in given.words)]
        left = 60 * given.minutes
        for cost, name in costs(names, scratch):
            examples = int(min(given.examples, left / cost))
            if examples < SAMPLE:
                print(f"{name}: not run, {1e3 * cost:.2f} ms an example", flush=True)
                continue
            answer = run(name, examples, scratch)
            left -= answer["seconds"]
            word = "FAILED" if answer["code"] else "passed, no other examples" if answer["complete"] else "passed"
            print(
                f"{name}: {answer['passed']} of {given.examples} examples, {answer['seconds']:.0f} s, {word}",
                flush=True,
            )
            if answer["code"]:
                failed += 1
                print((scratch / "output").read_text(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
