"""What ``--model`` can name: an object of ours, a file with one of your own, or a consistency model weaker than linearizability."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cli import tables
from harness.cli.checkers import make_checker
from harness.errors import PlanError, suggest
from harness.registry import load
from harness.verdict import Checker

# name → the checker that decides it, and its options
CONSISTENCY: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "sequential": ("weak", {"model": "sequential"}),
    "causal": ("weak", {"model": "causal"}),
    "causal-convergence": ("weak", {"model": "causal-convergence"}),
    "causal-memory": ("weak", {"model": "causal-memory"}),
    "pram": ("weak", {"model": "pram"}),
    "regular": ("weak-registers", {"model": "regular"}),
    "safe": ("weak-registers", {"model": "safe"}),
    "sessions": ("sessions", {}),
    "read-your-writes": ("sessions", {"guarantees": "read-your-writes"}),
    "monotonic-reads": ("sessions", {"guarantees": "monotonic-reads"}),
    "monotonic-writes": ("sessions", {"guarantees": "monotonic-writes"}),
    "writes-follow-reads": ("sessions", {"guarantees": "writes-follow-reads"}),
    "staleness": ("staleness", {}),
    "atomicity": ("atomicity", {}),
    "2-atomic": ("atomicity", {"k": 2}),
    "eventual": ("convergence", {}),
}


def checker_of_model(name: str, options: Mapping[str, Any]) -> Checker:
    """The checker for ``--model name``. Raises PlanError for an unknown one; ``options`` are for linearizability alone."""
    if name in CONSISTENCY:
        checker, given = CONSISTENCY[name]
        return make_checker(checker, given)
    path, colon, attribute = name.rpartition(":")
    if colon and path.endswith(".py"):
        return make_checker("linearizable", {"model": load_model(Path(path), attribute), **options})
    known = [*tables.models().names(), *CONSISTENCY]
    if name not in known:
        raise PlanError(f"unknown model {name!r}: {suggest(name, known)} (a model of your own is FILE.py:NAME)")
    return make_checker("linearizable", {"model": name, **options})


def load_model(path: Path, attribute: str) -> Any:
    """The Model called ``attribute`` in the file ``path``. Raises PlanError saying what is wrong with it."""
    kind = load("checkers.linearizable.models:Model")
    spec = importlib.util.spec_from_file_location(f"splitbrain_model_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise PlanError(f"--model: there is no file {path}; give FILE.py:NAME, where NAME is a Model")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # it is the user's code
        raise PlanError(f"--model: {path} cannot be loaded: {type(error).__name__}: {error}") from error
    model = getattr(module, attribute, None)
    if not isinstance(model, kind):
        names = [name for name, thing in vars(module).items() if isinstance(thing, kind)]
        raise PlanError(f"--model: {path} has no Model called {attribute!r}: {suggest(attribute, names)}")
    return model
