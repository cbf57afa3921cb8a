"""What ``--model`` can name: an object of ours, a file with one of your own, or a consistency model weaker than linearizability.

And what the model of a claim means for the checkers that judge it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.cli import tables
from harness.cli.checkers import make_checker
from harness.errors import PlanError, suggest
from harness.protocols import Claim
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
# What a claim's model means for the checkers of its workload: linearizability is theirs by default, the first take it as an option.
_TAKE_MODELS = ("list-append", "rw-register")
# Model of a memory → what litmus tests call it.
_OF_MEMORY = {"sequential": "sc", "tso": "tso", "release-consistency": "rc"}


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


def judged(claim: Claim) -> Claim:
    """The claim with the checker that decides its model among its checkers.

    Names of guarantees that are no models of the field ("no-loss"), and those of checkers ("linearizable", "atomic-commit"), are told, and
    judged by the checkers of workload and target. Raises PlanError if the claim's workload cannot be judged so, or if the claim asks the
    checker that decides its model for another one.
    """
    workload = dict(tables.workloads().get(claim.workload).checkers)
    checkers = {**workload, **claim.checkers}
    if "litmus" in checkers and claim.model and claim.model not in checkers:
        return _asking(claim, "litmus", {"model": _of_memory(claim)})
    if claim.model in tables.checkers().names():
        return claim
    if claim.model in CONSISTENCY:
        name, options = CONSISTENCY[claim.model]
        return _asking(claim, name, options)
    for name in _TAKE_MODELS:
        if name in workload and claim.model:
            make_checker(name, {"model": claim.model})
            return _asking(claim, name, {"model": claim.model})
    return claim


def _of_memory(claim: Claim) -> str:
    """What litmus tests call the model of this claim. Raises PlanError for one that they cannot judge, such as linearizability."""
    if claim.model not in _OF_MEMORY:
        what = f"claim {claim.name}: litmus tests cannot judge the model {claim.model!r}"
        raise PlanError(f"{what}: {suggest(claim.model, _OF_MEMORY)}")
    return _OF_MEMORY[claim.model]


def _asking(claim: Claim, checker: str, options: Mapping[str, Any]) -> Claim:
    own = claim.checkers.get(checker, {})
    for name, value in options.items():
        if own.get(name, value) != value:
            what = f"claim {claim.name} is of the model {claim.model!r}, which the checker {checker} decides with {name}={value}"
            raise PlanError(f"{what}, not {own[name]}")
    return replace(claim, checkers={**claim.checkers, checker: {**options, **own}})
