"""Checkers by their names, and what the document takes from them. Imports nothing that a run needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.cli import tables
from harness.errors import PlanError
from harness.verdict import Checker, Verdict


def make_checker(name: str, options: Mapping[str, Any]) -> Checker:
    """The checker called ``name``. Raises PlanError if there is none, or if it has no such option."""
    try:
        checker: Checker = tables.checkers().get(name)(**options)
    except TypeError as error:
        raise PlanError(f"checker {name}: {error}") from error
    return checker


def stats_of(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The figures of the checker called "stats": they are the run's own."""
    return next((dict(v.stats) for v in verdicts if v.checker == "stats"), {})
