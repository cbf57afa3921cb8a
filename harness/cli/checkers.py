"""Checkers by their names, and what the document takes from them. Imports nothing that a run needs."""

from __future__ import annotations

import json
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


def parse_checkers(texts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """``NAME`` or ``NAME:K=V,K=V``, each: the checkers and their options. Raises PlanError for an unknown one."""
    checkers: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, _, options = text.partition(":")
        given = parse_options(tuple(filter(None, options.split(","))), f"--checker {name}")
        make_checker(name, given | checkers.get(name, {}))
        checkers.setdefault(name, {}).update(given)
    return checkers


def parse_options(pairs: tuple[str, ...], flag: str = "--option") -> dict[str, Any]:
    """``K=V`` pairs; V is read as JSON where it is JSON, else as text."""
    options: dict[str, Any] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            raise PlanError(f"{flag} {pair!r}: write it as NAME=VALUE")
        try:
            options[name] = json.loads(text)
        except ValueError:
            options[name] = text
    return options
