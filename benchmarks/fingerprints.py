"""What of the source a comparison rests on, in one number: if it is another, what was compared before says nothing any more.

Of a checker: its package and every module of checkers/ that this imports, whatever these import in turn. Of a test: its function and what
that uses of tests/, name by name; a new test beside it changes nothing. Comments and layout do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECKERS = ROOT / "checkers"
TABLE = CHECKERS / "__init__.py"  # names all checkers: says nothing of one
DIGITS = 16


def of_checker(module: str) -> str:
    """``module``: where its factory is, as checkers.locks.check."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    waiting = [path] if path.parent == CHECKERS else [*path.parent.rglob("*.py")]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found and path != TABLE:
            found.add(path)
            imports = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.ImportFrom)]
            waiting += [there for node in imports for name in node.names for there, _ in _source(node, name.name)]
    return _number(ast.unparse(_tree(path)) for path in sorted(found) if CHECKERS in path.parents)


def of_test(name: str) -> str:
    """``name``: FILE::TEST, FILE from the root on."""
    file, _, test = name.partition("::")
    waiting, found = [(ROOT / file, test)], dict[tuple[Path, str], str]()
    while waiting:
        path, word = place = waiting.pop()
        if place in found:
            continue
        nodes = [node for node in _tree(path).body if not word or word in _made(node)]
        imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
        others = [node for node in nodes if not isinstance(node, ast.Import | ast.ImportFrom)]
        found[place] = "\n".join(ast.unparse(node) for node in others)
        waiting += [(path, used.id) for node in others for used in ast.walk(node) if isinstance(used, ast.Name)]
        for node in imports:
            names = [name.name for name in node.names if not word or word == (name.asname or name.name)]
            waiting += [there for name in names for there in _source(node, name) if CHECKERS not in there[0].parents]
    return _number(found[place] for place in sorted(found))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _made(node: ast.stmt) -> set[str]:
    """The names that a statement of a module binds."""
    if isinstance(node, ast.ImportFrom):
        return {name.asname or name.name for name in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


def _source(node: ast.ImportFrom, name: str) -> Iterator[tuple[Path, str]]:
    """Where ``from ... import name`` finds it, if in checkers/ or tests/: a file, and the name there; no name: the whole file."""
    parts = (node.module or "").split(".")
    if parts[0] in ("checkers", "tests"):
        place = ROOT.joinpath(*parts)
        whole, module, package = place / f"{name}.py", place.with_suffix(".py"), place / "__init__.py"
        yield next((path, word) for path, word in ((whole, ""), (module, name), (package, name)) if path.exists())


def _number(sources: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:DIGITS]
