"""The house rules, held by a program. Each rule says what to do instead; each has a test that it can fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("harness", "targets", "nemesis", "checkers", "reports")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60

# (module, attribute) → what to use instead. None as attribute bans the whole call target "module(...)".
BANNED_CALLS = {
    ("time", "sleep"): "wait for a condition",
    ("os", "system"): "use an argv list with asyncio.create_subprocess_exec",
    ("random", "random"): "use a named stream of harness.rng, passed as a parameter",
    ("random", "choice"): "use a named stream of harness.rng, passed as a parameter",
    ("random", "randint"): "use a named stream of harness.rng, passed as a parameter",
    ("random", "shuffle"): "use a named stream of harness.rng, passed as a parameter",
    ("random", "seed"): "use a named stream of harness.rng, passed as a parameter",
}
BANNED_NAMES = {"eval": "parse the text", "exec": "write the code", "print": "hand text to the console"}
# Compiled kernels are one loop by nature: a call per step would cost more than the step.
LONG_FUNCTIONS: dict[str, int] = {}
BARE_UNITS = {"timeout", "delay", "interval", "duration", "latency"}


def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def missing_docstring(tree: ast.Module, name: str) -> Iterator[str]:
    if not (ast.get_docstring(tree) or "").strip():
        yield f"{name}: opens without its contract: say in a docstring what the module is for"


def long_functions(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONG_FUNCTIONS.get(f"{name}:{node.name}", FUNCTION_LINES_MAX):
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines, more than {FUNCTION_LINES_MAX}: split it"


def banned_calls(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id=module), attr=attr) if (module, attr) in BANNED_CALLS:
                yield f"{name}:{node.lineno}: {module}.{attr}: {BANNED_CALLS[module, attr]}"
            case ast.Name(id=called) if called in BANNED_NAMES and not name.endswith("__main__.py"):
                yield f"{name}:{node.lineno}: {called}: {BANNED_NAMES[called]}"
        if any(word.arg == "shell" for word in node.keywords):
            yield f"{name}:{node.lineno}: shell=: use an argv list"


def bare_units(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            for argument in arguments:
                if argument.arg in BARE_UNITS:
                    yield f"{name}:{node.lineno}: parameter {argument.arg}: name its unit ({argument.arg}_s)"


RULES: tuple[Callable[[ast.Module, str], Iterator[str]], ...] = (
    missing_docstring,
    long_functions,
    banned_calls,
    bare_units,
)


def complaints(text: str, name: str) -> list[str]:
    tree = _parsed(text)
    return [complaint for rule in RULES for complaint in rule(tree, name)]


def test_the_sources_keep_the_house_rules() -> None:
    found = [c for path in SOURCES for c in complaints(path.read_text(), str(path.relative_to(ROOT)))]
    assert found == []


def test_files_have_one_subject() -> None:
    long = [str(p.relative_to(ROOT)) for p in [*SOURCES, *TESTS] if len(p.read_text().splitlines()) > FILE_LINES_MAX]
    assert long == []


def test_no_kitchen_sink() -> None:
    assert [p.name for p in SOURCES if p.stem in {"utils", "util", "helpers", "misc", "common"}] == []


def test_nothing_is_left_to_do() -> None:
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    assert [str(p) for p in [*SOURCES, *TESTS] if words.search(p.read_text())] == []


def test_tests_wait_for_conditions_not_for_time() -> None:
    found = [
        c
        for path in TESTS
        if path != Path(__file__)
        for c in banned_calls(_parsed(path.read_text()), path.name)
        if "sleep" in c
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1", "opens without its contract"),
        ('"""d"""\nimport time\ntime.sleep(1)', "wait for a condition"),
        ('"""d"""\nimport random\nrandom.random()', "named stream"),
        ('"""d"""\neval("1")', "parse the text"),
        ('"""d"""\nimport subprocess\nsubprocess.run("ls", shell=True)', "argv list"),
        ('"""d"""\ndef f(timeout: int) -> None: ...', "timeout_s"),
        ('"""d"""\ndef f() -> None:\n' + "    x = 1\n" * 61, "split it"),
    ],
)
def test_each_rule_can_fail(text: str, complaint: str) -> None:
    assert any(complaint in found for found in complaints(text, "example.py"))


def test_every_plugin_stands_in_its_table() -> None:
    from checkers import CHECKERS
    from harness.registry import load
    from nemesis import FAULTS
    from targets import TARGETS

    for table in (CHECKERS, FAULTS, TARGETS):
        for path in table.values():
            load(path)
